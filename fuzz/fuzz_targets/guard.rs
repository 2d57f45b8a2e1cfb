//! Any text, as the service takes it: scanned, parsed, measured, validated and run, on a stack of 512 KiB. Nothing may
//! panic, and no selection is walked more than twice.

#![no_main]

use std::thread;

use agent_registry::graphql::{
    guard::{Limits, measure, scan},
    parse::parse,
};
use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, Value, Variables};
use libfuzzer_sys::fuzz_target;

struct Query;

#[Object]
impl Query {
    async fn a(&self, x: Option<async_graphql::Json<Value>>) -> Option<Self> {
        x.is_none().then_some(Self)
    }

    async fn b(&self) -> bool {
        true
    }

    async fn nodes(&self) -> Vec<Self> {
        vec![Self, Self]
    }
}

fn serve(text: String) {
    if scan(&text, &Limits::DEFAULT).is_err() {
        return;
    }
    let Ok(document) = parse(&text) else {
        return;
    };
    let Ok(measured) = measure(&document, None, &Variables::default(), &Limits::DEFAULT) else {
        return;
    };
    assert!(measured.steps <= 2 * text.len(), "{} steps for {} bytes", measured.steps, text.len());
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut request = Request::new(text);
    request.set_parsed_query(document);
    drop(runtime.block_on(schema.execute(request)));
}

fuzz_target!(|text: String| {
    thread::Builder::new().stack_size(512 * 1024).spawn(move || serve(text)).unwrap().join().unwrap();
});
