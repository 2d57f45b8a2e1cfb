//! The table of changes, as pairs of schemas or contents, with the worst impact and the path of the first finding that
//! has it. The rows are data, one a line.

#![cfg(test)]

#[path = "table/arrays.rs"]
mod arrays;
#[path = "table/contents.rs"]
mod contents;
#[path = "table/drafts.rs"]
mod drafts;
#[path = "table/logic.rs"]
mod logic;
#[path = "table/objects.rs"]
mod objects;
#[path = "table/outputs.rs"]
mod outputs;
#[path = "table/references.rs"]
mod references;
#[path = "table/scalars.rs"]
mod scalars;

use std::collections::BTreeSet;

use change_impact::{Classification, Content, Impact, classify};
use json_reader::{Json, Limits, read};

/// A change of a schema: a name, the old and the new schema, the worst impact, and the path of its finding below the
/// schema.
type Row = (&'static str, &'static str, &'static str, Impact, &'static str);

fn json(text: &str) -> Json {
    read(text.as_bytes(), &Limits::DEFAULT).unwrap_or_else(|err| panic!("{text}: {err}"))
}

fn tool(member: &str, schema: &str) -> Json {
    json(&format!(r#"{{"name":"t","{member}":{schema}}}"#))
}

fn of_tools(old: &[Json], new: &[Json]) -> Classification {
    let parameters = json("{}");
    let content =
        |tools| Content { prompt: "", model: "m", parameters: &parameters, tools, extensions: None };
    classify(Some(&content(old)), Some(&content(new)))
}

/// The path of the first of the worst findings, below `prefix`.
fn worst_path(found: &Classification, prefix: &str) -> String {
    let path = found.findings.iter().find(|finding| finding.impact == found.impact);
    let path = path.map(|finding| finding.path.join("/")).unwrap_or_default();
    path.strip_prefix(prefix).unwrap_or(&path).to_owned()
}

fn check(member: &str, rows: &[Row]) {
    let mut wrong = Vec::new();
    for (name, old, new, impact, path) in rows {
        let found = of_tools(&[tool(member, old)], &[tool(member, new)]);
        let actual = (found.impact, worst_path(&found, &format!("tools/t/{member}/")));
        if actual != (*impact, (*path).to_owned()) {
            wrong.push(format!(
                "{name}: expected {impact:?} at {path}, found {actual:?}\n{:#?}",
                found.findings
            ));
        }
        let same = of_tools(&[tool(member, new)], &[tool(member, new)]);
        assert_eq!(same, Classification::default(), "{name}: each schema is the same as itself");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_and_strings() {
    check("inputSchema", scalars::ROWS);
}

#[test]
fn objects() {
    check("inputSchema", objects::ROWS);
}

#[test]
fn arrays() {
    check("inputSchema", arrays::ROWS);
}

#[test]
fn logic() {
    check("inputSchema", logic::ROWS);
}

#[test]
fn references() {
    check("inputSchema", references::ROWS);
}

#[test]
fn drafts() {
    check("inputSchema", drafts::ROWS);
}

#[test]
fn outputs() {
    check("outputSchema", outputs::ROWS);
}

#[test]
fn contents() {
    contents::check();
}

#[test]
fn the_table_is_large_and_has_no_row_twice() {
    let inputs =
        [scalars::ROWS, objects::ROWS, arrays::ROWS, logic::ROWS, references::ROWS, drafts::ROWS].concat();
    let all = [inputs.as_slice(), outputs::ROWS].concat();
    let names: BTreeSet<&str> = all.iter().map(|row| row.0).collect();
    assert_eq!(names.len(), all.len(), "each row has a name of its own");
    let pairs: BTreeSet<_> = inputs.iter().map(|row| (row.1, row.2)).collect();
    assert_eq!(pairs.len(), inputs.len(), "each pair is there once");
    assert!(all.len() + contents::ROWS.len() >= 200, "{}", all.len() + contents::ROWS.len());
}
