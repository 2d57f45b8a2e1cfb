//! What a resolver works with: the caller, the domain's operations, and a snapshot of the database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_graphql::Context;

use super::{
    json_text::written_bytes, loaders::Loaders, memory::AnswerMemory, render_cache::SubscriptionPhase,
};
use crate::{
    domain::{
        self, Caller, Error, IdempotencyKey, InputErrors, Reading, Registry,
        policy::{self, Action},
        version::BodyKey,
    },
    feed::Hub,
    graphql::schema::{error::to_graphql_error, scalar},
    id::{CustomerId, VersionId},
};

/// The input field that holds an idempotency key.
const KEY_FIELD: &str = "idempotencyKey";

/// The address under which clients reach the service, such as `https://registry.example.org`; `None` without `PUBLIC_URL`.
/// Each resolver finds it in its context.
#[derive(Clone, Debug, Default)]
pub(in crate::graphql) struct PublicUrl(pub(in crate::graphql) Option<Arc<str>>);

/// The context of one operation.
#[derive(Clone)]
pub(in crate::graphql) struct Request {
    pub(in crate::graphql) caller: Arc<Caller>,
    pub(in crate::graphql) registry: Registry,
    pub(in crate::graphql) hub: Hub,
    /// The phase of a subscription; `None` for queries and mutations.
    pub(in crate::graphql) phase: Option<SubscriptionPhase>,
    memory: AnswerMemory,
    view: RequestView,
    /// How much longer than others the operation may run, in milliseconds.
    waits: Arc<AtomicU64>,
}

/// A snapshot of the database as the caller may see it, with its batching loaders. Every object keeps the view that
/// it was read through, so all its nested fields show the same moment.
#[derive(Clone)]
pub(in crate::graphql) struct RequestView(Arc<ViewInner>);

struct ViewInner {
    registry: Registry,
    reading: Reading,
    memory: AnswerMemory,
    loaders: Loaders,
}

impl RequestView {
    fn new(registry: &Registry, caller: &Caller, memory: &AnswerMemory) -> Self {
        let (registry, reading) = (registry.clone(), registry.reading(caller));
        let loaders = Loaders::new(&registry, &reading);
        Self(Arc::new(ViewInner { registry, reading, memory: memory.clone(), loaders }))
    }

    /// The domain's functions, for what no loader reads.
    pub(in crate::graphql) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The snapshot, under the caller's scope.
    pub(in crate::graphql) fn reading(&self) -> &Reading {
        &self.0.reading
    }

    /// The caller, who sees through this view.
    pub(in crate::graphql) fn caller(&self) -> &Caller {
        &self.0.reading.caller
    }

    /// The batching loaders, which read this snapshot.
    pub(in crate::graphql) fn loaders(&self) -> &Loaders {
        &self.0.loaders
    }

    /// Returns FORBIDDEN if the caller can't have this right at any customer.
    pub(in crate::graphql) fn allow(&self, action: Action) -> async_graphql::Result<()> {
        policy::allow(self.caller(), action).map_err(|err| to_graphql_error(&err))
    }

    /// Returns an error if the caller doesn't have this right at this customer.
    pub(in crate::graphql) fn allow_on(
        &self,
        action: Action,
        customer: CustomerId,
    ) -> async_graphql::Result<()> {
        self.0.reading.allow_on(action, customer, "customer").map_err(|err| to_graphql_error(&err))
    }

    /// Counts a text towards the answer's size, as it is written. Returns QUERY_TOO_COMPLEX if the answer is too large,
    /// RATE_LIMITED or UNAVAILABLE if there is no memory for it.
    pub(in crate::graphql) fn weigh_text(&self, text: &str) -> async_graphql::Result<()> {
        self.0.memory.write(written_bytes(text))
    }

    /// Counts a version's prompt; see [`RequestView::weigh_text`].
    pub(in crate::graphql) async fn weigh_prompt(
        &self,
        version: VersionId,
        prompt: &str,
    ) -> async_graphql::Result<()> {
        self.0.memory.write_prompt(version, prompt).await
    }

    /// Counts JSON of this many bytes towards the answer's size; see [`RequestView::weigh_text`].
    pub(in crate::graphql) fn weigh(&self, bytes: usize) -> async_graphql::Result<()> {
        self.0.memory.write(bytes)
    }

    /// Returns a check for work that waits for its turn: whether the answer wasn't refused meanwhile, because it is too
    /// large or there is no memory for it.
    pub(in crate::graphql) fn is_wanted(&self) -> impl FnOnce() -> bool + Send + 'static {
        let view = self.clone();
        move || !view.0.memory.is_refused()
    }

    /// Counts the content of a version, before it is read. Returns RATE_LIMITED or UNAVAILABLE if there is no memory
    /// for it.
    pub(in crate::graphql) fn weigh_content(&self, key: &BodyKey) -> async_graphql::Result<()> {
        self.0.memory.read(key.id, key.bytes)
    }
}

impl Request {
    pub(in crate::graphql) fn new(
        registry: &Registry,
        hub: &Hub,
        caller: Arc<Caller>,
        phase: Option<SubscriptionPhase>,
        memory: AnswerMemory,
    ) -> Self {
        let view = RequestView::new(registry, &caller, &memory);
        let (registry, hub, waits) = (registry.clone(), hub.clone(), Arc::default());
        Self { caller, registry, hub, phase, memory, view, waits }
    }

    /// Lets the operation run for this much longer, because a field of it waits.
    pub(in crate::graphql) fn extend_deadline(&self, by: Duration) {
        self.waits.fetch_max(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// By how much longer than others the operation may run, as far as its fields have said so.
    pub(in crate::graphql) fn extension(&self) -> impl Fn() -> Duration + Send + use<> {
        let waits = Arc::clone(&self.waits);
        move || Duration::from_millis(waits.load(Ordering::Relaxed))
    }

    fn idempotent_caller(&self, ctx: &Context<'_>, key: Option<String>) -> domain::Result<Caller> {
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

    /// The caller of a mutation, with the idempotency key if the client sent one. The key is bound to the field's name
    /// and the rest of its input. A malformed key is kept as an error of the input, and the caller has none then.
    ///
    /// # Errors
    /// [`Error::Internal`] when the input can't be read again.
    pub(in crate::graphql) fn caller_with_key(
        &self,
        ctx: &Context<'_>,
        key: Option<String>,
        errors: &mut InputErrors,
    ) -> domain::Result<Caller> {
        match self.idempotent_caller(ctx, key) {
            Err(err @ Error::Invalid { .. }) => {
                errors.note(Err(err));
                Ok(Caller::clone(&self.caller))
            }
            read => read,
        }
    }

    /// Opens a new view: for a mutation's payload, which must show the state after the write, and for an event.
    pub(in crate::graphql) fn fresh_view(&self) -> RequestView {
        RequestView::new(&self.registry, &self.caller, &self.memory)
    }

    /// The view that all fields of a query share.
    pub(in crate::graphql) fn view(&self) -> RequestView {
        self.view.clone()
    }
}

/// Returns the context of the operation that a resolver runs in.
pub(in crate::graphql) fn request<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Request> {
    ctx.data::<Request>()
        .map_err(|_| to_graphql_error(&Error::Internal("the operation has no request in its context".into())))
}
