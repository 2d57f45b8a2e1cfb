//! Plants each kind of violation and checks that it is found. Checks that clean sources pass.

use super::source::MOST_LINES;
use super::source_tree::SourceTree;

/// Rows of file, source, and the expected violation.
const PLANTED: &str = r#"

// Every way to write an import of a higher layer.
src/db/scope.rs | use crate::domain::Registry; | db may not import domain: `crate::domain::Registry`
src/db/scope.rs | use super::super::domain::Registry; | db may not import domain
src/db/scope.rs | mod tests { use super::super::super::domain; } | db may not import domain
src/db/mod.rs | use self::super::domain as d; | db may not import domain
src/entity/agent.rs | use crate::{db::{self, Db}, entity}; | entity may not import db
src/domain/agent.rs | use crate::{id::AgentId, graphql::{node as n}}; | domain may not import graphql
src/graphql/agent.rs | use crate::entity::*; | graphql may not import entity
src/db/mod.rs | use crate as house; fn f() { source_tree::domain::go() } | db imports the whole crate
src/db/mod.rs | use crate::*; | db imports the whole crate
src/graphql/agent.rs | fn f() { let _ = crate::db::Db::connect(); } | graphql may not import db
src/graphql/agent.rs | fn f(_: Vec<Option<crate::entity::agent::Model>>) {} | graphql may not import entity
src/graphql/agent.rs | fn f() { let _ = g::<crate::db::Db>(); } | graphql may not import db
src/domain/agent.rs | impl From<crate::http::Problem> for E {} | domain may not import http
src/domain/agent.rs | fn f() { let _ = <crate::feed::Hub as T>::go; } | domain may not import feed
src/domain/agent.rs | fn f() { tracing::info!(at = crate::graphql::f()); } | domain may not import graphql
src/domain/agent.rs | fn f() { a!({ use crate::{feed::hub}; }) } | domain may not import feed
src/id.rs | macro_rules! id { () => { use $crate::db::Db as D; } } | id may not import db
src/db/view.rs | #[derive(crate::domain::Noun)] struct A; | db may not import domain
src/db/view.rs | struct A { #[serde(with = "crate::domain::at")] a: u8 } | db may not import domain
src/feed/tail.rs | use crate::db::txn::Txn; | feed may not import db
src/feed/tail.rs | use crate::db::{self, listen}; | feed may not import db
src/http/rest.rs | use agent_registry::db::Db; | http may not import db
src/cli/serve.rs | use crate::graphql::sdl; | cli may not import graphql
src/main.rs | use agent_registry::app; | main may not import app
src/lib.rs | mod domain; pub use domain::Registry; | lib may not import domain
src/domain/mod.rs | pub use crate::db; | domain re-exports all of db
src/domain/mod.rs | pub(crate) use crate::entity::*; | domain re-exports all of entity

// Unknown layers.
src/lib.rs | mod utils; | `mod utils` is not a known layer
src/utils.rs |  | `utils` is not a known layer
src/db/mod.rs | use crate::helpers::x; | `helpers` is not a known layer
src/main.rs | mod cli; | `mod cli` is not a known layer
src/db/mod.rs | #[path = "../domain/mod.rs"] mod d; | without `#[path]`

// Crates.
src/domain/mod.rs | use async_graphql::Object; | domain may not name async_graphql
src/domain/mod.rs | extern crate axum as a; | domain may not name axum
src/domain/mod.rs | fn f() { json!({ "a": ::axum::http::X }) } | domain may not name axum
src/graphql/mod.rs | use axum as web; fn f() -> web::Router {} | graphql may not name axum
src/graphql/mod.rs | #[derive(sea_orm::FromQueryResult)] struct A; | graphql may not name sea_orm
src/http/mod.rs | fn f(e: sqlx::Error) {} | http may not name sqlx
src/domain/mod.rs | pub use sea_orm; | domain may not re-export sea_orm
src/http/mod.rs | use migration::Migrator; | http may not name migration
migration/src/lib.rs | use agent_registry::db::Db; | migration may not name agent_registry

// What only one layer may use.
src/app.rs | fn f() { std::env::var("A"); } | the environment outside config
src/app.rs | use std::env as e; fn f() { e::var_os("A"); } | the environment outside config
src/app.rs | use std::env::*; fn f() { vars(); } | the environment outside config
src/cli/serve.rs | struct A { #[arg(long, env = "A")] a: u8 } | the environment outside config
src/db/mod.rs | use chrono::Utc as Time; fn f() { Time::now(); } | the time outside clock
src/db/mod.rs | type T = chrono::Utc; fn f() { T::now(); } | the time outside clock
src/db/mod.rs | use chrono::prelude::*; fn f() { Some(1).map_or_else(Utc::now, g); } | the time outside clock
src/db/mod.rs | fn f() { <std::time::SystemTime>::now(); } | the time outside clock
src/db/mod.rs | #[serde(default = "chrono::Utc::now")] struct A; | the time outside clock
migration/src/m1.rs | fn f() { uuid::Uuid::now_v7(); } | the time outside clock
src/domain/key.rs | use uuid::Uuid; fn f() { vec![Uuid::new_v4()]; } | randomness outside clock
src/domain/key.rs | fn f() { rand::random::<u64>(); } | randomness outside clock
src/domain/key.rs | use rand::Rng; | randomness outside clock
src/feed/hub.rs | fn f() { tokio::spawn(g()); } | spawning outside task
src/feed/hub.rs | use tokio::task; fn f() { task::spawn_blocking(g); } | spawning outside task
src/feed/hub.rs | use tokio::*; fn f() { spawn(g()); } | spawning outside task
src/feed/hub.rs | fn f() { tokio::select! { _ = a() => { tokio::task::spawn(g()); } } } | spawning outside task
src/feed/hub.rs | fn f() { std::thread::spawn(g); } | spawning outside task
src/domain/agent.rs | use crate::entity::agent; fn f() { agent::Entity::find_by_id(1); } | the selects outside
src/domain/agent.rs | use crate::entity::agent::Entity as A; fn f() { A::find(); } | the selects outside
src/domain/agent.rs | fn f() { <E as sea_orm::EntityTrait>::find(); } | the selects outside
src/domain/agent.rs | fn f() { println!("a"); } | printing outside
src/domain/agent.rs | fn f() { tokio::join!(async { eprintln!("a") }); } | printing outside
"#;

/// Files that break no rule together.
const CLEAN: &str = r#"
src/main.rs | use agent_registry::cli; fn main() { eprintln!("{}", cli::run()); }
src/lib.rs | pub mod id; pub mod db; pub mod domain; mod http;
src/config.rs | struct A { #[arg(long, env = "A")] a: u8 } fn f() { std::env::var_os("A"); }
src/clock.rs | fn f() { (chrono::Utc::now(), uuid::Uuid::now_v7(), rand::random::<u8>()); }
src/task.rs | pub fn spawn() { tokio::spawn(async {}); }
src/entity/agent.rs | use crate::id::AgentId; fn f() { Entity::find().filter(super::user::a()); }
src/db/mod.rs | mod scope; use scope::Scope; pub(crate) mod view; use crate::{entity::agent, task};
src/db/scope.rs | use super::*; fn f() { task::spawn(); } mod tests { use super::*; }
src/domain/mod.rs | pub use crate::entity::agent::Model as Agent; use crate::db::{Db, view::View};
src/domain/agent.rs | #[doc = "crate::graphql"] use sea_orm::EntityTrait; fn f() { Agent::insert(); }
src/feed/tail.rs | use crate::{db::listen::{self, Woken}, domain::Change, task};
src/graphql/agent.rs | use async_graphql::Object; use crate::domain::Agent; use super::page::Page;
src/http/mod.rs | use axum::Router; use crate::{graphql, clock::Clock}; fn f() { Instant::now(); }
src/http/rest.rs | fn f() { a != b; tracing::info!(target: "agent_registry::db", "crate::db"); }
src/app.rs | use crate::{config, db, domain, feed, graphql, http}; fn f() { migration::run(); }
migration/src/lib.rs | mod m1; use crate::m1::M; use sea_orm_migration::prelude::*;
migration/src/m1.rs | use super::Name; pub(crate) struct M;
tests/api/main.rs | use agent_registry::db; fn f() { tokio::spawn(g()); }
"#;

/// Splits a table into rows and cells.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let rows = table.lines().filter(|line| !line.is_empty() && !line.starts_with("// "));
    rows.map(|line| line.split(" | ").collect()).collect()
}

/// The violations in these files.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let opened = files.iter().map(|(file, text)| ((*file).to_owned(), format!("//! For the test.\n{text}")));
    SourceTree::build(&opened.collect::<Vec<_>>()).faults()
}

#[test]
fn each_planted_fault_is_caught() {
    let mut missed = Vec::new();
    for row in rows(PLANTED) {
        let [file, text, expected] = row[..] else { panic!("not a row: {row:?}") };
        let found = faults(&[(file, text)]);
        if !found.iter().any(|fault| fault.contains(expected)) {
            missed.push(format!("{file}: {text}\n  not said: {expected}\n  said: {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_clean_house_passes() {
    let clean: Vec<(&str, &str)> = rows(CLEAN).iter().map(|row| (row[0], row[1])).collect();
    assert_eq!(faults(&clean), [""; 0]);
}

#[test]
fn a_name_behind_another_files_name_is_caught() {
    let parent = ("src/feed/mod.rs", "use tokio::task as work; pub(crate) use std::env;");
    for text in ["fn f() { super::work::spawn(g()); }", "use super::*; fn f() { work::spawn(g()); }"] {
        let found = faults(&[parent, ("src/feed/hub.rs", text)]);
        assert!(
            found.iter().any(|fault| fault.contains("src/feed/hub.rs: spawning outside task")),
            "{found:?}"
        );
    }
    let found = faults(&[parent, ("src/http/mod.rs", "use crate::feed::env; fn f() { env::var(\"A\"); }")]);
    assert_eq!(found, ["src/http/mod.rs: the environment outside config: `env::var`"]);
}

#[test]
fn the_shape_of_a_file_is_checked() {
    let long = "\n".repeat(MOST_LINES);
    let ignored = concat!("#[", "ignore = \"slow\"]\nfn f() {}");
    for (text, expected) in
        [(long.as_str(), "the limit is 400"), (ignored, "is ignored"), ("fn", "cannot be parsed")]
    {
        let found = faults(&[("src/db/mod.rs", text)]);
        assert!(found.iter().any(|fault| fault.contains(expected)), "{expected}: {found:?}");
    }
    let found = SourceTree::build(&[("tests/api/main.rs".to_owned(), "mod agent;".to_owned())]).faults();
    assert!(matches!(&found[..], [fault] if fault.contains("does not open with `//!`")), "{found:?}");
}
