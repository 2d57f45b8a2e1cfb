//! The schemas that more than one part of the description uses, with the limits of the domain.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Ref, RefOr, Schema, SchemaFormat,
        extensions::Extensions,
        schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, SchemaType, Type},
    },
};

use crate::{
    domain::{
        DESCRIPTION_CHARS_MAX, INTEGER_MAX, JSON_DEPTH_MAX, KEY_CHARS_MAX, NAME_CHARS_MAX, PAGE_DEFAULT,
        PAGE_MAX,
        version::{PARAMETERS_BYTES_MAX, PROMPT_BYTES_MAX, TOOLS_BYTES_MAX, TOOLS_MAX},
    },
    http::problem,
};

/// Not blank, and no control characters, in a dialect that all engines read alike. The first class is Unicode's
/// White_Space beside the control characters.
const NAME: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*\
    [^ \\u0000-\\u001f\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]\
    [^\\u0000-\\u001f\\u007f-\\u009f]*$";
/// Any text that Postgres can keep.
const STORABLE: &str = "^[^\\u0000]*$";

macro_rules! shapes {
    ($($(#[doc = $doc:literal])+ $name:ident = $schema:expr;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = [$($doc),+].map(str::trim).join(" ");
                described($schema, description)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*

        /// All of them, by their names.
        pub fn all() -> Vec<(String, RefOr<Schema>)> {
            vec![$((stringify!($name).to_owned(), $name::schema())),*]
        }
    };
}

shapes! {
    /// A UUID; those made here are of version 7, so that they sort by age.
    Id = text().format(Some(SchemaFormat::Custom("uuid".to_owned())));
    /// An instant in UTC, in whole microseconds.
    Instant = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    /// A name: not blank, without control characters.
    Name = text().min_length(Some(1)).max_length(Some(NAME_CHARS_MAX)).pattern(Some(NAME));
    /// A whole name to look for. What no name is finds nothing.
    WholeName = text().pattern(Some(STORABLE));
    /// A part of a name to look for.
    NamePart = text().min_length(Some(1)).max_length(Some(NAME_CHARS_MAX)).pattern(Some(STORABLE));
    /// A few paragraphs, without U+0000.
    Description = text().max_length(Some(DESCRIPTION_CHARS_MAX)).pattern(Some(STORABLE));
    /// What the model is told first, without U+0000. The limit is one of bytes in UTF-8, so a text beyond ASCII may
    /// have fewer characters.
    Prompt = text().max_length(Some(PROMPT_BYTES_MAX)).pattern(Some(STORABLE));
    /// Settings of the model. They are sent on as they are. See `JsonValue` for what may be in them; as canonical
    /// JSON (RFC 8785) they have a limit in bytes, which is in `x-limits`.
    ModelParameters = json_object().extensions(Some(bytes(PARAMETERS_BYTES_MAX)));
    /// The tools that the model may call, in this order, with unique names. As canonical JSON (RFC 8785) they have a
    /// limit in bytes, which is in `x-limits`.
    Tools = ArrayBuilder::new().items(reference("Tool")).max_items(Some(TOOLS_MAX))
        .extensions(Some(bytes(TOOLS_BYTES_MAX)));
    /// A tool that the model may call.
    Tool = ObjectBuilder::new()
        .property("name", reference("Name")).required("name")
        .property("description", text().schema_type(types([Type::String, Type::Null]))
            .pattern(Some(STORABLE)).description(Some("What it does, for the model to read.")))
        .property("input_schema", json_object()
            .schema_type(types([Type::Object, Type::Boolean, Type::Null]))
            .description(Some("The JSON Schema of its input: a valid one by the dialect that it names, or by 2020-12.")))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    /// JSON that survives being stored and hashed (I-JSON, RFC 7493): without U+0000, nested no deeper than
    /// `x-limits` says, and no number that the canonical form writes as an integer beyond ± the one there.
    // It doesn't refer to itself for what is nested: TypeScript can't compile the type that openapi-typescript makes of that.
    JsonValue = ObjectBuilder::new().schema_type(SchemaType::AnyValue).pattern(Some(STORABLE))
        .extensions(Some(limits(json!({ "depth": JSON_DEPTH_MAX, "integer": INTEGER_MAX }))));
    /// The SHA-256 of the canonical JSON (RFC 8785) of a version's content. Equal content has an equal hash.
    ContentHash = text().pattern(Some("^[0-9a-f]{64}$"));
    /// The number of an agent's version; 0 when there is none.
    VersionNumber = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(i64::from(i32::MAX)));
    /// The number of a commit, in the order in which they were made.
    Revision = integer().minimum(Some(0));
    /// Under one key a write has its effect once: for 24 hours the same request with the same key is told again what
    /// came of it, and another request is refused. It is printable ASCII, bare or in double quotes
    /// (draft-ietf-httpapi-idempotency-key-header); a UUID does well.
    IdempotencyKey = text().min_length(Some(1)).max_length(Some(KEY_CHARS_MAX)).pattern(Some("^[!#-~]([ -~]*[!#-~])?$"));
    /// Where a page ended. Only `next` of a list gives out cursors; what is in one is nobody's business.
    Cursor = text().min_length(Some(1));
    /// How many rows a page has.
    PageLimit = integer().minimum(Some(1)).maximum(Some(PAGE_MAX)).default(Some(PAGE_DEFAULT.into()));
    /// The last part of a problem's `type`.
    ProblemName = text().enum_values(Some(problem::names()));
}

/// Schemas that can be told what they are for.
pub trait Described {
    /// The schema with this description.
    fn described(self, description: String) -> Schema;
}

impl Described for ObjectBuilder {
    fn described(self, description: String) -> Schema {
        self.description(Some(description)).build().into()
    }
}

impl Described for ArrayBuilder {
    fn described(self, description: String) -> Schema {
        self.description(Some(description)).build().into()
    }
}

fn described(schema: impl Described, description: String) -> RefOr<Schema> {
    RefOr::T(schema.described(description))
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn types<const N: usize>(types: [Type; N]) -> SchemaType {
    types.into_iter().collect()
}

fn integer() -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(format))
}

fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

fn json_object() -> ObjectBuilder {
    ObjectBuilder::new()
        .additional_properties(Some(reference("JsonValue")))
        .property_names(Some(text().pattern(Some(STORABLE)).build()))
}

/// Limits that JSON Schema has no word for. They are one value, because utoipa writes several in any order.
fn limits(limits: Value) -> Extensions {
    Extensions::builder().add("x-limits", limits).build()
}

fn bytes(most: usize) -> Extensions {
    limits(json!({ "bytes": most }))
}
