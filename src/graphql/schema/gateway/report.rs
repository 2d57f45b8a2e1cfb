//! The mutation by which gateways report what they serve.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::RejectionCode;
use crate::{
    domain::{
        Input, InputErrors, WriteResult, environment,
        gateway::{ReportedRejection, ServingReport},
    },
    graphql::{
        engine::context::request,
        schema::{
            error::{MutationResult, UserError, into_mutation_result},
            scalar::Revision,
        },
    },
};

/// What a gateway serves: the whole truth each time.
#[derive(Clone, Debug, InputObject)]
pub struct ReportServingInput {
    /// The gateway's own name, the same after a restart: 1 to 100 characters. It belongs to your token: the same name under
    /// another token, or in another environment, is another gateway.
    gateway_name: String,
    /// The key of the environment whose configurations it serves; `production` if left out.
    environment: Option<String>,
    /// A BOOKMARK's revision: all up to it is applied, apart from `rejections`.
    revision: Revision,
    /// What the gateway refuses, at most one version of an agent and 100 in all. Replaces the earlier list; none if left out.
    rejections: Option<Vec<ServingRejectionInput>>,
    /// The region in which the gateway runs: 1 to 100 characters.
    region: Option<String>,
    /// The build that the gateway runs, such as a commit: 1 to 100 characters.
    build: Option<String>,
}

/// A version that the gateway refused.
#[derive(Clone, Debug, InputObject)]
pub struct ServingRejectionInput {
    /// The UUID of the agent.
    agent_id: ID,
    /// The UUID of the version that it refused.
    version_id: ID,
    /// The revision of the event that it refused.
    revision: Revision,
    /// The reason, for programs.
    code: RejectionCode,
    /// A sentence for people, at most 500 characters. The agent's customer can read it, so it says nothing about others.
    message: Option<String>,
}

/// The result of `reportServing`. It makes no commit, so it has no `revision`; sent twice, it does the same.
#[derive(SimpleObject)]
pub struct ReportServingPayload {
    /// The revision that was stored; null if there are `userErrors`.
    reported_revision: Option<Revision>,
    /// After how many seconds to report again: 1 to 30. Report earlier only to refuse a version, and then at most once a
    /// second. Null if there are `userErrors`.
    next_report_seconds: Option<u64>,
    /// Why the report wasn't stored; empty on success.
    user_errors: Vec<UserError>,
}

/// The root field of `Mutation` by which gateways report.
#[derive(Default)]
pub struct GatewayMutation;

#[Object]
impl GatewayMutation {
    /// Reports which revision a gateway has applied, and what it refuses. Takes up to a second, since reports are stored
    /// together. Of several reports within a second only the last one is stored. Needs `activations:watch` or
    /// `configs:read`; FORBIDDEN for people.
    async fn report_serving(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the gateway serves.")] input: ReportServingInput,
    ) -> async_graphql::Result<ReportServingPayload> {
        let request = request(ctx)?;
        let ReportServingInput { gateway_name, environment, revision, rejections, region, build } = input;
        let mut errors = InputErrors::default();
        let environment = errors.take(environment::key_or_default("environment", environment.as_deref()));
        let rejections = rejections.unwrap_or_default().into_iter().enumerate();
        let rejections = rejections.map(|(nth, rejection)| rejection.read(nth, &mut errors)).collect();
        let report = ServingReport {
            gateway_name,
            environment: environment.unwrap_or_default(),
            revision,
            rejections,
            region,
            build,
        };
        let answer = request.hub.report_serving(&request.caller, Input::new(report, errors)).await;
        let answer = answer.map(|seconds| WriteResult { value: seconds, revision });
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer)?;
        Ok(ReportServingPayload { reported_revision: revision, next_report_seconds: value, user_errors })
    }
}

impl ServingRejectionInput {
    fn read(self, nth: usize, errors: &mut InputErrors) -> ReportedRejection {
        let Self { agent_id, version_id, revision, code, message } = self;
        ReportedRejection {
            agent_id: errors.id(&format!("rejections.{nth}.agentId"), &agent_id),
            version_id: errors.id(&format!("rejections.{nth}.versionId"), &version_id),
            revision,
            code: code.into(),
            message,
        }
    }
}
