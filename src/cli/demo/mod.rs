//! `demo`: the whole main job. An administrator creates a customer and agents, publishes their versions and activates
//! each, over one socket; a watcher, over another, receives each activation, and the time it took is told.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use tokio::sync::oneshot;

use registry_client::{ClientError, Session};

use super::{Failure, in_workshop};
use crate::{
    app::{Checked, Database, Service},
    config::{Common, Serve},
    domain::{
        Caller, Registry,
        auth::jwt::{LOCAL_ISSUER, TokenSubject},
    },
};

mod report;
mod story;

use report::Report;

/// Real agents with their real histories.
const PROMPTS: &str = include_str!("../../../assets/demo/prompts.jsonl");
/// Whom the demo acts as, where it makes its own token.
const SUBJECT: &str = "demo";
/// How long that token is valid: far longer than a demo takes.
const TTL: Duration = Duration::from_secs(600);
/// The connections of a service that serves one demo.
const CONNECTIONS: u32 = 10;

/// Where to show it.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// A running service; when none answers there, one is started for the demo, on the same database that `serve` uses
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An operator's token; made with the local signing key when left out
    #[arg(long)]
    token: Option<String>,
}

impl Demo {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        let Self { url, token } = self;
        let report = show(common, &url, token).await?;
        super::say(format_args!("{report}"))?;
        report.verdict()
    }
}

async fn show(common: &Common, url: &str, token: Option<String>) -> Result<Report, Failure> {
    if let Some(token) = token {
        return story::tell(url, &token).await;
    }
    if answers(url).await? {
        let token = in_workshop(common, async |workshop| operator(&workshop.registry).await).await?;
        return match story::tell(url, &token).await {
            Err(Failure::Client(ClientError::Closed { code, reason })) => Err(Failure::Demo(format!(
                "{url} does not accept a token of the local signing key ({code} {reason}): give --token, or the \
                 DATA_DIR or SIGNING_KEY that it runs with"
            ))),
            told => told,
        };
    }
    eprintln!("no service answers at {url}: starting one for the demo");
    let database = Database::open(common).await?;
    let told = beside(common, &database).await;
    database.leave().await;
    told
}

/// Whether there is a service: one that refuses an empty token is one.
async fn answers(url: &str) -> Result<bool, Failure> {
    match Session::connect(url, "").await {
        Ok(_) | Err(ClientError::Closed { .. }) => Ok(true),
        Err(ClientError::Unreachable(_)) => Ok(false),
        Err(err @ ClientError::Address(_)) => Err(Failure::Usage(err.to_string())),
        Err(err) => Err(Failure::Demo(format!("what answers at {url} is no registry: {err}"))),
    }
}

/// Tells it to a service of our own, which ends with it.
async fn beside(common: &Common, database: &Database) -> Result<Report, Failure> {
    database.migrate().await?;
    let serve = Serve {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database_connections: CONNECTIONS,
        trusted_proxies: Vec::new(),
        refusals_per_minute: 1,
        retention: None,
        config_memory: 64,
        trusted_documents: None,
        connections: 1_000,
        tls_cert: None,
        tls_key: None,
        public_url: None,
        allowed_hosts: Vec::new(),
        cors_origins: Vec::new(),
    };
    let service = Service::start(Checked::read(common, &serve).await?.settings(&serve, database)).await?;
    let (url, registry) = (format!("http://{}", service.address()), service.registry().clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = service.run(async move { drop(stopped.await) });
    let told = async move {
        let told = match operator(&registry).await {
            Ok(token) => story::tell(&url, &token).await,
            Err(err) => Err(err),
        };
        drop(stop);
        told
    };
    let ((), told) = tokio::join!(served, told);
    Ok(told?.of_a_service_that_ended())
}

/// A token of a user of the platform.
async fn operator(registry: &Registry) -> Result<String, Failure> {
    let token = registry.mint(TokenSubject { subject: SUBJECT.to_owned(), email: None, name: None }, TTL)?;
    registry.add_operator(&Caller::system("demo"), LOCAL_ISSUER, SUBJECT).await?;
    Ok(token)
}
