//! Members of objects.

use change_impact::Impact::*;

use super::Row;

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    // Parameters.
    ("optional parameter added", r#"{"type":"object","properties":{"a":{}}}"#, r#"{"type":"object","properties":{"a":{},"b":{"type":"string"}}}"#, Widened, "properties/b"),
    ("first parameter added", r#"{"type":"object"}"#, r#"{"type":"object","properties":{"b":{"type":"string"}}}"#, Widened, "properties/b"),
    ("optional parameter added, closed", r#"{"properties":{},"additionalProperties":false}"#, r#"{"properties":{"b":{"type":"string"}},"additionalProperties":false}"#, Widened, "properties/b"),
    ("parameter added where any was allowed", r#"{"properties":{},"additionalProperties":true}"#, r#"{"properties":{"b":{"type":"string"}},"additionalProperties":true}"#, Narrowed, "properties/b"),
    ("parameter added where others have a type", r#"{"additionalProperties":{"type":"string"}}"#, r#"{"additionalProperties":{"type":"string"},"properties":{"b":{"type":"string"}}}"#, Widened, "properties/b"),
    ("parameter added where others have another type", r#"{"additionalProperties":{"type":"string"}}"#, r#"{"additionalProperties":{"type":"string"},"properties":{"b":{"type":"integer"}}}"#, Narrowed, "properties/b/type"),
    ("parameter added that a pattern matched", r#"{"properties":{},"patternProperties":{"b":{"type":"string"}}}"#, r#"{"properties":{"b":{"type":"integer"}},"patternProperties":{"b":{"type":"string"}}}"#, Narrowed, "properties/b"),
    ("parameter added that was required", r#"{"required":["b"]}"#, r#"{"required":["b"],"properties":{"b":{"type":"string"}}}"#, Narrowed, "properties/b"),
    ("parameter added that another schema lists", r#"{"properties":{},"allOf":[{"properties":{"b":{"type":"string"}}},{}]}"#, r#"{"properties":{"b":{"type":"integer"}},"allOf":[{"properties":{"b":{"type":"string"}}},{}]}"#, Narrowed, "properties/b"),
    ("parameter added beside alternatives", r#"{"properties":{"a":{}},"anyOf":[{"required":["a"]},{"required":["c"]}]}"#, r#"{"properties":{"a":{},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["c"]}]}"#, Widened, "properties/b"),
    ("parameter added in one of several schemas", r#"{"allOf":[{"properties":{"a":{}}},{"minProperties":1}]}"#, r#"{"allOf":[{"properties":{"a":{},"b":{"type":"string"}}},{"minProperties":1}]}"#, Narrowed, "allOf/0/properties/b"),
    ("parameter added that is refused", r#"{"properties":{}}"#, r#"{"properties":{"b":false}}"#, Capability, "properties/b"),
    ("required parameter added", r#"{"properties":{}}"#, r#"{"properties":{"b":{"type":"string"}},"required":["b"]}"#, Narrowed, "required/b"),
    ("parameter becomes required", r#"{"properties":{"a":{}}}"#, r#"{"properties":{"a":{}},"required":["a"]}"#, Narrowed, "required/a"),
    ("parameter becomes optional", r#"{"properties":{"a":{}},"required":["a"]}"#, r#"{"properties":{"a":{}},"required":[]}"#, Widened, "required/a"),
    ("required in another order", r#"{"required":["a","b"]}"#, r#"{"required":["b","a"]}"#, Capability, "required"),
    ("required of draft-03", r#"{"properties":{"a":{}}}"#, r#"{"properties":{"a":{}},"required":true}"#, Unknown, "required"),
    ("parameter gone, others refused", r#"{"properties":{"a":{}},"additionalProperties":false}"#, r#"{"properties":{},"additionalProperties":false}"#, Narrowed, "properties/a"),
    ("parameter gone, others accepted", r#"{"properties":{"a":{"type":"string"}}}"#, r#"{"properties":{}}"#, Widened, "properties/a"),
    ("parameter of any type gone", r#"{"properties":{"a":{}}}"#, r#"{"properties":{}}"#, Capability, "properties/a"),
    ("parameter gone, others have a type", r#"{"properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"string"}}"#, r#"{"additionalProperties":{"type":"string"}}"#, Narrowed, "properties/a/type"),
    ("parameter gone that a pattern may match", r#"{"properties":{"a":{}},"patternProperties":{"a":{}},"additionalProperties":false}"#, r#"{"patternProperties":{"a":{}},"additionalProperties":false}"#, Unknown, "properties/a"),
    ("parameter renamed", r#"{"properties":{"a":{"type":"string"}},"additionalProperties":false}"#, r#"{"properties":{"b":{"type":"string"}},"additionalProperties":false}"#, Narrowed, "properties/a"),
    ("parameter's type tightened", r#"{"properties":{"a":{"type":["string","null"]}}}"#, r#"{"properties":{"a":{"type":"string"}}}"#, Narrowed, "properties/a/type"),
    ("parameter's description changed", r#"{"properties":{"a":{"description":"x"}}}"#, r#"{"properties":{"a":{"description":"y"}}}"#, Capability, "properties/a/description"),
    ("parameter called like a keyword", r#"{"properties":{"type":{"type":"string"}}}"#, r#"{"properties":{"type":{"type":"integer"}}}"#, Narrowed, "properties/type/type"),
    ("properties of no object", r#"{"type":"string","properties":{"a":{}}}"#, r#"{"type":"string","properties":{"a":false}}"#, Capability, "properties"),
    ("properties that aren't an object", r#"{"properties":{}}"#, r#"{"properties":[]}"#, Unknown, "properties"),
    // Members of a parameter.
    ("member added to an object that lists its own", r#"{"properties":{"o":{"properties":{"a":{}}}}}"#, r#"{"properties":{"o":{"properties":{"a":{},"b":{"type":"string"}}}}}"#, Widened, "properties/o/properties/b"),
    ("member added to an object of any shape", r#"{"properties":{"o":{"type":"object"}}}"#, r#"{"properties":{"o":{"type":"object","properties":{"b":{"type":"string"}}}}}"#, Narrowed, "properties/o/properties/b"),
    ("member becomes required, far below", r#"{"properties":{"o":{"items":{"properties":{"a":{}}}}}}"#, r#"{"properties":{"o":{"items":{"properties":{"a":{}},"required":["a"]}}}}"#, Narrowed, "properties/o/items/required/a"),
    // Other members.
    ("others closed", r#"{"properties":{"a":{}}}"#, r#"{"properties":{"a":{}},"additionalProperties":false}"#, Narrowed, "additionalProperties"),
    ("others opened", r#"{"additionalProperties":false}"#, r#"{}"#, Widened, "additionalProperties"),
    ("others opened, in words", r#"{"additionalProperties":false}"#, r#"{"additionalProperties":true}"#, Widened, "additionalProperties"),
    ("others stay open", r#"{}"#, r#"{"additionalProperties":true}"#, Capability, "additionalProperties"),
    ("others get a type", r#"{}"#, r#"{"additionalProperties":{"type":"string"}}"#, Narrowed, "additionalProperties/type"),
    ("others' type loosened", r#"{"additionalProperties":{"type":"integer"}}"#, r#"{"additionalProperties":{"type":"number"}}"#, Widened, "additionalProperties/type"),
    ("pattern of names added", r#"{}"#, r#"{"patternProperties":{"^a":{}}}"#, Unknown, "patternProperties/^a"),
    ("pattern of names gone", r#"{"patternProperties":{"^a":{}}}"#, r#"{}"#, Unknown, "patternProperties/^a"),
    ("pattern's members tightened", r#"{"patternProperties":{"^a":{}}}"#, r#"{"patternProperties":{"^a":{"type":"string"}}}"#, Narrowed, "patternProperties/^a/type"),
    ("names tightened", r#"{"propertyNames":{"maxLength":3}}"#, r#"{"propertyNames":{"maxLength":2}}"#, Narrowed, "propertyNames/maxLength"),
    ("names free", r#"{"propertyNames":{"maxLength":3}}"#, r#"{}"#, Widened, "propertyNames/maxLength"),
    ("more members required", r#"{"minProperties":1}"#, r#"{"minProperties":2}"#, Narrowed, "minProperties"),
    ("more members allowed", r#"{"maxProperties":1}"#, r#"{"maxProperties":2}"#, Widened, "maxProperties"),
    // Members that depend on others.
    ("dependent name added", r#"{"dependentRequired":{"a":["b"]}}"#, r#"{"dependentRequired":{"a":["b","c"]}}"#, Narrowed, "dependentRequired/a"),
    ("dependent name gone", r#"{"dependentRequired":{"a":["b"]}}"#, r#"{}"#, Widened, "dependentRequired/a"),
    ("dependent schema added", r#"{}"#, r#"{"dependentSchemas":{"a":{"required":["b"]}}}"#, Narrowed, "dependentSchemas/a/required/b"),
    ("dependent schema loosened", r#"{"dependentSchemas":{"a":{"maxProperties":2}}}"#, r#"{"dependentSchemas":{"a":{"maxProperties":3}}}"#, Widened, "dependentSchemas/a/maxProperties"),
    // Members that no keyword evaluates.
    ("unevaluated closed", r#"{"properties":{"a":{}}}"#, r#"{"properties":{"a":{}},"unevaluatedProperties":false}"#, Unknown, "unevaluatedProperties"),
    ("parameter added beside unevaluated", r#"{"properties":{},"unevaluatedProperties":false}"#, r#"{"properties":{"a":{}},"unevaluatedProperties":false}"#, Unknown, "unevaluatedProperties"),
    ("parameter of any type gone beside unevaluated", r#"{"properties":{"a":{}},"unevaluatedProperties":{"required":["b"]}}"#, r#"{"unevaluatedProperties":{"required":["b"]}}"#, Unknown, "unevaluatedProperties"),
    ("description beside unevaluated", r#"{"properties":{"a":{"title":"x"}},"unevaluatedProperties":false}"#, r#"{"properties":{"a":{"title":"y"}},"unevaluatedProperties":false}"#, Capability, "properties/a/title"),
];
