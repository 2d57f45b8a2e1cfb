//! Verification: whether the log's chain is intact, and whether the agents serve what the log says.

use std::{collections::HashMap, fmt};

use serde::Deserialize;

use super::{
    chain::{Chain, ChainError},
    signed_head::SignedHead,
};
use crate::{
    db::View,
    domain::{
        Caller, Registry, Result,
        change::{Change, Head, LogPosition, floor, head},
        content::hashes_of,
        policy::{self, Action},
        version::AgentVersion,
    },
    entity::{TenantFilter, agent_version, change, log_consistency, log_consistency::LoggedState},
    id::{AgentId, CustomerId, Revision, VersionId},
};

/// How many entries are read at once.
const PAGE: u64 = 1000;
/// How many agents are checked at once: sixteen of the largest contents are 25 MiB.
const AGENTS: u64 = 16;

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The end of the log.
    pub head: Head,
    /// How many entries were checked.
    pub entries: u64,
    /// How many agents were checked, and serve what the log says.
    pub agents: u64,
    /// For how many of these agents the entry of the publication has been pruned, so that only the version's own hash
    /// was checked.
    pub unpublished: u64,
    /// How many signed heads are older than the first entry that is kept, and couldn't be checked.
    pub skipped: usize,
    /// The first violation that was found; `None` when the log is intact.
    pub violation: Option<IntegrityViolation>,
}

/// A violation of the log's or the agents' integrity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntegrityViolation {
    /// An entry doesn't continue the chain.
    Entry(LogPosition, ChainError),
    /// The stored start of the log isn't the one that the log's last pruning recorded.
    LogStart(Revision),
    /// The last entry isn't the log's head: the end was cut off or replaced.
    LogHead(LogPosition),
    /// The log doesn't contain the entry that this head was signed of.
    MissingHead(SignedHead),
    /// This head was signed of another log.
    OtherLog(SignedHead),
    /// The row of an activation and its log entry differ, or one of them is missing.
    Activation(AgentId),
    /// An agent has another name than in its last log entry.
    AgentName(AgentId),
    /// A customer has another billing status than in its last log entry.
    CustomerBilling(CustomerId),
    /// An agent's active version isn't the one that was activated last.
    ActiveVersion(AgentId),
    /// The content of an active version isn't the one that was published.
    Content(AgentId, VersionId),
}

impl fmt::Display for IntegrityViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(place, flaw) => write!(f, "entry {place}: {flaw}"),
            Self::LogStart(revision) => {
                write!(
                    f,
                    "the log begins after revision {revision}, but no entry records a pruning up to there"
                )
            }
            Self::LogHead(place) => write!(f, "the last entry is {place}, but the log's head is another one"),
            Self::MissingHead(SignedHead { revision, position, .. }) => {
                write!(f, "entry {revision}.{position} is not the one of the signed head")
            }
            Self::OtherLog(SignedHead { log_id, .. }) => {
                write!(f, "the signed head is of another log, {log_id}")
            }
            Self::Activation(agent) => {
                write!(f, "the activations of agent {agent} differ from the log")
            }
            Self::AgentName(agent) => write!(f, "agent {agent} has another name than in the log"),
            Self::CustomerBilling(customer) => {
                write!(f, "customer {customer} has another billing status than in the log")
            }
            Self::ActiveVersion(agent) => {
                write!(f, "agent {agent} does not serve the version activated last")
            }
            Self::Content(agent, version) => {
                write!(
                    f,
                    "agent {agent} serves version {version}, whose content is not the one that was published"
                )
            }
        }
    }
}

/// The progress of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The revision that has been checked, and the last one.
    Log(Revision, Revision),
    /// How many agents have been checked.
    Agents(u64),
}

impl Registry {
    /// Verifies the whole log in one snapshot: the hash chain, the signed heads, and that each agent serves the
    /// version that was activated last, with the content that was published.
    ///
    /// # Errors
    /// [`crate::domain::Error::Forbidden`] unless the caller acts for the platform;
    /// [`crate::domain::Error::Unavailable`] when the database is.
    pub async fn verify_log(
        &self,
        caller: &Caller,
        signed_heads: &[SignedHead],
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Report> {
        policy::allow(caller, Action::ManagePlatform)?;
        let view = self.reading(caller).view;
        let head = head(&view).await?;
        let mut report = Report { entries: 0, agents: 0, unpublished: 0, skipped: 0, violation: None, head };
        report.violation = find_chain_violation(&view, &mut report, signed_heads, progress).await?;
        if report.violation.is_none() {
            report.violation = find_serving_violation(&view, &mut report, progress).await?;
        }
        Ok(report)
    }
}

async fn find_chain_violation(
    view: &View,
    report: &mut Report,
    signed_heads: &[SignedHead],
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Option<IntegrityViolation>> {
    if let Some(other) = signed_heads.iter().find(|signed_head| signed_head.log_id != report.head.log_id) {
        return Ok(Some(IntegrityViolation::OtherLog(other.clone())));
    }
    let floor = floor(view).await?;
    let genesis = Chain::genesis(report.head.log_id);
    let Some(mut chain) =
        Chain::from(&floor).filter(|chain| floor.revision > Revision::ZERO || *chain == genesis)
    else {
        return Ok(Some(IntegrityViolation::LogStart(floor.revision)));
    };
    let mut open: Vec<&SignedHead> = signed_heads.iter().collect();
    let mut told = floor.revision == Revision::ZERO;
    open.retain(|signed_head| !signed_head.is_at(&chain));
    loop {
        let page = view.all(change::after(&TenantFilter::All, chain.place(), PAGE)).await?;
        let is_last = u64::try_from(page.len()).is_ok_and(|len| len < PAGE);
        for entry in &page {
            if let Err(flaw) = chain.follow(entry) {
                return Ok(Some(IntegrityViolation::Entry(LogPosition::of(entry), flaw)));
            }
            told |= records_pruning(entry, floor.revision, &hex::encode(&floor.chain_hash));
            open.retain(|signed_head| !signed_head.is_at(&chain));
            report.entries += 1;
        }
        progress(Progress::Log(chain.place().revision, report.head.revision));
        if is_last {
            break;
        }
    }
    let Head { revision, position, chain_hash, .. } = &report.head;
    let ends = chain.place() == LogPosition { revision: *revision, position: *position };
    if !ends || chain.hash().as_slice() != chain_hash {
        return Ok(Some(IntegrityViolation::LogHead(chain.place())));
    }
    if !told {
        return Ok(Some(IntegrityViolation::LogStart(floor.revision)));
    }
    // Heads from before the first entry that is kept can't be checked.
    report.skipped = open.iter().filter(|signed_head| signed_head.revision < floor.revision).count();
    let missing = open.into_iter().find(|signed_head| signed_head.revision >= floor.revision);
    Ok(missing.map(|signed_head| IntegrityViolation::MissingHead(signed_head.clone())))
}

/// Whether an entry records the pruning up to this commit and chain hash.
fn records_pruning(entry: &Change, floor: Revision, chain_hash: &str) -> bool {
    #[derive(Deserialize)]
    struct Pruned {
        after: After,
    }
    #[derive(Deserialize)]
    struct After {
        revision: Revision,
        chain_hash: String,
    }
    entry.action == change::ChangeAction::LogPruned
        && json_reader::read_as::<Pruned>(entry.details.as_bytes(), &json_reader::Limits::DEPTH_ONLY)
            .is_ok_and(|Pruned { after }| after.revision == floor && after.chain_hash == chain_hash)
}

/// Whether a version holds what its own hashes and its entry in the log say.
fn is_published(version: &AgentVersion, row: &LoggedState) -> bool {
    let is_logged = |logged: &Option<String>, hash: &[u8]| {
        logged.as_ref().is_none_or(|logged| *logged == hex::encode(hash))
    };
    hashes_of(version).is_ok_and(|(content, bytes)| {
        content.as_slice() == version.content_hash && bytes.as_slice() == version.bytes_hash
    }) && is_logged(&row.published_hash, &version.content_hash)
        && is_logged(&row.published_bytes_hash, &version.bytes_hash)
}

async fn find_serving_violation(
    view: &View,
    report: &mut Report,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Option<IntegrityViolation>> {
    if let Some(stray) = view.one(log_consistency::inconsistent_activation()).await? {
        return Ok(Some(IntegrityViolation::Activation(stray.agent_id)));
    }
    if let Some(stray) = view.one(log_consistency::missing_serving()).await? {
        return Ok(Some(IntegrityViolation::ActiveVersion(stray.agent_id)));
    }
    if let Some(wrong) = view.one(log_consistency::inconsistent_status()).await? {
        return Ok(Some(IntegrityViolation::CustomerBilling(wrong.customer_id)));
    }
    let (mut after, mut counted) = (None, None);
    loop {
        let page = view.all(log_consistency::serving(after, AGENTS)).await?;
        let Some(last) = page.last() else { return Ok(None) };
        after = Some(last.agent_id);
        let ids: Vec<VersionId> = page.iter().filter_map(|row| row.active_version_id).collect();
        let versions = view.all(agent_version::by_ids(&TenantFilter::All, &ids)).await?;
        let versions: HashMap<_, _> = versions.into_iter().map(|version| (version.id, version)).collect();
        for row in &page {
            if [row.active_version_id, row.serving_version_id] != [row.told_version_id; 2] {
                return Ok(Some(IntegrityViolation::ActiveVersion(row.agent_id)));
            }
            if row.told_name.as_ref().is_some_and(|told| *told != row.name) && !row.is_erased {
                return Ok(Some(IntegrityViolation::AgentName(row.agent_id)));
            }
            let Some(id) = row.active_version_id.filter(|_| !row.is_erased) else { continue };
            if !versions.get(&id).is_some_and(|version| is_published(version, row)) {
                return Ok(Some(IntegrityViolation::Content(row.agent_id, id)));
            }
            report.agents += u64::from(counted != Some(row.agent_id));
            counted = Some(row.agent_id);
            report.unpublished += u64::from(row.published_hash.is_none());
        }
        progress(Progress::Agents(report.agents));
    }
}
