//! `serve`: the service itself.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, say};
use crate::{
    app::{Database, Service, Settings, issuer, settings, trusted_documents},
    config::{Common, Serve},
};

pub(super) async fn run(common: &Common, serve: &Serve) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let trusted = trusted_documents(serve)?;
    if let Some(trusted) = &trusted {
        tracing::info!(documents = trusted.count(), "no other documents are run");
    }
    let issuer = issuer(common).await?;
    let database = Database::open(common).await?;
    let settings = settings(issuer, trusted, serve, &database);
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
        served = service.run(stop) => Ok(served?),
        never = database.keep_up() => match never {},
    }
}

/// Where everything is.
fn welcome(service: &Service, database: &Database, common: &Common) -> io::Result<()> {
    let base = format!("http://{}", service.address());
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
