//! Tests the cost of any text: all operations on the deepest tree fit a stack of 512 KiB, and time is linear in the
//! text. A text of sixteen times the length may take at most eighty times as long; quadratic time would be 256
//! times.

#![cfg(test)]

use std::{thread, time::Duration};

use json_reader::{Json, Limits, Object, from_json, lossy_integer, read, read_as};
use rustix::time::{ClockId, clock_gettime};

/// Reads a text and runs all operations on the tree, on a stack of 512 KiB. Returns whether the text was accepted.
fn survives(text: String, limits: Limits) -> bool {
    let all = move || {
        let Ok(json) = read(text.as_bytes(), &limits).map_err(|error| error.to_string()) else {
            return false;
        };
        assert_eq!(json.clone(), json);
        assert_eq!(read(json.to_text().as_bytes(), &limits).unwrap(), json);
        assert_eq!(Json::from(json.to_serde()).count_values(), json.count_values());
        assert_eq!(from_json::<Json>(&json).unwrap(), json);
        assert!(!format!("{json:?}").is_empty());
        lossy_integer(&json).is_none()
    };
    thread::Builder::new().stack_size(512 * 1024).spawn(all).unwrap().join().unwrap()
}

fn nest(open: &str, close: &str, times: usize) -> String {
    open.repeat(times) + "0" + &close.repeat(times)
}

#[test]
fn the_deepest_tree_fits_a_stack_of_512_kib() {
    let deepest = Limits { depth: usize::MAX, ..Limits::DEFAULT };
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let most = Limits::DEPTH_MAX / (open.matches(['[', '{']).count());
        assert!(survives(nest(open, close, most), deepest), "{open}");
        assert!(!survives(nest(open, close, most + 1), deepest), "{open}");
        assert!(!survives(nest(open, close, 1_000_000), deepest), "{open}");
        let most = Limits::DEFAULT.depth / (open.matches(['[', '{']).count());
        assert!(survives(nest(open, close, most), Limits::DEFAULT), "{open}");
        assert!(!survives(nest(open, close, most + 1), Limits::DEFAULT), "{open}");
    }
}

/// Families of texts: a repeated part between a beginning and an end. `#` is a different number each time.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("[", "0,", "0]"),
    ("[", "-1.5e-7,", "0]"),
    ("[", "[],", "0]"),
    ("[", "{\"a\":1},", "0]"),
    ("[", "\"\",", "0]"),
    ("[", " \n", "0]"),
    ("\"", "x", "\""),
    ("\"", "\\n", "\""),
    ("\"", "\\u00e9", "\""),
    ("\"", "\\ud83d\\ude00", "\""),
    ("\"", "\u{1f600}", "\""),
    ("", "9", "e-9999999"),
    ("0.", "9", ""),
    ("{", "\"#\":1,", "\"a\":1}"),
    ("{", "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx#\":{},", "\"a\":1}"),
    // Texts with an error at the end.
    ("{\"#\":1,", "\"b#\":1,", "\"#\":1}"),
    ("[", "0,", ""),
    ("", "9", ""),
    ("", "[", ""),
    ("\"", "\\", ""),
    ("", "\n", "x"),
];

fn made((before, middle, after): (&str, &str, &str), times: usize) -> String {
    let middle: String = (0..times).map(|at| middle.replace('#', &at.to_string())).collect();
    before.replace('#', "0") + &middle + &after.replace('#', "0")
}

/// The shortest of several processor times, since other work on the machine makes them longer.
fn time(text: &str) -> Duration {
    let limits = Limits { bytes: usize::MAX, values: usize::MAX, ..Limits::DEFAULT };
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
    };
    let once = || {
        let began = now();
        drop(std::hint::black_box(read(text.as_bytes(), &limits)));
        now() - began
    };
    (0..7).map(|_| once()).min().unwrap()
}

#[test]
fn time_is_in_proportion_to_the_text() {
    for &family in FAMILIES {
        let (short, long) = (made(family, 4_000), made(family, 64_000));
        let (short, long) = (time(&short), time(&long));
        assert!(long < short * 80 + Duration::from_millis(1), "{family:?}: {short:?}, then {long:?}");
    }
}

#[test]
fn values_bound_the_memory_of_what_is_refused() {
    let text = format!("[{}0]", "[],".repeat(1_000_000));
    let error = read(text.as_bytes(), &Limits::DEFAULT).unwrap_err();
    let offset = error.position().unwrap().offset;
    assert!(error.is_too_much() && offset <= 3 * Limits::DEFAULT.values + 1, "reading stops there: {offset}");
    assert!(read_as::<Object>(b"{}", &Limits { values: 0, ..Limits::DEFAULT }).unwrap().is_empty());
}
