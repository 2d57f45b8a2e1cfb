//! Schemas of results, whose direction is the opposite.

use change_impact::Impact::*;

use super::Row;

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("result: optional member added", r#"{"properties":{}}"#, r#"{"properties":{"b":{"type":"string"}}}"#, Widened, "properties/b"),
    ("result: optional member added, closed", r#"{"properties":{},"additionalProperties":false}"#, r#"{"properties":{"b":{}},"additionalProperties":false}"#, Narrowed, "properties/b"),
    ("result: member gone", r#"{"properties":{"b":{"type":"string"}}}"#, r#"{"properties":{}}"#, Narrowed, "properties/b"),
    ("result: member gone, closed", r#"{"properties":{"b":{}},"additionalProperties":false}"#, r#"{"properties":{},"additionalProperties":false}"#, Widened, "properties/b"),
    ("result: member always there", r#"{"properties":{"b":{}}}"#, r#"{"properties":{"b":{}},"required":["b"]}"#, Widened, "required/b"),
    ("result: member not always there", r#"{"properties":{"b":{}},"required":["b"]}"#, r#"{"properties":{"b":{}}}"#, Narrowed, "required/b"),
    ("result: enum value added", r#"{"enum":["a"]}"#, r#"{"enum":["a","b"]}"#, Narrowed, "enum"),
    ("result: enum value gone", r#"{"enum":["a","b"]}"#, r#"{"enum":["a"]}"#, Widened, "enum"),
    ("result: type tightened", r#"{"type":["string","null"]}"#, r#"{"type":"string"}"#, Widened, "type"),
    ("result: oneOf changed", r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#, r#"{"oneOf":[{"type":"string"},{"type":"array"}]}"#, Unknown, "oneOf"),
    ("result: description changed", r#"{"description":"a"}"#, r#"{"description":"b"}"#, Capability, "description"),
];
