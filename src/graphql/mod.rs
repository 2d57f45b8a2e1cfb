//! The GraphQL schema, one file for each noun, and its execution. Rights and rules are decided in the domain, never
//! here.

use async_graphql::{MergedObject, Schema, ValidationMode};

mod engine;
mod schema;

use engine::context::PublicUrl;
use schema::{
    activation, agent, api_key, billing, change, chart, config, customer, environment, gateway, in_use,
    instance, invitation, log, member, node, operator, pinned, plan, plan_limits, profile, publish,
    service_token, service_token_list, session, subscription, viewer, watcher,
};

pub use engine::{
    api::Api,
    document::{ManifestError, TrustedDocuments},
    execute::Answer,
    front::front,
    operation::{CheckedOperation, NotAnOperation, Operation, OperationCost},
    render_cache::SubscriptionMessage,
    response::GraphQlResponse,
};
pub use graphql_front::SchemaError;
pub use schema::change::{action_name, action_named, actor_kind_name, actor_kind_named, channel_name};

/// Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
/// `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
/// with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
#[derive(Default, MergedObject)]
#[graphql(name = "Query")]
pub struct QueryRoot(
    viewer::ViewerQuery,
    log::LogQuery,
    node::NodeQuery,
    customer::CustomerQuery,
    agent::AgentQuery,
    activation::ActivationQuery,
    config::ConfigQuery,
    pinned::PinnedQuery,
    publish::VersionQuery,
    plan::PlanQuery,
    change::ChangeQuery,
    watcher::WatcherQuery,
    gateway::GatewayQuery,
    gateway::ConvergenceQuery,
    plan_limits::PlanLimitsQuery,
    instance::InstanceQuery,
    chart::ChartQuery,
    in_use::InUseQuery,
    service_token_list::ServiceTokenQuery,
    operator::UserQuery,
);

/// Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
/// in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
/// seconds a mutation fails with UNAVAILABLE, but it may still commit.
#[derive(Default, MergedObject)]
#[graphql(name = "Mutation")]
pub struct MutationRoot(
    customer::CustomerMutation,
    billing::BillingMutation,
    member::MemberMutation,
    invitation::InvitationMutation,
    profile::ProfileMutation,
    api_key::ApiKeyMutation,
    agent::AgentMutation,
    publish::VersionMutation,
    activation::ActivationMutation,
    environment::EnvironmentMutation,
    service_token::ServiceTokenMutation,
    session::SessionMutation,
    operator::OperatorMutation,
    gateway::GatewayMutation,
);

type ApiSchema = Schema<QueryRoot, MutationRoot, subscription::SubscriptionRoot>;

/// Builds the executable schema.
fn schema(public_url: PublicUrl) -> ApiSchema {
    Schema::build(QueryRoot::default(), MutationRoot::default(), subscription::SubscriptionRoot)
        .data(public_url)
        // A suggestion would name fields that the client didn't name.
        .disable_suggestions()
        // `front` has checked the document completely, with rules that the library doesn't have.
        .validation_mode(ValidationMode::Fast)
        .finish()
}

/// The schema in the schema definition language, as `schema.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    engine::schema_description::describe_sdl(&types_sdl())
}

/// The schema without the description of the whole, which async-graphql's own parser can't read.
#[must_use]
pub fn types_sdl() -> String {
    let options = async_graphql::SDLExportOptions::new();
    schema(PublicUrl::default()).sdl_with_options(
        options
            .include_specified_by()
            .sorted_fields()
            .prefer_single_line_descriptions()
            .use_space_ident()
            .indent_width(2),
    )
}
