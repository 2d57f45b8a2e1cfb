//! Versions: immutable contents of an agent, numbered from 1. The reading functions are in `read.rs`.

use std::sync::Arc;

use serde_json::json;

use super::{
    Caller, Error, Input, InputErrors, Outcome, Registry, Result, WriteResult,
    activation::Reason,
    activation_plan::{Clearance, PlannedVersion},
    agent::Agent,
    change::ChangeAction,
    content::check_message,
    diff::ComparedContent,
    environment::EnvironmentKey,
    idempotency::{ReplayIds, Replayable, require_allowed},
    limit::LimitedResource,
    permission,
    plan::PlanConfirmation,
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    serving::PublishPlace,
    warning::Warning,
};
use crate::{
    clock::{Clock, Instant},
    db::{Actor, ChangeRecord},
    entity::{agent, agent_version, publication::Publication, serving::AgentLock},
    id::AgentId,
};

mod read;

pub use super::{
    content::{
        CheckedContent, Content, PARAMETERS_BYTES_MAX, PROMPT_BYTES_MAX, TOOLS_BYTES_MAX, TOOLS_MAX,
        no_parameters,
    },
    content_cache::{BodyKey, weight},
};
pub use crate::entity::{
    content::{ModelParameters, ToolMember, ToolView, Tools},
    extensions::Extensions,
};
pub use agent_version::{Body as VersionBody, Summary as VersionSummary, Version as AgentVersion};

/// The most content that one level of a query may read, in bytes: twice the size limit of a response.
pub const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A version to publish.
#[derive(Clone, Debug)]
pub struct PublishVersion {
    /// The agent that gets the version.
    pub agent_id: AgentId,
    /// The content of the version.
    pub content: Content,
    /// The author's reason for this version; at most 2,000 characters.
    pub message: Option<String>,
    /// The environment in which to activate the version in the same transaction; `None` to activate it nowhere.
    pub activate: Option<EnvironmentKey>,
    /// The plan of that activation that the caller has seen.
    pub plan: PlanConfirmation,
    /// The number that the agent's newest version must have; `None` checks nothing.
    pub expected_latest_number: Option<i32>,
    /// Whether to publish nothing if the newest version has the same bytes.
    pub if_changed: bool,
    /// Whether to reject a content with warnings.
    pub refuse_warnings: bool,
}

/// The result of a publication.
#[derive(Clone, Debug)]
pub struct Published {
    /// The new version, or the newest one if it has the same bytes.
    pub version: AgentVersion,
    /// Whether the version is new.
    pub is_new: bool,
    /// The warnings about its content.
    pub warnings: Vec<Warning>,
}

impl Replayable for Published {
    /// The second id says that the version wasn't new.
    fn replay_ids(&self) -> ReplayIds {
        let id = ReplayIds::row(self.version.id);
        if self.is_new { id } else { id.and(self.version.id) }
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let found = txn.one(agent_version::by_ids(txn.tenant_filter(), &[subject.id.into()])).await?;
        let version =
            require_allowed(found, txn, Action::PublishVersions, "version", |row| row.customer_id).await?;
        Ok(Self { version, is_new: subject.other.is_none(), warnings: Vec::new() })
    }
}

impl Registry {
    /// Publishes a version with the agent's next number. Activates it only on request.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent, [`Error::Forbidden`], [`Error::Suspended`], [`Error::Archived`],
    /// [`Error::NotLatest`], [`Error::LimitReached`], [`Error::Invalid`] or [`Error::TooLarge`] for a field.
    pub async fn publish_version(
        &self,
        caller: &Caller,
        input: impl Into<Input<PublishVersion>>,
    ) -> Result<WriteResult<Published>> {
        policy::allow(caller, Action::PublishVersions)?;
        let (input, mut errors) = input.into().open();
        let PublishVersion {
            agent_id,
            content,
            message,
            activate,
            plan,
            expected_latest_number,
            if_changed,
            refuse_warnings,
        } = input;
        match activate {
            Some(_) => policy::allow(caller, Action::ActivateVersions)?,
            None if plan.names_a_plan() => {
                let message = "`planHash` needs `activate`: a version that isn't activated changes nothing";
                errors.note(Err(Error::invalid("planHash", message)));
            }
            None => {}
        }
        let is_large = content.is_large();
        // When the input has errors, the agent's id may be one of them.
        if is_large && errors.is_empty() {
            self.allow_publish(caller, agent_id).await?;
        }
        let check = move || {
            errors.note(message.as_deref().map_or(Ok(()), check_message));
            let content = errors.and(content.check())?;
            let warnings = content.warnings();
            if refuse_warnings {
                let mut errors = InputErrors::default();
                warnings.iter().for_each(|warning| errors.note(Err(warning.refusal())));
                errors.into_result()?;
            }
            Result::Ok((content, warnings, message))
        };
        let (content, warnings, message) = if is_large {
            self.count_content_check();
            self.compute(caller, "content", check).await??
        } else {
            check()?
        };
        let (registry, clock) = (self.clone(), self.clock().clone());
        let written = self.write(caller, move |txn| async move {
            let (txn, status, mut place) = match &activate {
                Some(environment) => {
                    let action = Action::PublishVersions;
                    let (txn, status, place) =
                        txn.serving(action, agent_id, environment, AgentLock::Changed).await?;
                    txn.require(Action::ActivateVersions, place.agent.customer_id, "agent")?;
                    (txn, status, PublishPlace::Active(place))
                }
                None => {
                    let (txn, status, agent) = txn.agent(Action::PublishVersions, agent_id).await?;
                    (txn, status, PublishPlace::Nowhere(agent))
                }
            };
            let agent = place.agent();
            permission::check_archived(Action::PublishVersions, agent)?;
            if let Some(expected) = expected_latest_number.filter(|expected| *expected != agent.latest_number)
            {
                return Err(Error::NotLatest { expected, actual: agent.latest_number });
            }
            if if_changed && let Some(latest) = latest_if_same(&txn, agent, &content).await? {
                let clearance = place.clear(&registry, &txn, latest.id.into(), &plan).await?;
                return keep_latest(&txn, &clock, place, latest, clearance).await;
            }
            LimitedResource::Versions.check(status.plan, i64::from(agent.latest_number) + 1)?;
            let content = Arc::new(content);
            let next = PlannedVersion::New(ComparedContent::Checked(Arc::clone(&content)));
            let clearance = place.clear(&registry, &txn, next, &plan).await?;
            let content = Arc::unwrap_or_clone(content);
            let new = CheckedVersion { content, message, created_at: clock.now() };
            let version = append_version(&txn, &clock, place.agent_mut(), new);
            let mut publication = Publication { versions: vec![version.clone()], ..Publication::default() };
            place.activate(&txn, &clock, (version.id, Reason::Publish), clearance, &mut publication);
            place.put(&mut publication);
            txn.publish(publication).await?;
            Ok(Outcome::Changed(Published { version, is_new: true, warnings: Vec::new() }))
        });
        let WriteResult { value, revision } = written.await?;
        Ok(WriteResult { value: Published { warnings, ..value }, revision })
    }

    /// The warnings about a content, which is checked as for a publication.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a caller that may not publish anywhere; [`Error::Invalid`] or [`Error::TooLarge`] for a
    /// field.
    pub async fn version_warnings(
        &self,
        caller: &Caller,
        content: impl Into<Input<Content>>,
    ) -> Result<Vec<Warning>> {
        policy::allow(caller, Action::PublishVersions)?;
        let (content, errors) = content.into().open();
        let check = move || errors.and(content.check()).map(|content| content.warnings());
        self.count_content_check();
        self.compute(caller, "content", check).await?
    }

    /// Checks the right to publish before a large content is checked. The write checks the right again, under the
    /// lock of the agent.
    async fn allow_publish(&self, caller: &Caller, id: AgentId) -> Result<()> {
        let reading = self.reading(caller);
        let found = reading.view.one(agent::by_ids(&reading.view.tenant_filter(), &[id])).await?;
        let found = found.ok_or(Error::NotFound("agent"))?;
        policy::allow_on(caller, Action::PublishVersions, found.customer_id, "agent")
    }
}

/// The agent's newest version, if it has the same bytes as this content.
async fn latest_if_same(
    txn: &GrantedTxn,
    agent: &Agent,
    content: &CheckedContent,
) -> Result<Option<AgentVersion>> {
    let latest = txn.one(agent_version::by_numbers(&[(agent.id, agent.latest_number)])).await?;
    Ok(latest.filter(|latest| latest.bytes_hash == content.bytes_hash))
}

/// Publishes nothing, because the newest version has the same bytes. Activates that one if asked to.
async fn keep_latest(
    txn: &GrantedTxn,
    clock: &Clock,
    mut place: PublishPlace,
    version: AgentVersion,
    clearance: Option<Clearance>,
) -> Result<Outcome<Published>> {
    let id = version.id;
    let value = Published { version, is_new: false, warnings: Vec::new() };
    let mut publication = Publication::default();
    if !place.activate(txn, clock, (id, Reason::Activate), clearance, &mut publication) {
        let since = super::agent::last_change(txn, place.agent().id, ChangeAction::VersionPublished).await?;
        return Ok(Outcome::Unchanged { value, since });
    }
    place.put(&mut publication);
    txn.publish(publication).await?;
    Ok(Outcome::Changed(value))
}

/// A checked version, not written yet.
pub(super) struct CheckedVersion {
    pub content: CheckedContent,
    pub message: Option<String>,
    pub created_at: Instant,
}

/// Makes the next version of a locked agent and records it. The caller must write the agent and the version.
pub(super) fn append_version(
    txn: &GrantedTxn,
    clock: &Clock,
    agent: &mut Agent,
    new: CheckedVersion,
) -> AgentVersion {
    let CheckedVersion { content, message, created_at } = new;
    let CheckedContent {
        system_prompt,
        model_name,
        model_parameters,
        tools,
        extensions,
        content_hash,
        bytes_hash,
        secrets: _,
    } = content;
    agent.latest_number += 1;
    let Actor { kind, id } = txn.actor();
    let version = AgentVersion {
        id: clock.id(),
        customer_id: agent.customer_id,
        agent_id: agent.id,
        number: agent.latest_number,
        system_prompt,
        model_name,
        model_parameters,
        tools,
        extensions,
        message,
        content_hash: content_hash.to_vec(),
        bytes_hash: bytes_hash.to_vec(),
        created_by_kind: kind,
        created_by_id: id,
        created_at,
    };
    let entry = ChangeRecord::of(ChangeAction::VersionPublished, agent.customer_id).agent(agent.id);
    let (content, bytes) = (hex::encode(content_hash), hex::encode(bytes_hash));
    let details =
        json!({ "after": { "number": version.number, "content_hash": content, "bytes_hash": bytes } });
    txn.record(entry.version(Some(version.id)).details(details));
    version
}
