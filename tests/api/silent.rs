//! A Postgres that goes silent, as when its machine is gone: open connections get no answer, new ones reach its
//! successor. The service reconnects and follows the log again by itself.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use agent_registry::{
    db::{Db, Scope},
    task::Tasks,
};
use futures_util::future::join_all;
use sea_orm::{DbBackend, FromQueryResult, JsonValue, Statement};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::support::{
    App, Calls,
    app::{Instance, Setup},
    caller::Operator,
    cluster::cluster,
    proxy::{Proxy, Silence, Target},
    socket::{Frame, Socket},
};

/// The number of concurrent callers; the pool has as many connections.
const CALLERS: usize = 10;
/// Limit on the time of each request.
const ANSWERED: Duration = Duration::from_secs(15);
/// Limit on the time until everything works again: many times what it takes.
const WELL: Duration = Duration::from_secs(60);

/// The URL of the same database through a proxy.
async fn proxied(url: &str) -> (Proxy, String) {
    let (place, settings) = url.split_once('?').unwrap();
    let port = settings.split('&').find_map(|setting| setting.strip_prefix("port=")).unwrap();
    let target = Target::Unix(cluster().await.socket_dir().join(format!(".s.PGSQL.{port}")));
    let proxy = Proxy::to(target).await;
    let url = place.replace("@localhost/", &format!("@{}/", proxy.address));
    (proxy, format!("{url}?sslmode=disable"))
}

const ACTIVATIONS: &str = "subscription ($after: Cursor) { activations(after: $after) { revision } }";

/// What one caller observed.
#[derive(Default)]
struct CallerResults {
    answers: usize,
    unavailable: usize,
    slowest: Duration,
    /// The names of the acknowledged customers.
    acknowledged: Vec<String>,
    /// The time of the last UNAVAILABLE.
    last_unavailable: Option<Instant>,
}

/// Reads and writes in turn until `stop` is set.
async fn ask(operator: &Operator, nth: usize, stop: &AtomicBool) -> CallerResults {
    let mut seen = CallerResults::default();
    while !stop.load(Ordering::SeqCst) {
        let name = format!("Customer {nth}-{}", seen.answers);
        let asked = Instant::now();
        let (query, variables) = if seen.answers.is_multiple_of(2) {
            ("{ customers(first: 2) { nodes { name agents { totalCount } } } }", Value::Null)
        } else {
            (
                "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } } }",
                json!({ "input": { "name": name } }),
            )
        };
        let answer = operator.gql(query, variables).await;
        seen.answers += 1;
        seen.slowest = seen.slowest.max(asked.elapsed());
        match answer.code() {
            None if answer.body["data"]["createCustomer"].is_object() => seen.acknowledged.push(name),
            None => assert!(answer.at("/customers/nodes/0/name").is_string()),
            code => {
                assert_eq!(code, Some("UNAVAILABLE"), "{}", answer.body);
                seen.unavailable += 1;
                seen.last_unavailable = Some(Instant::now());
            }
        }
    }
    seen
}

/// Waits until a session that began after the silence listens for notifications.
async fn wait_until_listening(app: &App, since: Duration) -> Duration {
    let began = Instant::now();
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let listening =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'
        AND backend_start > clock_timestamp() - make_interval(secs => $1)";
    loop {
        let age = (began.elapsed() + since).as_secs_f64();
        let found: i64 = sqlx::query_scalar(listening).bind(age).fetch_one(&mut session).await.unwrap();
        if found > 0 {
            return began.elapsed() + since;
        }
        assert!(began.elapsed() < WELL, "no new session listens");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_silent_is_left_for_the_next() {
    let app = App::start().await;
    let operator = app.operator().await;
    let city = operator.customer("City").await;
    let agent = operator.agent(&city, "Helper").await;
    let version = operator.publish(&agent, "one").await;
    let (proxy, url) = proxied(&app.database.url).await;
    let instance = Instance::start(&url, Setup::default()).await;
    let through = Operator(instance.bearer(operator.token.as_deref().unwrap()));
    let mut watcher = through.socket().await;
    watcher.subscribe("1", ACTIVATIONS, json!({ "after": "0" })).await;
    super::support::wait::until("the subscription is open", || instance.watchers() == 1).await;

    let stop = AtomicBool::new(false);
    let callers = join_all((0..CALLERS).map(|nth| ask(&through, nth, &stop)));
    let story = async {
        sleep(Duration::from_secs(1)).await;
        let silenced = Instant::now();
        proxy.silence(Silence::CloseTarget);
        let told = operator.activate(&agent, &version).await.text("/activateVersion/revision");
        let revision: i64 = told.parse().unwrap();
        let listened = wait_until_listening(&app, silenced.elapsed());
        let followed = async {
            while instance.door.hub.applied().0 < revision {
                assert!(silenced.elapsed() < WELL, "the instance does not follow the log");
                sleep(Duration::from_millis(20)).await;
            }
            silenced.elapsed()
        };
        let received = async {
            receive(&mut watcher, &told, silenced).await;
            silenced.elapsed()
        };
        let (listened, followed, received) = tokio::join!(listened, followed, received);
        // Long enough for each waiting request to time out.
        sleep(ANSWERED.saturating_sub(silenced.elapsed()) + Duration::from_secs(2)).await;
        stop.store(true, Ordering::SeqCst);
        (silenced, listened, followed, received)
    };
    let (seen, (silenced, listened, followed, received)) = tokio::join!(callers, story);

    let slowest = seen.iter().map(|seen| seen.slowest).max().unwrap();
    let answers: usize = seen.iter().map(|seen| seen.answers).sum();
    let unavailable: usize = seen.iter().map(|seen| seen.unavailable).sum();
    let well = seen.iter().filter_map(|seen| seen.last_unavailable).max();
    let well = well.map_or(Duration::ZERO, |at| at.saturating_duration_since(silenced));
    println!(
        "silent Postgres: log followed after {followed:?}, event received after {received:?}, \
         listening after {listened:?}; \
         {answers} responses, {unavailable} of them UNAVAILABLE, the slowest {slowest:?}, \
         the last UNAVAILABLE after {well:?}; \
         {} bytes swallowed, {} connections open",
        proxy.swallowed(),
        proxy.open()
    );
    assert!(proxy.swallowed() > 0, "nothing was swallowed");
    assert!(slowest < ANSWERED, "a request took {slowest:?}");
    assert!(well < ANSWERED, "errors for {well:?}");
    // The service works again, and each acknowledged write exists once.
    for _ in 0..50 {
        through.gql("{ customers { totalCount } }", Value::Null).await.at("/customers/totalCount");
    }
    let names: Vec<String> = seen.into_iter().flat_map(|seen| seen.acknowledged).collect();
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let there = "SELECT count(*) FROM registry.customers WHERE name = ANY($1)";
    let there: i64 = sqlx::query_scalar(there).bind(&names).fetch_one(&mut session).await.unwrap();
    assert_eq!(usize::try_from(there).unwrap(), names.len(), "each acknowledged customer exists once");
    let unlogged = "SELECT (SELECT count(*) FROM registry.customers) - (SELECT count(*) FROM registry.changes WHERE action = 'customer.created')";
    assert_eq!(sqlx::query_scalar::<_, i64>(unlogged).fetch_one(&mut session).await.unwrap(), 0);
    instance.stop().await;
}

/// A read ends just when the database goes silent, so nothing waits for a response on its connection any more, and the
/// next one gets it. `later` is the time until then.
async fn read_after_a_read_in_silence(later: Duration) -> Duration {
    let app = App::start().await;
    let (proxy, url) = proxied(&app.database.url).await;
    let db = Db::connect(&url, 2, Tasks::default()).await.unwrap();
    let ended = db.internal_view(Scope::Platform);
    let any = Statement::from_string(DbBackend::Postgres, "SELECT 1 AS one");
    ended.one(JsonValue::find_by_statement(any)).await.unwrap().unwrap();
    proxy.silence(Silence::CloseTarget);
    drop(ended);
    sleep(later).await;
    let asked = Instant::now();
    for _ in 0..3 {
        db.head().await.unwrap();
    }
    db.close().await;
    asked.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_last_read_does_not_end_is_left() {
    let (at_once, later) = tokio::join!(
        read_after_a_read_in_silence(Duration::ZERO),
        read_after_a_read_in_silence(Duration::from_millis(1200))
    );
    // The first waits until sqlx gives up, and tries again.
    assert!(at_once < Duration::from_secs(7), "{at_once:?}");
    assert!(later < Duration::from_secs(3), "{later:?}");
}

/// An instance is cut off from a database that goes on. Its open transactions keep their locks, that of the log's
/// head too, until Postgres ends them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_cut_off_holds_up_the_others_for_a_moment_only() {
    let app = App::start().await;
    let operator = app.operator().await;
    operator.customer("City").await;
    let (proxy, url) = proxied(&app.database.url).await;
    let instance = Instance::start(&url, Setup::default()).await;
    let through = Operator(instance.bearer(operator.token.as_deref().unwrap()));
    let stop = AtomicBool::new(false);
    let callers = join_all((0..CALLERS).map(|nth| ask(&through, nth, &stop)));
    let story = async {
        // The instance's writes wait for the log's head. When the lock is released, the first of them takes it and
        // can't go on.
        let mut holder = PgConnection::connect(&app.database.admin_url).await.unwrap();
        let mut held = holder.begin().await.unwrap();
        sqlx::query("SELECT FROM registry.log_head FOR UPDATE").execute(&mut *held).await.unwrap();
        until_waiting(&app).await;
        let silenced = Instant::now();
        proxy.silence(Silence::KeepBothOpen);
        held.rollback().await.unwrap();
        let mut refused = 0;
        let create = "mutation { createCustomer(input: { name: \"Meanwhile\" }) { revision } }";
        while let Some(code) = operator.gql(create, Value::Null).await.code() {
            assert_eq!(code, "UNAVAILABLE");
            assert!(silenced.elapsed() < WELL, "the other instances can't write");
            refused += 1;
        }
        let held_up = silenced.elapsed();
        sleep(ANSWERED.saturating_sub(silenced.elapsed())).await;
        stop.store(true, Ordering::SeqCst);
        (held_up, refused)
    };
    let (seen, (held_up, refused)) = tokio::join!(callers, story);
    let slowest = seen.iter().map(|seen| seen.slowest).max().unwrap();
    println!(
        "cut off: another instance writes again after {held_up:?}, {refused} rejected; \
         slowest response of the one cut off {slowest:?}"
    );
    assert!(held_up > Duration::from_secs(1), "no lock was held");
    assert!(held_up < Duration::from_secs(25), "held up for {held_up:?}");
    // A write on that instance may wait twice: for its own connection, and for the locks of the write before.
    assert!(slowest < 2 * ANSWERED, "a request took {slowest:?}");
    through.gql("{ customers { totalCount } }", Value::Null).await.at("/customers/totalCount");
    instance.stop().await;
}

/// Waits until a session waits for a lock.
async fn until_waiting(app: &App) {
    let began = Instant::now();
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut session).await.unwrap() == 0 {
        assert!(began.elapsed() < WELL, "no session waits for a lock");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for the event with this revision. Subscribes again when the subscription has ended with UNAVAILABLE.
async fn receive(watcher: &mut Socket, revision: &str, since: Instant) {
    for nth in 2.. {
        assert!(since.elapsed() < WELL, "the subscriber receives nothing");
        match watcher.next_within(WELL).await {
            Frame::Message(message)
                if message["type"] == "next" && message["payload"]["errors"].is_null() =>
            {
                assert_eq!(message["payload"]["data"]["activations"]["revision"], revision);
                return;
            }
            Frame::Message(message) if message["type"] == "complete" => {}
            Frame::Message(message) => {
                assert!(message.to_string().contains("UNAVAILABLE"), "{message}");
                watcher.subscribe(&nth.to_string(), ACTIVATIONS, json!({ "after": "0" })).await;
            }
            closed @ Frame::Closed(..) => panic!("the subscriber's socket was closed: {closed:?}"),
        }
    }
}
