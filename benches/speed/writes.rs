//! Publishing and activating, compared with pgbench running the same statements.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Failure,
    case::Report,
    load::{self, Requests, post},
    pgbench::{self, RecordedStatement},
    world::World,
};

/// The number of concurrent writers.
const WRITERS: usize = 16;
/// The number of agents that pgbench writes to.
const AGENTS: usize = 64;
const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { version { id number } userErrors { code } } }";

fn body(agent: &str, nth: u64) -> Value {
    let prompt = format!("Written {nth}. {}", "Answer briefly and kindly. ".repeat(75));
    let input =
        json!({ "agentId": agent, "systemPrompt": prompt, "modelName": "gpt-4-turbo", "activate": true });
    json!({ "query": PUBLISH, "variables": { "input": input } })
}

/// Runs all measurements.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let mut scripts = Vec::new();
    for (nth, agent) in world.agents.iter().step_by(7).take(AGENTS).enumerate() {
        // The first write of an operator also creates its profile, so it isn't recorded.
        publish(world, agent).await?;
        let sent =
            pgbench::record_statements(world, "append_changes", async || publish(world, agent).await).await?;
        if nth == 0 {
            println!("  {} statements", sent.len());
        }
        scripts.push(script(&sent, &format!("a{nth}"))?);
    }
    let (agents, token) = (world.agents.clone(), world.serving.token().to_owned());
    let asked: Requests = Arc::new(move |nth| {
        let agent = agents.get(load::scattered(nth, agents.len())).map_or("", String::as_str);
        post("/graphql", &token, &body(agent, nth)).into()
    });
    let (best, least) = pgbench::beside(world, "publish and activate", &scripts, WRITERS, asked).await?;
    if let Some(least) = least {
        let beside = ("pgbench, the same statements", least);
        report.rate("publish and activate, 16 writers", (best, beside), ("0.8 ×", 0.8));
    }
    Ok(())
}

async fn publish(world: &World, agent: &str) -> Result<(), Failure> {
    let answer = world.serving.post(&body(agent, 0)).send().await?.json::<Value>().await?;
    let version = answer.pointer("/data/publishVersion/version/id");
    version.map(drop).ok_or_else(|| format!("not published: {answer}").into())
}

/// Makes a script that repeats a recorded write with new ids and the next version number each time.
fn script(sent: &[RecordedStatement], name: &str) -> Result<(String, Vec<(String, String)>), Failure> {
    let written = sent.iter().find(|sent| sent.sql.starts_with("WITH \"version\" AS (INSERT"));
    let written = written.ok_or("no version was written")?;
    let value = |table: &str, column: &str| -> Result<String, Failure> {
        let value =
            place(&written.sql, table, column).and_then(|place| written.values.get(place).cloned().flatten());
        value.ok_or_else(|| format!("no {column} of {table} in {}", written.sql).into())
    };
    let (version, number) = (value("agent_versions", "id")?, value("agent_versions", "number")?);
    let (activation, before) = (value("activations", "id")?, value("activations", "previous_version_id")?);
    let fresh = |kind: char| format!("md5(:fresh::text || '{kind}')::uuid");
    let instead = |value: &str| {
        if value == version {
            Some(fresh('v'))
        } else if value == activation {
            Some(fresh('a'))
        } else if value == before {
            Some(":active_version_id".to_owned())
        } else if value == number {
            Some("(:latest_number::int + 1)".to_owned())
        } else if value.contains(&version) {
            // The log entries, as JSON text within the statement.
            let told = value.replace('\'', "''");
            Some(format!(
                "replace(replace('{told}', '{version}', {}::text), '{activation}', {}::text)::jsonb",
                fresh('v'),
                fresh('a')
            ))
        } else {
            None
        }
    };
    let sent: Vec<RecordedStatement> = sent.iter().map(typed).collect();
    let (statements, variables) = pgbench::script(&sent, name, &instead);
    Ok((format!("\\set fresh random(1, 9223372036854775807)\n{statements}"), variables))
}

/// The place of a column's value among the values of a statement that inserts into this table.
fn place(sql: &str, table: &str, column: &str) -> Option<usize> {
    let (_, inserted) = sql.split_once(&format!("INSERT INTO \"registry\".\"{table}\" ("))?;
    let (columns, values) = inserted.split_once(") VALUES ($")?;
    let first: usize = values.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()?;
    let nth = columns.split(", ").position(|name| name.trim_matches('"') == column)?;
    (first + nth).checked_sub(1)
}

/// Adds casts to a list of rows: pgbench sends values without types, and Postgres can't infer them there.
fn typed(sent: &RecordedStatement) -> RecordedStatement {
    const ROWS: &str = "FROM (VALUES (";
    const TYPES: [&str; 4] = ["uuid", "int", "uuid", "timestamptz"];
    let RecordedStatement { sql, values } = sent;
    let Some((before, (row, after))) =
        sql.split_once(ROWS).and_then(|(before, rest)| Some((before, rest.split_once(')')?)))
    else {
        return sent.clone();
    };
    let row: Vec<_> = row.split(", ").zip(TYPES).map(|(value, kind)| format!("{value}::{kind}")).collect();
    RecordedStatement { sql: format!("{before}{ROWS}{}){after}", row.join(", ")), values: values.clone() }
}
