//! Tests that each select that takes a [`Reach`] applies it. Policy and row-level security would hide a missing
//! filter from every test of the service's responses.

use sea_orm::{DbBackend, EntityTrait, QueryTrait, Select, SelectorRaw, SelectorTrait};
use uuid::Uuid;

use super::{
    Reach, Slice, activation, agent, agent_version, api_key, audit, change, customer, invitation, serving,
    user,
};
use crate::{clock::Clock, id::CustomerId};

/// The only customer that the filter admits.
const OURS: Uuid = Uuid::from_u128(0x5eed);
/// An id to select by.
const ID: Uuid = Uuid::from_u128(0x1d);

/// Renders a statement with its parameters inlined.
trait Shown {
    fn shown(self) -> String;
}

impl<E: EntityTrait> Shown for Select<E> {
    fn shown(self) -> String {
        self.build(DbBackend::Postgres).to_string()
    }
}

impl<S: SelectorTrait> Shown for SelectorRaw<S> {
    fn shown(self) -> String {
        self.into_statement().to_string()
    }
}

fn slice<K>() -> Slice<K> {
    Slice { after: None, before: None, limit: 10, backward: false }
}

/// Each select with this filter, by name.
fn selects(reach: &Reach) -> Vec<(&'static str, String)> {
    let (now, audited) = (Clock::default().now(), audit::Filter::default());
    let (agents, filter) = ([ID.into()], agent::Filter::default());
    let of_agents = audit::Parents::Agents(&agents);
    vec![
        ("activation::by_ids", activation::by_ids(reach, &[ID.into()]).shown()),
        ("activation::count_each", activation::count_each(reach, &agents).shown()),
        ("agent::within", agent::within(reach).shown()),
        ("agent::by_ids", agent::by_ids(reach, &agents).shown()),
        ("agent::filtered", agent::filtered(reach, &filter).shown()),
        ("agent::page", agent::page(reach, &filter, &slice()).shown()),
        ("agent::page_each_owner", agent::page_each_owner(reach, &[ID.into()], &slice()).shown()),
        ("agent::count_each_owner", agent::count_each_owner(reach, &[ID.into()]).shown()),
        ("agent::locked", agent::locked(reach, ID.into()).shown()),
        ("agent_version::within", agent_version::within(reach).shown()),
        ("agent_version::by_ids", agent_version::by_ids(reach, &[ID.into()]).shown()),
        ("api_key::by_id", api_key::by_id(reach, ID.into()).shown()),
        ("api_key::locked", api_key::locked(reach, ID.into()).shown()),
        ("api_key::before", api_key::before(reach, ID.into(), now).shown()),
        ("audit::page_each", audit::page_each(reach, of_agents, &audited, &slice()).shown()),
        ("audit::count_each", audit::count_each(reach, of_agents, &audited).shown()),
        ("change::after", change::after(reach, change::Place::end_of(0), 10).shown()),
        ("customer::within", customer::within(reach).shown()),
        ("customer::by_ids", customer::by_ids(reach, &[ID.into()]).shown()),
        ("customer::page", customer::page(reach, None, &slice()).shown()),
        ("customer::named", customer::named(reach, None).shown()),
        ("customer::locked", customer::locked(reach, ID.into()).shown()),
        ("invitation::by_id", invitation::by_id(reach, ID.into()).shown()),
        ("invitation::locked", invitation::locked(reach, ID.into()).shown()),
        ("serving::at", serving::at(reach, 1, &agents).shown()),
        ("serving::page", serving::page(reach, 1, None, None, 10).shown()),
        ("serving::page of agents", serving::page(reach, 1, Some(&agents), None, 10).shown()),
        ("user::by_ids", user::by_ids(reach, &[ID.into()], None).shown()),
    ]
}

#[test]
fn each_select_names_the_customers_within_reach() {
    let ours = OURS.to_string();
    for (name, text) in selects(&Reach::Only(vec![CustomerId::from(OURS)])) {
        assert!(text.contains(&ours), "{name} is not narrowed: {text}");
    }
    // So the id comes from the filter.
    for (name, text) in selects(&Reach::Everyone) {
        assert!(!text.contains(&ours), "{name}: {text}");
    }
}

/// A filter that admits no customer is different from one that admits all.
#[test]
fn a_reach_of_no_customer_still_narrows() {
    for ((name, nobody), (_, everyone)) in
        selects(&Reach::Only(Vec::new())).into_iter().zip(selects(&Reach::Everyone))
    {
        assert_ne!(nobody, everyone, "{name}");
    }
    let reach = Reach::Only(Vec::new());
    assert!(!reach.holds(OURS.into()) && Reach::Everyone.holds(OURS.into()));
    let only = Reach::Only(vec![OURS.into()]);
    assert!(only.holds(OURS.into()) && !only.holds(ID.into()));
}
