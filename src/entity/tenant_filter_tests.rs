//! Tests that each select that takes a [`TenantFilter`] applies it. Policy and row-level security would hide a missing
//! filter from every test of the service's responses.

use sea_orm::{DbBackend, EntityTrait, QueryTrait, Select, SelectorRaw, SelectorTrait};
use uuid::Uuid;

use super::{
    EnvironmentFilter, KeysetPage, TenantFilter, activation, agent, agent_update, agent_version, api_key,
    audit, change, chart, customer, customer_list, environment, gateway, gateway_watch, identity,
    in_use::{InUseKind, in_use},
    invitation, rollback_target, served_config,
    serving::{self, AgentLock},
    serving_commit, serving_rejection, user,
};
use crate::{
    clock::Clock,
    environment_key::EnvironmentKey,
    id::{CustomerId, Revision},
};

/// The only customer that the filter admits.
const OURS: Uuid = Uuid::from_u128(0x5eed);
/// An id to select by.
const ID: Uuid = Uuid::from_u128(0x1d);

/// Renders a statement with its parameters inlined.
trait InlinedSql {
    fn inlined_sql(self) -> String;
}

impl<E: EntityTrait> InlinedSql for Select<E> {
    fn inlined_sql(self) -> String {
        self.build(DbBackend::Postgres).to_string()
    }
}

impl<S: SelectorTrait> InlinedSql for SelectorRaw<S> {
    fn inlined_sql(self) -> String {
        self.into_statement().to_string()
    }
}

fn any_page<K>() -> KeysetPage<K> {
    KeysetPage { after: None, before: None, limit: 10, backward: false }
}

/// Each select with this filter, by name.
fn selects(tenants: &TenantFilter) -> Vec<(&'static str, String)> {
    let (now, audited) = (Clock::default().now(), audit::Filter::default());
    let (agents, filter) = ([ID.into()], agent::Listing::from(agent::Filter::default()));
    let (all, default) = (&EnvironmentFilter::All, &EnvironmentKey::default());
    let of_agents = audit::Parents::Agents(&agents);
    let listed =
        activation::Filter { environments: vec![default.clone()], kinds: activation::Kind::ALL.to_vec() };
    let window = chart::ChartWindow { since: now, until: now, time_zone: "UTC".to_owned() };
    vec![
        ("activation::by_ids", activation::by_ids(tenants, all, &[ID.into()]).inlined_sql()),
        (
            "activation::count_each",
            activation::count_each(tenants, &agents, std::slice::from_ref(default)).inlined_sql(),
        ),
        ("activation::page", activation::page(tenants, &listed, &any_page()).inlined_sql()),
        ("activation::count", activation::count(tenants, &listed).inlined_sql()),
        (
            "activation::of_commit",
            activation::of_commit(tenants, all, (ID.into(), ID.into()), Revision(1)).inlined_sql(),
        ),
        ("agent_update::of_agents", agent_update::of_agents(tenants, all, &agents).inlined_sql()),
        ("agent::within", agent::within(tenants).inlined_sql()),
        ("agent::by_ids", agent::by_ids(tenants, &agents).inlined_sql()),
        ("agent::count", agent::count(tenants, &filter).inlined_sql()),
        ("agent::page", agent::page(tenants, &filter, &any_page()).inlined_sql()),
        ("agent::page_each_owner", agent::page_each_owner(tenants, &[ID.into()], &any_page()).inlined_sql()),
        ("agent::count_each_owner", agent::count_each_owner(tenants, &[ID.into()]).inlined_sql()),
        ("agent::locked_whole", agent::locked_whole(tenants, ID.into()).inlined_sql()),
        (
            "gateway::in_environments",
            gateway::in_environments(tenants, all, std::slice::from_ref(default)).inlined_sql(),
        ),
        (
            "gateway::applied_times",
            gateway::applied_times(tenants, all, (default, Revision(1))).inlined_sql(),
        ),
        (
            "gateway_watch::in_environments",
            gateway_watch::in_environments(tenants, all, std::slice::from_ref(default), now).inlined_sql(),
        ),
        (
            "serving_commit::newest",
            serving_commit::newest(tenants, all, std::slice::from_ref(default)).inlined_sql(),
        ),
        (
            "serving_commit::last",
            serving_commit::last(tenants, all, &[(ID.into(), default.clone())]).inlined_sql(),
        ),
        ("serving_commit::time", serving_commit::time(tenants, ID.into(), Revision(1)).inlined_sql()),
        (
            "serving_rejection::of_servings",
            serving_rejection::of_servings(tenants, all, &[ID.into()], std::slice::from_ref(default))
                .inlined_sql(),
        ),
        (
            "serving_rejection::of_gateways",
            serving_rejection::of_gateways(tenants, all, &[ID.into()]).inlined_sql(),
        ),
        ("environment::by_ids", environment::by_ids(tenants, all, &[ID.into()]).inlined_sql()),
        ("environment::exists", environment::exists(tenants, all, default).inlined_sql()),
        ("environment::locked", environment::locked(tenants, ID.into()).inlined_sql()),
        (
            "serving::in_environment",
            serving::in_environment(tenants, all, ID.into(), ID.into()).inlined_sql(),
        ),
        ("serving::of_agents", serving::of_agents(tenants, all, &agents).inlined_sql()),
        (
            "serving::locked_place",
            serving::locked_place(tenants, all, ID.into(), default, AgentLock::Kept).inlined_sql(),
        ),
        ("agent::locked", agent::locked(tenants, ID.into()).inlined_sql()),
        ("agent_version::bodies", agent_version::bodies(tenants, &[ID.into()]).inlined_sql()),
        ("agent_version::by_ids", agent_version::by_ids(tenants, &[ID.into()]).inlined_sql()),
        ("api_key::by_id", api_key::by_id(tenants, ID.into()).inlined_sql()),
        ("api_key::locked", api_key::locked(tenants, ID.into()).inlined_sql()),
        ("api_key::before", api_key::locked_predecessor(tenants, ID.into(), now).inlined_sql()),
        ("audit::page_each", audit::page_each(tenants, of_agents, &audited, &any_page()).inlined_sql()),
        ("audit::count_each", audit::count_each(tenants, of_agents, &audited).inlined_sql()),
        (
            "change::after",
            change::after(tenants, change::LogPosition::end_of(Revision::ZERO), 10).inlined_sql(),
        ),
        ("customer::within", customer::within(tenants).inlined_sql()),
        ("customer::by_ids", customer::by_ids(tenants, &[ID.into()]).inlined_sql()),
        (
            "customer_list::page",
            customer_list::page(tenants, &customer_list::Listing::default(), &any_page()).inlined_sql(),
        ),
        (
            "customer_list::count",
            customer_list::count(tenants, &customer_list::Filter::default()).inlined_sql(),
        ),
        ("chart::activations", chart::activations(tenants, all, &window).inlined_sql()),
        ("in_use::in_use", in_use(InUseKind::Tools, tenants, all, 1).inlined_sql()),
        ("customer::locked", customer::locked(tenants, ID.into()).inlined_sql()),
        ("invitation::open_by_ids", invitation::open_by_ids(tenants, &[ID.into()], now).inlined_sql()),
        ("invitation::by_id", invitation::by_id(tenants, ID.into()).inlined_sql()),
        ("invitation::locked", invitation::locked(tenants, ID.into()).inlined_sql()),
        (
            "rollback_target::next_of_each",
            rollback_target::next_of_each(tenants, all, &[(ID.into(), default.clone())]).inlined_sql(),
        ),
        ("served_config::at", served_config::at(tenants, all, (Revision(1), default), &agents).inlined_sql()),
        (
            "served_config::page",
            served_config::page(tenants, all, (Revision(1), default), None, None, 10).inlined_sql(),
        ),
        (
            "served_config::page of agents",
            served_config::page(tenants, all, (Revision(1), default), Some(&agents), None, 10).inlined_sql(),
        ),
        ("api_key::by_ids", api_key::by_ids(tenants, &[ID.into()]).inlined_sql()),
        ("identity::of_users", identity::of_users(tenants, &[ID.into()]).inlined_sql()),
        ("user::by_ids", user::by_ids(tenants, &[ID.into()], None).inlined_sql()),
    ]
}

#[test]
fn each_select_names_the_customers_within_reach() {
    let ours = OURS.to_string();
    for (name, text) in selects(&TenantFilter::Only(vec![CustomerId::from(OURS)])) {
        assert!(text.contains(&ours), "{name} is not narrowed: {text}");
    }
    // So the id comes from the filter.
    for (name, text) in selects(&TenantFilter::All) {
        assert!(!text.contains(&ours), "{name}: {text}");
    }
}

/// A filter that admits no customer is different from one that admits all.
#[test]
fn a_reach_of_no_customer_still_narrows() {
    for ((name, nobody), (_, everyone)) in
        selects(&TenantFilter::Only(Vec::new())).into_iter().zip(selects(&TenantFilter::All))
    {
        assert_ne!(nobody, everyone, "{name}");
    }
    let tenants = TenantFilter::Only(Vec::new());
    assert!(!tenants.admits(OURS.into()) && TenantFilter::All.admits(OURS.into()));
    let only = TenantFilter::Only(vec![OURS.into()]);
    assert!(only.admits(OURS.into()) && !only.admits(ID.into()));
}
