//! What is served from memory: who is who, and what an agent serves. Under the lease only, or when the database is gone,
//! and then to the platform's own services only, who are told so.

use std::{slice, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::{
    configs::{Hot, Known, READERS},
    hub::{Hub, LEASE},
};
use crate::{
    domain::{
        Caller, Error, Origin, Result,
        auth::{Found, Proven},
        config::NotServed,
        policy::{self, Action},
    },
    id::AgentId,
    task::lock,
};

/// How long the database may take to answer for what is known, if without proof.
const PATIENCE: Duration = Duration::from_millis(500);

/// What an agent serves, as far as its caller may know.
#[derive(Clone, Debug)]
pub struct Given {
    /// This; none when nothing is active.
    pub config: Option<Arc<Hot>>,
    /// For how long it may not have been so any more: there is neither proof of the log's head nor a database.
    pub stale: Option<Duration>,
}

impl Hub {
    /// Has the database asked for configurations, by as many as ask it at once and about none that there is: their connections
    /// are open then, and know the statements, before anybody waits for that. Whether it answers is not for this to say.
    pub async fn warm(&self) {
        let nobody: AgentId = self.registry.clock().id();
        let asked = (0..READERS).map(|_| self.registry.configs_now(slice::from_ref(&nobody)));
        let _ = timeout(PATIENCE, join_all(asked)).await;
    }

    /// Who has this token, of which the form and the signature are right: from memory under the lease, else from the
    /// database. When that is gone too, a service of the platform that was known is believed.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database must be asked, and can't be.
    pub async fn look_up(&self, proven: Proven, bearer: &str, origin: &Origin) -> Result<Caller> {
        let (known, lookup) = self.credentials.find(bearer);
        let known = known.and_then(|principal| self.registry.recognize(&principal, origin));
        if let Some(caller) = known.as_ref().filter(|_| self.has_lease()) {
            return Ok(caller.clone());
        }
        let known = known.filter(|caller| caller.principal.is_service());
        match self.unless_late(known.is_some(), self.registry.look_up(proven, origin)).await {
            Ok(Found { caller, is_settled }) => {
                if is_settled {
                    self.credentials.keep(lookup, &caller.principal);
                }
                Ok(caller)
            }
            Err(err @ Error::Unavailable(_)) => known.ok_or(err),
            Err(err) => Err(err),
        }
    }

    /// What this agent serves now: from memory under the lease, else from the database. When that is gone too, a service of
    /// the platform is given what was known last, and told so.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent, [`Error::Forbidden`], [`Error::Suspended`] when its customer is;
    /// [`Error::Unavailable`].
    pub async fn active_config(&self, caller: &Caller, id: AgentId) -> Result<Given> {
        policy::allow(caller, Action::ReadConfigs)?;
        if self.has_lease() {
            match self.configs.get(id).await {
                // It may have been lost while it was waited for.
                Ok(known) if self.has_lease() => return given(caller, known.as_deref(), None),
                Ok(_) => {}
                Err(err) => tracing::debug!(error = %err, "asking the database itself"),
            }
        }
        let known = self.configs.known(id).filter(|_| caller.principal.is_service());
        let reading = self.registry.reading(caller);
        match self.unless_late(known.is_some(), self.registry.active_config(&reading, id)).await {
            Ok(config) => {
                let config = config.map(|config| self.configs.render(Arc::new(config))).transpose()?;
                Ok(Given { config, stale: None })
            }
            Err(err @ Error::Unavailable(_)) => match known {
                Some(known) => given(caller, Some(&known), Some(self.age())),
                None => Err(err),
            },
            Err(err) => Err(err),
        }
    }

    /// What this agent serves, when all that decides it is in memory, under the lease, and whoever has this token is a
    /// service of the platform that may know it: such are neither counted, nor is there an end to their tokens. None
    /// in all other cases, whatever they are.
    #[must_use]
    pub fn at_hand(&self, bearer: &str, id: AgentId) -> Option<Arc<Hot>> {
        let principal = self.credentials.known(bearer).filter(|known| known.is_service())?;
        policy::may(&principal, Action::ReadConfigs).ok()?;
        let known = self.configs.ready(id)?;
        // Last: what was looked at before was so by then.
        if self.has_lease() { known.serves.as_ref().ok().cloned() } else { None }
    }

    /// Whether this is the token of a service of the platform that is known: nothing more.
    #[must_use]
    pub fn knows_service(&self, bearer: &str) -> bool {
        self.credentials.known(bearer).is_some_and(|known| known.is_service())
    }

    /// What the database answers. Who has something else to go by does not wait for longer than [`PATIENCE`], and not at
    /// all when it did not answer of late.
    async fn unless_late<T>(&self, has_other: bool, asked: impl Future<Output = Result<T>>) -> Result<T> {
        if !has_other {
            return asked.await;
        }
        const LATE: Error = Error::Unavailable("the database does not answer");
        if lock(&self.silent_since).is_some_and(|since| since.elapsed() < LEASE) {
            return Err(LATE);
        }
        let answer = timeout(PATIENCE, asked).await.unwrap_or(Err(LATE));
        let is_silent = matches!(answer, Err(Error::Unavailable(_)));
        *lock(&self.silent_since) = is_silent.then(Instant::now);
        answer
    }
}

/// What is known, as far as its caller may know.
fn given(caller: &Caller, known: Option<&Known>, stale: Option<Duration>) -> Result<Given> {
    let known = known.ok_or(Error::NotFound("agent"))?;
    policy::allow_on(caller, Action::ReadConfigs, known.customer_id, "agent")?;
    let config = match &known.serves {
        Ok(hot) => Some(Arc::clone(hot)),
        Err(NotServed::Deactivated | NotServed::Archived) => None,
        Err(NotServed::Suspended | NotServed::Canceled) => return Err(Error::Suspended),
    };
    Ok(Given { config, stale })
}
