//! Publishing in the GraphQL schema: `publishVersion`, and the warnings about contents.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    activation::Activation,
    error::{MutationResult, UserError, into_mutation_result, to_graphql_error},
    finding::ChangeImpact,
    plan::{ActivationPlan, confirmation, refused_plan},
    scalar::{Json, Revision},
    tool::ToolInput,
    version::AgentVersion,
};
use crate::{
    domain::{Input, InputErrors, environment, version, warning},
    graphql::engine::context::request,
};

/// The content of a new version.
#[derive(Clone, Debug, InputObject)]
pub struct PublishVersionInput {
    /// The UUID of the agent to publish for.
    agent_id: ID,
    /// The system prompt: at most 512 KiB of UTF-8; may be empty.
    system_prompt: String,
    /// The model's name, such as `gpt-4-turbo`: 1 to 200 characters, not checked against a list.
    model_name: String,
    /// The model's settings, such as `temperature`: a JSON object of at most 64 KiB without white space, at most 32
    /// levels deep, with integers within ±(2^53−1). Empty if left out. It is served as it is given, with the same order
    /// of keys and the same numbers.
    model_parameters: Option<Json>,
    /// The tools that the model may call: at most 128, with unique names, 1 MiB of JSON without white space together;
    /// none if left out.
    tools: Option<Vec<ToolInput>>,
    /// Further settings for your gateways, such as MCP servers, skills, handoffs and response formats: a JSON object of
    /// at most 128 members and 256 KiB without white space, each value at most 32 levels deep. A key is a URI with a
    /// lower-case scheme, such as `https://example.org/skills`, or a reverse domain in lower case, such as
    /// `org.example.skills`, with a name after a slash if you like (`org.example/skills`); 256 bytes at most. The values
    /// are served as they are given. Null and `{}` are the same as leaving it out.
    extensions: Option<Json>,
    /// Your reason for this version: at most 2,000 characters.
    message: Option<String>,
    /// Whether to activate the version in the same commit. That also needs the right to activate.
    #[graphql(default = false)]
    activate: bool,
    /// With `activate`: the key of the environment in which to activate it; `production` if left out.
    environment: Option<String>,
    /// With `activate`: fail with PLAN_CHANGED, and answer the new plan, if this isn't the plan any more: the `planHash` of an
    /// `activationPlan`.
    plan_hash: Option<String>,
    /// With `activate`: the impacts that you accept, when the plan's decision is CONFIRM. Needs `planHash`.
    confirm: Option<Vec<ChangeImpact>>,
    /// Fail with CONFLICT if the newest version's number isn't this one; 0 expects that there is no version. Not
    /// checked if left out.
    expected_latest_number: Option<i32>,
    /// Answer the newest version and publish nothing if its bytes are the same. With `activate` that version is
    /// activated.
    #[graphql(default = false)]
    if_changed: bool,
    /// Fail with INVALID for what would be accepted with warnings.
    #[graphql(default = false)]
    refuse_warnings: bool,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// What a version holds, before it is published: fields and limits as in `PublishVersionInput`.
#[derive(Clone, Debug, InputObject)]
pub struct VersionContentInput {
    /// The model's name, such as `gpt-4-turbo`: 1 to 200 characters.
    model_name: String,
    /// The system prompt: at most 512 KiB of UTF-8; may be empty.
    system_prompt: String,
    /// The model's settings: a JSON object. Empty if left out.
    model_parameters: Option<Json>,
    /// The tools that the model may call; none if left out.
    tools: Option<Vec<ToolInput>>,
    /// Further settings for gateways: a JSON object whose keys are URIs or reverse domains; none if left out.
    extensions: Option<Json>,
}

impl VersionContentInput {
    pub(super) fn read(self, errors: &mut InputErrors) -> version::Content {
        let Self { model_name, system_prompt, model_parameters, tools, extensions } = self;
        let parameters = model_parameters.and_then(|json| errors.take(json.read()));
        let tools = tools.unwrap_or_default().into_iter().enumerate();
        version::Content {
            system_prompt,
            model_name,
            model_parameters: parameters.unwrap_or_else(version::no_parameters),
            tools: tools.map(|(nth, tool)| tool.into_json(nth, errors)).collect(),
            extensions: extensions.and_then(|json| errors.take(json.read())),
        }
    }
}

/// A part of a content that was accepted, but is likely a mistake: a schema or a tool's name that no provider takes, or a
/// secret. Never quotes a secret.
#[derive(Clone, Debug, SimpleObject)]
pub struct Warning {
    /// The rule that is broken: `TOOL_NAME`, `SCHEMA_ROOT`, `DANGLING_REF`, `REMOTE_REF`, `PATTERN` or `SECRET`. New
    /// ones may be added.
    rule: String,
    /// The place, as steps from the content, such as `["tools", "1", "inputSchema"]`.
    path: Vec<String>,
    /// The line within the prompt, from 1; null elsewhere.
    line: Option<i32>,
    /// What is wrong and what would be right, for people.
    message: String,
}

impl From<warning::Warning> for Warning {
    fn from(warning::Warning { rule, path, line, message }: warning::Warning) -> Self {
        let line = line.and_then(|line| i32::try_from(line).ok());
        Self { rule: rule.as_str().to_owned(), path, line, message }
    }
}

/// The result of `publishVersion`.
#[derive(SimpleObject)]
pub struct PublishVersionPayload {
    /// The new version, or with `ifChanged` the newest one; null if there are `userErrors`.
    version: Option<AgentVersion>,
    /// False if `ifChanged` found the version published already, and if there are `userErrors`.
    is_new: bool,
    /// The parts of the content that were accepted, but are likely mistakes; at most 100. Empty if there are `userErrors`.
    warnings: Vec<Warning>,
    /// With `activate`: the record of the activation in this commit. Null if the version was active there already, and if
    /// there are `userErrors`.
    activation: Option<Activation>,
    /// With `activate`: the plan as it is now, after PLAN_CHANGED, CONFIRMATION_REQUIRED, POLICY_REFUSED and
    /// NOT_PROMOTABLE; null otherwise, and for a caller that may not read contents.
    plan: Option<ActivationPlan>,
    /// The commit that published or activated the version; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the version wasn't published; empty on success.
    user_errors: Vec<UserError>,
}

/// The root field of `Query` that checks contents.
#[derive(Default)]
pub struct VersionQuery;

#[Object]
impl VersionQuery {
    /// The warnings that `publishVersion` would answer for this content; at most 100. Writes nothing. For
    /// people, operators, and API keys with `versions:publish`. Fails for a content that `publishVersion` rejects.
    async fn version_warnings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The content to check.")] content: VersionContentInput,
    ) -> async_graphql::Result<Vec<Warning>> {
        let request = request(ctx)?;
        let mut errors = InputErrors::default();
        let content = content.read(&mut errors);
        let warnings = request.registry.version_warnings(&request.caller, Input::new(content, errors));
        let warnings = warnings.await.map_err(|err| to_graphql_error(&err))?;
        Ok(warnings.into_iter().map(Warning::from).collect())
    }
}

/// The root field of `Mutation` that publishes versions.
#[derive(Default)]
pub struct VersionMutation;

#[Object]
impl VersionMutation {
    /// Publishes an immutable version under the agent's next number. It's served only if activated, at once with
    /// `activate` or later. Needs EDITOR or `versions:publish`. Fails with ARCHIVED, and with LIMIT_REACHED beyond
    /// the plan.
    async fn publish_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent, and the new version's content.")] input: PublishVersionInput,
    ) -> async_graphql::Result<PublishVersionPayload> {
        let request = request(ctx)?;
        let PublishVersionInput {
            agent_id,
            system_prompt,
            model_name,
            model_parameters,
            tools,
            extensions,
            message,
            activate,
            environment,
            plan_hash,
            confirm,
            expected_latest_number,
            if_changed,
            refuse_warnings,
            idempotency_key,
        } = input;
        let answer = async {
            let mut errors = InputErrors::default();
            let content =
                VersionContentInput { model_name, system_prompt, model_parameters, tools, extensions };
            let input = version::PublishVersion {
                agent_id: errors.id("agentId", &agent_id),
                content: content.read(&mut errors),
                message,
                activate: errors
                    .take(environment::activation_place(activate, environment.as_deref()))
                    .flatten(),
                plan: confirmation(&mut errors, plan_hash.as_deref(), confirm),
                expected_latest_number,
                if_changed,
                refuse_warnings,
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.publish_version(&caller, Input::new(input, errors)).await
        };
        let answer = answer.await;
        let refused = refused_plan(&answer);
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer)?;
        let Some(version::Published { version, is_new, warnings }) = value else {
            let plan = refused.map(|plan| ActivationPlan::new(plan, &request.fresh_view()));
            return Ok(PublishVersionPayload {
                version: None,
                is_new: false,
                warnings: Vec::new(),
                activation: None,
                plan,
                revision,
                user_errors,
            });
        };
        let view = request.fresh_view();
        let is_asked = ctx.look_ahead().field("activation").exists();
        let activation = match revision.filter(|_| activate && is_asked) {
            Some(revision) => view.activation_of_commit((version.agent_id, version.id), revision).await?,
            None => None,
        };
        let version = view.version(version.id).await?;
        let warnings = warnings.into_iter().map(Warning::from).collect();
        Ok(PublishVersionPayload { version, is_new, warnings, activation, plan: None, revision, user_errors })
    }
}
