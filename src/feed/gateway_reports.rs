//! What gateways report to this instance, and which of them are subscribed here. Reports are collected and stored together:
//! one transaction a second at most, however many gateways report. Only the latest report of a gateway is stored.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use super::{
    hub::Hub,
    subscriber_registry::{Watched, Watcher},
};
use crate::{
    clock::Clock,
    domain::{
        Error, Registry, Result,
        environment::EnvironmentKey,
        gateway::{
            CheckedReport, GatewayChanges, GatewayWatchRow, PER_TOKEN_MAX, ReportOutcome, StoredReports,
        },
    },
    id::Revision,
    task::lock,
};

/// The time between two transactions.
const ROUND: Duration = Duration::from_secs(1);
/// How often an instance with subscriptions says that it lives, and what they have received.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long a report waits until it is stored.
const PATIENCE: Duration = Duration::from_secs(8);
/// The most reports that wait.
const WAITING_MAX: usize = 20_000;
/// How many reports a second all gateways together send at most, roughly.
const REPORTS_PER_SECOND: u64 = 100;
/// The longest time between two reports of a gateway, in seconds.
const SPREAD_MAX: u64 = 30;

/// What identifies a gateway.
type GatewayKey = (Uuid, EnvironmentKey, String);

/// A report that isn't stored yet, and who waits for it: those of earlier reports of the gateway too.
#[derive(Debug)]
struct Waiting {
    report: CheckedReport,
    answers: Vec<oneshot::Sender<ReportOutcome>>,
}

/// The reports of this instance. Clones share state.
#[derive(Clone, Debug)]
pub(super) struct GatewayReports(Arc<Reports>);

#[derive(Debug)]
struct Reports {
    instance_id: Uuid,
    clock: Clock,
    waiting: Mutex<HashMap<GatewayKey, Waiting>>,
    bell: Notify,
    /// How many gateways report, on all instances.
    gateways: AtomicU64,
}

impl GatewayReports {
    pub(super) fn new(clock: &Clock) -> Self {
        Self(Arc::new(Reports {
            instance_id: clock.id(),
            clock: clock.clone(),
            waiting: Mutex::default(),
            bell: Notify::new(),
            gateways: AtomicU64::default(),
        }))
    }

    /// The row of a watcher, if it is a gateway's subscription.
    pub(super) fn row(&self, watcher: &Watcher) -> Option<GatewayWatchRow> {
        if watcher.watched != Watched::Configs {
            return None;
        }
        let (filter, environment) = (&watcher.filter, watcher.environment()?.clone());
        let wanted = (filter.customer_id, filter.agent_ids.as_deref());
        let (ids, times) = ((watcher.id, self.0.instance_id), (watcher.since, watcher.revision()));
        GatewayWatchRow::of(ids, &watcher.caller, wanted, environment, times)
    }

    /// Waits until a report is stored. Returns after how many seconds the gateway should report next.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when the token has as many gateways as it may; [`Error::Unavailable`] when the report can't be
    /// stored.
    pub(super) async fn store(&self, report: CheckedReport) -> Result<u64> {
        let (answer, outcome) = oneshot::channel();
        {
            let mut waiting = lock(&self.0.waiting);
            if waiting.len() >= WAITING_MAX {
                return Err(Error::RateLimited { retry_after_seconds: SPREAD_MAX });
            }
            match waiting.entry(report.key()) {
                Entry::Occupied(mut entry) => {
                    let entry = entry.get_mut();
                    entry.report = report;
                    entry.answers.push(answer);
                }
                Entry::Vacant(entry) => {
                    entry.insert(Waiting { report, answers: vec![answer] });
                }
            }
        }
        self.0.bell.notify_one();
        match timeout(PATIENCE, outcome).await {
            Ok(Ok(ReportOutcome::Stored)) => Ok(self.seconds_to_next()),
            Ok(Ok(ReportOutcome::TooManyGateways)) => Err(Error::TooLarge {
                field: "gatewayName".to_owned(),
                actual: PER_TOKEN_MAX + 1,
                limit: PER_TOKEN_MAX,
                unit: "gateways of one token",
            }),
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable("the report can't be stored now")),
        }
    }

    /// After how many seconds a gateway should report next: the more gateways there are, the later, and each at another time.
    fn seconds_to_next(&self) -> u64 {
        let spread =
            self.0.gateways.load(Ordering::Relaxed).div_ceil(REPORTS_PER_SECOND).clamp(1, SPREAD_MAX);
        let half = Duration::from_secs(spread) / 2;
        let wait = half + self.0.clock.jitter(half);
        (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).clamp(1, SPREAD_MAX)
    }
}

/// What this instance has stored of its subscriptions.
#[derive(Debug, Default)]
struct StoredWatches {
    delivered: HashMap<Uuid, Revision>,
    kept_up_at: Option<Instant>,
}

impl StoredWatches {
    /// What has changed since the last time. The positions of subscriptions are among it every [`UPKEEP`]. `None` when
    /// nothing must be stored.
    fn changes(&self, reports: &GatewayReports, watchers: &[Arc<Watcher>]) -> Option<GatewayChanges> {
        let running: HashSet<Uuid> = watchers.iter().map(|watcher| watcher.id).collect();
        let ended: Vec<Uuid> = self.delivered.keys().filter(|id| !running.contains(*id)).copied().collect();
        let new = watchers.iter().filter(|watcher| !self.delivered.contains_key(&watcher.id));
        let begun: Vec<GatewayWatchRow> = new.filter_map(|watcher| reports.row(watcher)).collect();
        let has_changes = !begun.is_empty() || !ended.is_empty();
        let is_due = (has_changes || !self.delivered.is_empty())
            && self.kept_up_at.is_none_or(|at| at.elapsed() >= UPKEEP);
        let moved = |watcher: &Arc<Watcher>| {
            let revision = watcher.revision();
            let stored = self.delivered.get(&watcher.id)?;
            (*stored != revision).then_some((watcher.id, revision))
        };
        let delivered = if is_due { watchers.iter().filter_map(moved).collect() } else { Vec::new() };
        let instance_id = reports.0.instance_id;
        let changes = GatewayChanges { instance_id, begun, delivered, ended, reports: Vec::new() };
        (is_due || has_changes).then_some(changes)
    }

    /// Records what was stored. If the database knew nothing of this instance, because it had crashed or this instance seemed
    /// dead, all of it is stored again.
    fn stored(&mut self, changes: &GatewayChanges, is_instance_new: bool) {
        let is_lost = is_instance_new && !self.delivered.is_empty();
        if self.kept_up_at.is_none_or(|at| at.elapsed() >= UPKEEP) {
            self.kept_up_at = Some(Instant::now());
        }
        if is_lost {
            (self.delivered, self.kept_up_at) = (HashMap::new(), None);
        }
        for id in &changes.ended {
            self.delivered.remove(id);
        }
        self.delivered.extend(changes.begun.iter().map(|row| (row.id, row.delivered_revision)));
        if !is_lost {
            self.delivered.extend(changes.delivered.iter().copied());
        }
    }
}

/// Stores reports and subscriptions, for as long as the service runs. Failures are logged and retried.
pub async fn store_gateway_reports(registry: Registry, hub: Hub) {
    let mut watches = StoredWatches::default();
    loop {
        let _ = timeout(ROUND, hub.gateway_reports().0.bell.notified()).await;
        let began = Instant::now();
        if let Err(err) = store_once(&registry, &hub, &mut watches).await {
            tracing::warn!(error = %err, "can't store what gateways report; retrying");
        }
        sleep(ROUND.saturating_sub(began.elapsed())).await;
    }
}

async fn store_once(registry: &Registry, hub: &Hub, watches: &mut StoredWatches) -> Result<()> {
    let reports = hub.gateway_reports();
    let waiting: Vec<Waiting> = lock(&reports.0.waiting).drain().map(|(_, waiting)| waiting).collect();
    let changes = watches.changes(reports, &hub.subscribers().all());
    if waiting.is_empty() && changes.is_none() {
        return Ok(());
    }
    let mut changes = changes.unwrap_or_else(|| GatewayChanges {
        instance_id: reports.0.instance_id,
        ..GatewayChanges::default()
    });
    changes.reports = waiting.iter().map(|waiting| waiting.report.clone()).collect();
    // If it fails, the answers are dropped, and so their reports fail too.
    let StoredReports { outcomes, is_instance_new, gateways } =
        registry.store_gateways(changes.clone()).await?;
    watches.stored(&changes, is_instance_new);
    reports.0.gateways.store(gateways, Ordering::Relaxed);
    metrics::gauge!("registry_gateways_reporting")
        .set(f64::from(u32::try_from(gateways).unwrap_or(u32::MAX)));
    for (waiting, outcome) in waiting.into_iter().zip(outcomes) {
        for answer in waiting.answers {
            // A client that is gone needs no answer.
            let _ = answer.send(outcome);
        }
    }
    Ok(())
}
