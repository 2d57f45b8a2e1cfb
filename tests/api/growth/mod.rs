//! The cost of a query depends on the rows it needs and not on the size of the registry. Each statement's plan is
//! checked as it runs.

mod ask;
mod count;
mod fill;
mod plan;
mod plan_capture;
mod stream;

use std::time::Duration;

use agent_registry::domain::{Caller, auth::jwt::LOCAL_ISSUER, transfer::ExportAgents};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::support::{
    app::{Instance, Setup},
    caller::Client,
    cluster::Database,
};
use ask::{QueryCaller, Question};
use fill::{Kind, Size, id};
use plan::ExecutedStatement;
use plan_capture::PlanCapture;

/// Pages that any statement may read: a descent of each of its indexes.
const BLOCKS: u64 = 100;
/// Pages for each row that the statement needs.
const BLOCKS_A_ROW: u64 = 12;
/// Pages for a search: it reads up to 2,000 entries of each filter's index to estimate the number of matches.
const SEARCH_BLOCKS: u64 = 1_000;
/// The same limits in rows.
const ROWS: u64 = 500;
const ROWS_A_ROW: u64 = 12;
const SEARCH_ROWS: u64 = 16_000;

/// A service on a large database, and the proxy that captures its plans.
struct ObservedService {
    eye: PlanCapture,
    app: Instance,
}

impl ObservedService {
    async fn on(database: &Database) -> Self {
        let eye = PlanCapture::on(database).await;
        let app = Instance::start(&eye.url, Setup::default()).await;
        app.registry.add_operator(&Caller::system("test"), LOCAL_ISSUER, "olga").await.unwrap();
        app.door.hub.wait_until_caught_up().await;
        Self { eye, app }
    }

    fn client(&self, who: QueryCaller) -> Client {
        match who {
            QueryCaller::Operator => self.app.user("olga", None),
            QueryCaller::User(number) => self.app.user(&format!("user {number}"), None),
        }
    }

    /// Runs this query. Returns its statements.
    async fn asked(&self, question: &Question) -> Vec<ExecutedStatement> {
        self.eye.ran().await;
        let answer = self.client(question.who).gql(&question.query, Value::Null).await;
        assert_eq!(answer.body.get("errors"), None, "{question:?}: {}", answer.body);
        self.eye.ran().await
    }
}

/// The limits that a statement breaks, if any, given the rows that it needs.
fn fault(what: &str, rows: u64, searches: bool, ran: &ExecutedStatement) -> Option<String> {
    let besides = |search| if searches { search } else { 0 };
    let (blocks, read) = (
        BLOCKS + BLOCKS_A_ROW * rows + besides(SEARCH_BLOCKS),
        ROWS + ROWS_A_ROW * rows + besides(SEARCH_ROWS),
    );
    let is_bounded = ran.blocks <= blocks && ran.rows <= read && ran.whole.is_empty();
    (!is_bounded).then(|| {
        format!(
            "{what}\n{} blocks of {blocks}, {} rows of {read}, all of {:?}\n{}\n{}",
            ran.blocks, ran.rows, ran.whole, ran.text, ran.plan
        )
    })
}

/// The time of the middle of the log.
async fn moment(database: &Database, size: Size) -> String {
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    let ask = "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM registry.changes WHERE revision = $1";
    let middle = i64::try_from(size.head() / 2).unwrap();
    sqlx::query_scalar(ask).bind(middle).fetch_one(&mut admin).await.unwrap()
}

/// All broken limits on this database, and the pages that each statement read.
async fn faults(database: &Database, size: Size) -> (Vec<String>, Vec<(u64, String)>) {
    let questions = size.questions(&moment(database, size).await);
    let (mut faults, mut looked) = (Vec::new(), Vec::new());
    let seen = ObservedService::on(database).await;
    let mut note = |what: &str, rows, searches, ran: Vec<ExecutedStatement>| {
        for ran in ran {
            faults.extend(fault(what, rows, searches, &ran));
            looked.push((ran.blocks, what.to_owned()));
        }
    };
    for question in &questions {
        let what = format!("{:?} {}", question.who, question.query);
        note(&what, question.rows, question.searches, seen.asked(question).await);
    }
    for (what, rows, ran) in stream::followed(&seen, size).await {
        note(&what, rows, false, ran);
    }
    // An export reads one customer's agents by name. A part of it is enough.
    let customer = id(Kind::Customer, 1).parse().unwrap();
    let (system, agents) = (Caller::system("test"), Vec::new());
    let input = ExportAgents { customer_id: customer, environment: None, agents, memory: None };
    let export = async {
        let mut export = seen.app.registry.export(&system, input).await.unwrap();
        while export.next().await.unwrap().is_some() {}
    };
    let _ = tokio::time::timeout(Duration::from_millis(300), export).await;
    note("export", 500, false, seen.eye.ran().await);
    seen.app.stop().await;
    (faults, looked)
}

/// With `GROWTH=full` the database has 100,000 agents and a million versions, which takes minutes. Prints the most
/// expensive statements.
#[tokio::test]
async fn what_is_asked_costs_what_it_is_about() {
    // The largest customer has twice as many agents as a search looks up one by one.
    let usual = Size { agents: 20_000, customers: 2_000, versions: 4 };
    let full = Size { agents: 100_000, customers: 5_000, versions: 10 };
    let size = if std::env::var("GROWTH").is_ok_and(|set| set == "full") { full } else { usual };
    let database = size.database().await;
    let (faults, mut looked) = faults(&database, size).await;
    looked.sort_by_key(|(blocks, _)| std::cmp::Reverse(*blocks));
    for (blocks, what) in looked.iter().take(50) {
        println!("{blocks} {what}");
    }
    assert!(looked.len() > 500, "{} statements were seen", looked.len());
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n\n"));
    // Checks the check itself: without its index the search reads nearly all rows, which is reported.
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    sqlx::raw_sql("DROP INDEX registry.changes_platform_actor_idx").execute(&mut admin).await.unwrap();
    let seen = ObservedService::on(&database).await;
    let query =
        format!("{{ changes(filter: {{ actorId: \"{}\" }}) {{ nodes {{ action }} }} }}", id(Kind::User, 5));
    let question = Question { who: QueryCaller::Operator, query, rows: 20, searches: false };
    let ran = seen.asked(&question).await;
    assert!(ran.iter().any(|ran| fault("planted", 20, false, ran).is_some()), "{ran:#?}");
    seen.app.stop().await;
}

/// The number of statements is the same for three agents and for ten.
#[tokio::test]
async fn a_nested_query_is_as_many_statements_for_few_as_for_many() {
    let size = Size { agents: 400, customers: 10, versions: 12 };
    let database = size.database().await;
    let seen = ObservedService::on(&database).await;
    let mut counts = Vec::new();
    for count in [3, 10] {
        let query = ask::nested(count);
        seen.asked(&Question { who: QueryCaller::User(1), query: query.clone(), rows: 0, searches: false })
            .await;
        let ran = seen.asked(&Question { who: QueryCaller::User(1), query, rows: 0, searches: false }).await;
        counts.push(
            ran.iter()
                .filter(|ran| ran.text.contains("agent"))
                .map(|ran| ran.text.clone())
                .collect::<Vec<_>>(),
        );
    }
    // Agents, active versions, versions, activations and their versions, changes, and contents of versions.
    assert_eq!(counts[0].len(), counts[1].len(), "{:#?}\n{:#?}", counts[0], counts[1]);
    assert!((6..=9).contains(&counts[0].len()), "{:#?}", counts[0]);
    seen.app.stop().await;
}
