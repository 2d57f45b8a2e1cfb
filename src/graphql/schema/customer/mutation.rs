//! The mutations of customers: create and update.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::Customer;
use crate::{
    domain::{Input, InputErrors, customer},
    graphql::{
        engine::context::request,
        schema::{
            agent::{not_null, patch},
            error::{MutationResult, UserError, into_mutation_result},
            scalar::Revision,
        },
    },
};

/// The fields of a new customer.
#[derive(Clone, Debug, InputObject)]
pub struct CreateCustomerInput {
    /// The display name: 1 to 200 characters, not unique.
    name: String,
    /// Its id in another system, unique: 1 to 200 characters.
    external_id: Option<String>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The fields of a customer to change. A field that is left out keeps its value.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateCustomerInput {
    /// The UUID of the customer to change.
    customer_id: ID,
    /// The new display name: 1 to 200 characters. Not null.
    name: MaybeUndefined<String>,
    /// Its id in another system, unique: 1 to 200 characters. Null removes it. FORBIDDEN for everyone but operators.
    external_id: MaybeUndefined<String>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `createCustomer`.
#[derive(SimpleObject)]
pub struct CreateCustomerPayload {
    /// The new customer; null if there are `userErrors`.
    customer: Option<Customer>,
    /// The commit that created the customer; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the customer wasn't created; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `updateCustomer`.
#[derive(SimpleObject)]
pub struct UpdateCustomerPayload {
    /// The customer after the change; null if there are `userErrors`.
    customer: Option<Customer>,
    /// The commit that set these values, an earlier one if they were set already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the customer wasn't changed; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that create and change customers.
#[derive(Default)]
pub struct CustomerMutation;

#[Object]
impl CustomerMutation {
    /// Creates a customer with plan FREE and billing status ACTIVE. For operators.
    async fn create_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new customer's fields.")] input: CreateCustomerInput,
    ) -> async_graphql::Result<CreateCustomerPayload> {
        let (request, CreateCustomerInput { name, external_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            let input = Input::new(customer::CreateCustomer { name, external_id }, errors);
            request.registry.create_customer(&caller, input).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        Ok(CreateCustomerPayload {
            customer: Customer::reread(request.fresh_view(), value).await?,
            revision,
            user_errors,
        })
    }

    /// Changes a customer's name, or its id in another system. For its ADMINs and operators. Fails with SUSPENDED or CANCELED while the customer isn't
    /// served, unless an operator does it.
    async fn update_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer, and the fields to change.")] input: UpdateCustomerInput,
    ) -> async_graphql::Result<UpdateCustomerPayload> {
        let (request, UpdateCustomerInput { customer_id, name, external_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = customer::UpdateCustomer {
                id: errors.id("customerId", &customer_id),
                name: errors.take(not_null("name", name)).flatten(),
                external_id: patch(external_id),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.update_customer(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        Ok(UpdateCustomerPayload {
            customer: Customer::reread(request.fresh_view(), value).await?,
            revision,
            user_errors,
        })
    }
}
