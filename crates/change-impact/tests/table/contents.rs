//! Changes of a whole content.

use change_impact::{Content, Impact, Impact::*, classify};
use json_reader::Json;

use super::{json, worst_path};

/// A name, the old and the new content, the worst impact, and the path of its finding. Contents are objects with the
/// members `prompt`, `model`, `parameters`, `tools` and `extensions`, all optional; `null` is no content.
pub type Row = (&'static str, &'static str, &'static str, Impact, &'static str);

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("nothing at all", "null", "null", Same, ""),
    ("first activation", "null", r#"{"prompt":"{{a}}"}"#, Capability, ""),
    ("deactivation", "{}", "null", Removed, ""),
    ("nothing differs", r#"{"prompt":"a","parameters":{"a":1,"b":2}}"#, r#"{"prompt":"a","parameters":{"b":2.0,"a":1e0}}"#, Same, ""),
    ("prompt", r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#, Content, "systemPrompt"),
    ("variable gone", r#"{"prompt":"{{a}}"}"#, r#"{"prompt":"a"}"#, Removed, "variables/a"),
    ("variable added", r#"{"prompt":"a"}"#, r#"{"prompt":"{{ a }}"}"#, Narrowed, "variables/a"),
    ("variable spelt otherwise", r#"{"prompt":"{{a}}"}"#, r#"{"prompt":"{{ a }}"}"#, Content, "systemPrompt"),
    ("parameter", r#"{"parameters":{"temperature":1}}"#, r#"{"parameters":{"temperature":0.5}}"#, Tuning, "modelParameters/temperature"),
    ("parameter added", "{}", r#"{"parameters":{"top_k":1}}"#, Tuning, "modelParameters/top_k"),
    ("parameter gone", r#"{"parameters":{"top_k":1}}"#, "{}", Tuning, "modelParameters/top_k"),
    ("model", r#"{"model":"a"}"#, r#"{"model":"b"}"#, Model, "modelName"),
    ("model's date", r#"{"model":"claude-20240620"}"#, r#"{"model":"claude-20241022"}"#, Model, "modelName"),
    ("tool added", "{}", r#"{"tools":[{"name":"a"}]}"#, Capability, "tools/a"),
    ("tool gone", r#"{"tools":[{"name":"a"}]}"#, "{}", Removed, "tools/a"),
    ("tool renamed", r#"{"tools":[{"name":"a","title":"x"}]}"#, r#"{"tools":[{"name":"b","title":"x"}]}"#, Removed, "tools/a"),
    ("tools in another order", r#"{"tools":[{"name":"a"},{"name":"b"}]}"#, r#"{"tools":[{"name":"b"},{"name":"a"}]}"#, Content, "tools"),
    ("tool's description", r#"{"tools":[{"name":"a","description":"x"}]}"#, r#"{"tools":[{"name":"a","description":"y"}]}"#, Capability, "tools/a/description"),
    ("tool's description null", r#"{"tools":[{"name":"a","description":null}]}"#, r#"{"tools":[{"name":"a"}]}"#, Same, ""),
    ("tool's title", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","title":"y"}]}"#, Capability, "tools/a/title"),
    ("tool's annotation", r#"{"tools":[{"name":"a","annotations":{"readOnlyHint":true}}]}"#, r#"{"tools":[{"name":"a","annotations":{"readOnlyHint":true,"destructiveHint":true}}]}"#, Capability, "tools/a/annotations/destructiveHint"),
    ("tool's annotations empty", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","annotations":{}}]}"#, Capability, "tools/a/annotations"),
    ("tool's metadata", r#"{"tools":[{"name":"a","_meta":{"x":1}}]}"#, r#"{"tools":[{"name":"a","_meta":{"x":2}}]}"#, Capability, "tools/a/_meta"),
    ("tool becomes strict", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","strict":true}]}"#, Capability, "tools/a/strict"),
    ("tool isn't strict any more", r#"{"tools":[{"name":"a","strict":true}]}"#, r#"{"tools":[{"name":"a"}]}"#, Widened, "tools/a/strict"),
    ("tool's execution", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","execution":{"taskSupport":"required"}}]}"#, Unknown, "tools/a/execution"),
    ("tool's other member", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","endpoint":null}]}"#, Unknown, "tools/a/endpoint"),
    ("input schema added", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","inputSchema":{"type":"object"}}]}"#, Narrowed, "tools/a/inputSchema"),
    ("input schema gone", r#"{"tools":[{"name":"a","inputSchema":{"type":"object"}}]}"#, r#"{"tools":[{"name":"a","inputSchema":null}]}"#, Widened, "tools/a/inputSchema"),
    ("input schema that accepts anything", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","inputSchema":{}}]}"#, Capability, "tools/a/inputSchema"),
    ("input schema spelt otherwise", r#"{"tools":[{"name":"a","input_schema":{"type":"object"}}]}"#, r#"{"tools":[{"name":"a","inputSchema":{"type":"object"}}]}"#, Same, ""),
    ("input schema spelt otherwise, and changed", r#"{"tools":[{"name":"a","input_schema":{"minimum":1}}]}"#, r#"{"tools":[{"name":"a","inputSchema":{"minimum":2}}]}"#, Narrowed, "tools/a/inputSchema/minimum"),
    ("output schema added", r#"{"tools":[{"name":"a"}]}"#, r#"{"tools":[{"name":"a","outputSchema":{"type":"object"}}]}"#, Widened, "tools/a/outputSchema"),
    ("output schema gone", r#"{"tools":[{"name":"a","output_schema":{"type":"object"}}]}"#, r#"{"tools":[{"name":"a"}]}"#, Narrowed, "tools/a/outputSchema"),
    ("tools without names", r#"{"tools":[{}]}"#, r#"{"tools":[{},{}]}"#, Unknown, "tools"),
    ("tools without names, the same", r#"{"tools":[{"name":"a"},{"name":"a"}]}"#, r#"{"tools":[{"name":"a"},{"name":"a"}]}"#, Same, ""),
    ("extension added", "{}", r#"{"extensions":{"org.example.x":1}}"#, Capability, "extensions/org.example.x"),
    ("extension changed", r#"{"extensions":{"org.example.x":1}}"#, r#"{"extensions":{"org.example.x":null}}"#, Unknown, "extensions/org.example.x"),
    ("extension renamed", r#"{"extensions":{"org.example.x":1}}"#, r#"{"extensions":{"org.example.y":1}}"#, Removed, "extensions/org.example.x"),
    ("extension gone", r#"{"extensions":{"org.example.x":1}}"#, r#"{"extensions":{}}"#, Removed, "extensions/org.example.x"),
    ("extension spelt otherwise", r#"{"extensions":{"org.example.x":{"a":1,"b":2}}}"#, r#"{"extensions":{"org.example.x":{"b":2.0,"a":1}}}"#, Same, ""),
    ("no extension", "{}", r#"{"extensions":{}}"#, Same, ""),
];

/// A content that owns its parts.
pub struct Owned {
    json: Json,
    empty: Json,
}

impl Owned {
    pub fn new(text: &str) -> Self {
        Self { json: json(text), empty: json("{}") }
    }

    pub fn content(&self) -> Option<Content<'_>> {
        let text = |key: &str| self.json.get(key).and_then(Json::as_str);
        (!self.json.is_null()).then(|| Content {
            prompt: text("prompt").unwrap_or_default(),
            model: text("model").unwrap_or("m"),
            parameters: self.json.get("parameters").unwrap_or(&self.empty),
            tools: self.json.get("tools").and_then(Json::as_array).unwrap_or_default(),
            extensions: self.json.get("extensions"),
        })
    }
}

pub fn check() {
    let mut wrong = Vec::new();
    for (name, old, new, impact, path) in ROWS {
        let (old, new) = (Owned::new(old), Owned::new(new));
        let found = classify(old.content().as_ref(), new.content().as_ref());
        let actual = (found.impact, worst_path(&found, ""));
        if actual != (*impact, (*path).to_owned()) {
            wrong.push(format!(
                "{name}: expected {impact:?} at {path}, found {actual:?}\n{:#?}",
                found.findings
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
