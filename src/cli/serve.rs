//! `serve`: the service itself.

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::{
    app::{Database, Service, settings},
    config::{Common, Serve},
};

pub(super) async fn run(common: &Common, serve: &Serve) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let database = Database::open(common).await?;
    let served = start(common, serve, &database, async move {
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
    serve: &Serve,
    database: &Database,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let steps = database.migrate().await?;
    if steps > 0 {
        tracing::info!(steps, "the database has its newest shape");
    }
    let service = Service::start(settings(common, serve, database)?).await?;
    welcome(&service, database);
    tokio::select! {
        served = service.run(stop) => Ok(served?),
        never = database.keep_up() => match never {},
    }
}

/// Where everything is.
fn welcome(service: &Service, database: &Database) {
    let base = format!("http://{}", service.address());
    println!("The agent registry listens.");
    println!("  explore   {base}/graphiql");
    println!("  GraphQL   {base}/graphql   (websockets: graphql-transport-ws on the same address)");
    println!("  health    {base}/readyz   {base}/metrics");
    if let Some(embedded) = database.embedded() {
        println!(
            "  database  private Postgres {}, socket in {}",
            embedded.version(),
            embedded.socket_dir().display()
        );
    }
    println!("  a token   agent-registry token user --subject me --operator");
}
