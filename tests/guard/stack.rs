//! Nothing that is accepted overflows a stack of 512 KiB, and nothing panics: through the scan, the parser, the measuring,
//! validation and execution.

use std::thread;

use agent_registry::graphql::{
    guard::{Limits, measure, scan},
    parse::parse,
};
use async_graphql::{EmptyMutation, EmptySubscription, Json, Object, Request, Schema, Variables};
use proptest::prelude::*;

use crate::{
    bomb, cases,
    made::{documents, pieces},
    nest,
};

struct Query;

#[Object]
impl Query {
    async fn a(&self, x: Option<Json<serde_json::Value>>) -> Option<Self> {
        x.is_none().then_some(Self)
    }
    async fn b(&self, x: Option<Json<serde_json::Value>>) -> bool {
        x.is_some()
    }
    async fn nodes(&self) -> Vec<Self> {
        vec![Self, Self]
    }
}

/// Does with a request all that the service does, on a stack of 512 KiB, and says whether it got to run.
fn survives(text: &str, variables: &str) -> bool {
    let (text, variables) = (text.to_owned(), variables.to_owned());
    let serve = move || {
        let variables = serde_json::from_str::<Variables>(&variables).unwrap();
        if scan(&text, &Limits::DEFAULT).is_err() {
            return false;
        }
        let Ok(document) = parse(&text) else {
            return false;
        };
        if measure(&document, None, &variables, &Limits::DEFAULT).is_err() {
            return false;
        }
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).finish();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut request = Request::new(text).variables(variables);
        request.set_parsed_query(document);
        runtime.block_on(schema.execute(request)).is_ok()
    };
    thread::Builder::new().stack_size(512 * 1024).spawn(serve).unwrap().join().unwrap()
}

#[test]
fn the_deepest_that_is_accepted_fits_the_stack() {
    const MOST: usize = Limits::NESTING;
    for (open, middle, close, times) in [
        ("[", "", "]", MOST - 2),
        ("{a:", "1", "}", MOST - 2),
        ("[{a:", "1", "}]", MOST / 2 - 1),
        ("[", "\"\"\"[\"\"\"", "]", MOST - 2),
    ] {
        let text = format!("{{b(x:{})}}", nest(open, middle, close, times));
        assert!(survives(&text, "{}"), "{text}");
    }
    let chain: String = (0..14).map(|at| format!("fragment f{at} on Query{{a{{...f{}}}}}", at + 1)).collect();
    for text in [
        nest("{a", "{b}", "}", 15),
        nest("{...", "{b}", "}", 31),
        nest("{...", "", "", 4) + &nest("{...{a", "{b}", "}}", 13) + &"}".repeat(4),
        bomb(29, 1, "b"),
        format!("{{...f0}} {chain} fragment f14 on Query{{nodes{{b}}}}"),
    ] {
        assert!(survives(&text, "{}"), "{text}");
    }
    let types =
        format!("query($a:{}={}){{b}}", nest("[", "Int", "]", MOST - 1), nest("[", "1", "]", MOST - 1));
    // Refused, but not before the parser has been through them.
    for text in
        [nest("{a", "{b}", "}", MOST - 1), nest("{...", "{b}", "}", MOST - 1), "{a".repeat(MOST), types]
    {
        assert_eq!(scan(&text, &Limits::DEFAULT), Ok(()));
        assert!(!survives(&text, "{}"), "{text}");
    }
    // Variables are as deep as serde_json reads: 127 with the object around them.
    let variables = format!(r#"{{"v":{}}}"#, nest("[", "", "]", 126));
    assert!(survives("query($v: JSON) {b(x:$v)}", &variables));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_text_makes_the_scan_panic(text in any::<String>(), limit in 0..9_usize) {
        let _ = scan(&text, &Limits { tokens: limit, name_bytes: limit, ..Limits::DEFAULT });
        let _ = parse(&text);
    }

    #[test]
    fn no_text_that_is_accepted_overflows_the_stack(text in pieces()) {
        survives(&text, "{}");
    }

    #[test]
    fn no_document_makes_the_measuring_panic(text in documents(true)) {
        survives(&text, "{}");
    }
}
