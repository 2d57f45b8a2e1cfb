//! What a resolver works with: the caller, the domain's verbs, and a snapshot of the database.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::Context;

use super::{
    batch::{
        ActivationById, ActivationCount, ActivationPage, AgentById, AgentCount, AgentPage, ApiKeyCount,
        ApiKeyPage, ChangeCount, ChangePage, CustomerById, InvitationCount, InvitationPage, MemberCount,
        MemberPage, OwnedCount, OwnedPage, UsageByCustomer, UserById, VersionBodies, VersionById,
        VersionByNumber, VersionPage,
    },
    loader::Loader,
    render_cache::SubscriptionPhase,
};
use crate::{
    domain::{
        self, Caller, Error, IdempotencyKey, Reading, Registry,
        policy::{self, Action},
    },
    feed::Hub,
    graphql::schema::{
        error::{refuse, response_too_large},
        scalar,
    },
    id::CustomerId,
};

/// The most text and JSON that one response may hold, in bytes: about sixty of the largest prompts. A document's
/// cost bounds how many fields it selects, but their lengths are known only here.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The input field that holds an idempotency key.
const KEY_FIELD: &str = "idempotencyKey";

/// The context of one operation.
#[derive(Clone)]
pub(in crate::graphql) struct Request {
    pub(in crate::graphql) caller: Arc<Caller>,
    pub(in crate::graphql) registry: Registry,
    pub(in crate::graphql) hub: Hub,
    /// The phase of a subscription; none for queries and mutations.
    pub(in crate::graphql) phase: Option<SubscriptionPhase>,
    weight: Arc<AtomicUsize>,
    view: RequestView,
}

/// A snapshot of the database as the caller may see it, with its batching loaders. Every object keeps the view that
/// it was read through, so all its nested fields show the same moment.
#[derive(Clone)]
pub(in crate::graphql) struct RequestView(Arc<Loaders>);

pub(in crate::graphql) struct Loaders {
    pub(in crate::graphql) registry: Registry,
    pub(in crate::graphql) reading: Reading,
    /// How many bytes of text and JSON the response holds so far.
    weight: Arc<AtomicUsize>,
    pub(in crate::graphql) customers: Loader<CustomerById>,
    pub(in crate::graphql) usages: Loader<UsageByCustomer>,
    pub(in crate::graphql) member_pages: Loader<MemberPage>,
    pub(in crate::graphql) member_counts: Loader<MemberCount>,
    pub(in crate::graphql) invitation_pages: Loader<InvitationPage>,
    pub(in crate::graphql) invitation_counts: Loader<InvitationCount>,
    pub(in crate::graphql) api_key_pages: Loader<ApiKeyPage>,
    pub(in crate::graphql) api_key_counts: Loader<ApiKeyCount>,
    pub(in crate::graphql) owned_pages: Loader<OwnedPage>,
    pub(in crate::graphql) owned_counts: Loader<OwnedCount>,
    pub(in crate::graphql) users: Loader<UserById>,
    pub(in crate::graphql) agents: Loader<AgentById>,
    pub(in crate::graphql) agent_pages: Loader<AgentPage>,
    pub(in crate::graphql) agent_counts: Loader<AgentCount>,
    pub(in crate::graphql) versions: Loader<VersionById>,
    pub(in crate::graphql) version_bodies: Loader<VersionBodies>,
    pub(in crate::graphql) version_numbers: Loader<VersionByNumber>,
    pub(in crate::graphql) version_pages: Loader<VersionPage>,
    pub(in crate::graphql) activations: Loader<ActivationById>,
    pub(in crate::graphql) activation_pages: Loader<ActivationPage>,
    pub(in crate::graphql) activation_counts: Loader<ActivationCount>,
    pub(in crate::graphql) change_pages: Loader<ChangePage>,
    pub(in crate::graphql) change_counts: Loader<ChangeCount>,
}

impl RequestView {
    fn new(registry: &Registry, caller: &Caller, weight: &Arc<AtomicUsize>) -> Self {
        let reading = registry.reading(caller);
        let through = Arc::new((registry.clone(), reading.clone()));
        Self(Arc::new(Loaders {
            customers: Loader::new(&through),
            usages: Loader::new(&through),
            member_pages: Loader::new(&through),
            member_counts: Loader::new(&through),
            invitation_pages: Loader::new(&through),
            invitation_counts: Loader::new(&through),
            api_key_pages: Loader::new(&through),
            api_key_counts: Loader::new(&through),
            owned_pages: Loader::new(&through),
            owned_counts: Loader::new(&through),
            users: Loader::new(&through),
            agents: Loader::new(&through),
            agent_pages: Loader::new(&through),
            agent_counts: Loader::new(&through),
            versions: Loader::new(&through),
            version_bodies: Loader::new(&through),
            version_numbers: Loader::new(&through),
            version_pages: Loader::new(&through),
            activations: Loader::new(&through),
            activation_pages: Loader::new(&through),
            activation_counts: Loader::new(&through),
            change_pages: Loader::new(&through),
            change_counts: Loader::new(&through),
            registry: registry.clone(),
            reading,
            weight: Arc::clone(weight),
        }))
    }

    /// Returns FORBIDDEN if the caller can't have this right at any customer.
    pub(in crate::graphql) fn allow(&self, action: Action) -> async_graphql::Result<()> {
        policy::allow(&self.reading.caller, action).map_err(|err| refuse(&err))
    }

    /// Returns an error if the caller doesn't have this right at this customer.
    pub(in crate::graphql) fn allow_on(
        &self,
        action: Action,
        customer: CustomerId,
    ) -> async_graphql::Result<()> {
        self.reading.allow_on(action, customer, "customer").map_err(|err| refuse(&err))
    }

    /// Counts `bytes` towards the response's size. Returns QUERY_TOO_COMPLEX beyond [`ANSWER_BYTES_MAX`].
    pub(in crate::graphql) fn weigh(&self, bytes: usize) -> async_graphql::Result<()> {
        let before = self.weight.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > ANSWER_BYTES_MAX {
            Err(response_too_large(ANSWER_BYTES_MAX))
        } else {
            Ok(())
        }
    }
}

impl Deref for RequestView {
    type Target = Loaders;

    fn deref(&self) -> &Loaders {
        &self.0
    }
}

impl Request {
    pub(in crate::graphql) fn new(
        registry: &Registry,
        hub: &Hub,
        caller: Arc<Caller>,
        phase: Option<SubscriptionPhase>,
    ) -> Self {
        let weight = Arc::default();
        let view = RequestView::new(registry, &caller, &weight);
        Self { caller, registry: registry.clone(), hub: hub.clone(), phase, weight, view }
    }

    /// The caller of a mutation, with the idempotency key if the client sent one. The key is bound to the field's
    /// name and the rest of its input.
    pub(in crate::graphql) fn idempotent_caller(
        &self,
        ctx: &Context<'_>,
        key: Option<String>,
    ) -> domain::Result<Caller> {
        let Some(key) = key else { return Ok(Caller::clone(&self.caller)) };
        let unread = |err: &dyn std::fmt::Display| Error::Internal(err.to_string().into());
        let mut input = serde_json::Map::new();
        for (name, value) in ctx.field().arguments().map_err(|err| unread(&err.message))? {
            let mut value = scalar::to_json(value).map_err(|err| unread(&err))?;
            if let Some(fields) = value.as_object_mut() {
                fields.remove(KEY_FIELD);
            }
            input.insert(name.to_string(), value);
        }
        let key = IdempotencyKey::new(&key, ctx.field().name(), &input.into())?;
        Ok(self.caller.once(key))
    }

    /// Opens a new view, for a mutation's payload, which must show the state after the write.
    pub(in crate::graphql) fn fresh_view(&self) -> RequestView {
        RequestView::new(&self.registry, &self.caller, &self.weight)
    }

    /// Opens a new view with a byte count of its own, for one event of a subscription.
    pub(in crate::graphql) fn event_view(&self) -> RequestView {
        RequestView::new(&self.registry, &self.caller, &Arc::default())
    }

    /// The view that all fields of a query share.
    pub(in crate::graphql) fn view(&self) -> RequestView {
        self.view.clone()
    }
}

/// Returns the context of the operation that a resolver runs in.
pub(in crate::graphql) fn request<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Request> {
    ctx.data::<Request>()
        .map_err(|_| refuse(&Error::Internal("the operation has no request in its context".into())))
}
