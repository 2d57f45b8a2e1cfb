//! What a case is laid beside in the database: the very statements that the service was seen to send, run by pgbench as the
//! same role, in the same transactions, under the same policies.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use agent_registry::db::SERVING;
use sqlx::PgConnection;
use tokio::process::Command;

use super::{
    Failure, TIME,
    case::say,
    load::{self, Requests},
    world::World,
};

/// A statement with its parameters, as text; none for null.
#[derive(Clone, Debug)]
pub struct Sent {
    pub sql: String,
    pub values: Vec<Option<String>>,
}

/// What a request makes the service send, up to its end of transaction.
pub async fn overhear<F>(world: &World, mark: &str, ask: F) -> Result<Vec<Sent>, Failure>
where
    F: AsyncFnOnce() -> Result<(), Failure>,
{
    let mut connection = world.superuser().await?;
    listen(&mut connection, true).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let place = world.log()?;
    let before = std::fs::metadata(&place)?.len();
    let asked = ask().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    listen(&mut connection, false).await?;
    asked?;
    let log = std::fs::read(&place)?;
    let log = String::from_utf8_lossy(log.get(usize::try_from(before)?..).unwrap_or_default()).into_owned();
    let sessions = sessions(&log);
    let session = sessions.into_values().find(|sent| sent.iter().any(|sent| sent.sql.contains(mark)));
    session.ok_or_else(|| format!("nothing was sent that holds {mark:?}").into())
}

async fn listen(connection: &mut PgConnection, is_on: bool) -> Result<(), Failure> {
    let set = match is_on {
        true => "ALTER SYSTEM SET log_statement = 'all'",
        false => "ALTER SYSTEM RESET log_statement",
    };
    sqlx::raw_sql(set).execute(&mut *connection).await?;
    sqlx::raw_sql("SELECT pg_reload_conf()").execute(connection).await?;
    Ok(())
}

/// What each session sent.
fn sessions(log: &str) -> BTreeMap<String, Vec<Sent>> {
    let mut sessions: BTreeMap<String, Vec<Sent>> = BTreeMap::new();
    for (session, told) in entries(log) {
        let sent = sessions.entry(session).or_default();
        let executed = told.strip_prefix("LOG:  execute ").and_then(|rest| rest.split_once(": "));
        if let Some(sql) = told.strip_prefix("LOG:  statement: ").or(executed.map(|(_, sql)| sql)) {
            sent.push(Sent { sql: sql.to_owned(), values: Vec::new() });
        } else if let (Some(last), Some(values)) =
            (sent.last_mut(), told.strip_prefix("DETAIL:  parameters: "))
        {
            last.values = parameters(values);
        }
    }
    sessions
}

/// The log's entries, each with its session: `2026-01-02 03:04:05.678 UTC [123] LOG:  …`. A line that begins otherwise goes
/// on with the one before.
fn entries(log: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in log.lines() {
        let begins = line.split_once(" UTC [").filter(|(time, _)| time.len() == 23);
        match (begins.and_then(|(_, rest)| rest.split_once("] ")), entries.last_mut()) {
            (Some((session, told)), _) => entries.push((session.to_owned(), told.to_owned())),
            (None, Some((_, last))) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, None) => {}
        }
    }
    entries
}

/// `$1 = 'a''b', $2 = NULL`.
fn parameters(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, value)) = rest.split_once(" = ") {
        let Some(quoted) = value.strip_prefix('\'') else {
            values.push(None);
            rest = value;
            continue;
        };
        let (mut said, mut chars) = (String::new(), quoted.char_indices().peekable());
        let mut end = quoted.len();
        while let Some((at, char)) = chars.next() {
            match (char, chars.peek()) {
                ('\'', Some((_, '\''))) => {
                    chars.next();
                    said.push('\'');
                }
                ('\'', _) => {
                    end = at + 1;
                    break;
                }
                _ => said.push(char),
            }
        }
        values.push(Some(said));
        rest = quoted.get(end..).unwrap_or_default();
    }
    values
}

/// A script of these statements, and the variables that it needs, of which the names begin so. A value that `instead` has
/// an expression for is that.
pub fn script(
    sent: &[Sent],
    name: &str,
    instead: &dyn Fn(&str) -> Option<String>,
) -> (String, Vec<(String, String)>) {
    let (mut script, mut variables) = (String::new(), Vec::new());
    for (nth, Sent { sql, values }) in sent.iter().enumerate() {
        let mut sql = sql.replace(['\n', '\t'], " ");
        for (place, value) in values.iter().enumerate().rev() {
            let variable = format!("{name}_{nth}_{place}");
            let with = match value {
                None => "NULL".to_owned(),
                Some(value) => match instead(value) {
                    Some(expression) => expression,
                    None => {
                        variables.push((variable.clone(), value.clone()));
                        format!(":{variable}")
                    }
                },
            };
            sql = sql.replace(&format!("${}", place + 1), &with);
        }
        script.push_str(sql.trim_end_matches(';'));
        // What it answers is a variable for each column from then on.
        script.push_str(if sql.ends_with("FOR NO KEY UPDATE OF a") { " \\gset\n" } else { ";\n" });
    }
    (script, variables)
}

/// Runs these scripts in turn on so many connections; answers transactions a second. None where there is no pgbench.
async fn run(
    world: &World,
    scripts: &[(String, Vec<(String, String)>)],
    clients: usize,
) -> Result<Option<f64>, Failure> {
    let Some(program) = program() else { return Ok(None) };
    let mut command = Command::new(program);
    command.args(["-n", "-M", "prepared", "-U", "registry", "-j", "2"]).env("PGOPTIONS", session());
    command.args(["-c", &clients.to_string(), "-T", &TIME.as_secs().to_string()]);
    command.arg("-h").arg(world.socket()?);
    for (nth, (script, variables)) in scripts.iter().enumerate() {
        let file = world.serving.folder().join(format!("{nth}.pgbench"));
        std::fs::write(&file, script)?;
        command.arg("-f").arg(file);
        for (name, value) in variables {
            command.arg("-D").arg(format!("{name}={value}"));
        }
    }
    let told = command.arg("registry").stdin(Stdio::null()).output().await?;
    let text = String::from_utf8_lossy(&told.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    match rate {
        Some(rate) if told.status.success() => Ok(Some(rate)),
        _ => Err(format!("pgbench: {text}{}", String::from_utf8_lossy(&told.stderr)).into()),
    }
}

/// The service and pgbench in turn, three times, on so many connections each: the best of both counts, since what
/// disturbs them is not ours. Answers theirs only where there is a pgbench.
pub async fn beside(
    world: &World,
    what: &str,
    scripts: &[(String, Vec<(String, String)>)],
    clients: usize,
    asked: Requests,
) -> Result<(f64, Option<f64>), Failure> {
    let (mut best, mut least) = (0.0_f64, None::<f64>);
    for _ in 0..3 {
        let theirs = run(world, scripts, clients).await?;
        println!("  pgbench {theirs:?}/s");
        least = least.into_iter().chain(theirs).reduce(f64::max);
        let measured = load::closed(world.serving.address()?, clients, TIME, Arc::clone(&asked)).await?;
        say(what, &measured);
        best = best.max(measured.rate);
    }
    Ok((best, least))
}

/// The settings of the service's own sessions.
fn session() -> String {
    let setting = |(name, value): &(&str, &str)| format!("-c {name}={}", value.replace(' ', "\\ "));
    SERVING.iter().map(setting).collect::<Vec<_>>().join(" ")
}

fn program() -> Option<PathBuf> {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    std::env::split_paths(&places)
        .chain(debian)
        .map(|place| place.join("pgbench"))
        .find(|file| file.is_file())
}
