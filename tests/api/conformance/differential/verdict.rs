//! The service and graphql-js agree on which requests run, and a rejected request has no effect.

use futures_util::{StreamExt, stream};

use super::{
    case::{self, Case, Kind, Verdict},
    door::{in_process, over_http},
};
use crate::support::{App, caller::Operator, proof::count};

/// How many streams to open at once.
const AT_ONCE: usize = 4;

/// The difference between the service's verdict and graphql-js's, if there is one.
fn difference(door: &str, case: &Case, found: &Result<(), String>) -> Option<String> {
    let Case { name, rule, document, variables, operation_name, .. } = case;
    let what = match (case.verdict, found) {
        // No case is near a limit, so a case rejected for its size wasn't judged by the specification's rules.
        (_, Err(why)) if why.contains("QUERY_TOO_COMPLEX") => format!("is rejected for its size: {why}"),
        (Verdict::Ok, Ok(())) | (Verdict::Refused, Err(_)) => return None,
        (Verdict::Ok, Err(why)) => format!("is rejected: {why}"),
        (Verdict::Refused, Ok(())) => format!("runs, against {rule}"),
    };
    let variables = variables.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(format!("{name}, {door}: {what}\n    {document}\n    {operation_name:?} {variables}"))
}

fn differences_in_process(app: &App, cases: &[Case]) -> Vec<String> {
    let ask = |case| difference("in process", case, &in_process(app, case));
    cases.iter().filter_map(ask).collect()
}

/// Same over HTTP. A rejected request that adds a log entry is a difference too.
async fn differences_over_http(app: &App, operator: &Operator, cases: &[Case]) -> Vec<String> {
    let (streams, others): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|case| case.kind == Some(Kind::Subscription));
    let mut found: Vec<String> = stream::iter(streams)
        .map(async |case| difference("over HTTP", case, &over_http(operator, case).await))
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    for case in others {
        let before = head(app).await;
        found.extend(difference("over HTTP", case, &over_http(operator, case).await));
        let after = head(app).await;
        if case.verdict == Verdict::Refused && after != before {
            found.push(format!("{}: it is rejected, and the log grew from {before} to {after}", case.name));
        }
    }
    found
}

async fn head(app: &App) -> i64 {
    app.registry.head().await.unwrap().revision.0
}

/// Panics with the first 40 differences, if there are any.
fn assert_alike(differences: &[String], cases: &[Case]) {
    let shown = differences.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences in {} cases\n{shown}", differences.len(), cases.len());
}

/// An operator who already has a profile; otherwise its first write would create one.
async fn operator(app: &App) -> Operator {
    let operator = app.operator().await;
    operator.customer("City").await;
    operator
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fixed_cases_are_judged_alike_in_process() {
    let app = App::start().await;
    let cases = case::fixed();
    assert_alike(&differences_in_process(&app, &cases), &cases);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fixed_cases_are_judged_alike_over_http_and_a_refused_one_leaves_nothing() {
    let app = App::start().await;
    let operator = operator(&app).await;
    let cases = case::fixed();
    assert_alike(&differences_over_http(&app, &operator, &cases).await, &cases);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_made_anew_are_judged_alike() {
    let app = App::start().await;
    let operator = operator(&app).await;
    let cases = case::made(&case::seed(), count(60, 6_000)).await;
    assert_alike(&differences_in_process(&app, &cases), &cases);
    assert_alike(&differences_over_http(&app, &operator, &cases).await, &cases);
    println!("differential: {} verdicts alike", cases.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_verdict_is_found_by_both_doors() {
    let app = App::start().await;
    let operator = operator(&app).await;
    for (name, verdict) in [
        ("an enum", Verdict::Ok),
        ("@skip below a subscription's root", Verdict::Ok),
        ("a non-null variable without a value", Verdict::Refused),
        ("two subscription roots by fragments", Verdict::Refused),
    ] {
        let mut case = case::fixed().into_iter().find(|case| case.name == name).unwrap();
        assert_eq!(case.verdict, verdict, "{name}");
        case.verdict = if verdict == Verdict::Ok { Verdict::Refused } else { Verdict::Ok };
        assert_eq!(differences_in_process(&app, std::slice::from_ref(&case)).len(), 1, "{name}");
        let found = differences_over_http(&app, &operator, std::slice::from_ref(&case)).await;
        assert_ne!(found.len(), 0, "{name}");
    }
}
