//! `watch`: runs a gateway and prints one line per event. Changes of active configurations go to standard output, the
//! state of the connection to standard error.

use std::{io, path::PathBuf};

use clap::Args;
use registry_client::{
    AgentId, CustomerId,
    gateway::{ActiveConfig, Credential, Gateway, Notice, Settings},
};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, print_line};
use crate::{config::Common, domain::environment::EnvironmentKey};

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// The URL of the registry
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The file in which the configurations are saved: loaded at startup, replaced atomically at bookmarks
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The file with the token, read again at each connection [default: TOKEN_FILE, else the token in TOKEN]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The environment whose configurations are followed
    #[arg(long, value_name = "KEY", default_value = "production")]
    environment: EnvironmentKey,
    /// Only this customer's agents
    #[arg(long, value_name = "ID")]
    customer: Option<CustomerId>,
    /// Only this agent; repeatable
    #[arg(long = "agent", value_name = "ID")]
    agents: Vec<AgentId>,
    /// Exit when all active configurations are received and saved; retries while the registry is unreachable
    #[arg(long)]
    once: bool,
    /// Accept that a registry with another log serves no agent; otherwise the configurations of the last one are kept
    #[arg(long)]
    accept_empty: bool,
    /// Print each event as a JSON object, including bookmarks
    #[arg(long)]
    json: bool,
}

impl Watch {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Self { url, state, token_file, environment, customer, agents, once, accept_empty, json } = self;
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let credential = match token_file.or_else(Common::token_file) {
            Some(file) => Credential::File(file),
            None => Credential::Token(Common::token().map_err(Failure::Usage)?.ok_or_else(|| {
                Failure::Usage(
                    "no token: set TOKEN_FILE or TOKEN, or pass a file with --token-file".to_owned(),
                )
            })?),
        };
        let agents = (!agents.is_empty()).then(|| agents.into_iter().collect());
        let (patience, cursor_lag) = (Settings::PATIENCE, Settings::CURSOR_LAG);
        let settings = Settings {
            url: url.clone(),
            credential,
            environment: (!environment.is_default()).then(|| environment.to_string()),
            customer,
            agents,
            state,
            is_once: once,
            accepts_empty: accept_empty,
            patience,
            cursor_lag,
        };
        let gateway = Gateway::open(settings)?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let mut tell = |notice: Notice| match format_notice(&notice, &url) {
            Output::Connection(line) => {
                eprintln!("agent-registry: {line}");
                Ok(())
            }
            Output::Event(event) => show(&event, json),
        };
        Ok(gateway.run(stop, &mut tell).await?)
    }
}

/// A notice formatted for its output: standard error for the connection, standard output for events.
enum Output {
    Connection(String),
    Event(Event),
}

/// An event, formatted as a line (`None` for bookmarks) and as JSON.
struct Event {
    line: Option<String>,
    object: Value,
}

fn show(event: &Event, is_json: bool) -> io::Result<()> {
    match &event.line {
        _ if is_json => print_line(format_args!("{}", event.object)),
        Some(line) => print_line(format_args!("{line}")),
        None => {
            tracing::debug!(event = %event.object, "a bookmark");
            Ok(())
        }
    }
}

fn format_notice(notice: &Notice, url: &str) -> Output {
    let event = |line: Option<String>, object: Value| Output::Event(Event { line, object });
    match notice {
        Notice::Loaded { path, agents, revision, age } => Output::Connection(format!(
            "serving {agents} agents from {}, as of revision {revision}, saved {} s ago",
            path.display(),
            age.as_secs()
        )),
        Notice::Damaged { path, why, kept } => Output::Connection(format!(
            "{} is damaged ({why}); it was moved to {}, and nothing from it is served",
            path.display(),
            kept.display()
        )),
        Notice::Connected { after: Some(revision) } => {
            Output::Connection(format!("connected to {url}, resuming from revision {revision}"))
        }
        Notice::Connected { after: None } => {
            Output::Connection(format!("connected to {url}, starting with a snapshot"))
        }
        Notice::Disconnected { why, agents } => {
            Output::Connection(format!("not connected: {why}; serving {agents} agents, retrying"))
        }
        Notice::StartingOver { why } => Output::Connection(format!("starting over with a snapshot: {why}")),
        Notice::Unsaved { why } => {
            Output::Connection(format!("can't save the state: {why}; continuing without saving"))
        }
        Notice::Snapshot { revision, agents, gone } => {
            let left = if gone.is_empty() { String::new() } else { format!(", {} gone", gone.len()) };
            event(
                Some(format!("SNAPSHOT {agents} agents{left}, revision {revision}")),
                json!({ "event": "SNAPSHOT", "revision": revision.to_string(), "agents": agents, "gone": gone }),
            )
        }
        Notice::Upsert(revision, config) => {
            let ActiveConfig {
                agent_id,
                customer_id,
                version_id,
                version_number,
                name,
                content_hash,
                bytes_hash,
                ..
            } = config.as_ref();
            event(
                // `{name:?}` escapes control characters, which a customer's agent name may contain.
                Some(format!("UPSERT {agent_id} version {version_number}, revision {revision}, {name:?}")),
                json!({
                    "event": "UPSERT", "revision": revision.to_string(), "agentId": agent_id,
                    "customerId": customer_id, "name": name, "versionId": version_id,
                    "versionNumber": version_number, "contentHash": content_hash,
                    "bytesHash": bytes_hash,
                }),
            )
        }
        Notice::Remove(revision, agent, reason) => event(
            Some(format!("REMOVE {agent} {reason}, revision {revision}")),
            json!({ "event": "REMOVE", "revision": revision.to_string(), "agentId": agent, "reason": reason }),
        ),
        Notice::Bookmark(revision) => {
            event(None, json!({ "event": "BOOKMARK", "revision": revision.to_string() }))
        }
    }
}
