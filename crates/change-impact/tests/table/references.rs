//! References and definitions.

use change_impact::Impact::*;

use super::Row;

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("definition tightened", r##"{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"number"}}}"##, r##"{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"integer"}}}"##, Narrowed, "properties/a/$ref/type"),
    ("definition loosened", r##"{"properties":{"a":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"integer"}}}"##, r##"{"properties":{"a":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"number"}}}"##, Widened, "properties/a/$ref/type"),
    ("definition renamed", r##"{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"number"}}}"##, r##"{"properties":{"a":{"$ref":"#/$defs/B"}},"$defs":{"B":{"type":"number"}}}"##, Capability, "properties"),
    ("definition that nothing uses", r#"{"$defs":{"A":{"type":"number"}}}"#, r#"{"$defs":{"A":{"type":"integer"}}}"#, Capability, "tools/t/inputSchema"),
    ("definition written out", r##"{"items":{"$ref":"#/$defs/A"},"$defs":{"A":{"type":"number"}}}"##, r##"{"items":{"type":"number"}}"##, Capability, "items"),
    ("definition written out, and changed", r##"{"items":{"$ref":"#/$defs/A"},"$defs":{"A":{"type":"number"}}}"##, r##"{"items":{"type":"integer"}}"##, Narrowed, "items/$ref/type"),
    ("reference to another definition", r##"{"items":{"$ref":"#/$defs/A"},"$defs":{"A":{"minimum":1},"B":{"minimum":2}}}"##, r##"{"items":{"$ref":"#/$defs/B"},"$defs":{"A":{"minimum":1},"B":{"minimum":2}}}"##, Narrowed, "items/$ref/minimum"),
    ("description beside a reference", r##"{"items":{"$ref":"#/$defs/A","title":"a"},"$defs":{"A":{}}}"##, r##"{"items":{"$ref":"#/$defs/A","title":"b"},"$defs":{"A":{}}}"##, Capability, "items/title"),
    ("definition and description", r##"{"items":{"$ref":"#/$defs/A","title":"a"},"$defs":{"A":{"minimum":1}}}"##, r##"{"items":{"title":"a","minimum":1}}"##, Capability, "items"),
    ("rule beside a reference", r##"{"items":{"$ref":"#/$defs/A","minimum":1},"$defs":{"A":{"type":"integer"}}}"##, r##"{"items":{"$ref":"#/$defs/A","minimum":2},"$defs":{"A":{"type":"integer"}}}"##, Narrowed, "items/minimum"),
    ("definition beside a rule", r##"{"items":{"$ref":"#/$defs/A","minimum":1},"$defs":{"A":{"type":"integer"}}}"##, r##"{"items":{"$ref":"#/$defs/A","minimum":1},"$defs":{"A":{"type":"number"}}}"##, Widened, "items/$ref/type"),
    ("reference added beside a rule", r##"{"items":{"minimum":1},"$defs":{"A":{"type":"integer"}}}"##, r##"{"items":{"$ref":"#/$defs/A","minimum":1},"$defs":{"A":{"type":"integer"}}}"##, Unknown, "items/$ref"),
    ("recursion, tightened", r##"{"$ref":"#/$defs/N","$defs":{"N":{"properties":{"next":{"$ref":"#/$defs/N"},"v":{"type":"number"}}}}}"##, r##"{"$ref":"#/$defs/N","$defs":{"N":{"properties":{"next":{"$ref":"#/$defs/N"},"v":{"type":"integer"}}}}}"##, Narrowed, "$ref/properties/v/type"),
    ("recursion to the root", r##"{"properties":{"next":{"$ref":"#"}},"required":["next"]}"##, r##"{"properties":{"next":{"$ref":"#"}}}"##, Widened, "required/next"),
    ("recursion below not", r##"{"properties":{"n":{"not":{"$ref":"#"}},"v":{"maximum":3}}}"##, r##"{"properties":{"n":{"not":{"$ref":"#"}},"v":{"maximum":2}}}"##, Narrowed, "properties/v/maximum"),
    ("recursion through oneOf, described", r##"{"title":"a","properties":{"n":{"oneOf":[{"$ref":"#"},{"type":"null"}]}}}"##, r##"{"title":"b","properties":{"n":{"oneOf":[{"$ref":"#"},{"type":"null"}]}}}"##, Capability, "title"),
    ("circle", r##"{"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/A"}}}"##, r##"{"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/A"},"B":{}}}"##, Unknown, "tools/t/inputSchema"),
    ("circle of alternatives", r##"{"anyOf":[{"$ref":"#"},{"type":"null"}],"title":"a"}"##, r##"{"anyOf":[{"$ref":"#"},{"type":"null"}],"title":"b"}"##, Unknown, "anyOf/0/$ref"),
    ("reference to elsewhere kept", r#"{"items":{"$ref":"https://example.com/a"},"minItems":1}"#, r#"{"items":{"$ref":"https://example.com/a"},"minItems":0}"#, Widened, "minItems"),
    ("reference to elsewhere changed", r#"{"items":{"$ref":"https://example.com/a"}}"#, r#"{"items":{"$ref":"https://example.com/b"}}"#, Unknown, "items/$ref"),
    ("reference to nowhere", r##"{"items":{"$ref":"#/$defs/A"},"minItems":1}"##, r##"{"items":{"$ref":"#/$defs/A"},"minItems":0}"##, Unknown, "items/$ref"),
    ("reference to an anchor", r##"{"items":{"$ref":"#a"},"$defs":{"A":{"$anchor":"a","minimum":1}}}"##, r##"{"items":{"$ref":"#a"},"$defs":{"A":{"$anchor":"a","minimum":2}}}"##, Unknown, "items/$ref"),
    ("dynamic reference", r##"{"items":{"$dynamicRef":"#a"},"$defs":{"A":{"$dynamicAnchor":"a"}}}"##, r##"{"items":{"$dynamicRef":"#a"},"$defs":{"A":{"$dynamicAnchor":"a","minimum":2}}}"##, Unknown, "items/$dynamicRef"),
    ("definition below an unknown keyword", r##"{"other":[{"$ref":"#/$defs/A"}],"$defs":{"A":{"minimum":1}}}"##, r##"{"other":[{"$ref":"#/$defs/A"}],"$defs":{"A":{"minimum":2}}}"##, Unknown, "other"),
    ("another definition beside an unknown keyword", r##"{"other":[{"$ref":"#/$defs/A"}],"$defs":{"A":{"minimum":1},"B":{}}}"##, r##"{"other":[{"$ref":"#/$defs/A"}],"$defs":{"A":{"minimum":1.0},"B":{"minimum":1}}}"##, Capability, "tools/t/inputSchema"),
    ("id of a part", r##"{"items":{"$id":"b","$ref":"#/x","x":{"minimum":1}}}"##, r##"{"items":{"$id":"b","$ref":"#/x","x":{"minimum":2}}}"##, Unknown, "items/$ref"),
    ("id of the whole, beside a reference", r##"{"$id":"a","items":{"$ref":"b"}}"##, r##"{"$id":"c","items":{"$ref":"b"}}"##, Unknown, "$id"),
    ("id of the whole", r#"{"$id":"https://a/b"}"#, r#"{"$id":"https://a/c"}"#, Capability, "$id"),
];
