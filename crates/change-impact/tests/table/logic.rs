//! Schemas for the same value.

use change_impact::Impact::*;

use super::Row;

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("allOf gets a schema", r#"{"allOf":[{"minimum":1},{"maximum":9}]}"#, r#"{"allOf":[{"minimum":1},{"maximum":9},{"multipleOf":2}]}"#, Narrowed, "allOf/2"),
    ("allOf loses a schema", r#"{"allOf":[{"minimum":1},{"maximum":9}]}"#, r#"{"allOf":[{"minimum":1}]}"#, Narrowed, "allOf/0/minimum"),
    ("allOf in another order", r#"{"allOf":[{"minimum":1},{"maximum":9}]}"#, r#"{"allOf":[{"maximum":9},{"minimum":1}]}"#, Capability, "allOf"),
    ("allOf's schema loosened", r#"{"allOf":[{"minimum":1},{"maximum":9}]}"#, r#"{"allOf":[{"minimum":0},{"maximum":9}]}"#, Widened, "allOf/0/minimum"),
    ("allOf of one schema", r#"{"type":"string","maxLength":1}"#, r#"{"allOf":[{"type":"string","maxLength":2}]}"#, Widened, "allOf/0/maxLength"),
    ("anyOf gets a schema", r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"anyOf":[{"type":"string"},{"type":"null"},{"type":"integer"}]}"#, Widened, "anyOf/2"),
    ("anyOf loses a schema", r#"{"anyOf":[{"type":"string"},{"type":"null"},{"type":"integer"}]}"#, r#"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#, Narrowed, "anyOf/1"),
    ("anyOf's schema tightened", r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"anyOf":[{"type":"null"},{"type":"string","minLength":1}]}"#, Narrowed, "anyOf/1/minLength"),
    ("anyOf's description changed", r#"{"anyOf":[{"type":"string","title":"a"},{"type":"null"}]}"#, r#"{"anyOf":[{"type":"null"},{"type":"string","title":"b"}]}"#, Capability, "anyOf/1/title"),
    ("anyOf in another order", r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#, Capability, "anyOf"),
    ("may be null now, by anyOf", r#"{"type":"string","description":"a"}"#, r#"{"anyOf":[{"type":"string"},{"type":"null"}],"description":"a"}"#, Widened, "anyOf/1"),
    ("can't be null any more, by anyOf", r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"type":"string"}"#, Narrowed, "anyOf/1"),
    ("anyOf added beside other rules", r#"{"properties":{"a":{},"b":{}}}"#, r#"{"properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#, Narrowed, "anyOf"),
    ("anyOf gone beside other rules", r#"{"properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#, r#"{"properties":{"a":{},"b":{}}}"#, Widened, "anyOf"),
    ("oneOf changed", r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#, Unknown, "oneOf"),
    ("oneOf gets a schema", r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"oneOf":[{"type":"string"},{"type":"null"},{"type":"integer"}]}"#, Unknown, "oneOf"),
    ("oneOf added", r#"{}"#, r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#, Unknown, "oneOf"),
    ("oneOf's description changed", r#"{"oneOf":[{"type":"string","title":"a"},{"type":"null"}]}"#, r#"{"oneOf":[{"type":"string","title":"b"},{"type":"null"}]}"#, Capability, "oneOf/0/title"),
    ("oneOf in another order", r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"oneOf":[{"type":"null"},{"type":"string"}]}"#, Capability, "oneOf"),
    ("not changed", r#"{"not":{"type":"string"}}"#, r#"{"not":{"type":"number"}}"#, Unknown, "not"),
    ("not added", r#"{}"#, r#"{"not":{"type":"string"}}"#, Unknown, "not"),
    ("not gone", r#"{"not":{"type":"string"}}"#, r#"{}"#, Unknown, "not"),
    ("not described", r#"{"not":{"type":"string"}}"#, r#"{"not":{"type":"string","description":"no text"}}"#, Capability, "not/description"),
    ("if changed", r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#, r#"{"if":{"required":["c"]},"then":{"required":["b"]}}"#, Unknown, "if"),
    ("then changed", r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#, r#"{"if":{"required":["a"]},"then":{"required":["c"]}}"#, Unknown, "if"),
    ("else added", r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#, r#"{"if":{"required":["a"]},"then":{"required":["b"]},"else":false}"#, Unknown, "if"),
    ("if without then", r#"{"if":{"required":["a"]}}"#, r#"{"if":{"required":["b"]}}"#, Capability, "if"),
    ("a rule below not is one finding", r#"{"minimum":1,"not":{"properties":{"a":{"minimum":1}}}}"#, r#"{"minimum":0,"not":{"properties":{"a":{"minimum":2}}}}"#, Unknown, "not"),
];
