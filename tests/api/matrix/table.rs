//! The table as text: a letter for what each caller is answered, and what differs between two tables.

use std::{collections::BTreeMap, fmt::Write};

use reqwest::StatusCode;
use serde_json::Value;

use super::{paths::CALLERS, schema::ASKED};

/// What it says at its top.
const LEGEND: &str = "\
# Who is answered what: each field of the schema, by each way to its object, and a letter for each caller.
# Made by the test beside it, and read by people: see there how to make it anew.
#   y  it answers                    -  there is no such object, as far as this caller may know
#   n  it is null, empty or 0        F  FORBIDDEN     N  NOT_FOUND     U  no credential     S  SUSPENDED
#   H  hidden: the write was done, and the nearest object that may be null is, without an error
";

/// One field by one way, and its letters.
pub(super) struct Row {
    pub(super) field: String,
    pub(super) path: String,
    pub(super) letters: Vec<char>,
}

/// The letter for what this field is answered; `?` for what no rule knows.
pub(super) fn letter(status: StatusCode, body: &Value, field: &str) -> char {
    if status == StatusCode::UNAUTHORIZED {
        return 'U';
    }
    let payloads = body["data"].as_object().into_iter().flatten();
    let mut refusals = payloads.filter_map(|(_, payload)| payload.pointer("/userErrors/0/code"));
    let refusal = match body.get("errors") {
        Some(errors) => Some(&errors[0]["extensions"]["code"]),
        None => refusals.next(),
    };
    match refusal.map(|code| code.as_str().unwrap_or_default()) {
        Some("FORBIDDEN") => 'F',
        Some("NOT_FOUND") => 'N',
        Some("SUSPENDED") => 'S',
        Some(_) => '?',
        None => {
            let mut found = Vec::new();
            find(&body["data"], &format!("{ASKED}{field}"), &mut found);
            let is_nothing = found.iter().all(|value| is_nothing(value));
            if is_hidden(body) {
                'H'
            } else if found.is_empty() {
                '-'
            } else if is_nothing {
                'n'
            } else {
                'y'
            }
        }
    }
}

/// Whether this answer tells of each of its fields as it would of that field alone: a field that is refused takes the
/// others with it, and one refusal of all that leads to them is each one's own.
pub(super) fn tells_of_each(body: &Value) -> bool {
    let is_above = |error: &Value| {
        let path = error["path"].as_array();
        let is_asked = |name: &Value| name.as_str().is_some_and(|name| name.starts_with(ASKED));
        path.is_some_and(|path| !path.iter().any(is_asked))
    };
    !is_hidden(body) && body["errors"].as_array().is_none_or(|errors| errors.iter().all(is_above))
}

/// Whether a write was done whose payload shows nothing of what was asked for.
fn is_hidden(body: &Value) -> bool {
    let payloads = body["data"].as_object().into_iter().flatten();
    let mut done = payloads.filter(|(_, payload)| payload["userErrors"] == Value::Array(Vec::new()));
    body.get("errors").is_none() && done.any(|(_, payload)| !payload.to_string().contains(ASKED))
}

/// All values of this name.
fn find<'a>(value: &'a Value, wanted: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == wanted {
                    found.push(value);
                } else {
                    find(value, wanted, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| find(value, wanted, found)),
        _ => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    let list = value.as_array().or_else(|| value["nodes"].as_array());
    list.map_or(value.is_null() || value == 0, |list| list.iter().all(Value::is_null))
}

/// The table of these rows, sorted.
pub(super) fn text(rows: &[Row]) -> String {
    let mut text = LEGEND.to_owned();
    for group in CALLERS {
        writeln!(text, "#   {}", group.join(", ")).unwrap();
    }
    let lines = rows.iter().map(|Row { field, path, letters }| {
        let mut letters = letters.iter();
        let groups = CALLERS.iter().map(|group| letters.by_ref().take(group.len()).collect::<String>());
        format!("{field:<36} {path:<36} {}\n", groups.collect::<Vec<_>>().join(" "))
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    text + &lines.concat()
}

/// What differs, a line each: a row that only one has, and each caller that is answered otherwise.
pub(super) fn differences(expected: &str, actual: &str) -> Vec<String> {
    let (expected, actual) = (read(expected), read(actual));
    let mut differences = Vec::new();
    for (row, letters) in &actual {
        let Some(wanted) = expected.get(row) else {
            differences.push(format!("{row}: not in the table"));
            continue;
        };
        if wanted.chars().count() != letters.chars().count() {
            differences.push(format!("{row}: {wanted} is not a letter for each caller"));
        }
        for ((caller, wanted), letter) in CALLERS.concat().iter().zip(wanted.chars()).zip(letters.chars()) {
            if wanted != letter {
                differences.push(format!("{row} as {caller}: {letter}, and not {wanted}"));
            }
        }
    }
    let gone = expected.keys().filter(|row| !actual.contains_key(*row));
    differences.extend(gone.map(|row| format!("{row}: in the table, and not in the schema")));
    differences
}

/// The letters of each row.
fn read(table: &str) -> BTreeMap<String, String> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let row = format!("{} by {}", words.next()?, words.next()?);
        Some((row, words.collect()))
    };
    lines.filter_map(row).collect()
}
