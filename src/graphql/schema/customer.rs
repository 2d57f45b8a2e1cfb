//! Customers in the graph.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    agent::{AgentConnection, AgentFilter},
    api_key::ApiKeyConnection,
    billing::Usage,
    change::{ChangeConnection, ChangeFilter},
    error::{Nullable, Outcome, UserError, nullable, refuse, root, settle},
    invitation::InvitationConnection,
    member::MembershipConnection,
    page::{connection, page_args},
    scalar::{DateTime, Revision, id, to_id},
};
use crate::{
    domain::{Error, audit::Subject, customer as verbs, policy::Action},
    graphql::engine::{
        context::{Lens, request},
        inline_fields::Plain,
    },
    id::CustomerId,
};

/// A tenant: whose agents, versions and people are kept apart from all others'.
#[derive(Clone)]
pub struct Customer {
    pub(in crate::graphql) row: Arc<verbs::Customer>,
    pub(in crate::graphql) lens: Lens,
}

/// What a customer pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "verbs::Plan")]
pub enum Plan {
    /// To try it.
    Free,
    /// For one team.
    Pro,
    /// For a city.
    Enterprise,
}

/// Where a customer stands with its bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "verbs::BillingStatus")]
pub enum BillingStatus {
    /// Not paying yet.
    Trialing,
    /// In good standing.
    Active,
    /// A payment is late; everything still works.
    PastDue,
    /// Nothing is served. Its people can look, revoke keys and invitations, and remove members; operators can also write.
    Suspended,
    /// Gone; its data may be erased.
    Canceled,
}

/// A customer's billing state.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct Billing {
    /// Where it stands with its bills.
    status: BillingStatus,
}

/// Which of the customers.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerFilter {
    /// Only those of exactly this name.
    name: Option<String>,
}

/// A tenant: whose agents, versions and people are kept apart from all others'.
#[Object]
impl Customer {
    /// Its UUID.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// What people call it; not unique.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What it pays for. For its members and operators; null for others.
    async fn plan(&self) -> Nullable<Plan> {
        nullable(async {
            self.lens.allow_on(Action::ReadBilling, self.row.id)?;
            Ok(Some(self.row.plan.into()))
        })
        .await
    }

    /// Where it stands with its bills. For its members and operators; null for others.
    async fn billing(&self) -> Nullable<Billing> {
        nullable(async {
            self.lens.allow_on(Action::ReadBilling, self.row.id)?;
            Ok(Some(Billing { status: self.row.billing_status.into() }))
        })
        .await
    }

    /// How much it has of what its plan limits. For its members and operators; null for others.
    async fn usage(&self) -> Nullable<Usage> {
        nullable(async {
            self.lens.allow_on(Action::ReadBilling, self.row.id)?;
            let usage = self.lens.usages.load(self.row.id).await?;
            let usage = usage.ok_or_else(|| refuse(&Error::NotFound("customer")))?;
            Ok(Some(Usage::from(*usage)))
        })
        .await
    }

    /// Who works for it, by their users' ids. For its ADMINs and operators; null for others.
    async fn members(
        &self,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Nullable<MembershipConnection> {
        nullable(async {
            let args = page_args(first, after.as_deref(), last, before.as_deref())?;
            MembershipConnection::of_customer(&self.lens, self.row.id, args).await.map(Some)
        })
        .await
    }

    /// Who is invited to work for it and has not come yet, oldest first. For its ADMINs and operators; null for
    /// others.
    async fn invitations(
        &self,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Nullable<InvitationConnection> {
        nullable(async {
            let args = page_args(first, after.as_deref(), last, before.as_deref())?;
            InvitationConnection::of_customer(&self.lens, self.row.id, args).await.map(Some)
        })
        .await
    }

    /// The credentials of its own programs, newest first, those that are not accepted any more too. For its ADMINs and
    /// operators; null for others.
    async fn api_keys(
        &self,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Nullable<ApiKeyConnection> {
        nullable(async {
            let args = page_args(first, after.as_deref(), last, before.as_deref())?;
            ApiKeyConnection::of_customer(&self.lens, self.row.id, args).await.map(Some)
        })
        .await
    }

    /// Its agents, oldest first.
    async fn agents(
        &self,
        #[graphql(desc = "Which of them; all when left out.")] filter: Option<AgentFilter>,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<AgentConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        AgentConnection::of_customer(&self.lens, self.row.id, filter, args).await
    }

    /// What became of it, newest first: its part of the audit. For ADMINs, operators, and API keys that may read the audit; null
    /// for others.
    async fn changes(
        &self,
        #[graphql(desc = "Which of the entries; all when left out.")] filter: Option<ChangeFilter>,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Nullable<ChangeConnection> {
        nullable(async {
            self.lens.allow_on(Action::ReadChanges, self.row.id)?;
            let args = page_args(first, after.as_deref(), last, before.as_deref())?;
            ChangeConnection::of(&self.lens, Subject::Customer(self.row.id), filter, args).await.map(Some)
        })
        .await
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When its prompts and personal data were taken away; null while they are there. Then its versions are empty, and
    /// keep their numbers and the hashes of what they held.
    async fn erased_at(&self) -> Option<DateTime> {
        self.row.erased_at.map(Into::into)
    }
}

/// What a list of customers counts: all that the reading may see, or those of a name.
pub struct CustomerCount {
    lens: Lens,
    name: Option<String>,
}

async fn count(of: &CustomerCount) -> async_graphql::Result<u64> {
    of.lens.registry.count_customers(&of.lens.reading, of.name.as_deref()).await.map_err(|err| refuse(&err))
}

impl Plain for Customer {}

connection!(
    /// A page of customers.
    CustomerConnection, CustomerEdge, Customer, |node: &Customer| node.row.id, count, CustomerCount
);

impl Lens {
    pub(in crate::graphql) async fn customer(
        &self,
        id: CustomerId,
    ) -> async_graphql::Result<Option<Customer>> {
        Ok(self.customers.load(id).await?.map(|row| Customer { row, lens: self.clone() }))
    }
}

/// Its queries.
#[derive(Default)]
pub struct CustomerQuery;

#[Object]
impl CustomerQuery {
    /// One customer; null when there is none, or none that you may see.
    async fn customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "id", desc = "Its UUID.")] which: ID,
    ) -> Nullable<Customer> {
        root(async {
            let which = id("id", &which).map_err(|err| refuse(&err))?;
            request(ctx)?.lens().customer(which).await
        })
        .await
    }

    /// The customers that you may see, oldest first.
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them; all when left out.")] filter: Option<CustomerFilter>,
    ) -> async_graphql::Result<CustomerConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        let name = filter.and_then(|CustomerFilter { name }| name);
        let lens = request(ctx)?.lens();
        let page = lens
            .registry
            .customers(&lens.reading, name.as_deref(), &args)
            .await
            .map_err(|err| refuse(&err))?;
        let page = page.map(|row| Customer { row: Arc::new(row), lens: lens.clone() });
        Ok(CustomerConnection::new(page, CustomerCount { lens, name }))
    }
}

/// A new customer.
#[derive(Clone, Debug, InputObject)]
pub struct CreateCustomerInput {
    /// What people call it: 1 to 200 characters, not unique.
    name: String,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// What a customer is to become; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateCustomerInput {
    /// Which one.
    customer_id: ID,
    /// Its new name: 1 to 200 characters.
    name: Option<String>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// What creating a customer came to.
#[derive(SimpleObject)]
pub struct CreateCustomerPayload {
    /// The customer; null when it was not created.
    customer: Option<Customer>,
    /// The commit that created it.
    revision: Option<Revision>,
    /// Why it was not created; empty when it was.
    user_errors: Vec<UserError>,
}

/// What changing a customer came to.
#[derive(SimpleObject)]
pub struct UpdateCustomerPayload {
    /// The customer as it is now; null when it was not changed.
    customer: Option<Customer>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not changed; empty when it was.
    user_errors: Vec<UserError>,
}

/// Its mutations.
#[derive(Default)]
pub struct CustomerMutation;

#[Object]
impl CustomerMutation {
    /// Creates a customer: FREE and ACTIVE. For operators.
    async fn create_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new customer.")] input: CreateCustomerInput,
    ) -> async_graphql::Result<CreateCustomerPayload> {
        let (request, CreateCustomerInput { name, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let input = verbs::CreateCustomer { name };
            request.registry.create_customer(&request.once(ctx, idempotency_key)?, input).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        Ok(CreateCustomerPayload {
            customer: Customer::after(request.fresh(), value).await?,
            revision,
            user_errors,
        })
    }

    /// Changes a customer's own fields. For its ADMINs and operators.
    async fn update_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateCustomerInput,
    ) -> async_graphql::Result<UpdateCustomerPayload> {
        let (request, UpdateCustomerInput { customer_id, name, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let input = verbs::UpdateCustomer { id: id("customerId", &customer_id)?, name };
            request.registry.update_customer(&request.once(ctx, idempotency_key)?, input).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        Ok(UpdateCustomerPayload {
            customer: Customer::after(request.fresh(), value).await?,
            revision,
            user_errors,
        })
    }
}

impl Customer {
    /// The customer that a write answered, read again through a lens opened after it.
    pub(in crate::graphql) async fn after(
        lens: Lens,
        written: Option<verbs::Customer>,
    ) -> async_graphql::Result<Option<Self>> {
        match written {
            Some(row) => lens.customer(row.id).await,
            None => Ok(None),
        }
    }
}
