//! Sessions: the credentials of browsers at the console. A session stands for its user, with the user's rights, until the
//! user signs out, revokes it, leaves it unused or has been signed in for a day.

use chrono::TimeDelta;
use sea_orm::Set;
use serde_json::json;
use uuid::Uuid;

use super::{
    Caller, Error, Input, Outcome, Principal, Registry, Result, WriteResult,
    auth::{
        claims::Claims,
        opaque_token::{OpaqueToken, TokenKind},
    },
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable},
    policy::Action,
    right::{GrantedTxn, OpenTxn},
};
use crate::{
    clock::{self, Clock, Instant},
    db::{CallOrigin, ChangeRecord, LeaseClass, Scope},
    entity::{session, sign_in_link},
    id::{SessionId, UserId},
};

mod link;

pub use link::{LINK_LIFETIME, NewSignInLink, SignInLink};
pub use session::Model as Session;

/// The time without a request after which a session expires.
pub const IDLE: TimeDelta = TimeDelta::hours(8);
/// The time after which a session expires, however much it is used.
pub const LIFETIME: TimeDelta = TimeDelta::hours(24);
/// How long a row is kept after its session or its address has expired: as long as an idempotency key.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// The most characters of a client's description.
const CLIENT_CHARS_MAX: usize = 100;

/// A new session.
#[derive(Clone)]
pub struct StartedSession {
    /// The session's id.
    pub id: SessionId,
    /// The user who is signed in.
    pub user_id: UserId,
    /// The value of the cookie, which is returned only once.
    pub secret: String,
    /// When the session began.
    pub created_at: Instant,
    /// When the session expires, however much it is used.
    pub expires_at: Instant,
}

/// The request of a sign-in, and the browser that sends it.
#[derive(Clone, Debug)]
pub struct SignInPlace {
    /// The request.
    pub origin: CallOrigin,
    /// The browser and its system, such as `Firefox on Linux`; cut after 100 characters.
    pub client: Option<String>,
}

/// A session that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedSession(pub SessionId);

/// The sessions that one request has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedSessions {
    /// The sessions, oldest first.
    pub ids: Vec<SessionId>,
    /// The id of the request in their rows.
    request: Uuid,
}

impl Session {
    /// When the session expires unless it is used before: the earlier of its end and the end of its idle time.
    #[must_use]
    pub fn ends_at(&self) -> Instant {
        self.expires_at.min(self.last_seen_at + IDLE)
    }
}

impl Replayable for EndedSession {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.0)
    }

    /// The key is the caller's own, so the session was.
    async fn replay(_: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        Ok(Self(subject.id.into()))
    }
}

impl Replayable for EndedSessions {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.request)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let request = subject.id;
        let rows = txn.all(session::ended_by(request)).await?;
        Ok(Self { ids: rows.iter().map(|row| row.id).collect(), request })
    }
}

impl Registry {
    /// Signs in the user with these claims, whose token was verified, as any token of the user does: accepts invitations
    /// and takes the claims over.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a user who has no profile and is no operator: nobody has given it a right.
    pub async fn start_session(&self, claims: &Claims, place: SignInPlace) -> Result<StartedSession> {
        let (user, _) = self.user(claims, &place.origin).await?;
        if !user.has_profile && !user.operator {
            return Err(Error::Forbidden("nobody has given you access to this registry yet"));
        }
        let scope = if user.operator { Scope::Platform } else { Scope::Auth };
        let caller = Caller::new(Principal::User(user), place.origin.clone());
        let clock = self.clock().clone();
        // Creates the profile of an operator who has none.
        let made = self
            .run_in::<_, Error, _, _>(scope, &caller, move |txn| async move {
                let (txn, profile) = txn.own_profile().await?;
                start(&txn, &clock, profile.id, place).await
            })
            .await?;
        Ok(made.value)
    }

    /// The caller's sessions, newest first, without those that have expired or were ended. Empty for programs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        let Some(user) = caller.profile() else { return Ok(Vec::new()) };
        let now = self.clock().now();
        // Sessions belong to no customer, so they are outside of the caller's own scope.
        let view = self.db().view(Scope::Auth, caller.share_holder(), LeaseClass::Nested);
        Ok(view.all(session::live_of(user, now, now - IDLE)).await?)
    }

    /// Ends one of the caller's sessions. Sockets and streams that were opened with it end within a second.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a session that isn't the caller's; [`Error::Forbidden`] for a program.
    pub async fn revoke_session(
        &self,
        caller: &Caller,
        input: impl Into<Input<SessionId>>,
    ) -> Result<WriteResult<EndedSession>> {
        let (id, errors) = input.into().open();
        errors.into_result()?;
        let since = self.last_change_of_own(caller, &[ChangeAction::SessionEnded]).await?;
        let (now, request) = (self.clock().now(), self.clock().id());
        self.write_in(Scope::Auth, caller, move |txn| async move {
            let (txn, profile) = txn.own_profile().await?;
            let found = txn.one(session::locked(profile.id, id)).await?.ok_or(Error::NotFound("session"))?;
            let value = EndedSession(id);
            if found.ended_at.is_some() {
                return Ok(Outcome::Unchanged { value, since });
            }
            end(&txn, profile.id, &[id], now, request).await?;
            Ok(Outcome::Changed(value))
        })
        .await
    }

    /// Ends all of the caller's sessions except for the one that the caller is signed in by; all, if it is signed in by a
    /// token.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a program, [`Error::NotFound`] for a user without a profile.
    pub async fn revoke_other_sessions(
        &self,
        caller: &Caller,
        input: impl Into<Input<()>>,
    ) -> Result<WriteResult<EndedSessions>> {
        let ((), errors) = input.into().open();
        errors.into_result()?;
        let since = self.last_change_of_own(caller, &[ChangeAction::SessionEnded]).await?;
        let (now, request, current) = (self.clock().now(), self.clock().id(), caller.session());
        self.write_in(Scope::Auth, caller, move |txn| async move {
            let (txn, profile) = txn.own_profile().await?;
            let found = txn.all(session::locked_others(profile.id, current, now)).await?;
            let ids: Vec<SessionId> = found.iter().map(|session| session.id).collect();
            if ids.is_empty() {
                return Ok(Outcome::Unchanged { value: EndedSessions { ids, request }, since });
            }
            end(&txn, profile.id, &ids, now, request).await?;
            Ok(Outcome::Changed(EndedSessions { ids, request }))
        })
        .await
    }

    /// Deletes sessions and one-time addresses that expired more than a day ago. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn forget_sessions(&self) -> Result<u64> {
        let until = self.clock().now() - KEPT;
        let forget = async move |txn: OpenTxn| -> Result<u64> {
            let txn = txn.platform(Action::ManagePlatform).await?;
            txn.extend_statement_timeout().await?;
            let links = txn.delete(sign_in_link::forget(until)).await?;
            Ok(links + txn.delete(session::forget(until)).await?)
        };
        Ok(self.run(&Caller::system("retention"), forget).await?.value)
    }
}

/// Starts a session of this user.
async fn start(
    txn: &GrantedTxn,
    clock: &Clock,
    user: UserId,
    SignInPlace { origin, client }: SignInPlace,
) -> Result<StartedSession> {
    let (id, now) = (clock.id::<SessionId>(), clock.now());
    let expires_at = now + LIFETIME;
    let token = OpaqueToken::new(TokenKind::Session, id.into(), clock.secret());
    let client = client.map(|client| client.chars().take(CLIENT_CHARS_MAX).collect::<String>());
    txn.insert(session::ActiveModel {
        id: Set(id),
        user_id: Set(user),
        secret_hash: Set(token.stored_hash(false).to_vec()),
        created_at: Set(now),
        last_seen_at: Set(now),
        expires_at: Set(expires_at),
        ended_at: Set(None),
        ended_by: Set(None),
        network: Set(origin.network.map(|network| network.to_string())),
        client: Set(client.filter(|client| !client.is_empty())),
    })
    .await?;
    let after = json!({ "session_id": id.to_string(), "expires_at": clock::to_text(expires_at) });
    // About the user: the log names no sessions, and the caches find those of a user.
    let entry = ChangeRecord::platform(ChangeAction::SessionStarted).subject(user);
    txn.record(entry.details(json!({ "after": after })));
    Ok(StartedSession { id, user_id: user, secret: token.to_string(), created_at: now, expires_at })
}

/// Ends these sessions of a user, which are locked.
async fn end(txn: &GrantedTxn, user: UserId, ids: &[SessionId], now: Instant, request: Uuid) -> Result<()> {
    txn.update_all(session::end(ids, now, request)).await?;
    for id in ids {
        let details = json!({
            "session_id": id.to_string(), "before": { "ended_at": null }, "after": { "ended_at": clock::to_text(now) },
        });
        txn.record(ChangeRecord::platform(ChangeAction::SessionEnded).subject(user).details(details));
    }
    Ok(())
}
