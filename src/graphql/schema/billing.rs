//! Billing state in the GraphQL schema: usage, and the mutations of operators (plan, billing status, erasure).

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    customer::{BillingStatus, Customer, Plan},
    error::{MutationResult, UserError, into_mutation_result},
    scalar::Revision,
};
use crate::{
    domain::{
        InputErrors,
        limit::{self, LimitedResource, Limits},
    },
    graphql::engine::context::request,
};

/// What a customer uses of each limit of its plan. Reading it counts rows, so ask only if you show it.
#[derive(Clone, Debug, SimpleObject)]
pub struct Usage {
    /// Agents, including archived ones.
    agents: Quota,
    /// Versions of one agent; `used` is the count of the agent that has the most.
    versions_per_agent: Quota,
    /// API keys that are accepted: expired and revoked ones don't count.
    api_keys: Quota,
    /// Members and open invitations together.
    members: Quota,
    /// Environments, without archived ones.
    environments: Quota,
    /// Requests of up to 10,000 points per second that the plan allows each user and each API key in the long run, with
    /// bursts of twice as many. `extensions.cost` says what an operation was charged. A user has the limit of the
    /// largest plan among its customers. Each instance of the service counts on its own.
    requests_per_second: u32,
}

/// The use of one limit of a plan.
#[derive(Clone, Debug, SimpleObject)]
pub struct Quota {
    /// How many the customer has now.
    used: i64,
    /// How many the plan allows. A customer that has more after a change of plan keeps them, but can't add any.
    limit: i64,
}

impl From<limit::Usage> for Usage {
    fn from(usage: limit::Usage) -> Self {
        let limit::Usage { id: _, plan, agents, versions, api_keys, members, environments } = usage;
        let Limits { requests_per_second, .. } = plan.limits();
        let quota = |used, of: LimitedResource| Quota { used, limit: of.of(plan) };
        Self {
            agents: quota(agents, LimitedResource::Agents),
            versions_per_agent: quota(versions.into(), LimitedResource::Versions),
            api_keys: quota(api_keys, LimitedResource::ApiKeys),
            members: quota(members, LimitedResource::Members),
            environments: quota(environments, LimitedResource::Environments),
            requests_per_second,
        }
    }
}

/// The customer, and its new plan.
#[derive(Clone, Debug, InputObject)]
pub struct SetPlanInput {
    /// The UUID of the customer.
    customer_id: ID,
    /// The plan from now on.
    plan: Plan,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The customer, and its new billing status.
#[derive(Clone, Debug, InputObject)]
pub struct SetBillingStatusInput {
    /// The UUID of the customer.
    customer_id: ID,
    /// The status from now on: any but TRIALING can follow, and nothing can follow CANCELED. SUSPENDED and CANCELED
    /// stop serving.
    status: BillingStatus,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The customer to erase.
#[derive(Clone, Debug, InputObject)]
pub struct EraseCustomerInput {
    /// The UUID of the customer, whose status must be CANCELED.
    customer_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `setPlan`.
#[derive(SimpleObject)]
pub struct SetPlanPayload {
    /// The customer after the change; null if there are `userErrors`.
    customer: Option<Customer>,
    /// The commit that set this plan, an earlier one if it was set already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the plan wasn't changed; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `setBillingStatus`.
#[derive(SimpleObject)]
pub struct SetBillingStatusPayload {
    /// The customer after the change; null if there are `userErrors`.
    customer: Option<Customer>,
    /// The commit that set this status, an earlier one if it was set already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the status wasn't changed; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `eraseCustomer`.
#[derive(SimpleObject)]
pub struct EraseCustomerPayload {
    /// The customer after the erasure; null if there are `userErrors`.
    customer: Option<Customer>,
    /// The commit that erased the customer, an earlier one if it was erased already; null if there are
    /// `userErrors`.
    revision: Option<Revision>,
    /// Why the customer wasn't erased; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that change a customer's billing state, or erase it.
#[derive(Default)]
pub struct BillingMutation;

#[Object]
impl BillingMutation {
    /// Sets a customer's plan. For operators. Nothing is deleted if the customer has more than the new plan allows.
    async fn set_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer, and its new plan.")] input: SetPlanInput,
    ) -> async_graphql::Result<SetPlanPayload> {
        let (request, SetPlanInput { customer_id, plan, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let customer = errors.id("customerId", &customer_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.set_plan(&caller, customer, plan.into()).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let customer = Customer::reread(request.fresh_view(), value).await?;
        Ok(SetPlanPayload { customer, revision, user_errors })
    }

    /// Sets a customer's billing status. From the commit on, a SUSPENDED or CANCELED customer's configurations
    /// aren't served. Fails with INVALID for a step that isn't allowed. For operators.
    async fn set_billing_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer, and its new status.")] input: SetBillingStatusInput,
    ) -> async_graphql::Result<SetBillingStatusPayload> {
        let (request, SetBillingStatusInput { customer_id, status, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let customer = errors.id("customerId", &customer_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.set_billing_status(&caller, customer, status.into()).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let customer = Customer::reread(request.fresh_view(), value).await?;
        Ok(SetBillingStatusPayload { customer, revision, user_errors })
    }

    /// Erases a CANCELED customer for good: prompts, names, members, invitations and API keys. Numbers, hashes and
    /// the audit log stay. Fails with INVALID for another status. For operators.
    async fn erase_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer to erase.")] input: EraseCustomerInput,
    ) -> async_graphql::Result<EraseCustomerPayload> {
        let (request, EraseCustomerInput { customer_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let customer = errors.id("customerId", &customer_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.erase_customer(&caller, customer).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let customer = Customer::reread(request.fresh_view(), value).await?;
        Ok(EraseCustomerPayload { customer, revision, user_errors })
    }
}
