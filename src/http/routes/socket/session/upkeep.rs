//! What a session does at each beat: timeouts, the token's expiry, rechecks of rights, and pings.

use std::sync::Arc;

use axum::body::Bytes;
use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{Completed, Phase, Session};
use crate::{
    domain::Caller,
    http::routes::socket::{
        message::{Close, plain},
        transport::{End, Outbox},
    },
};

impl Session {
    /// Checks the timeouts and the token's expiry, starts a recheck of the caller's rights if they have changed, and
    /// pings.
    pub(super) fn check_timeouts(&mut self, outbox: &Outbox) -> Result<(), End> {
        let limits = Arc::clone(&self.limits);
        match &self.phase {
            Phase::Fresh if self.opened.elapsed() >= limits.init => return Err(Close::init_timeout().into()),
            Phase::SignedIn { rights, .. }
                if rights.get().0.has_expired(self.state.registry.clock().now()) =>
            {
                return Err(Close::forbidden("token expired").into());
            }
            Phase::SignedIn { bearer, rights } => {
                let (bearer, rights) = (Arc::clone(bearer), rights.get());
                self.recheck_rights(bearer, rights);
            }
            Phase::Fresh | Phase::SigningIn => {}
        }
        if self.inbox.is_overdue() {
            return Err(Close::try_later("The message came too slowly").into());
        }
        if self.heard.elapsed() >= limits.silence {
            return Err(Close::try_later("Nothing was heard").into());
        }
        if self.pinged.elapsed() >= limits.ping {
            self.pinged = Instant::now();
            // The protocol's ping shows the client that the service is alive. Every websocket library answers the
            // transport's ping, so a client that ignores the protocol's isn't considered dead.
            self.say(plain("ping"), outbox);
            self.post(Message::Ping(Bytes::new()), outbox);
        }
        Ok(())
    }

    /// Starts a recheck of the credential if its rights may have changed since `since`. Running subscriptions keep
    /// the rights that they began with, so a loss must close the socket.
    fn recheck_rights(&mut self, bearer: Arc<str>, (caller, since): (Arc<Caller>, u64)) {
        let rights = self.state.hub.revocation_log();
        if self.is_rechecking || !rights.may_affect_since(since, &caller) {
            return;
        }
        let count = rights.count();
        tracing::debug!(since, count, "rechecking a credential");
        self.is_rechecking = true;
        let registry = self.state.registry.clone();
        let seen =
            async move { Completed::Rechecked(count, registry.authenticate(&bearer, &caller.origin).await) };
        self.work.push(seen.boxed());
    }
}
