//! What a resolver has at hand: who asks, the verbs, and one moment's truth.

use std::{ops::Deref, sync::Arc};

use async_graphql::Context;

use super::{
    batch::{
        ActivationById, ActivationCount, ActivationPage, AgentById, AgentCount, AgentPage, CustomerById,
        UserById, VersionById, VersionByNumber, VersionPage,
    },
    error::refuse,
    loader::Loader,
};
use crate::{
    domain::{Caller, Error, Reading, Registry},
    feed::Hub,
};

/// What each operation is given.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) caller: Arc<Caller>,
    pub(super) registry: Registry,
    pub(super) hub: Hub,
    lens: Lens,
}

/// One moment's truth as the caller may see it, with its batches. Every object keeps the one that it was read through,
/// so a nested answer never mixes moments.
#[derive(Clone)]
pub(super) struct Lens(Arc<Loaders>);

pub(super) struct Loaders {
    pub(super) registry: Registry,
    pub(super) reading: Reading,
    pub(super) customers: Loader<CustomerById>,
    pub(super) users: Loader<UserById>,
    pub(super) agents: Loader<AgentById>,
    pub(super) agent_pages: Loader<AgentPage>,
    pub(super) agent_counts: Loader<AgentCount>,
    pub(super) versions: Loader<VersionById>,
    pub(super) version_numbers: Loader<VersionByNumber>,
    pub(super) version_pages: Loader<VersionPage>,
    pub(super) activations: Loader<ActivationById>,
    pub(super) activation_pages: Loader<ActivationPage>,
    pub(super) activation_counts: Loader<ActivationCount>,
}

impl Lens {
    pub(super) fn new(registry: &Registry, caller: &Caller) -> Self {
        let reading = registry.reading(caller);
        Self(Arc::new(Loaders {
            customers: Loader::new(registry, &reading),
            users: Loader::new(registry, &reading),
            agents: Loader::new(registry, &reading),
            agent_pages: Loader::new(registry, &reading),
            agent_counts: Loader::new(registry, &reading),
            versions: Loader::new(registry, &reading),
            version_numbers: Loader::new(registry, &reading),
            version_pages: Loader::new(registry, &reading),
            activations: Loader::new(registry, &reading),
            activation_pages: Loader::new(registry, &reading),
            activation_counts: Loader::new(registry, &reading),
            registry: registry.clone(),
            reading,
        }))
    }
}

impl Deref for Lens {
    type Target = Loaders;

    fn deref(&self) -> &Loaders {
        &self.0
    }
}

impl Request {
    pub(super) fn new(registry: &Registry, hub: &Hub, caller: Arc<Caller>) -> Self {
        let lens = Lens::new(registry, &caller);
        Self { caller, registry: registry.clone(), hub: hub.clone(), lens }
    }

    /// A lens of its own: for a mutation's payload, which shows what was so after its write, and for each event of a
    /// subscription.
    pub(super) fn fresh(&self) -> Lens {
        Lens::new(&self.registry, &self.caller)
    }

    /// The lens that all of a query's fields share.
    pub(super) fn lens(&self) -> Lens {
        self.lens.clone()
    }
}

/// What this operation was given.
pub(super) fn request<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Request> {
    ctx.data::<Request>().map_err(|_| refuse(&Error::Internal("an operation without a request".into())))
}
