//! The log as a whole in the GraphQL schema: the commit of an answer's moment, and the check of the hash chain.

use async_graphql::{Context, SimpleObject};

use super::{
    error::to_graphql_error,
    scalar::{DateTime, Revision},
};
use crate::{domain::change::Head, feed::ChainStatus, graphql::engine::context::request};

/// The result of the check that the instance that answers makes of the log's hash chain: of each entry since it started.
/// `agent-registry audit verify` checks the whole log.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditStatus {
    /// The last commit of the log.
    revision: Revision,
    /// The chain hash of its last entry, as 64 hexadecimal digits: compare it with a signed head.
    chain_hash: String,
    /// The commit up to which the chain holds. It may be newer than `revision`. Null before the first check.
    verified_revision: Option<Revision>,
    /// When that was checked; null before the first check.
    verified_at: Option<DateTime>,
    /// False: this instance has found another log than the one that it had followed, because entries were changed or
    /// removed, or a backup was restored. Stays false until the instance starts again. Null before the first check.
    is_intact: Option<bool>,
}

/// The root fields of `Query` about the log as a whole.
#[derive(Default)]
pub struct LogQuery;

#[async_graphql::Object]
impl LogQuery {
    /// The commit of whose moment this whole answer is: pass it as `after` to a subscription.
    async fn revision(&self, ctx: &Context<'_>) -> async_graphql::Result<Revision> {
        let view = request(ctx)?.view();
        view.registry().revision(view.reading()).await.map_err(|err| to_graphql_error(&err))
    }

    /// Up to which revision the log's hash chain is verified. For ADMINs, operators, and API keys with `changes:read`.
    async fn audit_status(&self, ctx: &Context<'_>) -> async_graphql::Result<AuditStatus> {
        let request = request(ctx)?;
        let view = request.view();
        let head = view.registry().audit_head(view.reading()).await.map_err(|err| to_graphql_error(&err))?;
        let Head { revision, chain_hash, .. } = head;
        let ChainStatus { verified, is_intact } = request.hub.chain_status();
        let (verified_revision, verified_at) = verified.unzip();
        Ok(AuditStatus {
            revision,
            chain_hash: hex::encode(chain_hash),
            verified_revision,
            verified_at: verified_at.map(Into::into),
            is_intact,
        })
    }
}
