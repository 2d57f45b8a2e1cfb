//! The graph for dashboards: lists of activations, rights now, the revision of an answer, and events for every role.

mod activations;
mod agents;
mod changes;
mod events;
mod nodes;
mod payloads;
mod permissions;
mod status;

use serde_json::Value;

use crate::support::Answer;

/// The texts at `field` of a list of objects.
fn column(list: &Value, field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().unwrap_or_else(|| panic!("no {field} in {row}")).to_owned();
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().map(text).collect()
}

/// The texts of a list.
fn texts(answer: &Answer, pointer: &str) -> Vec<String> {
    let list = answer.at(pointer).as_array().unwrap_or_else(|| panic!("no list: {}", answer.body));
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
