//! Billing state in the graph.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::domain::limit::{self, Limited, Limits};

use super::{
    context::request,
    customer::{BillingStatus, Customer, Plan},
    error::{Outcome, UserError, settle},
    scalar::{Revision, id},
};

/// How much a customer has of what its plan limits.
#[derive(Clone, Debug, SimpleObject)]
pub struct Usage {
    /// Agents, archived ones too: they are kept.
    agents: Quota,
    /// Versions of one agent; used is what the agent with the most has.
    versions_per_agent: Quota,
    /// API keys that are accepted.
    api_keys: Quota,
    /// Members and open invitations together.
    members: Quota,
    /// Requests a second that each user and each API key may send over a while; twice as many at once. Counted by each
    /// instance of the service for itself.
    requests_per_second: u32,
}

/// How much of something there is, and how much there may be.
#[derive(Clone, Debug, SimpleObject)]
pub struct Quota {
    /// How many there are.
    used: i64,
    /// How many the plan allows. What is above it after a change of plan stays.
    limit: i64,
}

impl From<limit::Usage> for Usage {
    fn from(usage: limit::Usage) -> Self {
        let limit::Usage { id: _, plan, agents, versions, api_keys, members } = usage;
        let Limits { requests_per_second, .. } = plan.limits();
        let quota = |used, of: Limited| Quota { used, limit: of.of(plan) };
        Self {
            agents: quota(agents, Limited::Agents),
            versions_per_agent: quota(versions.into(), Limited::Versions),
            api_keys: quota(api_keys, Limited::ApiKeys),
            members: quota(members, Limited::Members),
            requests_per_second,
        }
    }
}

/// What a customer is to pay for.
#[derive(Clone, Debug, InputObject)]
pub struct SetPlanInput {
    /// Which customer.
    customer_id: ID,
    /// What it pays for from now on.
    plan: Plan,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// Where a customer stands with its bills.
#[derive(Clone, Debug, InputObject)]
pub struct SetBillingStatusInput {
    /// Which customer.
    customer_id: ID,
    /// Where it stands from now on. A suspended or canceled customer is served nothing; a canceled one does not come back.
    status: BillingStatus,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// Which customer to erase.
#[derive(Clone, Debug, InputObject)]
pub struct EraseCustomerInput {
    /// Which customer: a CANCELED one.
    customer_id: ID,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// What setting a plan came to.
#[derive(SimpleObject)]
pub struct SetPlanPayload {
    /// The customer as it is now; null when it was not changed.
    customer: Option<Customer>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not changed; empty when it was.
    user_errors: Vec<UserError>,
}

/// What setting a billing status came to.
#[derive(SimpleObject)]
pub struct SetBillingStatusPayload {
    /// The customer as it is now; null when it was not changed.
    customer: Option<Customer>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not changed; empty when it was.
    user_errors: Vec<UserError>,
}

/// What erasing a customer came to.
#[derive(SimpleObject)]
pub struct EraseCustomerPayload {
    /// The customer as it is now; null when it was not erased.
    customer: Option<Customer>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not erased; empty when it was.
    user_errors: Vec<UserError>,
}

/// Its mutations.
#[derive(Default)]
pub struct BillingMutation;

#[Object]
impl BillingMutation {
    /// Sets what a customer pays for. For operators.
    async fn set_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which customer, and which plan.")] input: SetPlanInput,
    ) -> async_graphql::Result<SetPlanPayload> {
        let (request, SetPlanInput { customer_id, plan, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let customer = id("customerId", &customer_id)?;
            request.registry.set_plan(&request.once(ctx, idempotency_key)?, customer, plan.into()).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let customer = Customer::after(request.fresh(), value).await?;
        Ok(SetPlanPayload { customer, revision, user_errors })
    }

    /// Sets where a customer stands with its bills. From then on a suspended one is served nothing. For operators.
    async fn set_billing_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which customer, and where it stands.")] input: SetBillingStatusInput,
    ) -> async_graphql::Result<SetBillingStatusPayload> {
        let (request, SetBillingStatusInput { customer_id, status, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let customer = id("customerId", &customer_id)?;
            request
                .registry
                .set_billing_status(&request.once(ctx, idempotency_key)?, customer, status.into())
                .await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let customer = Customer::after(request.fresh(), value).await?;
        Ok(SetBillingStatusPayload { customer, revision, user_errors })
    }

    /// Takes away a canceled customer's prompts, personal data, keys and names, for good. Numbers, hashes and the log stay.
    /// For operators.
    async fn erase_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which customer.")] input: EraseCustomerInput,
    ) -> async_graphql::Result<EraseCustomerPayload> {
        let (request, EraseCustomerInput { customer_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .erase_customer(&request.once(ctx, idempotency_key)?, id("customerId", &customer_id)?)
                .await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let customer = Customer::after(request.fresh(), value).await?;
        Ok(EraseCustomerPayload { customer, revision, user_errors })
    }
}
