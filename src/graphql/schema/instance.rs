//! The instance that answers in the GraphQL schema, for operators.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    error::to_graphql_error,
    scalar::{DateTime, Revision},
};
use crate::{domain::policy::Action, feed::Readiness, graphql::engine::context::request};

/// The instance that answers. For operators.
#[derive(Clone, Debug, SimpleObject)]
pub struct Instance {
    /// The version of the program.
    version: &'static str,
    /// When the instance started.
    started_at: DateTime,
    /// The last commit that the instance has applied.
    revision: Revision,
    /// How many commits of the log the instance hasn't applied yet; 0 if the database doesn't respond.
    behind: i64,
    /// How many subscriptions run on the instance; `Query.watchers` lists them.
    watchers: usize,
    /// Why `/readyz` fails; empty if the instance is ready.
    problems: Vec<String>,
}

/// The root field of `Query` that describes the instance.
#[derive(Default)]
pub struct InstanceQuery;

#[Object]
impl InstanceQuery {
    /// The health of the instance that answers; other instances have their own. Takes up to four seconds if it isn't ready.
    /// For operators.
    async fn instance(&self, ctx: &Context<'_>) -> async_graphql::Result<Instance> {
        let request = request(ctx)?;
        request.view().allow(Action::ManagePlatform)?;
        let watchers = request.hub.watchers(&request.caller).map_err(|err| to_graphql_error(&err))?.len();
        let Readiness { revision, applied, age: _, problems } = request.hub.readiness().await;
        Ok(Instance {
            version: env!("CARGO_PKG_VERSION"),
            started_at: request.hub.started_at().into(),
            revision: applied,
            behind: revision.map_or(0, |head| applied.behind(head)),
            watchers,
            problems,
        })
    }
}
