//! Checked lines of an import: read completely, and checked against all limits before anything is written.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use json_reader::{RawItem, read};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::{
    super::{Caller, Error, InputErrors, Patch, Registry, Result, agent, text},
    line::{CheckedLineVersion, LineHead, LineVersion, VERSION_LIMITS, invalid, not_json},
    reader::{LinePart, LineReader},
    spool::Spool,
};
use crate::{clock::Instant, environment_key::EnvironmentKey, id::AgentId, share::MemoryShare};

/// Versions are checked in groups of about this size, in bytes of text.
const GROUP_BYTES: usize = 256 * 1024;
/// The most versions of a group.
const GROUP_VERSIONS: usize = 64;
/// The size of a group from which it is checked on the threads for computations, in bytes.
const LARGE_BYTES: usize = 16 * 1024;
/// How often a group is offered to the threads for computations while too much of the caller's work waits there, and
/// the pause in between.
const OFFERS: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);
/// About how many bytes of versions are read back at once.
const READ_BYTES: usize = 1024 * 1024;

/// A checked line.
#[derive(Debug)]
pub(super) struct CheckedLine {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) id: Option<AgentId>,
    pub(super) description: Patch<String>,
    pub(super) archived: Option<bool>,
    pub(super) active: Patch<i32>,
    pub(super) active_in: BTreeMap<EnvironmentKey, Option<i32>>,
    pub(super) versions: Vec<VersionRecord>,
    history: History,
    model: Arc<str>,
}

/// The versions of a line: checked while all of them are small, otherwise their texts only.
#[derive(Debug, Default)]
struct History {
    checked: Vec<CheckedLineVersion>,
    spool: Spool,
}

/// What an import compares of a version, and where its text is.
#[derive(Clone, Debug)]
pub(super) struct VersionRecord {
    /// Equal for contents that mean the same.
    pub(super) content_hash: [u8; 32],
    /// Equal for contents with the same bytes.
    pub(super) bytes_hash: [u8; 32],
    /// The hash of the message, if the line says which it is.
    pub(super) message: Patch<[u8; 32]>,
    pub(super) published_at: Option<Instant>,
    begin: u64,
    bytes: usize,
}

impl VersionRecord {
    /// The size of the version's text, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(u64::MAX)
    }
}

/// Reads and checks lines.
pub(super) struct LineChecker {
    pub(super) registry: Registry,
    pub(super) caller: Caller,
    pub(super) model: Arc<str>,
    pub(super) exact: bool,
    pub(super) disk: Option<MemoryShare>,
    /// The names and ids of the agents so far; a million of them take some 50 MB.
    names: HashSet<String>,
    ids: HashSet<AgentId>,
}

impl LineChecker {
    pub(super) fn new(
        registry: Registry,
        caller: Caller,
        model: &str,
        exact: bool,
        disk: Option<MemoryShare>,
    ) -> Self {
        let (names, ids) = (HashSet::new(), HashSet::new());
        Self { registry, caller, model: model.into(), exact, disk, names, ids }
    }

    /// Reads the line that [`LineReader::begin`] found. Its agent must be the first of its name and id in the file.
    pub(super) async fn line(&mut self, lines: &mut LineReader<'_>) -> Result<CheckedLine> {
        let (mut history, mut versions) = (History::default(), Vec::new());
        let (mut group, mut bytes) = (Vec::new(), 0);
        let head = loop {
            match lines.next().await? {
                LinePart::Version(item) => {
                    bytes += item.text.len();
                    group.push(item);
                    if bytes >= GROUP_BYTES || group.len() >= GROUP_VERSIONS {
                        self.check(std::mem::take(&mut group), bytes, &mut history, &mut versions).await?;
                        bytes = 0;
                    }
                }
                LinePart::End(head) => break head,
            }
        };
        self.check(group, bytes, &mut history, &mut versions).await?;
        self.complete(lines.number(), head, versions, history)
    }

    /// Checks a group of versions, and keeps their texts.
    async fn check(
        &self,
        group: Vec<RawItem>,
        bytes: usize,
        history: &mut History,
        versions: &mut Vec<VersionRecord>,
    ) -> Result<()> {
        let (group, now) = (Arc::new(group), self.registry.clock().now());
        let work = || {
            let (group, model) = (Arc::clone(&group), Arc::clone(&self.model));
            move || group.iter().map(|item| check_version(item, &model, now)).collect::<Result<Vec<_>>>()
        };
        let checked = if bytes < LARGE_BYTES { work()() } else { self.compute(work).await? };
        let (clock, disk) = (self.registry.clock(), self.disk.as_ref());
        for ((mut record, version), item) in checked?.into_iter().zip(group.iter()) {
            record.begin = history.spool.push(&item.text, clock, disk).await?;
            versions.push(record);
            match history.spool.is_on_disk() {
                false => history.checked.push(version),
                true => history.checked = Vec::new(),
            }
        }
        Ok(())
    }

    /// Runs work on the threads for computations. Waits while too much of the caller's work is queued there: an import
    /// is long, and shouldn't fail because of another request.
    async fn compute<T, W>(&self, work: impl Fn() -> W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        for _ in 1..OFFERS {
            match self.registry.compute(&self.caller, "import", work()).await {
                Err(Error::RateLimited { .. }) => sleep(PAUSE).await,
                done => return done,
            }
        }
        self.registry.compute(&self.caller, "import", work()).await
    }

    /// Checks the members of a line whose versions have been read.
    fn complete(
        &mut self,
        number: u64,
        head: LineHead,
        mut versions: Vec<VersionRecord>,
        history: History,
    ) -> Result<CheckedLine> {
        let LineHead { agent: name, id, mut description, mut archived, mut active, active_in } = head;
        let active_in = active_in.unwrap_or_default();
        let mut errors = InputErrors::default();
        errors.note(text::check_name("agent", &name));
        errors.note(agent::check_purpose(description.as_ref().and_then(Option::as_deref)));
        errors.into_result()?;
        let count = i32::try_from(versions.len()).map_err(|_| invalid("the line has too many versions"))?;
        let elsewhere = active_in.iter().map(|(key, active)| (format!("active_in.{key}"), *active));
        let places = active.map(|active| ("active".to_owned(), active)).into_iter().chain(elsewhere);
        for (place, active) in places.filter_map(|(place, active)| Some((place, active?))) {
            if !(1..=count).contains(&active) {
                return Err(invalid(format!(
                    "{place} must be 1 to {count}, the number of one of the line's versions, or null"
                )));
            }
            if archived == Some(true) {
                return Err(invalid(
                    "an archived agent can't have an active version; leave out archived or active",
                ));
            }
        }
        if self.exact {
            description.get_or_insert(None);
            active.get_or_insert(None);
            archived.get_or_insert(false);
            for version in &mut versions {
                version.message.get_or_insert(None);
            }
        }
        if id.is_some_and(|id| !self.ids.insert(id)) {
            return Err(invalid("an earlier line of this file has an agent with this id"));
        }
        // Two spellings of one normal form would be one agent.
        let normal = text::normal_name("agent", name.trim());
        if !self.names.insert(normal.unwrap_or_else(|_| name.clone())) {
            return Err(invalid("an earlier line of this file has an agent with this name"));
        }
        let model = Arc::clone(&self.model);
        Ok(CheckedLine {
            number,
            name,
            id,
            description,
            archived,
            active,
            active_in,
            versions,
            history,
            model,
        })
    }
}

impl CheckedLine {
    /// The size of the versions' texts, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.versions.last().map_or(0, |last| last.begin + last.bytes())
    }

    /// The name that a new or renamed agent gets: without white space at its ends, in Unicode's normal form C.
    pub(super) fn normal_name(&self) -> Result<String> {
        text::normal_name("agent", self.name.trim())
    }

    /// Reads versions from this index on: about a MiB of them, and at least one.
    pub(super) async fn read_versions(&self, from: usize, now: Instant) -> Result<Vec<CheckedLineVersion>> {
        let History { checked, spool } = &self.history;
        if !spool.is_on_disk() {
            return Ok(checked.get(from..).unwrap_or_default().to_vec());
        }
        let mut bytes = 0;
        let records = self.versions.get(from..).unwrap_or_default();
        let fits = |record: &&VersionRecord| {
            bytes += record.bytes;
            bytes <= READ_BYTES.max(record.bytes)
        };
        let records: Vec<&VersionRecord> = records.iter().take_while(fits).collect();
        let Some(first) = records.first() else { return Ok(Vec::new()) };
        let text = spool.read(first.begin, records.iter().map(|record| record.bytes).sum()).await?;
        let (mut rest, mut versions) = (text.as_slice(), Vec::with_capacity(records.len()));
        for (record, index) in records.into_iter().zip(from..) {
            let (version, more) = rest.split_at_checked(record.bytes).unwrap_or((rest, &[]));
            let json = read(version, &VERSION_LIMITS).map_err(not_json)?;
            versions.push(LineVersion::read(json, index)?.check(&self.model, now)?);
            rest = more;
        }
        Ok(versions)
    }
}

/// Checks a version against all limits.
fn check_version(item: &RawItem, model: &str, now: Instant) -> Result<(VersionRecord, CheckedLineVersion)> {
    let json = item.read(&VERSION_LIMITS).map_err(not_json)?;
    let version = LineVersion::read(json, item.index)?;
    let version =
        version.check(model, now).map_err(|err| err.within(&format!("version {}", item.index + 1)))?;
    let CheckedLineVersion { content, message, published_at } = &version;
    let hash = |message: &String| Sha256::digest(message).into();
    let record = VersionRecord {
        content_hash: content.content_hash,
        bytes_hash: content.bytes_hash,
        message: message.as_ref().map(|message| message.as_ref().map(hash)),
        published_at: *published_at,
        begin: 0,
        bytes: item.text.len(),
    };
    Ok((record, version))
}
