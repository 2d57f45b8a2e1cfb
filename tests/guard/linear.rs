//! The scan and the parser take time in proportion to the text, whatever it is: sixteen times the text may not take as long
//! as eighty times would, where a square would be 256.

use std::time::Duration;

use agent_registry::graphql::{
    guard::{Limits, scan},
    parse::parse,
};
use rustix::time::{ClockId, clock_gettime};

use crate::WIDE;

/// Each is so many bytes of one thing, between what it stands in.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("{", "a ", "}"),
    ("{", "a:a", "}"),
    ("{a(", "a:1 ", ")}"),
    ("{", "a@a ", "}"),
    ("{", "...a ", "}"),
    ("{", "...{a}", "}"),
    ("{a(a:[", "0 ", "])}"),
    ("{a(a:[", "[]", "])}"),
    ("{a(a:[", "{a:1}", "])}"),
    ("{a(a:{", "a:1 ", "})}"),
    ("{a(a:[", "\"\"", "])}"),
    ("{a(a:\"", "x", "\")}"),
    ("{a(a:\"", "\\n", "\")}"),
    ("{a(a:\"", "\\u00e9", "\")}"),
    ("{a(a:\"", "\\u{1f600}", "\")}"),
    ("{a(a:\"\"\"", " x\n", "\"\"\")}"),
    ("{a(a:\"\"\"", "\n", "\"\"\")}"),
    ("{a(a:\"\"\"", "\r\n ", "\"\"\")}"),
    ("{a(a:\"\"\"", "\\\"\"\"", "\"\"\")}"),
    ("{a(a:\"\"\"", "\"\"\\", " \"\"\")}"),
    ("{a(a:\"\"\"", "\"\"\\", ""),
    ("{a(a:\"", "\\u{0", ""),
    ("{a(a:[", "\"\"\"\"\"\"", ""),
    ("{", "#\n", "a}"),
    ("{", "#", "\na}"),
    ("{", "\u{feff}", "a}"),
    ("{", "\u{feff},", "a}"),
    ("{", " \r\n", "a}"),
    ("{a(a:", "1", ")}"),
    ("{a(a:1e", "1", ")}"),
    ("{a(a:1.", "0", ")}"),
    ("{", "é", "}"),
    ("query(", "$a:A=1 ", "){a}"),
    ("", "query a{a}", ""),
    ("", "\"\"query a{a}", ""),
];

/// The time that this thread has had of a processor: others' work does not count.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// The shortest time of several that it takes to read this, however it ends.
fn shortest(text: &str) -> Duration {
    let limits = Limits { bytes: usize::MAX, tokens: usize::MAX, name_bytes: usize::MAX, ..WIDE };
    let once = || {
        let before = worked();
        let _ = (scan(text, &limits), parse(text));
        worked() - before
    };
    (0..5).map(|_| once()).min().unwrap_or_default()
}

#[test]
fn sixteen_times_the_text_takes_about_sixteen_times_as_long() {
    let mut squares = Vec::new();
    for (before, each, after) in FAMILIES {
        let text = |bytes: usize| format!("{before}{}{after}", each.repeat(bytes / each.len()));
        let (short, long) = (shortest(&text(8 * 1024)), shortest(&text(128 * 1024)));
        // What takes less than a tenth of a millisecond is no square of so many bytes.
        if long > 80 * short.max(Duration::from_micros(100)) {
            squares.push(format!("{before}{each}…: {short:?}, and {long:?} for sixteen times as much"));
        }
    }
    assert!(squares.is_empty(), "{squares:#?}");
}
