//! Probes while the database is gone: a balancer waits for a second, and reads all fields.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::support::{
    Answer, App,
    app::{Instance, Setup},
    cluster::cluster,
    proxy::{Proxy, Silence, Target},
    wait::eventually,
};

/// How long a balancer waits for a probe.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks `/readyz`, which must answer in time and with all fields.
async fn probe(instance: &Instance) -> Answer {
    let asked = Instant::now();
    let answer = instance.anonymous().get("/readyz").await;
    let took = asked.elapsed();
    assert!(took < PATIENCE, "/readyz took {took:?}: {}", answer.body);
    for field in ["ready", "revision", "applied", "behind", "seenSecondsAgo", "reason"] {
        assert!(answer.body.get(field).is_some(), "{field} is missing: {}", answer.body);
    }
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_answer_within_a_second_while_the_database_is_gone() {
    let app = App::start().await;
    let socket = cluster().await.socket_dir().join(".s.PGSQL.5432");
    let proxy = Proxy::to(Target::Unix(socket.clone())).await;
    let (place, _) = app.database.url.split_once('?').unwrap();
    let address = proxy.address.to_string();
    let url = format!("{}?sslmode=disable", place.replace("@localhost/", &format!("@{address}/")));
    let instance = Instance::start(&url, Setup::default()).await;
    eventually("the instance is ready", async || probe(&instance).await.status == 200).await;

    // No connection responds, and none can be opened.
    proxy.silence(Silence::KeepBothOpen);
    drop(proxy);
    let begun = Instant::now();
    let mut reasons = Vec::new();
    while begun.elapsed() < Duration::from_secs(16) {
        let answer = probe(&instance).await;
        let body = &answer.body;
        assert_eq!(answer.status, 503, "{body}");
        assert_eq!(body["ready"], false, "{body}");
        assert!(body["revision"].is_null() && body["behind"].is_null(), "{body}");
        reasons.push(body["reason"].as_str().unwrap().to_owned());
        let alive = Instant::now();
        assert_eq!(instance.anonymous().get("/livez").await.status, 200);
        assert!(alive.elapsed() < PATIENCE);
        sleep(Duration::from_millis(300)).await;
    }
    let last = reasons.last().unwrap();
    assert_eq!(last, "no database server answers at its address", "{reasons:?}");
    assert!(reasons.iter().all(|reason| !reason.contains(&address)), "{reasons:?}");

    let _proxy = Proxy::at(&address, Target::Unix(socket)).await;
    eventually("the instance is ready again", async || probe(&instance).await.status == 200).await;
    instance.stop().await;
}
