//! Large and hostile schemas: time, stack and the number of findings are bounded.

#![cfg(test)]

use std::{thread, time::Duration};

use change_impact::{CHANGES_MAX, Content, FINDINGS_MAX, FieldChangeKind, Impact, changes, classify, hunks};
use json_reader::{Json, Limits, Object, read};
use rustix::time::{ClockId, clock_gettime};

const SCHEMA_BYTES: usize = 340 * 1024;
const STACK: usize = 512 * 1024;
/// The most CPU time in a debug build, which is at least ten times as slow.
const TIME: Duration = Duration::from_secs(2);

fn json(text: &str) -> Json {
    read(text.as_bytes(), &Limits { depth: 64, ..Limits::DEPTH_ONLY }).unwrap()
}

fn repeated(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

/// As many items as a schema of 340 KiB has.
fn filled(item: impl Fn(usize) -> String) -> String {
    let count = SCHEMA_BYTES / (item(99_999).len() + 1);
    repeated(count, item)
}

/// Runs `work` on a small stack, and returns its result and CPU time.
fn timed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> (T, Duration) {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
    };
    let run = move || {
        let before = now();
        let result = work();
        (result, now() - before)
    };
    thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap()
}

fn content<'a>(tools: &'a [Json], parameters: &'a Json) -> Content<'a> {
    Content { prompt: "", model: "m", parameters, tools, extensions: None }
}

/// Classifies the change between two schemas, and checks the bounds.
#[track_caller]
fn check(name: &str, old: String, new: String, expected: Impact) {
    let bytes = old.len().max(new.len());
    let tool = |schema: &str| [json(&format!(r#"{{"name":"t","inputSchema":{schema}}}"#))];
    let (old, new, parameters) = (tool(&old), tool(&new), json("{}"));
    let work = move || {
        let (old, new) = (content(&old, &parameters), content(&new, &parameters));
        (classify(Some(&old), Some(&new)), changes(&old, &new))
    };
    let ((found, changes), time) = timed(work);
    println!("{name}: {bytes} bytes, {} findings, {time:?}", found.findings.len());
    assert_eq!(found.impact, expected, "{name}");
    assert!(found.findings.len() <= FINDINGS_MAX + 1, "{name}: {}", found.findings.len());
    assert!(changes.fields.len() <= CHANGES_MAX + 1, "{name}: {}", changes.fields.len());
    assert!(time < TIME, "{name}: {time:?}");
}

#[test]
fn large_schemas_are_compared_in_little_time() {
    let wide = |kind: &str| {
        format!(r#"{{"properties":{{{}}}}}"#, filled(|at| format!(r#""p{at:06}":{{"type":"{kind}"}}"#)))
    };
    check("wide", wide("string"), wide("number"), Impact::Narrowed);
    let list = |mark: &str| format!(r#"{{"enum":[{}]}}"#, filled(|at| format!(r#""{mark}{at}""#)));
    check("enum", list("a"), list("b"), Impact::Narrowed);
    let union = |key: &str, minimum: usize| {
        format!(r#"{{"{key}":[{}]}}"#, filled(|at| format!(r#"{{"minimum":{}}}"#, at + minimum)))
    };
    check("anyOf", union("anyOf", 200_000), union("anyOf", 400_000), Impact::Narrowed);
    check("allOf, rotated", union("allOf", 200_000), union("allOf", 200_001), Impact::Narrowed);
    check("oneOf", union("oneOf", 200_000), union("oneOf", 400_000), Impact::Unknown);
    let required = |mark: &str| format!(r#"{{"required":[{}]}}"#, filled(|at| format!(r#""{mark}{at}""#)));
    check("required", required("a"), required("b"), Impact::Narrowed);
    let long = "n".repeat(SCHEMA_BYTES / 2);
    let named = |kind: &str| {
        let inner = repeated(2_000, |at| format!(r#""{at}":{{"type":"{kind}"}}"#));
        format!(r#"{{"properties":{{"{long}":{{"properties":{{{inner}}}}}}}}}"#)
    };
    check("members of a long name", named("string"), named("number"), Impact::Narrowed);
    let deep = |kind: &str| format!("{}{{\"type\":\"{kind}\"}}{}", r#"{"items":"#.repeat(60), "}".repeat(60));
    check("deep", deep("string"), deep("number"), Impact::Unknown);
    let number = |last: char| format!(r#"{{"minimum":0.{}{last}}}"#, "1".repeat(SCHEMA_BYTES));
    check("long number", number('1'), number('2'), Impact::Narrowed);
    let conditions = |name: &str| {
        let alternatives = filled(|at| format!(r#"{{"required":["{at}"]}}"#));
        let properties = filled(|at| format!(r#""{name}{at}":{{"type":"string"}}"#));
        format!(r#"{{"anyOf":[{alternatives}],"properties":{{{properties}}}}}"#)
    };
    check("members beside alternatives", conditions("a"), conditions("b"), Impact::Unknown);
}

#[test]
fn references_do_not_multiply_the_work() {
    let count = SCHEMA_BYTES / 45;
    let chain = |kind: &str| {
        let links = repeated(count, |at| format!(r##""{at}":{{"items":{{"$ref":"#/$defs/{}"}}}}"##, at + 1));
        format!(r##"{{"$ref":"#/$defs/0","$defs":{{{links},"{count}":{{"type":"{kind}"}}}}}}"##)
    };
    check("chain", chain("string"), chain("number"), Impact::Unknown);
    // Two circles of coprime lengths: as many pairs as their product.
    let circle = |length: usize| {
        let links = repeated(length, |at| {
            format!(
                r##""{at}":{{"anyOf":[{{"items":{{"$ref":"#/$defs/{0}"}}}},{{"not":{{"items":{{"$ref":"#/$defs/{0}"}}}}}}]}}"##,
                (at + 1) % length
            )
        });
        format!(r##"{{"$ref":"#/$defs/0","$defs":{{{links}}}}}"##)
    };
    check("circles", circle(count / 3), circle(count / 3 - 1), Impact::Unknown);
    let tree = |width: usize, kind: &str| {
        let definition = |at: usize| {
            let members = repeated(30, |nth| {
                format!(r##""{nth}":{{"$ref":"#/$defs/{}"}}"##, (at * 7 + nth * 11) % width)
            });
            format!(r#""{at}":{{"properties":{{{members}}},"maximum":{at},"type":"{kind}"}}"#)
        };
        format!(r##"{{"$ref":"#/$defs/0","$defs":{{{}}}}}"##, repeated(width, definition))
    };
    check("tree", tree(390, "object"), tree(389, "array"), Impact::Narrowed);
    check("tree of other maxima", tree(390, "object"), tree(389, "object"), Impact::Unknown);
    let values = |mark: &str| {
        let members = repeated(2_000, |at| format!(r##""{at}":{{"$ref":"#/$defs/v","minimum":{at}}}"##));
        let values = repeated(30_000, |at| format!(r#""{mark}{at}""#));
        format!(r#"{{"properties":{{{members}}},"$defs":{{"v":{{"enum":[{values}]}}}}}}"#)
    };
    check("large definition", values("a"), values("b"), Impact::Narrowed);
    let hops = |last: &str| {
        let links =
            repeated(count, |at| format!(r##""{at}":{{"allOf":[{{"$ref":"#/$defs/{}"}}]}}"##, at + 1));
        format!(r##"{{"$ref":"#/$defs/0","$defs":{{{links},"{count}":{last}}}}}"##)
    };
    check("hops", hops("{}"), hops("false"), Impact::Unknown);
}

#[test]
fn a_last_finding_counts_those_that_are_not_listed() {
    let schema = |kind: &str| {
        json(&format!(
            r#"{{"name":"t","inputSchema":{{"properties":{{{}}}}}}}"#,
            repeated(3_000, |at| format!(r#""{at}":{{"description":"{kind}","type":"{kind}"}}"#))
        ))
    };
    let (old, new, parameters) = ([schema("string")], [schema("number")], json("{}"));
    let found = classify(Some(&content(&old, &parameters)), Some(&content(&new, &parameters)));
    assert_eq!(found.findings.len(), FINDINGS_MAX + 1);
    let last = found.findings.last().unwrap();
    assert_eq!((last.impact, last.path.len()), (Impact::Narrowed, 0), "the worst one of the omitted");
    assert_eq!(last.message, "8000 more findings are not listed; compare the versions");

    let many = |value: i64| {
        Json::Object((0..2_000).map(|at| (format!("p{at}"), Json::from(value))).collect::<Object>())
    };
    let (old, new) = (many(1), many(2));
    let found = classify(Some(&content(&[], &old)), Some(&content(&[], &new)));
    assert_eq!(found.findings.last().unwrap().impact, Impact::Unknown, "at least");
    assert_eq!((found.findings.len(), found.impact), (FINDINGS_MAX + 1, Impact::Unknown));
    let changes = changes(&content(&[], &old), &content(&[], &new));
    let [change] = changes.fields.as_slice() else { panic!("{}", changes.fields.len()) };
    assert_eq!(
        (change.path.as_slice(), change.kind),
        (&["modelParameters".to_owned()][..], FieldChangeKind::Changed)
    );
    assert_eq!((change.before.as_ref(), change.after.as_ref()), (Some(&old), Some(&new)));
}

#[test]
fn large_prompts_are_compared_in_little_time() {
    let prompt = |mark: &str| (0..40_000).map(|at| format!("{mark} {}\n", at % 977)).collect::<String>();
    let (old, new) = (prompt("a"), prompt("b"));
    let (hunks, time) = timed(move || hunks(&old, &new));
    assert_eq!(hunks.iter().map(|hunk| hunk.lines.len()).sum::<usize>(), 80_000);
    assert!(time < 2 * TIME, "{time:?}");
}
