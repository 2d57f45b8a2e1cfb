//! `/v1/agents/{id}/plan`: what an activation would change, before it is made.

use axum::{
    Extension,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentPath, Body, NoParameters, RequestMemory, refuse};
use crate::{
    domain::{
        self, Error, Input, InputErrors,
        activation_plan::{ActivationPlan, PlanRequest, PlanTarget},
        diff, environment,
        gateway::{ConvergenceTarget, GatewayCounts},
        plan,
        version::{Content, no_parameters},
    },
    http::{
        AppState,
        caller::AuthenticatedCaller,
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{BODY_PROBLEMS, COMMON_PROBLEMS, refusals},
            schemas,
        },
    },
    id::{AgentId, Revision, VersionId},
};

/// The activation to plan. Its fields are also read in the spelling of GraphQL, such as `versionId`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({
    "environment": "production",
    "content": { "system_prompt": "You help residents with building permits.", "model_name": "gpt-4-turbo" },
})))]
#[serde(deny_unknown_fields)]
pub struct PlannedActivation {
    /// The key of the environment. The default is `production`.
    #[schema(value_type = Option<schemas::EnvironmentKey>)]
    environment: Option<String>,
    /// The version to activate. Not together with `content`; with neither, the plan is that of a deactivation.
    #[schema(value_type = Option<schemas::Id>)]
    version_id: Option<String>,
    /// The content of a version that isn't published yet.
    content: Option<PlannedContent>,
}

/// The content of a version that isn't published yet, with the limits of a new version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedContent {
    #[schema(value_type = schemas::Prompt)]
    #[serde(alias = "systemPrompt")]
    system_prompt: String,
    /// The name of the model.
    #[schema(value_type = schemas::Name)]
    #[serde(alias = "modelName")]
    model_name: String,
    #[schema(value_type = Option<schemas::ModelParameters>)]
    #[serde(alias = "modelParameters")]
    model_parameters: Option<json_reader::Json>,
    #[schema(value_type = Option<schemas::Tools>)]
    tools: Option<Vec<json_reader::Json>>,
    #[schema(value_type = Option<schemas::VersionExtensions>)]
    extensions: Option<json_reader::Json>,
}

/// What an activation would change, at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plan {
    /// The agent whose active version would change.
    #[schema(value_type = schemas::Id)]
    agent_id: AgentId,
    /// The key of the environment.
    #[schema(value_type = schemas::EnvironmentKey)]
    environment: String,
    /// The version that serves now. Null if none does.
    #[schema(value_type = Option<schemas::Id>, required)]
    previous_version_id: Option<VersionId>,
    /// The version that would serve. Null for a deactivation, and for `content`.
    #[schema(value_type = Option<schemas::Id>, required)]
    version_id: Option<VersionId>,
    /// The worst of the findings.
    #[schema(value_type = schemas::ChangeImpact)]
    impact: &'static str,
    /// Each thing that differs, in the order of the content: at most 1,000, and then a last one that says how many are
    /// left out.
    findings: Vec<Finding>,
    /// The answers of the environment's rules, at most one for each.
    policy: Vec<PolicyFinding>,
    /// What the rules say together: `ALLOW`, `CONFIRM` or `REFUSE`. The activation may fail for other reasons, such as an
    /// archived agent.
    decision: &'static str,
    /// The impacts that a `confirm` must name. Empty unless the decision is `CONFIRM`.
    #[schema(value_type = Vec<schemas::ChangeImpact>)]
    must_confirm: Vec<&'static str>,
    /// How many subscriptions of gateways watch this agent in this environment on the instance that answers.
    #[schema(minimum = 0)]
    affected_gateways: usize,
    /// How many of them haven't received the latest activation yet.
    #[schema(minimum = 0)]
    pending_gateways: usize,
    /// Names the plan. Pass it to the activation, which is refused if its plan is another one by then.
    #[schema(value_type = schemas::PlanHash)]
    plan_hash: String,
    /// The commit of whose moment the plan is.
    #[schema(value_type = schemas::Revision)]
    revision: Revision,
}

/// One thing that differs, and what it may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// The impact of this difference.
    #[schema(value_type = schemas::ChangeImpact)]
    impact: &'static str,
    /// The place, as steps from the content in the spelling of GraphQL. A tool is named by its name.
    path: Vec<String>,
    /// The name of the tool that differs. Null outside of tools.
    #[schema(required)]
    tool_name: Option<String>,
    /// The value at this place before. Null if there is none, for the prompt and for whole tools.
    #[schema(value_type = schemas::JsonValue, required)]
    before: Option<json_reader::JsonText>,
    /// The value at this place afterwards. Null in the same cases.
    #[schema(value_type = schemas::JsonValue, required)]
    after: Option<json_reader::JsonText>,
    /// A sentence for people. Its wording may change.
    message: String,
}

/// What a rule of the environment says to the plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyFinding {
    /// The rule: `ACTIVATE_ROLE`, `PROMOTE_FROM`, `MIN_SOAK`, `ON_BREAKING`, `ALLOWED_MODELS` or `SECRET_IN_PROMPT`. New
    /// ones may be added.
    rule: &'static str,
    /// `INFO` for the reader, `CONFIRM` if it needs a confirmation, `REFUSE` if it refuses the activation.
    effect: &'static str,
    /// A sentence for people. Its wording may change.
    message: String,
}

impl Finding {
    fn new(of: diff::Finding) -> Self {
        let diff::Finding { impact, path, tool_name, before, after, message } = of;
        let value = |json: Option<json_reader::Json>| json.as_ref().map(json_reader::JsonText::of);
        Self { impact: impact.as_str(), path, tool_name, before: value(before), after: value(after), message }
    }
}

impl PolicyFinding {
    fn new(of: plan::PolicyFinding) -> Self {
        let plan::PolicyFinding { rule, effect, message } = of;
        Self { rule: rule.as_str(), effect: effect.as_str(), message }
    }
}

/// Reads `plan_hash` and `confirm` of an input.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn confirmation(
    hash: Option<&str>,
    confirm: Option<Vec<String>>,
) -> domain::Result<plan::PlanConfirmation> {
    let read = |name: &String| {
        let known = || diff::Impact::ALL.map(diff::Impact::as_str).join(", ");
        let found = diff::Impact::ALL.into_iter().find(|impact| impact.as_str() == name);
        found.ok_or_else(|| Error::invalid("confirm", format!("confirm: an impact is one of {}", known())))
    };
    let confirmed = confirm.unwrap_or_default().iter().map(read).collect::<domain::Result<_>>()?;
    plan::PlanConfirmation::new(hash, confirmed)
}

refusals!(
    PlanRefusals = COMMON_PROBLEMS,
    BODY_PROBLEMS,
    &[ProblemKind::Forbidden, ProblemKind::NotFound, ProblemKind::Invalid, ProblemKind::TooLarge]
);

/// Plan an activation.
///
/// Computes what the activation of a version, or of a content that isn't published, would change, and whether the rules
/// of the environment let it through. Stores nothing.
#[utoipa::path(
    post, path = "/v1/agents/{id}/plan", operation_id = "planActivation", tag = "agents",
    security(("bearer" = [])),
    params(("id" = schemas::Id, Path, description = "The agent's id. A value that isn't a UUID returns 404.")),
    request_body = PlannedActivation,
    responses(
        (status = 200, description = "The plan as it is now.", body = Plan),
        PlanRefusals,
    ),
)]
pub async fn plan(
    State(state): State<AppState>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    AgentPath(agent_id): AgentPath,
    _: NoParameters,
    Extension(memory): Extension<RequestMemory>,
    body: Body<PlannedActivation>,
) -> Result<Response, Problem> {
    // A plan writes nothing, so an idempotency key makes no difference.
    let PlannedActivation { environment, version_id, content } = body.split(caller.clone()).0;
    let answer = async {
        let mut errors = InputErrors::default();
        let environment = errors.take(environment::key_or_default("environment", environment.as_deref()));
        let version = version_id.map(|version| errors.id("version_id", &version));
        let target = errors.take(PlanTarget::of(version, content.map(read_content)));
        let request = PlanRequest {
            agent_id,
            environment: environment.unwrap_or_default(),
            target: target.unwrap_or(PlanTarget::Nothing),
        };
        let (registry, reading) = (&state.registry, state.registry.reading(&caller));
        let subject = registry.plan_subject(&reading, Input::new(request, errors)).await?;
        let subject = subject.ok_or(Error::NotFound("agent, environment or version"))?;
        let bytes = subject.contents().iter().fold(0_usize, |sum, key| sum.saturating_add(key.bytes));
        let mut reserved = state.budget.share(caller.share_holder()).reserve(bytes).await?;
        let plan = registry.plan(&reading, subject, || true).await?;
        let gateways = registry.convergence(&reading, ConvergenceTarget::of_plan(&plan)).await?.counts;
        let text =
            serde_json::to_vec(&Plan::new(plan, gateways)).map_err(|err| Error::Internal(Box::new(err)))?;
        reserved.resize(text.len())?;
        memory.keep(reserved);
        Ok(text)
    };
    let text: domain::Result<Vec<u8>> = answer.await;
    Ok(([(header::CONTENT_TYPE, "application/json")], text.map_err(refuse(&caller))?).into_response())
}

impl Plan {
    fn new(plan: ActivationPlan, gateways: GatewayCounts) -> Self {
        let ActivationPlan {
            agent_id,
            customer_id: _,
            environment,
            previous_version_id,
            version_id,
            plan,
            serving_revision: _,
            revision,
        } = plan;
        Self {
            agent_id,
            environment: environment.key.to_string(),
            previous_version_id,
            version_id,
            impact: plan.impact.as_str(),
            findings: plan.findings.into_iter().map(Finding::new).collect(),
            policy: plan.policy.into_iter().map(PolicyFinding::new).collect(),
            decision: plan.decision.as_str(),
            must_confirm: plan.must_confirm.iter().map(|impact| impact.as_str()).collect(),
            affected_gateways: gateways.all(),
            pending_gateways: gateways.pending + gateways.rejected,
            plan_hash: plan.hash.to_string(),
            revision,
        }
    }
}

fn read_content(given: PlannedContent) -> Content {
    let PlannedContent { system_prompt, model_name, model_parameters, tools, extensions } = given;
    Content {
        system_prompt,
        model_name,
        model_parameters: model_parameters.unwrap_or_else(no_parameters),
        tools: tools.unwrap_or_default(),
        extensions,
    }
}
