//! The database's host disappears without closing connections, and another takes over its address: old connections
//! get no answer, new ones do.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::timeout;

use super::{environment::SoakEnvironment, record::Field, world::World};
use crate::support::{
    app::{Instance, Setup},
    caller::Client,
    socket::{Frame, Socket},
};

/// How long an instance may take to find the server that took over.
const FOUND_WITHIN: Duration = Duration::from_secs(90);

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
        let event = timeout(FOUND_WITHIN, socket.next_within(FOUND_WITHIN)).await.expect("an event");
        assert!(matches!(&event, Frame::Message(message) if message["type"] == "next"), "{event:?}");
        println!("the event came after {:?}", began.elapsed());
    };
    let ask = async {
        loop {
            let answer = here.request(reqwest::Method::POST, "/graphql").timeout(Duration::from_secs(15));
            let answer = answer.json(&json!({ "query": "{ customers { totalCount } }" })).send().await;
            let ready = here.request(reqwest::Method::GET, "/readyz").timeout(Duration::from_secs(15));
            let ready = ready.send().await;
            if let (Ok(answer), Ok(ready)) = (answer, ready)
                && answer.status() == 200
                && ready.status() == 200
            {
                return println!("queries were answered after {:?}", began.elapsed());
            }
            assert!(began.elapsed() < FOUND_WITHIN, "no answer within {FOUND_WITHIN:?} of the failover");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::join!(watch, ask);
    maker.stop().await;
    ground.end().await;
}
