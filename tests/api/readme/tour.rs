//! Runs the `graphql` blocks of pages, in order, as their reader.
//!
//! A string that an answer calls `customerId` is the variable `$customerId` of the examples after it. A `json` block with
//! `data` directly after an example is its answer, where `…` stands for any text. Without one, nothing may have failed.

use serde_json::{Map, Value};

use super::book::Page;
use crate::support::{Answer, App, caller::Client};

/// Stands for any text in an answer.
const ANY: &str = "…";

/// What a tour leaves behind: the subscriptions with their variables, and the strings that answers have named.
pub(super) struct Toured {
    pub(super) subscriptions: Vec<(String, Value)>,
    pub(super) known: Map<String, Value>,
}

/// The reader of the documents: an operator called `me`.
pub(super) async fn reader(app: &App) -> Client {
    let caller = agent_registry::domain::Caller::system("test");
    let issuer = agent_registry::domain::auth::jwt::LOCAL_ISSUER;
    app.registry.add_operator(&caller, issuer, "me").await.unwrap();
    app.user("me", None)
}

/// Runs every query and mutation of these pages, and compares the answers.
pub(super) async fn tour(me: &Client, pages: &[Page]) -> Toured {
    let mut toured = Toured { subscriptions: Vec::new(), known: Map::new() };
    for page in pages {
        let blocks = page.blocks();
        let mut blocks = blocks.iter().peekable();
        while let Some(block) = blocks.next() {
            if block.language != "graphql" {
                continue;
            }
            let example = &block.text;
            let variables = variables(page, example, &toured.known);
            if example.starts_with("subscription") {
                toured.subscriptions.push((example.clone(), variables));
                continue;
            }
            let Answer { body, .. } = me.gql(example, variables).await;
            assert_eq!(body.get("errors"), None, "{}: {example}\n{body}", page.path);
            let shown = blocks.next_if(|next| next.language == "json" && next.text.contains("\"data\""));
            match shown {
                Some(shown) => {
                    let shown: Value = serde_json::from_str(&shown.text).unwrap();
                    assert!(is_shown(&shown, &body), "{example}\nshould answer {shown}\nand answers {body}");
                }
                None => {
                    for errors in user_errors(&body) {
                        assert_eq!(errors, &Value::Array(Vec::new()), "{}: {example}", page.path);
                    }
                }
            }
            remember(&body, &mut toured.known);
        }
    }
    toured
}

/// Compares an answer with the one that the page shows.
fn is_shown(shown: &Value, answer: &Value) -> bool {
    match (shown, answer) {
        (Value::String(any), Value::String(_)) if any == ANY => true,
        (Value::Object(shown), Value::Object(answer)) => {
            shown.len() == answer.len()
                && shown
                    .iter()
                    .all(|(key, value)| answer.get(key).is_some_and(|answer| is_shown(value, answer)))
        }
        (Value::Array(shown), Value::Array(answer)) => {
            shown.len() == answer.len()
                && shown.iter().zip(answer).all(|(shown, answer)| is_shown(shown, answer))
        }
        _ => shown == answer,
    }
}

/// Keeps the strings of an answer by their names, for the examples that follow.
fn remember(answer: &Value, known: &mut Map<String, Value>) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                if value.is_string() {
                    known.insert(name.clone(), value.clone());
                }
                remember(value, known);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| remember(value, known)),
        _ => {}
    }
}

/// Every list `userErrors` of an answer.
fn user_errors(answer: &Value) -> Vec<&Value> {
    match answer {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| if name == "userErrors" { vec![value] } else { user_errors(value) })
            .collect(),
        _ => Vec::new(),
    }
}

/// The variables that this example declares, with their known values.
fn variables(page: &Page, example: &str, known: &Map<String, Value>) -> Value {
    let head = example.split('{').next().unwrap_or_default();
    let names = head.split('$').skip(1).filter_map(|rest| rest.split(':').next());
    let bound = names.map(|name| {
        let value = known
            .get(name)
            .unwrap_or_else(|| panic!("{}: no earlier answer names {name}:\n{example}", page.path));
        (name.to_owned(), value.clone())
    });
    Value::Object(bound.collect())
}
