//! Drafts other than 2020-12.

use change_impact::Impact::*;

use super::Row;

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("draft-07: format added", r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema#","format":"uuid"}"#, Narrowed, "format"),
    ("draft-07: format changed", r#"{"$schema":"http://json-schema.org/draft-07/schema#","format":"uri"}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema#","format":"uuid"}"#, Unknown, "format"),
    ("draft-07: rule beside a reference", r##"{"$schema":"http://json-schema.org/draft-07/schema#","items":{"$ref":"#/definitions/A","minimum":1},"definitions":{"A":{}}}"##, r##"{"$schema":"http://json-schema.org/draft-07/schema#","items":{"$ref":"#/definitions/A","minimum":2},"definitions":{"A":{}}}"##, Capability, "items"),
    ("draft-07: definition beside a rule", r##"{"$schema":"http://json-schema.org/draft-07/schema#","items":{"$ref":"#/definitions/A","minimum":1},"definitions":{"A":{}}}"##, r##"{"$schema":"http://json-schema.org/draft-07/schema#","items":{"$ref":"#/definitions/A","minimum":1},"definitions":{"A":{"minLength":1}}}"##, Narrowed, "items/$ref/minLength"),
    ("draft-07: tuple gets an item", r#"{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}]}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema#","items":[{},{"type":"string"}]}"#, Narrowed, "items/1/type"),
    ("draft-07: further items refused", r#"{"$schema":"http://json-schema.org/draft-07/schema","items":[{}]}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema","items":[{}],"additionalItems":false}"#, Narrowed, "additionalItems"),
    ("draft-07: further items beside no tuple", r#"{"$schema":"http://json-schema.org/draft-07/schema","items":{}}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema","items":{},"additionalItems":false}"#, Capability, "additionalItems"),
    ("draft-07: dependency on names", r#"{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":["b"]}}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":["b","c"]}}"#, Narrowed, "dependencies/a"),
    ("draft-07: dependency on a schema", r#"{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":{"minProperties":3}}}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":{"minProperties":2}}}"#, Widened, "dependencies/a/minProperties"),
    ("draft-07: dependency of another form", r#"{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":{"required":["b"]}}}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":["b"]}}"#, Unknown, "dependencies/a"),
    ("draft-07: keyword of 2020-12", r#"{"$schema":"http://json-schema.org/draft-07/schema"}"#, r#"{"$schema":"http://json-schema.org/draft-07/schema","prefixItems":[{}]}"#, Unknown, "prefixItems"),
    ("2020-12: keyword of draft-07", r#"{"dependencies":{"a":["b"]}}"#, r#"{"dependencies":{"a":["b","c"]}}"#, Unknown, "dependencies"),
    ("2019-09: tuple gets an item", r#"{"$schema":"https://json-schema.org/draft/2019-09/schema","items":[{}]}"#, r#"{"$schema":"https://json-schema.org/draft/2019-09/schema","items":[{},{"type":"string"}]}"#, Narrowed, "items/1/type"),
    ("draft changed", r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}"#, r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}"#, Unknown, "$schema"),
    ("draft named", r#"{"type":"object"}"#, r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}"#, Capability, "$schema"),
    ("draft unknown", r#"{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1}"#, r#"{"$schema":"http://json-schema.org/draft-04/schema#","minimum":0}"#, Unknown, "$schema"),
    ("draft of a part", r#"{"items":{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1}}"#, r#"{"items":{"$schema":"http://json-schema.org/draft-04/schema#","minimum":0}}"#, Unknown, "$schema"),
];
