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
    // The statement's values are those of the version, in the order of its columns, then those of the activation.
    const OF_THE_ACTIVATION: usize = 13;
    let written = sent.iter().find(|sent| sent.sql.starts_with("WITH \"version\" AS (INSERT"));
    let written = written.ok_or("no version was written")?;
    let value = |place: usize| -> Result<String, Failure> {
        let value = written.values.get(place).cloned().flatten();
        value.ok_or_else(|| format!("value {place} of {}", written.sql).into())
    };
    let (version, number) = (value(0)?, value(3)?);
    let (activation, before) = (value(OF_THE_ACTIVATION)?, value(OF_THE_ACTIVATION + 4)?);
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
