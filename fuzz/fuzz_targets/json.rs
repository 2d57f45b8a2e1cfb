//! Fuzzes the JSON reader on a stack of 512 KiB: nothing may panic, accepted texts must parse the same with
//! serde_json, and serialised values must parse to the same value.

#![no_main]

use std::thread;

use json_reader::{Limits, read};
use libfuzzer_sys::fuzz_target;

fn check(bytes: &[u8]) {
    let Ok(json) = read(bytes, &Limits::DEFAULT) else { return };
    let text = json.to_text();
    assert_eq!(read(text.as_bytes(), &Limits::DEFAULT).as_ref(), Ok(&json));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(json.to_serde()));
}

fuzz_target!(|bytes: Vec<u8>| {
    thread::Builder::new().stack_size(512 * 1024).spawn(move || check(&bytes)).unwrap().join().unwrap();
});
