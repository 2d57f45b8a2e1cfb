//! `serve`: runs the service until SIGTERM or SIGINT.

use std::io::{self, IsTerminal};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, console, print_line};
use crate::{
    app::{Database, Service, Settings, ValidatedSettings},
    config::{Common, Serve},
};

/// The number of file descriptors reserved for anything but connections.
const RESERVED_FILES: u64 = 100;

pub(super) async fn run(common: &Common, serve: &Serve) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    raise_file_limit(u64::from(serve.connections) + u64::from(serve.database_connections) + RESERVED_FILES);
    let checked = ValidatedSettings::read(common, serve).await?;
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

/// Raises the limit of open files to `wanted`, as far as the hard limit allows. Each connection takes one.
fn raise_file_limit(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    let (Some(now), most) = (limit.current, limit.maximum) else { return };
    let raised = most.map_or(wanted, |most| most.min(wanted));
    if raised > now && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit }).is_err() {
        tracing::debug!("can't raise the limit of open files");
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if allowed < wanted {
        tracing::warn!(allowed, wanted, "the limit of open files is too low for CONNECTIONS (see ulimit -n)");
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
        tracing::info!(steps, "applied database migrations");
    }
    let service = Service::start(settings).await?;
    database.mark_serving();
    let outage = service.outage();
    // To a person who sits before this machine, and to nobody else.
    let is_at_hand = io::stdout().is_terminal() && service.address().ip().is_loopback();
    let sign_in = match is_at_hand {
        true => console::first_address(service.registry(), &service.base()).await,
        false => None,
    };
    // The service starts even if standard output can't be written.
    let _ = print_addresses(&service, database, common);
    if let Some(address) = sign_in {
        let _ = print_sign_in(&address, common);
    }
    tokio::select! {
        () = service.run(stop) => Ok(()),
        never = database.keep_running(&outage) => match never {},
    }
}

/// Prints the service's addresses.
fn print_addresses(service: &Service, database: &Database, common: &Common) -> io::Result<()> {
    let base = service.base();
    print_line(format_args!("The agent registry is listening."))?;
    print_line(format_args!("  console   {base}/"))?;
    print_line(format_args!("  explore   {base}/graphiql"))?;
    print_line(format_args!(
        "  GraphQL   {base}/graphql   (websockets: graphql-transport-ws on the same address)"
    ))?;
    print_line(format_args!("  health    {base}/readyz   {base}/metrics"))?;
    if let Some(embedded) = database.embedded() {
        print_line(format_args!(
            "  database  private PostgreSQL {}, socket in {}",
            embedded.version(),
            embedded.socket_dir().display()
        ))?;
    }
    let program = Common::program();
    let folder = common.data_dir.as_ref().map(|folder| format!(" --data-dir {}", folder.display()));
    let folder = folder.unwrap_or_default();
    print_line(format_args!("  a token   {program} token user --subject me --operator{folder}"))
}

/// Prints the one-time address for the first operator.
fn print_sign_in(address: &str, common: &Common) -> io::Result<()> {
    let program = Common::program();
    let folder = common.data_dir.as_ref().map(|folder| format!(" --data-dir {}", folder.display()));
    let folder = folder.unwrap_or_default();
    print_line(format_args!(
        "\nNobody is an operator yet. Open this address to become one: once, within 15 minutes."
    ))?;
    print_line(format_args!("  {address}"))?;
    print_line(format_args!("Later: {program} console --operator{folder}"))
}
