//! The GraphQL yardstick: PostGraphile 4, a general-purpose GraphQL server for Postgres, from npm, in a process of
//! its own, with the same tables, role and policies.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use super::{
    Failure, TIME,
    case::say,
    load::{self, any_of, post},
    world::World,
};

const PACKAGE: &str = "postgraphile@4.14.1";
/// The nested query in PostGraphile's schema.
const QUERY: &str = "query ($id: UUID!) { customerById(id: $id) { id name agentsByCustomerId(first: 10, orderBy: ID_ASC) { nodes { id name \
    versionByActiveVersionId: agentVersionByIdAndActiveVersionId { id number modelName } \
    agentVersionsByCustomerIdAndAgentId(first: 10, orderBy: NUMBER_DESC) { nodes { id number modelName contentHash createdAt } } } } } }";

/// Returns PostGraphile's rate of responses a second, or `None` when it can't be installed.
pub async fn run(world: &World, customers: &[String], clients: usize) -> Result<Option<f64>, Failure> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgraphile");
    if !install(&folder).await? {
        println!("  PostGraphile can't be installed (npm install {PACKAGE})");
        return Ok(None);
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let _process = start(world, &folder, port)?;
    let address = ([127, 0, 0, 1], port).into();
    for _ in 0..200 {
        if TcpStream::connect(address).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let requests = customers
        .iter()
        .map(|id| post("/graphql", "none", &json!({ "query": QUERY, "variables": { "id": id } })));
    let requests: Vec<_> = requests.collect();
    let mut line = load::Line::open(address)?;
    let answer: serde_json::Value =
        serde_json::from_slice(line.ask(requests.first().ok_or("no customers")?)?)?;
    let last =
        "/data/customerById/agentsByCustomerId/nodes/9/agentVersionsByCustomerIdAndAgentId/nodes/9/number";
    answer.pointer(last).ok_or_else(|| format!("PostGraphile returned {answer}"))?;
    let asked = any_of(requests);
    load::closed(address, clients, TIME, Arc::clone(&asked)).await?;
    let measured = load::closed(address, clients, TIME, asked).await?;
    say("nested graph, PostGraphile 4", &measured);
    Ok(Some(measured.rate))
}

async fn install(folder: &Path) -> Result<bool, Failure> {
    std::fs::create_dir_all(folder)?;
    if folder.join("node_modules/.bin/postgraphile").exists() {
        return Ok(true);
    }
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--prefix", "."]).arg(PACKAGE).current_dir(folder);
    let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    Ok(done.is_ok_and(|status| status.success()))
}

fn start(world: &World, folder: &Path, port: u16) -> Result<Child, Failure> {
    let mut command = Command::new(folder.join("node_modules/.bin/postgraphile"));
    command.args(["-s", "registry", "-n", "127.0.0.1", "-p", &port.to_string()]);
    // The options that PostGraphile's documentation recommends for production.
    command.args([
        "--retry-on-init-fail",
        "--disable-query-log",
        "--no-ignore-rbac",
        "--max-pool-size",
        "20",
    ]);
    command.env("NODE_ENV", "production").env("PGHOST", world.socket()?);
    command.env("PGUSER", "registry").env("PGDATABASE", "registry");
    command.env("PGOPTIONS", "-c registry.scope=platform -c registry.customers={}");
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?)
}
