//! `demo`: shows the service's main use. An operator creates a customer and agents, and publishes and activates their
//! versions over one socket. A subscriber receives each activation over a second socket. The demo reports the
//! latencies.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use tokio::sync::oneshot;

use registry_client::{ClientError, Session};

use super::{Failure, with_context};
use crate::{
    app::{Database, Service, ValidatedSettings},
    config::{Common, Serve},
    domain::{
        Caller, Registry,
        auth::jwt::{LOCAL_ISSUER, TokenSubject},
    },
};

mod report;
mod story;

use report::Report;

/// Agents of a real deployment, with their version histories.
const PROMPTS: &str = include_str!("../../../assets/demo/prompts.jsonl");
/// The `sub` claim of the demo's own token.
const SUBJECT: &str = "demo";
/// The lifetime of that token.
const TTL: Duration = Duration::from_secs(600);
/// The number of database connections of the demo's own service.
const CONNECTIONS: u32 = 10;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The URL of a running service; if none answers, the demo starts one on the database that `serve` uses
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An operator's token [default: one signed with the local signing key]
    #[arg(long)]
    token: Option<String>,
}

impl Demo {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        let Self { url, token } = self;
        let report = run_demo(common, &url, token).await?;
        super::print_line(format_args!("{report}"))?;
        report.verdict()
    }
}

async fn run_demo(common: &Common, url: &str, token: Option<String>) -> Result<Report, Failure> {
    if let Some(token) = token {
        return story::run(url, &token).await;
    }
    if is_registry(url).await? {
        let token = with_context(common, async |context| operator(&context.registry).await).await?;
        return match story::run(url, &token).await {
            Err(Failure::Client(ClientError::Closed { code, reason })) => Err(Failure::Demo(format!(
                "{url} rejects tokens of the local signing key ({code} {reason}): pass --token, or the DATA_DIR or \
                 SIGNING_KEY of that service"
            ))),
            told => told,
        };
    }
    eprintln!("no service at {url}: starting one for the demo");
    let database = Database::open(common).await?;
    let told = run_on_own_service(common, &database).await;
    database.leave().await;
    told
}

/// Whether a registry runs at `url`. Signing in with an empty token suffices: a registry closes the socket.
async fn is_registry(url: &str) -> Result<bool, Failure> {
    match Session::connect(url, "").await {
        Ok(_) | Err(ClientError::Closed { .. }) => Ok(true),
        Err(ClientError::Unreachable(_)) => Ok(false),
        Err(err @ ClientError::Address(_)) => Err(Failure::Usage(err.to_string())),
        Err(err) => Err(Failure::Demo(format!("the server at {url} isn't a registry: {err}"))),
    }
}

/// Starts a service, runs the demo against it, and stops the service.
async fn run_on_own_service(common: &Common, database: &Database) -> Result<Report, Failure> {
    database.migrate().await?;
    let serve = Serve {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database_connections: CONNECTIONS,
        trusted_proxies: Vec::new(),
        refusals_per_minute: 1,
        retention: None,
        config_memory: 64,
        memory_budget: 64,
        trusted_documents: None,
        connections: 1_000,
        no_migrate: false,
        tls_cert: None,
        tls_key: None,
        public_url: None,
        allowed_hosts: Vec::new(),
        cors_origins: Vec::new(),
    };
    let service =
        Service::start(ValidatedSettings::read(common, &serve).await?.settings(&serve, database)).await?;
    let (url, registry) = (format!("http://{}", service.address()), service.registry().clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = service.run(async move { drop(stopped.await) });
    let told = async move {
        let told = match operator(&registry).await {
            Ok(token) => story::run(&url, &token).await,
            Err(err) => Err(err),
        };
        drop(stop);
        told
    };
    let ((), told) = tokio::join!(served, told);
    Ok(told?.with_stopped_service())
}

/// Makes the demo's user an operator and returns a token for it.
async fn operator(registry: &Registry) -> Result<String, Failure> {
    let token = registry.mint(TokenSubject { subject: SUBJECT.to_owned(), email: None, name: None }, TTL)?;
    registry.add_operator(&Caller::system("demo"), LOCAL_ISSUER, SUBJECT).await?;
    Ok(token)
}
