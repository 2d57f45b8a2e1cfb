//! Joins the rows of gateways that report with the subscriptions of gateways. Pure, so that all instances make the same list
//! of the same rows.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{Gateway, GatewayState, GatewayWatchRow, RECONNECT_TIME};
use crate::{
    clock::Instant,
    entity::gateway::ReportedRow,
    environment_key::EnvironmentKey,
    id::{GatewayId, Revision},
};

/// A token in an environment.
type Place = (Uuid, EnvironmentKey);

/// The subscriptions of one token in one environment that may belong to gateways which report otherwise.
#[derive(Debug, Default)]
struct Spare {
    /// Gateways that report by HTTP: any subscription may be theirs.
    http: usize,
    /// Gateways whose subscription has ended: a young one may be their new one.
    reconnecting: usize,
}

/// All gateways, by name: those that have reported, and the subscriptions that belong to none of them. `watches` are ordered
/// from the oldest one.
pub(super) fn gateways(rows: Vec<ReportedRow>, watches: Vec<GatewayWatchRow>, now: Instant) -> Vec<Gateway> {
    let connected: HashMap<Uuid, &GatewayWatchRow> = watches.iter().map(|watch| (watch.id, watch)).collect();
    let linked: HashSet<Uuid> = rows.iter().filter_map(|row| row.watch_id).collect();
    let mut spare: HashMap<Place, Spare> = HashMap::new();
    for row in rows.iter().filter(|row| GatewayState::of(row.last_report_at, now) == GatewayState::Live) {
        let of = spare.entry((row.principal_id, row.environment_key.clone())).or_default();
        match row.watch_id {
            None => of.http += 1,
            Some(id) if !connected.contains_key(&id) => of.reconnecting += 1,
            Some(_) => {}
        }
    }
    let delivered =
        |id: Option<Uuid>| id.and_then(|id| connected.get(&id)).map(|watch| watch.delivered_revision);
    let mut all: Vec<Gateway> = rows
        .into_iter()
        .map(|row| {
            let delivered = delivered(row.watch_id);
            reporting(row, delivered, now)
        })
        .collect();
    for watch in watches.into_iter().filter(|watch| !linked.contains(&watch.id)) {
        let is_young = now - watch.since < RECONNECT_TIME;
        let of = spare.entry((watch.principal_id, watch.environment_key.clone())).or_default();
        if of.http > 0 {
            of.http -= 1;
        } else if is_young && of.reconnecting > 0 {
            of.reconnecting -= 1;
        } else {
            all.push(silent(watch));
        }
    }
    all.sort_by_cached_key(Gateway::place);
    all
}

fn reporting(row: ReportedRow, delivered: Option<Revision>, now: Instant) -> Gateway {
    let ReportedRow {
        id,
        principal_kind,
        principal_id,
        name,
        customer_ids,
        agent_ids,
        environment_key,
        region,
        build,
        client_name,
        client_version,
        since,
        last_report_at,
        applied_revision,
        watch_id: _,
        rejections,
        rejected_at,
    } = row;
    Gateway {
        id,
        principal_kind,
        principal_id,
        name,
        environment_key,
        customer_ids,
        agent_ids,
        region,
        build,
        client_name,
        client_version,
        since,
        last_report_at: Some(last_report_at),
        state: GatewayState::of(last_report_at, now),
        delivered,
        applied: Some(applied_revision),
        rejections,
        rejected_at,
    }
}

fn silent(watch: GatewayWatchRow) -> Gateway {
    let GatewayWatchRow {
        id,
        instance_id: _,
        principal_kind,
        principal_id,
        name,
        customer_id: _,
        customer_ids,
        agent_ids,
        environment_key,
        client_name,
        client_version,
        since,
        delivered_revision,
    } = watch;
    Gateway {
        id: GatewayId::from(id),
        principal_kind,
        principal_id,
        name,
        environment_key,
        customer_ids,
        agent_ids,
        region: None,
        build: None,
        client_name,
        client_version,
        since,
        last_report_at: None,
        state: GatewayState::Silent,
        delivered: Some(delivered_revision),
        applied: None,
        rejections: 0,
        rejected_at: None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{clock::Clock, domain::change::ActorKind};

    const TOKEN: Uuid = Uuid::from_u128(1);

    fn row(name: &str, watch_id: Option<u128>, now: Instant, age: i64) -> ReportedRow {
        ReportedRow {
            id: Clock::default().id(),
            principal_kind: ActorKind::Service,
            principal_id: TOKEN,
            name: name.to_owned(),
            customer_ids: None,
            agent_ids: None,
            environment_key: EnvironmentKey::default(),
            region: None,
            build: None,
            client_name: None,
            client_version: None,
            since: now,
            last_report_at: now - TimeDelta::seconds(age),
            applied_revision: Revision(7),
            watch_id: watch_id.map(Uuid::from_u128),
            rejections: 0,
            rejected_at: None,
        }
    }

    fn watch(id: u128, now: Instant, age: i64) -> GatewayWatchRow {
        GatewayWatchRow {
            id: Uuid::from_u128(id),
            instance_id: Uuid::nil(),
            principal_kind: ActorKind::Service,
            principal_id: TOKEN,
            name: "token".to_owned(),
            customer_id: None,
            customer_ids: None,
            agent_ids: None,
            environment_key: EnvironmentKey::default(),
            client_name: None,
            client_version: None,
            since: now - TimeDelta::seconds(age),
            delivered_revision: Revision(9),
        }
    }

    fn states(
        rows: Vec<ReportedRow>,
        watches: Vec<GatewayWatchRow>,
        now: Instant,
    ) -> Vec<(String, GatewayState)> {
        gateways(rows, watches, now).into_iter().map(|gateway| (gateway.name, gateway.state)).collect()
    }

    #[test]
    fn a_subscription_that_belongs_to_no_report_is_silent() {
        use GatewayState::{Gone, Late, Live, Silent};
        let now = Clock::default().now();
        let is = |name: &str, state| (name.to_owned(), state);
        // Linked by its socket, and one beside it.
        let rows = vec![row("a", Some(1), now, 0)];
        assert_eq!(states(rows.clone(), vec![watch(1, now, 99)], now), [is("a", Live)]);
        let both = vec![watch(1, now, 99), watch(2, now, 5)];
        assert_eq!(states(rows, both, now), [is("a", Live), is("token", Silent)]);
        // One that reports by HTTP has some subscription.
        let rows = vec![row("a", None, now, 0)];
        assert_eq!(states(rows.clone(), vec![watch(1, now, 99)], now), [is("a", Live)]);
        let both = vec![watch(1, now, 99), watch(2, now, 99)];
        assert_eq!(states(rows, both, now), [is("a", Live), is("token", Silent)]);
        // One whose subscription has ended may have a new one, for half a minute.
        let rows = vec![row("a", Some(1), now, 0)];
        assert_eq!(states(rows.clone(), vec![watch(2, now, 29)], now), [is("a", Live)]);
        assert_eq!(states(rows, vec![watch(2, now, 30)], now), [is("a", Live), is("token", Silent)]);
        // A late one masks nothing.
        let rows = vec![row("a", None, now, 90), row("b", None, now, 3600), row("c", None, now, 89)];
        assert_eq!(states(rows, Vec::new(), now), [is("a", Late), is("b", Gone), is("c", Live)]);
        let rows = vec![row("a", None, now, 90)];
        assert_eq!(states(rows, vec![watch(1, now, 99)], now), [is("a", Late), is("token", Silent)]);
    }

    #[test]
    fn what_was_delivered_is_known_of_a_linked_subscription_alone() {
        let now = Clock::default().now();
        let delivered = |id| {
            let all = gateways(vec![row("a", id, now, 0)], vec![watch(1, now, 99)], now);
            all.first().and_then(|gateway| gateway.delivered)
        };
        assert_eq!(delivered(Some(1)), Some(Revision(9)));
        assert_eq!(delivered(None), None);
        assert_eq!(delivered(Some(2)), None);
    }
}
