//! Runs the `graphql` blocks of pages, in order, as their reader.
//!
//! A string field in a response, such as `customerId`, is the variable `$customerId` of later examples. A `json`
//! block with `data` directly after an example is its response, where `…` stands for any text. Without one, the
//! example must succeed.

use serde_json::{Map, Value};

use super::book::Page;
use crate::support::{Answer, App, caller::Client};

/// The placeholder for any text in a response.
const ANY: &str = "…";

/// The result of a tour: the subscriptions with their variables, and the known variables.
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

/// Runs every query and mutation of these pages, and compares the responses.
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
                    assert!(is_shown(&shown, &body), "{example}\nshould return {shown}\nand returns {body}");
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

/// Whether a response matches the one on the page.
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

/// Stores the response's strings as variables for later examples.
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

/// All `userErrors` lists in a response.
fn user_errors(answer: &Value) -> Vec<&Value> {
    match answer {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| if name == "userErrors" { vec![value] } else { user_errors(value) })
            .collect(),
        _ => Vec::new(),
    }
}

/// The variables that this example declares, from the known ones.
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
