//! The database's host disappears without closing connections, and another takes over its address: old connections
//! get no answer, new ones do.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{environment::SoakEnvironment, record::Field, world::World};
use crate::support::{
    app::{Instance, Setup},
    caller::Client,
    socket::Socket,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_finds_the_database_again() {
    let ground = SoakEnvironment::start(1).await;
    let maker = Instance::start(&ground.postgres.service_url(), Setup::default()).await;
    let world = World::make(&maker, ground.bases(), 3).await;
    let token = world.watchers[0].token.clone();
    let mut socket = Socket::open(&world.bases[0], Some(&token)).await;
    socket.subscribe("1", Field::Activations.query(), json!({ "after": world.newest().to_string() })).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ground.nodes[0].line.as_ref().unwrap().strand();
    let began = Instant::now();
    let operator = Client::new(maker.base.clone(), Some(world.operator.clone()));
    let here = Client::new(world.bases[0].clone(), Some(world.operator.clone()));
    let agent = &world.customers[0].agents[0];
    let version = agent.versions.lock().unwrap()[1].clone();
    let activate = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) { revision } }";
    let input = json!({ "input": { "agentId": agent.id, "versionId": version } });
    operator.gql(activate, input).await.text("/activateVersion/revision");
    let watch = async {
        let quiet = socket.is_quiet(Duration::from_secs(90)).await;
        println!("SOCKET quiet: {quiet} at {:?}", began.elapsed());
    };
    let ask = async {
        for _ in 0..12 {
            let asked = Instant::now();
            let request = here.request(reqwest::Method::POST, "/graphql").timeout(Duration::from_secs(15));
            let answer = request.json(&json!({ "query": "{ customers { totalCount } }" })).send().await;
            let told = match answer {
                Ok(answer) => answer.json::<Value>().await.map(|value| value.to_string()).unwrap_or_default(),
                Err(err) => err.to_string(),
            };
            let ready =
                here.request(reqwest::Method::GET, "/readyz").timeout(Duration::from_secs(15)).send().await;
            let ready = match ready {
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(err) => err.to_string(),
            };
            println!("ASK at {:?} took {:?}: {told} / {ready}", began.elapsed(), asked.elapsed());
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    };
    tokio::join!(watch, ask);
    maker.stop().await;
    ground.end().await;
}
