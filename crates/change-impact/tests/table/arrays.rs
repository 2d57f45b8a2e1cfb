//! Items of arrays.

use change_impact::Impact::*;

use super::Row;

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("items tightened", r#"{"items":{"type":"number"}}"#, r#"{"items":{"type":"integer"}}"#, Narrowed, "items/type"),
    ("items loosened", r#"{"items":{"enum":["a"]}}"#, r#"{"items":{"enum":["a","b"]}}"#, Widened, "items/enum"),
    ("items get a type", r#"{"type":"array"}"#, r#"{"type":"array","items":{"type":"string"}}"#, Narrowed, "items/type"),
    ("items refused", r#"{"items":{}}"#, r#"{"items":false}"#, Narrowed, "items"),
    ("minItems added", r#"{"type":"array"}"#, r#"{"type":"array","minItems":1}"#, Narrowed, "minItems"),
    ("minItems lowered", r#"{"minItems":2}"#, r#"{"minItems":1}"#, Widened, "minItems"),
    ("maxItems lowered", r#"{"maxItems":2}"#, r#"{"maxItems":1}"#, Narrowed, "maxItems"),
    ("maxItems gone", r#"{"maxItems":2}"#, r#"{}"#, Widened, "maxItems"),
    ("items become unique", r#"{}"#, r#"{"uniqueItems":true}"#, Narrowed, "uniqueItems"),
    ("items may repeat", r#"{"uniqueItems":true}"#, r#"{"uniqueItems":false}"#, Widened, "uniqueItems"),
    ("items may repeat, in words", r#"{}"#, r#"{"uniqueItems":false}"#, Capability, "uniqueItems"),
    ("first item tightened", r#"{"prefixItems":[{"type":"number"}]}"#, r#"{"prefixItems":[{"type":"integer"}]}"#, Narrowed, "prefixItems/0/type"),
    ("second item gets a type", r#"{"prefixItems":[{}]}"#, r#"{"prefixItems":[{},{"type":"string"}]}"#, Narrowed, "prefixItems/1/type"),
    ("second item is free", r#"{"prefixItems":[{},{"type":"string"}]}"#, r#"{"prefixItems":[{}]}"#, Widened, "prefixItems/1/type"),
    ("second item is like the others", r#"{"prefixItems":[{}],"items":{"type":"string"}}"#, r#"{"prefixItems":[{},{"type":"string"}],"items":{"type":"string"}}"#, Capability, "prefixItems"),
    ("further items refused", r#"{"prefixItems":[{}]}"#, r#"{"prefixItems":[{}],"items":false}"#, Narrowed, "items"),
    ("tuple of draft-07", r#"{"items":[{}]}"#, r#"{"items":[{},{}]}"#, Unknown, "items"),
    ("contains added", r#"{}"#, r#"{"contains":{"const":1}}"#, Narrowed, "contains"),
    ("contains gone", r#"{"contains":{"const":1}}"#, r#"{}"#, Widened, "contains"),
    ("contains loosened", r#"{"contains":{"const":1}}"#, r#"{"contains":{"enum":[1,2]}}"#, Widened, "contains/enum"),
    ("contains more", r#"{"contains":{"const":1}}"#, r#"{"contains":{"const":1},"minContains":2}"#, Narrowed, "minContains"),
    ("contains none or more", r#"{"contains":{"const":1}}"#, r#"{"contains":{"const":1},"minContains":0}"#, Widened, "minContains"),
    ("contains at most", r#"{"contains":{"const":1},"maxContains":3}"#, r#"{"contains":{"const":1},"maxContains":2}"#, Narrowed, "maxContains"),
    ("contains others, counted", r#"{"contains":{"const":1},"maxContains":3}"#, r#"{"contains":{"const":2},"maxContains":3}"#, Unknown, "contains"),
    ("contains, counted, added", r#"{"maxContains":3}"#, r#"{"contains":{"const":2},"maxContains":3}"#, Unknown, "contains"),
    ("items of no array", r#"{"type":"object","items":{}}"#, r#"{"type":"object","items":false}"#, Capability, "items"),
];
