//! `serve`: the service itself.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, say};
use crate::{
    app::{Checked, Database, Service, Settings},
    config::{Common, Serve},
};

/// The files that are open besides connections.
const FILES_BESIDE: u64 = 100;

pub(super) async fn run(common: &Common, serve: &Serve) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    allow_files(u64::from(serve.connections) + u64::from(serve.database_connections) + FILES_BESIDE);
    let checked = Checked::read(common, serve).await?;
    let database = Database::open(common).await?;
    let settings = checked.settings(serve, &database);
    let served = start(common, settings, &database, async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let served = served.await;
    database.leave().await;
    served
}

/// Lets the process have so many files open, where it may decide that: a connection is one.
fn allow_files(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    let (Some(now), most) = (limit.current, limit.maximum) else { return };
    let raised = most.map_or(wanted, |most| most.min(wanted));
    if raised > now && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit }).is_err() {
        tracing::debug!("the limit of open files can't be raised");
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if allowed < wanted {
        tracing::warn!(
            allowed,
            wanted,
            "fewer open files are allowed than CONNECTIONS may need (see ulimit -n)"
        );
    }
}

async fn start(
    common: &Common,
    settings: Settings,
    database: &Database,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let steps = database.migrate().await?;
    if steps > 0 {
        tracing::info!(steps, "the database has its newest shape");
    }
    let service = Service::start(settings).await?;
    // Who can't read it has asked for the service all the same.
    let _ = welcome(&service, database, common);
    tokio::select! {
        () = service.run(stop) => Ok(()),
        never = database.keep_up() => match never {},
    }
}

/// Where everything is.
fn welcome(service: &Service, database: &Database, common: &Common) -> io::Result<()> {
    let base = service.base();
    say(format_args!("The agent registry listens."))?;
    say(format_args!("  explore   {base}/graphiql"))?;
    say(format_args!("  GraphQL   {base}/graphql   (websockets: graphql-transport-ws on the same address)"))?;
    say(format_args!("  health    {base}/readyz   {base}/metrics"))?;
    if let Some(embedded) = database.embedded() {
        say(format_args!(
            "  database  private Postgres {}, socket in {}",
            embedded.version(),
            embedded.socket_dir().display()
        ))?;
    }
    let program = Common::program();
    let folder = common.data_dir.as_ref().map(|folder| format!(" --data-dir {}", folder.display()));
    let folder = folder.unwrap_or_default();
    say(format_args!("  a token   {program} token user --subject me --operator{folder}"))
}
