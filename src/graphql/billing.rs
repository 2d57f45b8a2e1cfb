//! Billing state in the graph.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::request,
    customer::{BillingStatus, Customer, Plan},
    error::{Outcome, UserError, settle},
    scalar::{Revision, id},
};

/// What a customer is to pay for.
#[derive(Clone, Debug, InputObject)]
pub struct SetPlanInput {
    /// Which customer.
    customer_id: ID,
    /// What it pays for from now on.
    plan: Plan,
}

/// Where a customer stands with its bills.
#[derive(Clone, Debug, InputObject)]
pub struct SetBillingStatusInput {
    /// Which customer.
    customer_id: ID,
    /// Where it stands from now on. A suspended or canceled customer is served nothing; a canceled one does not come back.
    status: BillingStatus,
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
        let (request, SetPlanInput { customer_id, plan }) = (request(ctx)?, input);
        let answer = async {
            let customer = id("customerId", &customer_id)?;
            request.registry.set_plan(&request.caller, customer, plan.into()).await
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
        let (request, SetBillingStatusInput { customer_id, status }) = (request(ctx)?, input);
        let answer = async {
            let customer = id("customerId", &customer_id)?;
            request.registry.set_billing_status(&request.caller, customer, status.into()).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let customer = Customer::after(request.fresh(), value).await?;
        Ok(SetBillingStatusPayload { customer, revision, user_errors })
    }
}
