//! Fuzzes the document front: checks and prepares a text, and executes it with the library's own validation off, on
//! a stack of 512 KiB. Nothing may panic, and accepted documents must run without an error.

#![no_main]

use std::thread;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, ValidationMode};
use graphql_front::{Front, Limits};
use libfuzzer_sys::fuzz_target;

struct Query;

#[Object]
impl Query {
    async fn a(&self, x: Option<String>, y: Option<Vec<i32>>) -> Option<Self> {
        (x.is_none() || y.is_some()).then_some(Self)
    }

    async fn b(&self) -> bool {
        true
    }

    async fn nodes(&self) -> Vec<Self> {
        vec![Self, Self]
    }
}

fn serve(text: &str) {
    let schema =
        Schema::build(Query, EmptyMutation, EmptySubscription).validation_mode(ValidationMode::Fast).finish();
    let front = Front::new(&schema.sdl(), [], Limits::DEFAULT).unwrap();
    let Ok(document) = front.check(text.into()) else { return };
    let Ok(prepared) = front.prepare(&document, None, None) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut request = Request::new("");
    request.set_parsed_query(prepared.executable);
    let response = runtime.block_on(schema.execute(request));
    assert!(response.is_ok(), "{:?}", response.errors);
}

fuzz_target!(|text: String| {
    thread::Builder::new().stack_size(512 * 1024).spawn(move || serve(&text)).unwrap().join().unwrap();
});
