//! Stores what an instance knows of gateways: one transaction for many reports, which locks nothing that a publication or an
//! activation locks, and isn't in the log.

use std::collections::HashMap;

use chrono::TimeDelta;
use uuid::Uuid;

use super::{CheckedReport, GatewayWatchRow, LATE_AFTER};
use crate::{
    db::Txn,
    domain::{Registry, Result},
    entity::{gateway, gateway_watch, serving_rejection},
    id::{GatewayId, Revision},
};

/// How many rows one statement writes.
const CHUNK: usize = 1000;
/// How long after it was last seen an instance is deleted, with its subscriptions.
const INSTANCE_FORGOTTEN_AFTER: TimeDelta = TimeDelta::seconds(60);

/// What an instance stores of gateways.
#[derive(Clone, Debug, Default)]
pub struct GatewayChanges {
    /// The instance.
    pub instance_id: Uuid,
    /// Subscriptions that have begun.
    pub begun: Vec<GatewayWatchRow>,
    /// What subscriptions have received.
    pub delivered: Vec<(Uuid, Revision)>,
    /// Subscriptions that have ended.
    pub ended: Vec<Uuid>,
    /// Reports, of one gateway each.
    pub reports: Vec<CheckedReport>,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// It is stored.
    Stored,
    /// The token has as many gateways as it may.
    TooManyGateways,
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReports {
    /// What became of each report, in their order.
    pub outcomes: Vec<ReportOutcome>,
    /// Whether the database doesn't know the instance's earlier subscriptions any more.
    pub is_instance_new: bool,
    /// How many gateways report, on all instances.
    pub gateways: u64,
}

impl Registry {
    /// Stores what an instance knows of gateways.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::domain::Error::Unavailable) when the database is.
    pub async fn store_gateways(&self, changes: GatewayChanges) -> Result<StoredReports> {
        let now = self.clock().now();
        self.run_unlogged(async move |txn| {
            let GatewayChanges { instance_id, begun, delivered, ended, reports } = changes;
            if let Some(epoch) = txn.one(gateway::begin_epoch(now)).await? {
                tracing::info!(since = %epoch.begun_at, "gateways' reports are counted from now on");
            }
            let seen = txn.one(gateway_watch::see_instance(instance_id, now)).await?;
            txn.all(gateway_watch::forget_instances(now - INSTANCE_FORGOTTEN_AFTER)).await?;
            for ended in ended.chunks(CHUNK) {
                txn.all(gateway_watch::delete(instance_id, ended)).await?;
            }
            for begun in begun.chunks(CHUNK) {
                txn.all(gateway_watch::insert(begun)).await?;
            }
            for delivered in delivered.chunks(CHUNK) {
                txn.all(gateway_watch::set_delivered(instance_id, delivered)).await?;
            }
            let mut outcomes = Vec::with_capacity(reports.len());
            for reports in reports.chunks(CHUNK) {
                outcomes.extend(store_reports(&txn, reports).await?);
            }
            let gateways = txn.one(gateway::count(now - LATE_AFTER)).await?;
            Ok(StoredReports {
                outcomes,
                is_instance_new: seen.is_some_and(|seen| seen.number > 0),
                gateways: gateways.map_or(0, |count| u64::try_from(count.number).unwrap_or(0)),
            })
        })
        .await
    }
}

/// Stores a chunk of reports, with their rejections. Returns what became of each.
async fn store_reports(txn: &Txn, reports: &[CheckedReport]) -> Result<Vec<ReportOutcome>> {
    let rows: Vec<gateway::Report> = reports.iter().map(|report| report.report.clone()).collect();
    let stored = txn.all(gateway::store(&rows)).await?;
    let new: Vec<GatewayId> = stored.iter().filter(|row| row.is_new).map(|row| row.id).collect();
    if !new.is_empty() {
        txn.all(gateway::delete_of_predecessors(&new)).await?;
    }
    let ids: HashMap<_, GatewayId> =
        stored.into_iter().map(|row| ((row.principal_id, row.environment_key, row.name), row.id)).collect();
    let mut rejections = Vec::new();
    for report in reports {
        let Some(gateway_id) = ids.get(&report.key()).copied() else { continue };
        let of_gateway =
            |row: &serving_rejection::Model| serving_rejection::Model { gateway_id, ..row.clone() };
        rejections.extend(report.rejections.iter().map(of_gateway));
    }
    let gateways: Vec<GatewayId> = ids.values().copied().collect();
    for rejection in txn.all(serving_rejection::replace(&gateways, &rejections)).await? {
        if rejection.is_new {
            metrics::counter!("registry_gateway_rejections_total").increment(1);
            tracing::info!(
                agent_id = %rejection.agent_id, version_id = %rejection.version_id, code = ?rejection.code,
                "a gateway refuses a version"
            );
        }
    }
    let outcome = |report: &CheckedReport| match ids.contains_key(&report.key()) {
        true => ReportOutcome::Stored,
        false => ReportOutcome::TooManyGateways,
    };
    Ok(reports.iter().map(outcome).collect())
}
