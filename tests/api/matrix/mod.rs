//! Authorization of each field of the schema, on each path to its object, for each caller. The queries are built
//! from the schema; the expected outcomes are in `expected.txt`.

use std::{collections::BTreeSet, fmt::Write};

use futures_util::{StreamExt, future::join_all, stream};

use reqwest::StatusCode;
use serde_json::{Value, json};

mod paths;
mod schema;
mod service;
mod table;
mod world;

use paths::{EXEMPT, PATHS, ROOTS, name, template};
use schema::{Field, Schema};
use table::{Row, contradictions, differences, letter, shows_each_field, text};
use world::World;

use crate::{
    coverage::{
        callers::{ANONYMOUS, OUTSIDERS, THEIR_SERVICE},
        table::{Access, FIELDS},
    },
    support::caller::Client,
};

const EXPECTED: &str = include_str!("expected.txt");

/// A path to an object, and the fields to select there.
struct Way<'a> {
    of: String,
    template: String,
    fields: &'a [Field],
}

impl Way<'_> {
    fn names(&self) -> impl Iterator<Item = String> {
        self.fields.iter().map(|field| format!("{}.{}", self.of, field.name))
    }
}

/// All paths, including the edges and page info of each connection.
fn ways(schema: &Schema) -> Vec<Way<'_>> {
    let (mut ways, mut connections) = (Vec::new(), BTreeSet::new());
    let mut push = |of: &str, template: String| {
        ways.push(Way { of: of.to_owned(), template, fields: &schema.types[of] });
    };
    for (of, way) in PATHS {
        let template = template(way);
        if let Some(node) = of.strip_suffix("Connection") {
            push(&format!("{node}Edge"), template.replace('@', "edges { @ }"));
            if connections.insert(of) {
                push("PageInfo", template.replace('@', "pageInfo { @ }"));
            }
        }
        push(of, template);
    }
    ways
}

/// All fields of all types that have a path of their own.
fn fields(schema: &Schema) -> BTreeSet<String> {
    let payloads = schema.payloads();
    let types = schema.types.iter();
    let types =
        types.filter(|(name, _)| !ROOTS.contains(&name.as_str()) && !payloads.contains(name.as_str()));
    let names = |(of, fields): (&String, &Vec<Field>)| {
        fields.iter().map(|field| format!("{of}.{}", field.name)).collect::<Vec<_>>()
    };
    types.flat_map(names).collect()
}

/// Sends a query as this caller. For an outsider it is also a fault when another customer's object and a missing
/// one get different responses.
async fn send_checked(
    world: &World,
    (name, client): (&str, &Client),
    query: &str,
) -> (StatusCode, Value, String) {
    let heard = world.ask(client, &world.with_existing_ids(query)).await;
    let mut faults = String::new();
    // A query that names no object asks the same twice, and the time of the last check of the log may differ.
    let names_an_object = query.contains('<');
    if names_an_object && ([ANONYMOUS, THEIR_SERVICE].contains(&name) || OUTSIDERS.contains(&name)) {
        let foreign = world.normalized(&heard);
        let never = world.normalized(&world.ask(client, &world.with_missing_ids(query)).await);
        if foreign != never {
            writeln!(
                faults,
                "{query}: {name} gets for a foreign object\n{foreign}\nand for a missing one\n{never}"
            )
            .unwrap();
        }
    }
    (heard.status, heard.body(), faults)
}

/// The letters of all fields on this path for this caller, and the faults. The fields are selected together, and
/// one by one when one of them is rejected.
async fn letters(
    schema: &Schema,
    world: &World,
    way: &Way<'_>,
    caller: (&str, &Client),
) -> (Vec<char>, String) {
    let (status, body, mut faults) =
        send_checked(world, caller, &schema.query(&way.template, way.fields)).await;
    let mut letters = Vec::new();
    for field in way.fields {
        let (status, body) = if shows_each_field(&body) {
            (status, body.clone())
        } else {
            let (status, body, more) =
                send_checked(world, caller, &schema.query(&way.template, [field])).await;
            faults.push_str(&more);
            (status, body)
        };
        let letter = letter(status, &body, &field.name);
        if letter == '?' {
            writeln!(faults, "{}.{} by {} as {}: {body}", way.of, field.name, way.template, caller.0)
                .unwrap();
        }
        letters.push(letter);
    }
    (letters, faults)
}

/// The table's rows of this path, and the faults.
async fn rows(schema: &Schema, world: &World, way: &Way<'_>) -> (Vec<Row>, String) {
    let callers = world.callers.iter().map(|(name, client)| letters(schema, world, way, (name, client)));
    let (columns, faults): (Vec<Vec<char>>, Vec<String>) = join_all(callers).await.into_iter().unzip();
    let row = |(number, field)| Row {
        field,
        path: name(&way.template),
        letters: columns.iter().map(|column| column[number]).collect(),
    };
    (way.names().enumerate().map(row).collect(), faults.concat())
}

#[test]
fn every_field_has_a_way_to_it() {
    let schema = Schema::read();
    let ways = ways(&schema);
    let asked: BTreeSet<_> = ways.iter().flat_map(Way::names).collect();
    let (fields, none) = (fields(&schema), Vec::<&String>::new());
    assert_eq!(fields.difference(&asked).collect::<Vec<_>>(), none, "a type needs a path in PATHS");
    let named: BTreeSet<_> = ways.iter().map(|way| (&way.of, name(&way.template))).collect();
    assert_eq!(named.len(), ways.len(), "two paths have one name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_is_answered_as_the_table_says() {
    let schema = Schema::read();
    let world = World::new().await;
    let (mut table, mut wrong) = (Vec::new(), String::new());
    let ways = ways(&schema);
    let mut asked = stream::iter(&ways).map(|way| rows(&schema, &world, way)).buffered(4);
    while let Some((rows, faults)) = asked.next().await {
        table.extend(rows);
        wrong.push_str(&faults);
    }
    let answered = table.iter().filter(|row| row.letters.contains(&'y'));
    let answered: BTreeSet<_> = answered.map(|row| row.field.clone()).collect();
    let exempt: BTreeSet<_> = EXEMPT.iter().map(|(field, _)| (*field).to_owned()).collect();
    let silent: BTreeSet<_> = fields(&schema).difference(&answered).cloned().collect();
    if exempt != silent {
        writeln!(wrong, "no caller gets a value of {silent:?}, and EXEMPT has {exempt:?}").unwrap();
    }
    let actual = text(&table);
    let differences = differences(EXPECTED, &actual);
    if !differences.is_empty() || EXPECTED != actual {
        let made = concat!(env!("CARGO_TARGET_TMPDIR"), "/matrix.txt");
        std::fs::write(made, actual).unwrap();
        let differences = differences.join("\n");
        writeln!(wrong, "{differences}\nThe current table: {made}. If every change is intended:").unwrap();
        writeln!(wrong, "cp {made} tests/api/matrix/expected.txt").unwrap();
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A row of the table.
fn planted() -> &'static str {
    EXPECTED.lines().find(|line| line.starts_with("Agent.name ") && line.contains(" agent ")).unwrap()
}

#[test]
fn a_wrong_letter_is_found() {
    let wrong = EXPECTED.replace(planted(), &planted().replacen('-', "y", 1));
    assert_eq!(differences(EXPECTED, EXPECTED), Vec::<String>::new());
    assert_eq!(differences(&wrong, EXPECTED), ["Agent.name by agent as stranger: -, and not y"]);
    assert_eq!(differences(EXPECTED, &wrong), ["Agent.name by agent as stranger: y, and not -"]);
    let short = EXPECTED.replace(planted(), planted().strip_suffix('F').unwrap());
    assert_eq!(differences(&short, EXPECTED).len(), 1);
}

#[test]
fn a_missing_row_is_found_and_so_is_one_too_many() {
    let fewer = EXPECTED.replace(&format!("{}\n", planted()), "");
    assert_eq!(differences(&fewer, EXPECTED), ["Agent.name by agent: not in the table"]);
    assert_eq!(differences(EXPECTED, &fewer), ["Agent.name by agent: in the table, and not in the schema"]);
}

/// The first row of a root field in the table of root fields.
fn access(root: &str) -> Option<Access> {
    FIELDS.iter().find(|(field, ..)| *field == root).map(|(_, _, access)| *access)
}

#[test]
fn the_letters_agree_with_the_rows_of_the_root_fields() {
    assert_eq!(contradictions(EXPECTED, access), Vec::<String>::new());
}

#[test]
fn a_contradiction_between_the_tables_is_found() {
    let only_admins = |root: &str| {
        let access = access(root)?;
        Some(if root == "agent" { Access { value: &[&["admin"]], ..access } } else { access })
    };
    let found = contradictions(planted(), only_admins);
    let wrong = ["viewer", "editor", "operator", "key agents:read"];
    let wrong = wrong
        .map(|caller| format!("Agent.name by agent as {caller}: y, and the root field's row says FORBIDDEN"));
    assert_eq!(found, wrong);
    let leak = planted().replacen('F', "y", 1);
    let leaks = "Agent.name by agent as service configs:read: y, and the root field's row says FORBIDDEN";
    assert_eq!(contradictions(&leak, access), [leaks]);
}

#[test]
fn each_answer_has_its_letter() {
    let refused = |code: &str| json!({ "data": null, "errors": [{ "extensions": { "code": code } }] });
    let payload = |code: &str| json!({ "data": { "do": { "it": null, "userErrors": [{ "code": code }] } } });
    let answers = [
        ('y', json!({ "data": { "agent": { "asked_it": "Helper" } } })),
        ('y', json!({ "data": { "customers": [{ "asked_it": null }, { "asked_it": { "nodes": [{}] } }] } })),
        ('n', json!({ "data": { "agent": { "asked_it": null } } })),
        ('n', json!({ "data": { "customer": { "asked_it": { "nodes": [] } } } })),
        ('-', json!({ "data": { "agent": null } })),
        ('F', refused("FORBIDDEN")),
        ('N', refused("NOT_FOUND")),
        ('?', refused("INTERNAL")),
        ('?', json!({ "data": { "agent": { "asked_it": "Helper" } }, "errors": [{}] })),
        ('N', payload("NOT_FOUND")),
        ('S', payload("SUSPENDED")),
        ('H', json!({ "data": { "do": { "it": null, "userErrors": [] } } })),
        ('n', json!({ "data": { "do": { "it": { "asked_it": null }, "userErrors": [] } } })),
        ('?', payload("CONFLICT")),
        ('-', payload("PLAN_CHANGED")),
        (
            'y',
            json!({ "data": { "do": { "plan": { "asked_it": 1 }, "userErrors": [{ "code": "PLAN_CHANGED" }] } } }),
        ),
    ];
    for (expected, body) in answers {
        assert_eq!(letter(StatusCode::OK, &body, "it"), expected, "{body}");
    }
    assert_eq!(letter(StatusCode::UNAUTHORIZED, &refused("UNAUTHENTICATED"), "it"), 'U');
}

#[test]
fn a_refused_field_takes_the_others_with_it_and_is_asked_for_alone() {
    let at = |path: Value| json!({ "data": null, "errors": [{ "path": path }] });
    assert!(shows_each_field(&json!({ "data": { "agent": null } })));
    assert!(shows_each_field(&at(json!(["customer", "apiKeys"]))));
    assert!(!shows_each_field(&at(json!(["customer", "asked_apiKeys"]))));
    assert!(!shows_each_field(&at(json!(["nodes", 0, "asked_createdBy"]))));
    assert!(!shows_each_field(&json!({ "errors": [{ "message": "no path" }] })));
    assert!(!shows_each_field(&json!({ "data": { "do": { "it": null, "userErrors": [] } } })));
}
