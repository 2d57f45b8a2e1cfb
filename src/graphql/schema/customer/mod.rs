//! Customers in the GraphQL schema: the object, its lists and the queries. The mutations are in `mutation.rs`.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

mod list;
mod mutation;

pub use list::{CustomerConnection, CustomerFilter, CustomerOrder};
use list::{listing_of, ordered_customers};
pub use mutation::CustomerMutation;

use super::{
    activation::{ActivationConnection, ActivationReason, activation_list},
    agent::{AgentConnection, AgentFilter, AgentOrder, listing, ordered_list},
    api_key::ApiKeyConnection,
    billing::Usage,
    change::{ChangeConnection, ChangeFilter},
    environment::Environment,
    error::{Nullable, nullable, nullable_root, to_graphql_error},
    invitation::InvitationConnection,
    member::MembershipConnection,
    page::{ACTIVATIONS, AGENTS, API_KEYS, CHANGES, INVITATIONS, MEMBERS, page_args},
    scalar::{DateTime, id, to_id},
    user::Permission,
};
use crate::{
    domain::{
        Error, audit::AuditSubject, customer, customer_list::CustomerPosition, page::ListId, permission,
        policy::Action,
    },
    graphql::engine::context::{RequestView, request},
    id::CustomerId,
};

/// A tenant: an organisation whose agents, versions and members no other customer sees.
#[derive(Clone)]
pub struct Customer {
    pub(in crate::graphql) row: Arc<customer::Customer>,
    pub(in crate::graphql) view: RequestView,
    /// Its position in the list that led to it; `None` in a list that is ordered by ids.
    position: Option<Arc<CustomerPosition>>,
}

/// The plan that a customer pays for. It sets the limits in `Customer.usage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "customer::Plan")]
pub enum Plan {
    /// The plan of a new customer, for evaluation: the lowest limits.
    Free,
    /// The plan for one team.
    Pro,
    /// The plan for a city with all its departments: the highest limits.
    Enterprise,
}

/// Whether a customer has paid, and what the service does for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "customer::BillingStatus")]
pub enum BillingStatus {
    /// The trial period: the customer doesn't pay yet, and everything works.
    Trialing,
    /// All bills are paid. The status of a new customer.
    Active,
    /// A payment is late; everything still works.
    PastDue,
    /// No configuration is served. Members can still read, revoke API keys and invitations, and remove members;
    /// only operators can make other changes.
    Suspended,
    /// The contract has ended: as `SUSPENDED`, but for good. An operator may erase the customer's data.
    Canceled,
}

/// A customer's billing state, which only operators change.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct Billing {
    /// The current status; `setBillingStatus` changes it.
    status: BillingStatus,
}

impl Customer {
    /// The customer, which no list led to.
    pub(in crate::graphql) fn new(row: Arc<customer::Customer>, view: RequestView) -> Self {
        Self { row, view, position: None }
    }

    /// The customer's position in the list that led to it.
    fn position(&self) -> CustomerPosition {
        self.position.as_deref().cloned().unwrap_or_else(|| CustomerPosition::of_id(self.row.id))
    }
}

/// A tenant: an organisation whose agents, versions and members no other customer sees.
#[Object]
impl Customer {
    /// The customer's UUID, which never changes.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The display name: 1 to 200 characters, not unique. `erased` after an erasure.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Your own name for it in another system, such as a billing system's id: unique, 1 to 200 characters. Null if operators
    /// set none.
    async fn external_id(&self) -> Option<&str> {
        self.row.external_id.as_deref()
    }

    /// The time of its latest log entry. FORBIDDEN for credentials that are limited to environments.
    async fn last_activity_at(&self) -> async_graphql::Result<DateTime> {
        let at = self.view.loaders().last_activities.load(self.row.id).await?;
        at.map(|at| (*at).into()).ok_or_else(|| to_graphql_error(&Error::NotFound("customer")))
    }

    /// The plan that the customer pays for. For its members and operators; null for others.
    async fn plan(&self) -> Nullable<Plan> {
        nullable(async {
            self.view.allow_on(Action::ReadBilling, self.row.id)?;
            Ok(Some(self.row.plan.into()))
        })
        .await
    }

    /// The billing state. For members and operators; null for others.
    async fn billing(&self) -> Nullable<Billing> {
        nullable(async {
            self.view.allow_on(Action::ReadBilling, self.row.id)?;
            Ok(Some(Billing { status: self.row.billing_status.into() }))
        })
        .await
    }

    /// What the customer uses of each limit of its plan. For members and operators; null for others.
    async fn usage(&self) -> Nullable<Usage> {
        nullable(async {
            self.view.allow_on(Action::ReadBilling, self.row.id)?;
            let usage = self.view.loaders().usages.load(self.row.id).await?;
            let usage = usage.ok_or_else(|| to_graphql_error(&Error::NotFound("customer")))?;
            Ok(Some(Usage::from(*usage)))
        })
        .await
    }

    /// The customer's members, ordered by their users' ids. For ADMINs and operators; null for others.
    async fn members(
        &self,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Nullable<MembershipConnection> {
        nullable(async {
            let list = ListId::below(MEMBERS, self.row.id);
            let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
            MembershipConnection::of_customer(&self.view, self.row.id, args).await.map(Some)
        })
        .await
    }

    /// The open invitations, oldest first; expired ones are left out. For ADMINs and operators; null for others.
    async fn invitations(
        &self,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Nullable<InvitationConnection> {
        nullable(async {
            let list = ListId::below(INVITATIONS, self.row.id);
            let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
            InvitationConnection::of_customer(&self.view, self.row.id, args).await.map(Some)
        })
        .await
    }

    /// The customer's API keys, newest first, including expired and revoked ones. For ADMINs and operators; null
    /// for others.
    async fn api_keys(
        &self,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Nullable<ApiKeyConnection> {
        nullable(async {
            let list = ListId::below(API_KEYS, self.row.id);
            let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
            ApiKeyConnection::of_customer(&self.view, self.row.id, args).await.map(Some)
        })
        .await
    }

    /// The customer's environments, by rank. FORBIDDEN for service tokens, and for API keys without `agents:read`.
    async fn environments(
        &self,
        #[graphql(default = false, desc = "Whether to list archived environments too.")] archived: bool,
    ) -> async_graphql::Result<Vec<Environment>> {
        let mut environments = self.view.environments_of(self.row.id).await?;
        environments.retain(|environment| archived || environment.row.archived_at.is_none());
        Ok(environments)
    }

    /// The customer's agents, oldest first unless `orderBy` says otherwise, including archived ones. API keys need
    /// `agents:read`.
    async fn agents(
        &self,
        #[graphql(
            desc = "The key of the environment that the filter and the order are about; `production` if left out. A list that is ordered by LAST_ACTIVATED_AT or MODEL_NAME is empty if the customer doesn't have it."
        )]
        environment: Option<String>,
        #[graphql(desc = "Only matching agents; all if left out.")] filter: Option<AgentFilter>,
        #[graphql(desc = "The order; oldest first if left out. Cursors are of one order.")] order_by: Option<
            AgentOrder,
        >,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<AgentConnection> {
        let listing = listing(environment.as_deref(), filter, order_by)?;
        let list = ordered_list(ListId::below(AGENTS, self.row.id), &listing);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        AgentConnection::of(&self.view, Some(self.row.id), listing, list, args).await
    }

    /// What you may do here now, to the customer, its agents and what they serve. While the customer is SUSPENDED or
    /// CANCELED, only an operator may write: for others it has no writes then, except those that only remove rights
    /// (REMOVE_MEMBERS, REVOKE_KEYS).
    async fn viewer_permissions(&self) -> Vec<Permission> {
        let may = permission::on_customer(self.view.caller(), self.row.id, self.row.status());
        may.into_iter().map(Into::into).collect()
    }

    /// Each change of what the customer's agents serve in these environments, newest first. API keys need `agents:read`.
    async fn activations(
        &self,
        #[graphql(desc = "The keys of the environments, 1 to 100; `production` alone if left out.")]
        environments: Option<Vec<String>>,
        #[graphql(desc = "Only these kinds of changes, 1 or more; all if left out.")] reasons: Option<
            Vec<ActivationReason>,
        >,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<ActivationConnection> {
        let filter = activation_list(environments.as_deref(), reasons)?;
        let list = ListId::below(ACTIVATIONS, self.row.id);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        ActivationConnection::of_customer(&self.view, self.row.id, filter, args).await
    }

    /// The customer's entries of the audit log, newest first. For ADMINs, operators, and API keys with
    /// `changes:read`; null for others.
    async fn changes(
        &self,
        #[graphql(desc = "Only matching entries; all if left out.")] filter: Option<ChangeFilter>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Nullable<ChangeConnection> {
        nullable(async {
            self.view.allow_on(Action::ReadChanges, self.row.id)?;
            let list = ListId::below(CHANGES, self.row.id);
            let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
            ChangeConnection::of(&self.view, AuditSubject::Customer(self.row.id), filter, args)
                .await
                .map(Some)
        })
        .await
    }

    /// When the customer was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When the customer's prompts, names and personal data were erased; null if they weren't. Erased versions are
    /// empty, but keep their numbers and hashes.
    async fn erased_at(&self) -> Option<DateTime> {
        self.row.erased_at.map(Into::into)
    }
}

impl RequestView {
    /// The status of a customer, also for readers of an agent alone; `None` if the reader doesn't see it.
    pub(in crate::graphql) async fn customer_status(
        &self,
        id: CustomerId,
    ) -> async_graphql::Result<Option<customer::CustomerStatus>> {
        Ok(self.loaders().customer_statuses.load(id).await?.map(|status| *status))
    }

    pub(in crate::graphql) async fn customer(
        &self,
        id: CustomerId,
    ) -> async_graphql::Result<Option<Customer>> {
        Ok(self.loaders().customers.load(id).await?.map(|row| Customer::new(row, self.clone())))
    }
}

/// The root fields of `Query` that read customers.
#[derive(Default)]
pub struct CustomerQuery;

#[Object]
impl CustomerQuery {
    /// The customer with this id; null if it doesn't exist or you can't see it. API keys need `agents:read`.
    async fn customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "id", desc = "The customer's UUID.")] which: ID,
    ) -> Nullable<Customer> {
        nullable_root(async {
            let which = id("id", &which).map_err(|err| to_graphql_error(&err))?;
            request(ctx)?.view().customer(which).await
        })
        .await
    }

    /// The customers that you can see, oldest first unless `orderBy` says otherwise: those that you are a member of, your API
    /// key's customer, or, for operators, all of them. API keys need `agents:read`.
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
        #[graphql(desc = "Only matching customers; all if left out.")] filter: Option<CustomerFilter>,
        #[graphql(desc = "The order; oldest first if left out. Cursors are of one order.")] order_by: Option<
            CustomerOrder,
        >,
    ) -> async_graphql::Result<CustomerConnection> {
        let listing = listing_of(filter, order_by)?;
        let list = ordered_customers(&listing);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        CustomerConnection::of(&request(ctx)?.view(), listing, list, args).await
    }
}

impl Customer {
    /// Reads the written customer again, through a view that was opened after the write.
    pub(in crate::graphql) async fn reread(
        view: RequestView,
        written: Option<customer::Customer>,
    ) -> async_graphql::Result<Option<Self>> {
        match written {
            Some(row) => view.customer(row.id).await,
            None => Ok(None),
        }
    }
}
