//! `serve`: runs the service until SIGTERM or SIGINT.

use std::io::{self, IsTerminal};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, console, print_line};
use crate::{
    app::{BoundAddress, Database, Service, Settings, ValidatedSettings, bind},
    config::{Common, Serve},
};

/// The number of file descriptors reserved for anything but connections.
const RESERVED_FILES: u64 = 100;

pub(super) async fn run(common: &Common, serve: &Serve) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let serve = &within_file_limit(serve);
    let bound = bind(serve.listen)?;
    let checked = ValidatedSettings::read(common, serve).await?;
    let database = Database::open(common).await?;
    let settings = checked.settings(serve, &database);
    let served = start(common, (bound, settings), (&database, serve.no_migrate), async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let served = served.await;
    database.leave().await;
    served
}

/// Raises the limit of open files as far as the settings need it and the hard limit allows: each connection takes one.
/// Returns the settings, with fewer connections if it doesn't suffice.
fn within_file_limit(serve: &Serve) -> Serve {
    let others = u64::from(serve.database_connections) + RESERVED_FILES;
    let allowed = raise_file_limit(u64::from(serve.connections) + others);
    let connections = connections_within(allowed.saturating_sub(others), serve.connections);
    if connections < serve.connections {
        tracing::warn!(
            allowed,
            configured = serve.connections,
            connections,
            "the limit of open files is too low for CONNECTIONS, which is lowered; raise it (ulimit -n, LimitNOFILE)"
        );
    }
    Serve { connections, ..serve.clone() }
}

/// Returns the number of connections for which there are files, at least one.
fn connections_within(files: u64, configured: u32) -> u32 {
    u32::try_from(files).unwrap_or(u32::MAX).clamp(1, configured.max(1))
}

/// Raises the limit of open files to `wanted`, as far as the hard limit allows. Returns the limit.
fn raise_file_limit(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (Some(now), most) = (limit.current, limit.maximum) else { return u64::MAX };
    let raised = most.map_or(wanted, |most| most.min(wanted));
    if raised > now && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit }).is_err() {
        tracing::debug!("can't raise the limit of open files");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

async fn start(
    common: &Common,
    (bound, settings): (BoundAddress, Settings),
    (database, no_migrate): (&Database, bool),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    if no_migrate {
        database.check_schema().await?;
    } else {
        let steps = database.migrate().await?;
        if steps > 0 {
            tracing::info!(steps, "applied database migrations");
        }
    }
    let service = Service::start_at(bound, settings).await?;
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

#[cfg(test)]
mod tests {
    use super::connections_within;

    #[test]
    fn connections_are_as_many_as_there_are_files_and_at_least_one() {
        assert_eq!(connections_within(904, 12_000), 904);
        assert_eq!(connections_within(20_000, 12_000), 12_000);
        assert_eq!(connections_within(u64::MAX, 12_000), 12_000);
        assert_eq!(connections_within(0, 12_000), 1);
    }
}
