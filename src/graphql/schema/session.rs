//! Sessions in the GraphQL schema: a person's sign-ins to the console.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    error::{MutationResult, UserError, into_mutation_result},
    scalar::{DateTime, Revision, to_id},
};
use crate::{
    domain::{Input, InputErrors, session},
    graphql::engine::context::request,
    id::SessionId,
};

/// A browser's sign-in to the console. It has your rights, and expires after 8 hours without a request or 24 hours in all.
#[derive(SimpleObject)]
pub struct Session {
    /// The session's UUID. Not for `node`.
    id: ID,
    /// True for the session that this request was sent with.
    is_current: bool,
    /// When you signed in.
    created_at: DateTime,
    /// When the session was last used, to the minute.
    last_seen_at: DateTime,
    /// When the session expires unless it is used before.
    expires_at: DateTime,
    /// The network that you signed in from, such as 192.0.2.0/24; null if unknown.
    network: Option<String>,
    /// The browser and its system as it named them, such as `Firefox on Linux`; null if unknown.
    client: Option<String>,
}

impl Session {
    /// The session in this row. `current` is the one that the request was sent with.
    pub(super) fn new(row: session::Session, current: Option<SessionId>) -> Self {
        let expires_at = row.ends_at();
        let session::Session { id, created_at, last_seen_at, network, client, .. } = row;
        Self {
            id: to_id(id),
            is_current: current == Some(id),
            created_at: created_at.into(),
            last_seen_at: last_seen_at.into(),
            expires_at: expires_at.into(),
            network,
            client,
        }
    }
}

/// The session to revoke.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeSessionInput {
    /// The UUID of one of your sessions, the current one included.
    session_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// Revokes all sessions except the current one.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeOtherSessionsInput {
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `revokeSession`.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// The UUID of the session; null if there are `userErrors`.
    session_id: Option<ID>,
    /// The commit that ended the session, or a later one if it was ended already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the session wasn't revoked; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `revokeOtherSessions`.
#[derive(SimpleObject)]
pub struct RevokeOtherSessionsPayload {
    /// The UUIDs of the sessions that were ended, oldest first; empty if there were none, or `userErrors`.
    session_ids: Vec<ID>,
    /// The commit that ended the sessions, an earlier one if there were none; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the sessions weren't revoked; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that end sessions.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Revokes one of your console sessions; its sockets and event streams close within a second. Fails with NOT_FOUND if
    /// you have no profile. FORBIDDEN for programs.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end, one of your own.")] input: RevokeSessionInput,
    ) -> async_graphql::Result<RevokeSessionPayload> {
        let (request, RevokeSessionInput { session_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let id: SessionId = errors.id("sessionId", &session_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.revoke_session(&caller, Input::new(id, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let session_id = value.map(|session::EndedSession(id)| to_id(id));
        Ok(RevokeSessionPayload { session_id, revision, user_errors })
    }

    /// Revokes all of your console sessions except the current one; all of them, if you send a token. Fails with NOT_FOUND
    /// if you have no profile. FORBIDDEN for programs.
    async fn revoke_other_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An idempotency key, if you want one.")] input: RevokeOtherSessionsInput,
    ) -> async_graphql::Result<RevokeOtherSessionsPayload> {
        let (request, RevokeOtherSessionsInput { idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.revoke_other_sessions(&caller, Input::new((), errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let session_ids = value.map(|ended| ended.ids.into_iter().map(to_id).collect()).unwrap_or_default();
        Ok(RevokeOtherSessionsPayload { session_ids, revision, user_errors })
    }
}
