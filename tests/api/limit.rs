//! The limits of plans: numbers of rows, and request rates.

use agent_registry::domain::{KeyScope, member::Role};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{
    App, Calls,
    app::Setup,
    caller::{Client, Operator},
    socket::Frame,
};

const USAGE: &str = "query ($id: ID!) { customer(id: $id) { plan usage {
    agents { used limit } versionsPerAgent { used limit } apiKeys { used limit } members { used limit } requestsPerSecond } } }";
const KEY: &str =
    "mutation ($id: ID!) { createApiKey(input: { customerId: $id, name: \"n\", scopes: [AGENTS_READ] }) {
    apiKey { id } secret userErrors { code message } } }";
const INVITE: &str = "mutation ($id: ID!, $email: String!) { inviteMember(input: { customerId: $id, email: $email, role: VIEWER }) {
    userErrors { code } } }";
const AGENT: &str =
    "mutation ($id: ID!, $name: String!) { createAgent(input: { customerId: $id, name: $name }) {
    agent { id } userErrors { code message } } }";
const NAME: &str = "{ viewer { name } }";

/// Sets a customer's plan.
pub(crate) async fn set_plan(operator: &Operator, customer: &str, plan: &str) {
    let set = "mutation ($id: ID!, $plan: Plan!) { setPlan(input: { customerId: $id, plan: $plan }) { userErrors { code } } }";
    assert_eq!(
        operator.gql(set, json!({ "id": customer, "plan": plan })).await.at("/setPlan/userErrors"),
        &json!([])
    );
}

/// Gives a customer this many agents with SQL.
pub(crate) async fn fill(app: &App, customer: &str, agents: i32) {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let insert = "INSERT INTO registry.agents (id, customer_id, name, created_at, updated_at)
        SELECT gen_random_uuid(), $1::text::uuid, 'Filler ' || n, now(), now() FROM generate_series(1, $2) AS n";
    // Row-level security holds for the triggers that keep the lists.
    let platform = "SELECT set_config('registry.scope', 'platform', false)";
    sqlx::query(platform).execute(&mut admin).await.unwrap();
    sqlx::query(insert).bind(customer).bind(agents).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

#[tokio::test]
async fn usage_tells_what_there_is_and_what_there_may_be() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let viewer = app.member(&customer, Role::Viewer).await;
    let agent = operator.agent(&customer, "Helper").await;
    operator.publish(&agent, "one").await;
    operator.publish(&agent, "two").await;
    operator.gql(KEY, json!({ "id": customer })).await;
    operator.gql(INVITE, json!({ "id": customer, "email": "ada@example.org" })).await;
    assert_eq!(
        viewer.gql(USAGE, json!({ "id": customer })).await.at("/customer"),
        &json!({ "plan": "FREE", "usage": {
            "agents": { "used": 1, "limit": 500 }, "versionsPerAgent": { "used": 2, "limit": 500 },
            "apiKeys": { "used": 1, "limit": 5 }, "members": { "used": 2, "limit": 10 }, "requestsPerSecond": 50 } })
    );
    set_plan(&operator, &customer, "ENTERPRISE").await;
    let usage = viewer.gql(USAGE, json!({ "id": customer })).await;
    assert_eq!(usage.at("/customer/usage/agents"), &json!({ "used": 1, "limit": 20_000 }));
    assert_eq!(usage.at("/customer/usage/requestsPerSecond"), 1_000);
}

/// Concurrent writes can't exceed a limit together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_do_not_pass_a_limit_together() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let keys = join_all((0..12).map(|_| operator.gql(KEY, json!({ "id": customer })))).await;
    let made = keys.iter().filter(|answer| answer.at("/createApiKey/secret").is_string()).count();
    assert_eq!(made, 5);
    for answer in keys.iter().filter(|answer| answer.at("/createApiKey/secret").is_null()) {
        assert_eq!(answer.text("/createApiKey/userErrors/0/code"), "LIMIT_REACHED");
        assert_eq!(answer.at("/createApiKey/apiKey"), &Value::Null);
    }

    let invited = join_all((0..15).map(|nth| {
        let email = format!("n{nth}@example.org");
        let operator = &operator;
        let customer = &customer;
        async move { operator.gql(INVITE, json!({ "id": customer, "email": email })).await }
    }))
    .await;
    let fine = invited.iter().filter(|answer| answer.at("/inviteMember/userErrors") == &json!([])).count();
    assert_eq!(fine, 10);

    fill(&app, &customer, 496).await;
    let agents = join_all((0..10).map(|nth| {
        let (operator, customer) = (&operator, &customer);
        async move { operator.gql(AGENT, json!({ "id": customer, "name": format!("Agent {nth}") })).await }
    }))
    .await;
    let made = agents.iter().filter(|answer| answer.at("/createAgent/agent").is_object()).count();
    assert_eq!(made, 4);
    let head = app.registry.head().await.unwrap();
    let one_more = operator.gql(AGENT, json!({ "id": customer, "name": "One more" })).await;
    assert_eq!(
        one_more.at("/createAgent/userErrors/0"),
        &json!({ "code": "LIMIT_REACHED", "message": "the customer's plan allows 500 agents" })
    );
    let rest = operator.post("/v1/agents", json!({ "customer_id": customer, "name": "One more" })).await;
    assert_eq!((rest.status.as_u16(), &rest.body["code"]), (409, &json!("LIMIT_REACHED")));
    assert_eq!(rest.body["type"], "/problems/limit-reached");
    assert_eq!(app.registry.head().await.unwrap(), head, "a rejected write leaves nothing");
    // A larger plan has room for one more. A smaller plan later removes nothing.
    set_plan(&operator, &customer, "PRO").await;
    let agent = operator.agent(&customer, "One more").await;
    set_plan(&operator, &customer, "FREE").await;
    let usage = operator.gql(USAGE, json!({ "id": customer })).await;
    assert_eq!(usage.at("/customer/usage/agents"), &json!({ "used": 501, "limit": 500 }));
    operator.publish(&agent, "still").await;
}

#[tokio::test]
async fn an_agent_has_as_many_versions_as_the_plan_allows() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    // 499 versions in one commit with SQL.
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let insert = "DO $$ BEGIN FOR n IN 1..499 LOOP
        UPDATE registry.agents SET latest_number = n;
        INSERT INTO registry.agent_versions (id, customer_id, agent_id, number, system_prompt, model_name, model_parameters,
            tools, content_hash, created_by_kind, created_at)
        SELECT gen_random_uuid(), customer_id, id, n, '', 'm', '{}', '[]', sha256(''), 'SYSTEM', now() FROM registry.agents;
        END LOOP; END $$";
    sqlx::raw_sql(insert).execute(&mut admin).await.unwrap();
    operator.publish(&agent, "the last one").await;
    let head = app.registry.head().await.unwrap();
    let input = json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m", "activate": true });
    let refused = operator.publish_input(input).await;
    assert_eq!(refused.text("/publishVersion/userErrors/0/code"), "LIMIT_REACHED");
    assert_eq!(app.registry.head().await.unwrap(), head);
}

/// Sends this many requests, fifty at a time. Returns how many were rate limited.
async fn count_rate_limited(client: &Client, count: usize) -> usize {
    let mut answers = Vec::new();
    while answers.len() < count {
        answers.extend(join_all((0..50).map(|_| client.gql(NAME, Value::Null))).await);
    }
    for answer in &answers {
        match answer.status.as_u16() {
            200 => assert_eq!(answer.body.get("errors"), None),
            429 => {
                assert_eq!(answer.code(), Some("RATE_LIMITED"));
                assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
                assert_eq!(answer.body.get("data"), None);
            }
            other => panic!("{other}: {}", answer.body),
        }
    }
    answers.iter().filter(|answer| answer.status == 429).count()
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait_each_by_its_own_count() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let (viewer, editor) =
        (app.member(&customer, Role::Viewer).await, app.member(&customer, Role::Editor).await);
    let program = app.program(&customer, [KeyScope::AgentsRead]).await;
    app.clock.stop();
    // A burst of 100.
    assert_eq!(count_rate_limited(&viewer, 300).await, 200);
    let problem = viewer.get("/v1/agents").await;
    assert_eq!((problem.status.as_u16(), &problem.body["code"]), (429, &json!("RATE_LIMITED")));
    assert!(
        problem.header("retry-after").is_some()
            && problem.header("content-type") == Some("application/problem+json")
    );
    // A rate-limited request runs no statement.
    app.clock.shift(-TimeDelta::seconds(5));
    assert_eq!(viewer.gql(NAME, Value::Null).await.status, 429);
    let before = app.registry.statements();
    assert_eq!(count_rate_limited(&viewer, 50).await, 50);
    assert_eq!(app.registry.statements(), before);
    app.clock.shift(TimeDelta::seconds(5));
    for other in [&*editor, &*program] {
        assert_eq!(other.gql(NAME, Value::Null).await.status, 200);
    }
    assert!(count_rate_limited(&program, 300).await > 0);
    assert!(count_rate_limited(&app.stranger(), 300).await > 0, "a member of no customer is limited too");
    // Operations over a WebSocket count like requests.
    app.clock.shift(TimeDelta::seconds(10));
    let (mut fine, mut late) = (0, 0);
    // Each socket runs up to a hundred operations at once.
    let mut sockets = join_all((0..5).map(|_| viewer.socket())).await;
    for socket in &mut sockets {
        for nth in 0..90 {
            socket.subscribe(&nth.to_string(), NAME, Value::Null).await;
        }
    }
    for socket in &mut sockets {
        let mut ended = 0;
        while ended < 90 {
            let Frame::Message(message) = socket.next().await else { panic!("closed") };
            match message["type"].as_str().unwrap() {
                "next" => fine += 1,
                "complete" => ended += 1,
                "error" => {
                    assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED");
                    (late, ended) = (late + 1, ended + 1);
                }
                other => panic!("{other}"),
            }
        }
    }
    assert!(fine >= 90 && late > 0, "{fine} {late}");
    // After ten seconds the whole burst is available again.
    app.clock.shift(TimeDelta::seconds(10));
    assert_eq!(count_rate_limited(&viewer, 50).await, 0);
}

#[tokio::test]
async fn who_has_used_up_all_gets_a_seconds_worth_in_a_second() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let program = app.program(&customer, [KeyScope::AgentsRead]).await;
    app.clock.stop();
    let mut served = 300 - count_rate_limited(&program, 300).await;
    for _ in 0..6 {
        app.clock.shift(TimeDelta::seconds(1));
        served += 150 - count_rate_limited(&program, 150).await;
    }
    // A burst of 100, then 50 in each second.
    assert_eq!(served, 400);
}

/// The length of a rejected document counts, over HTTP, server-sent events and WebSocket; whether the guard, the
/// parser or validation rejects it.
#[tokio::test]
async fn a_document_that_is_refused_counts_as_often_as_it_is_long() {
    let app = App::start().await;
    let operator = app.operator().await;
    app.clock.stop();
    let long = |text: &str, kibibytes: usize| format!("{text} # {}", "x".repeat(kibibytes * 1024));
    for text in [
        "{ viewer { name }",
        "{ nothing }",
        "{ a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { a } } } } } } } } } } } } } } } } }",
    ] {
        let customer = operator.customer("City").await;
        let program = app.program(&customer, [KeyScope::AgentsRead]).await;
        // The burst of 100 is used up by two documents of 48 KiB and the requests themselves.
        for _ in 0..2 {
            let refused = program.gql(&long(text, 48), Value::Null).await;
            assert!(refused.status == 200 && refused.code().is_some(), "{}", refused.body);
        }
        assert!(count_rate_limited(&program, 50).await >= 40, "{text:.20}");
        let events = app.program(&customer, [KeyScope::AgentsRead]).await;
        let asked = events.request(reqwest::Method::POST, "/graphql").header("accept", "text/event-stream");
        let told = asked.json(&json!({ "query": long(text, 200) })).send().await.unwrap();
        assert_eq!(told.status(), 200);
        assert!(count_rate_limited(&events, 50).await >= 30, "{text:.20}");
    }
    let customer = operator.customer("City").await;
    let viewer = app.member(&customer, Role::Viewer).await;
    let mut socket = viewer.socket().await;
    for nth in 0..2 {
        socket.subscribe(&nth.to_string(), &long("{ nothing }", 49), Value::Null).await;
        socket.next().await;
    }
    assert!(count_rate_limited(&viewer, 50).await >= 40);
    // A document that runs, or is short, counts once.
    let careful = app.program(&customer, [KeyScope::AgentsRead]).await;
    for _ in 0..10 {
        assert!(careful.gql("{ nothing }", Value::Null).await.code().is_some());
        careful.gql(&long(NAME, 100), Value::Null).await.at("/viewer");
    }
    assert_eq!(count_rate_limited(&careful, 50).await, 0);
    assert_eq!(count_rate_limited(&operator, 50).await, 0);
}

#[tokio::test]
async fn the_platform_and_its_services_are_not_counted() {
    let app = App::start().await;
    assert_eq!(count_rate_limited(&*app.operator().await, 400).await, 0);
    assert_eq!(count_rate_limited(&*app.gateway().await, 400).await, 0);
}

#[tokio::test]
async fn an_address_that_guesses_is_stopped_and_who_was_let_in_before_is_not() {
    let proxies = ["127.0.0.0/8".parse().unwrap()].into_iter().collect();
    let app = App::set_up(Setup { refusals_per_minute: 20, proxies, ..Setup::default() }).await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let program = app.program(&customer, [KeyScope::AgentsRead]).await;
    let known = app.program(&customer, [KeyScope::AgentsRead]).await;
    assert_eq!(known.gql(NAME, Value::Null).await.status, 200);
    let guess = app.bearer("ark_nonsense");
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(guess.gql(NAME, Value::Null).await.status.as_u16());
    }
    assert_eq!(statuses[..20], [401; 20]);
    assert!(statuses[21..].iter().all(|status| *status == 429), "{statuses:?}");
    let stopped = guess.get("/v1/agents").await;
    assert_eq!(stopped.status, 429);
    assert!(stopped.header("retry-after").is_some() && stopped.header("www-authenticate").is_none());
    // A valid key is rejected too, unless it was accepted before. A signed token can't be guessed, so it is
    // accepted.
    assert_eq!(program.gql(NAME, Value::Null).await.status, 429);
    assert_eq!(known.gql(NAME, Value::Null).await.status, 200);
    assert_eq!(app.stranger().gql(NAME, Value::Null).await.status, 200);
    // The same over a WebSocket. A request without a credential isn't a guess.
    let mut socket = crate::support::socket::Socket::connect(&app.base, "graphql-transport-ws").await;
    socket
        .send(json!({ "type": "connection_init", "payload": { "Authorization": "Bearer ark_nonsense" } }))
        .await;
    assert!(matches!(socket.next().await, Frame::Closed(1013, _)));
    assert_eq!(app.anonymous().gql(NAME, Value::Null).await.status, 401);
    // Other addresses behind the same proxy aren't limited.
    let from = |client: &Client, address: &str| {
        client.request(reqwest::Method::GET, "/v1/agents").header("x-forwarded-for", address)
    };
    let elsewhere = crate::support::Answer::of(from(&program, "192.0.2.1")).await;
    assert_eq!(elsewhere.status, 200);
    app.clock.shift(TimeDelta::minutes(2));
    assert_eq!(guess.gql(NAME, Value::Null).await.status, 401);
}

#[tokio::test]
async fn who_is_no_trusted_proxy_speaks_for_itself() {
    let app = App::set_up(Setup { refusals_per_minute: 20, ..Setup::default() }).await;
    app.clock.stop();
    let mut last = 0;
    for nth in 0..25 {
        let request = app.bearer("ark_nonsense").request(reqwest::Method::GET, "/v1/agents");
        let request = request.header("x-forwarded-for", format!("192.0.2.{nth}"));
        last = crate::support::Answer::of(request).await.status.as_u16();
    }
    assert_eq!(last, 429);
}
