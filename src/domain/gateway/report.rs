//! Reports: what a gateway says that it serves. A report is checked before it is stored, so that one which is refused leaves
//! nothing.

use std::collections::HashSet;

use uuid::Uuid;

use super::GatewayWatchRow;
use crate::{
    clock::Instant,
    db::ClientConnection,
    domain::{
        Caller, Error, Input, InputErrors, Principal, Reading, Registry, Result,
        change::ActorKind,
        content::at_most,
        policy::{self, Action},
        text,
    },
    entity::{
        gateway::Report,
        serving_rejection::{self, RejectionCode},
    },
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, GatewayId, Revision, VersionId},
};

/// The most rejections in a report.
pub const REJECTIONS_MAX: usize = 100;
/// The most rejections of all gateways of one token.
const TOKEN_REJECTIONS_MAX: usize = 10_000;
/// The longest name, region and build of a gateway, in characters.
pub const TEXT_CHARS_MAX: usize = 100;
/// The longest message of a rejection, in characters.
const MESSAGE_CHARS_MAX: usize = 500;
/// The most agents that a gateway's row names.
const AGENTS_MAX: usize = 100;

/// What a gateway says that it serves: the whole truth each time.
#[derive(Clone, Debug)]
pub struct ServingReport {
    /// Its own name; 1 to [`TEXT_CHARS_MAX`] characters.
    pub gateway_name: String,
    /// The environment.
    pub environment: EnvironmentKey,
    /// All up to this commit is applied, apart from the rejections.
    pub revision: Revision,
    /// What it refuses; at most [`REJECTIONS_MAX`].
    pub rejections: Vec<ReportedRejection>,
    /// Where it runs; 1 to [`TEXT_CHARS_MAX`] characters.
    pub region: Option<String>,
    /// What it runs; 1 to [`TEXT_CHARS_MAX`] characters.
    pub build: Option<String>,
}

/// A version that a gateway refuses.
#[derive(Clone, Debug)]
pub struct ReportedRejection {
    /// The agent.
    pub agent_id: AgentId,
    /// The version.
    pub version_id: VersionId,
    /// The commit of the event that it refused.
    pub revision: Revision,
    /// The kind of reason.
    pub code: RejectionCode,
    /// What it says about that; at most 500 characters.
    pub message: Option<String>,
}

/// A report that may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedReport {
    /// The gateway's row.
    pub(super) report: Report,
    /// Its rejections. Their gateway's id is known when the row is stored.
    pub(super) rejections: Vec<serving_rejection::Model>,
}

impl CheckedReport {
    /// What identifies the gateway: a later report replaces an earlier one that isn't stored yet.
    #[must_use]
    pub fn key(&self) -> (Uuid, EnvironmentKey, String) {
        let Report { principal_id, environment_key, name, .. } = &self.report;
        (*principal_id, environment_key.clone(), name.clone())
    }
}

/// The token of a gateway, and the customers that it may serve.
struct Token {
    kind: ActorKind,
    id: Uuid,
    name: String,
    key_customer: Option<CustomerId>,
    customers: Option<Vec<CustomerId>>,
}

impl Token {
    /// The token of a program, as far as it concerns `only` one customer; `None` for a person.
    fn of(caller: &Caller, only: Option<CustomerId>) -> Option<Self> {
        let (kind, id, name, key_customer, customers) = match &caller.principal {
            Principal::ApiKey(key) => {
                let customers = Some(vec![key.customer_id]);
                (ActorKind::ApiKey, key.id.into(), key.name.clone(), Some(key.customer_id), customers)
            }
            Principal::Service(service) => {
                let customers = service.customers.as_ref().map(|ids| ids.iter().copied().collect());
                (ActorKind::Service, service.id.into(), service.name.clone(), None, customers)
            }
            Principal::User(_) | Principal::System => return None,
        };
        let customers = only.map_or(customers, |only| Some(vec![only]));
        Some(Self { kind, id, name, key_customer, customers })
    }
}

/// The agents that a row names.
fn named_agents(agents: Option<&[AgentId]>) -> Option<Vec<AgentId>> {
    agents.filter(|agents| agents.len() <= AGENTS_MAX).map(<[AgentId]>::to_vec)
}

impl GatewayWatchRow {
    /// The row of a subscription to configurations; `None` for a person's.
    #[must_use]
    pub fn of(
        (id, instance_id): (Uuid, Uuid),
        caller: &Caller,
        (customer, agents): (Option<CustomerId>, Option<&[AgentId]>),
        environment_key: EnvironmentKey,
        (since, delivered_revision): (Instant, Revision),
    ) -> Option<Self> {
        let Token { kind, id: principal_id, name, key_customer, customers } = Token::of(caller, customer)?;
        let (client_name, client_version) = client(caller);
        Some(Self {
            id,
            instance_id,
            principal_kind: kind,
            principal_id,
            name,
            customer_id: key_customer,
            customer_ids: customers,
            agent_ids: named_agents(agents),
            environment_key,
            client_name,
            client_version,
            since,
            delivered_revision,
        })
    }
}

/// The client library of a caller on a websocket.
fn client(caller: &Caller) -> (Option<String>, Option<String>) {
    caller.origin.connection.as_deref().map_or((None, None), |connection| {
        let ClientConnection { id: _, client_name, client_version } = connection;
        (client_name.clone(), client_version.clone())
    })
}

impl Registry {
    /// Checks a report. `watch` is the subscription on whose socket it came, if it is the only one there.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a person, and for a program without `activations:watch` and `configs:read`;
    /// [`Error::NotFound`] for an environment that the caller doesn't reach; [`Error::Invalid`] or [`Error::TooLarge`] for a
    /// field, also for an agent or a version that the caller may not see.
    pub async fn check_report(
        &self,
        caller: &Caller,
        input: impl Into<Input<ServingReport>>,
        watch: Option<&GatewayWatchRow>,
    ) -> Result<CheckedReport> {
        if policy::allow(caller, Action::ReadConfigs).is_err() {
            policy::allow(caller, Action::WatchActivations)?;
        }
        let token =
            Token::of(caller, None).ok_or(Error::Forbidden("only a program reports what it serves"))?;
        let (report, mut errors) = input.into().open();
        let name = errors.take(short_text("gatewayName", &report.gateway_name)).unwrap_or_default();
        let region = report.region.as_deref().and_then(|text| errors.take(short_text("region", text)));
        let build = report.build.as_deref().and_then(|text| errors.take(short_text("build", text)));
        check_rejections(&report, &mut errors);
        errors.into_result()?;
        let reading = self.reading(caller);
        self.check_environment_exists(&reading, None, &report.environment).await?;
        self.check_revisions(&report).await?;
        let at = self.clock().now();
        let rejections = self.check_rejected(&reading, &report, at).await?;
        if !rejections.is_empty() {
            self.check_room(token.id, (&report.environment, &name), rejections.len()).await?;
        }
        let (client_name, client_version) = client(caller);
        let report = Report {
            id: self.clock().id(),
            principal_kind: token.kind,
            principal_id: token.id,
            name,
            customer_id: token.key_customer,
            customer_ids: watch.map_or(token.customers, |watch| watch.customer_ids.clone()),
            agent_ids: watch.and_then(|watch| watch.agent_ids.clone()),
            environment_key: report.environment,
            region,
            build,
            client_name,
            client_version,
            at,
            applied_revision: report.revision,
            watch_id: watch.map(|watch| watch.id),
        };
        Ok(CheckedReport { report, rejections })
    }

    /// Checks that no revision of the report is later than the log's head.
    async fn check_revisions(&self, report: &ServingReport) -> Result<()> {
        let rejected = report.rejections.iter().map(|rejection| rejection.revision);
        let newest = rejected.chain([report.revision]).max().unwrap_or(report.revision);
        if newest <= self.observed_revision() {
            return Ok(());
        }
        let head = self.head().await?.revision;
        let later =
            |revision: Revision| format!("revision {revision} doesn't exist yet: the newest is {head}");
        let mut errors = InputErrors::default();
        if report.revision > head {
            errors.note(Err(Error::invalid("revision", later(report.revision))));
        }
        for (nth, rejection) in report.rejections.iter().enumerate() {
            if rejection.revision > head {
                let field = format!("rejections.{nth}.revision");
                errors.note(Err(Error::invalid(field, later(rejection.revision))));
            }
        }
        errors.into_result()
    }

    /// Reads the agents and versions that the report refuses. The caller must see them.
    async fn check_rejected(
        &self,
        reading: &Reading,
        report: &ServingReport,
        at: Instant,
    ) -> Result<Vec<serving_rejection::Model>> {
        if report.rejections.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<VersionId> = report.rejections.iter().map(|rejection| rejection.version_id).collect();
        let versions = self.versions_by_ids(reading, &ids).await?;
        let (mut errors, mut rows) = (InputErrors::default(), Vec::new());
        for (nth, rejection) in report.rejections.iter().enumerate() {
            let ReportedRejection { agent_id, version_id, revision, code, message } = rejection;
            let is_it = |version: &&crate::domain::version::VersionSummary| {
                version.id == *version_id && version.agent_id == *agent_id
            };
            match versions.iter().find(is_it) {
                None => {
                    let message = "there is no such version of this agent that you may see";
                    errors.note(Err(Error::invalid(format!("rejections.{nth}.versionId"), message)));
                }
                Some(version) => rows.push(serving_rejection::Model {
                    gateway_id: GatewayId::from(Uuid::nil()),
                    agent_id: *agent_id,
                    customer_id: version.customer_id,
                    environment_key: report.environment.clone(),
                    version_id: *version_id,
                    revision: *revision,
                    code: *code,
                    message: message.clone().filter(|message| !message.is_empty()),
                    reported_at: at,
                }),
            }
        }
        errors.into_result()?;
        Ok(rows)
    }

    /// Checks that the token's gateways refuse few enough versions together.
    async fn check_room(&self, token: Uuid, gateway: (&EnvironmentKey, &str), new: usize) -> Result<()> {
        let limit = i64::try_from(TOKEN_REJECTIONS_MAX).unwrap_or(i64::MAX);
        let view = self.db().internal_view(crate::db::Scope::Platform);
        let others = view.one(serving_rejection::count_others(token, gateway, limit)).await?;
        let others = others.map_or(0, |others| usize::try_from(others.number).unwrap_or(usize::MAX));
        let (actual, limit) = (others.saturating_add(new), TOKEN_REJECTIONS_MAX);
        if actual > limit {
            let (field, unit) = ("rejections".to_owned(), "rejections of one token");
            return Err(Error::TooLarge { field, actual, limit, unit });
        }
        Ok(())
    }
}

/// Checks a gateway's name, region or build: as a name, of at most [`TEXT_CHARS_MAX`] characters.
fn short_text(field: &str, text: &str) -> Result<String> {
    at_most(field, text.chars().count(), TEXT_CHARS_MAX, "characters")?;
    text::normal_name(field, text)
}

/// Checks the rejections as far as the database isn't needed.
fn check_rejections(report: &ServingReport, errors: &mut InputErrors) {
    errors.note(at_most("rejections", report.rejections.len(), REJECTIONS_MAX, "rejections"));
    let mut agents = HashSet::new();
    for (nth, rejection) in report.rejections.iter().take(REJECTIONS_MAX).enumerate() {
        let ReportedRejection { agent_id, message, .. } = rejection;
        if !agents.insert(*agent_id) {
            let message = "an agent may occur once: the newest rejection stands for it";
            errors.note(Err(Error::invalid(format!("rejections.{nth}.agentId"), message)));
        }
        if let Some(message) = message {
            let field = format!("rejections.{nth}.message");
            errors.note(at_most(&field, message.chars().count(), MESSAGE_CHARS_MAX, "characters"));
            errors.note(text::check_no_nul(&field, message));
        }
    }
}
