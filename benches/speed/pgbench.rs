//! The database yardstick: pgbench runs the statements that the service was observed to send, as the same role, in
//! the same transactions, under the same policies.

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

/// A statement with its parameters as text; `None` is null.
#[derive(Clone, Debug)]
pub struct RecordedStatement {
    pub sql: String,
    pub values: Vec<Option<String>>,
}

/// Records the statements that the service sends for a request, from the server's log. `mark` selects the session.
pub async fn record_statements<F>(
    world: &World,
    mark: &str,
    ask: F,
) -> Result<Vec<RecordedStatement>, Failure>
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
    session.ok_or_else(|| format!("no session sent a statement with {mark:?}").into())
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

/// Groups the logged statements by session.
fn sessions(log: &str) -> BTreeMap<String, Vec<RecordedStatement>> {
    let mut sessions: BTreeMap<String, Vec<RecordedStatement>> = BTreeMap::new();
    for (session, told) in entries(log) {
        let sent = sessions.entry(session).or_default();
        let executed = told.strip_prefix("LOG:  execute ").and_then(|rest| rest.split_once(": "));
        if let Some(sql) = told.strip_prefix("LOG:  statement: ").or(executed.map(|(_, sql)| sql)) {
            sent.push(RecordedStatement { sql: sql.to_owned(), values: Vec::new() });
        } else if let (Some(last), Some(values)) =
            (sent.last_mut(), told.strip_prefix("DETAIL:  parameters: "))
        {
            last.values = parameters(values);
        }
    }
    sessions
}

/// Parses the log's entries with their sessions: `2026-01-02 03:04:05.678 UTC [123] LOG:  …`. Other lines continue
/// the previous entry.
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

/// Parses logged parameters: `$1 = 'a''b', $2 = NULL`.
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

/// Makes a pgbench script of these statements, and its variables, whose names begin with `name`. Values for which
/// `instead` returns an expression are replaced by it.
pub fn script(
    sent: &[RecordedStatement],
    name: &str,
    instead: &dyn Fn(&str) -> Option<String>,
) -> (String, Vec<(String, String)>) {
    let (mut script, mut variables) = (String::new(), Vec::new());
    for (nth, RecordedStatement { sql, values }) in sent.iter().enumerate() {
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
        // `\gset` stores each column of the result in a variable.
        script.push_str(if sql.ends_with("FOR NO KEY UPDATE OF a") { " \\gset\n" } else { ";\n" });
    }
    (script, variables)
}

/// Runs scripts on `clients` connections. Returns transactions a second, or `None` when pgbench isn't installed.
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

/// Measures the service and pgbench alternately, three times each, and returns the best of each, since disturbances
/// come from outside. pgbench's rate is `None` when it isn't installed.
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

/// The session settings of the service, as `PGOPTIONS`.
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
