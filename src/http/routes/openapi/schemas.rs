//! The schemas that several endpoints use. Their limits are the domain's constants.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Ref, RefOr, Schema, SchemaFormat,
        extensions::Extensions,
        schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type},
    },
};

use crate::{
    domain::{
        DESCRIPTION_CHARS_MAX, INTEGER_MAX, JSON_DEPTH_MAX, KEY_CHARS_MAX, NAME_CHARS_MAX, PAGE_DEFAULT,
        PAGE_MAX,
        diff::Impact,
        extensions::{EXTENSIONS_BYTES_MAX, EXTENSIONS_MAX, KEY_BYTES_MAX, KEY_PATTERN},
        version::{PARAMETERS_BYTES_MAX, PROMPT_BYTES_MAX, TOOLS_BYTES_MAX, TOOLS_MAX},
    },
    http::problem,
};

/// The class of characters without control and format characters, and without these.
macro_rules! shown_but {
    ($others:literal) => {
        concat!(
            "[^\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u180e",
            "\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb",
            $others,
            "]"
        )
    };
}

/// Not blank, without control characters. The syntax means the same in all regex engines: the character class in the
/// middle lists Unicode's White_Space.
const NAME: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*\
    [^ \\u0000-\\u001f\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]\
    [^\\u0000-\\u001f\\u007f-\\u009f]*$";
/// No control characters and none of category Cf (format) below U+10000; no white space at the ends.
const AGENT_NAME: &str = concat!(
    "^",
    shown_but!(" \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"),
    "(",
    shown_but!(""),
    "*",
    shown_but!(" \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"),
    ")?$"
);
/// Any text that Postgres can store: without U+0000.
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

        /// All schemas, with their names.
        pub fn all() -> Vec<(String, RefOr<Schema>)> {
            vec![$((stringify!($name).to_owned(), $name::schema())),*]
        }
    };
}

shapes! {
    /// A UUID. The service generates version 7, which sorts by creation time.
    Id = text().format(Some(SchemaFormat::Custom("uuid".to_owned())));
    /// An instant in UTC, always with six digits, so that the strings sort as the instants do.
    Instant = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    /// An agent's name. It has a visible character, no white space at its ends, and no control and format characters.
    /// The service stores its Unicode normal form C.
    AgentName = text().min_length(Some(1)).max_length(Some(NAME_CHARS_MAX)).pattern(Some(AGENT_NAME));
    /// A name. It isn't blank and has no control characters.
    Name = text().min_length(Some(1)).max_length(Some(NAME_CHARS_MAX)).pattern(Some(NAME));
    /// A complete name to search for. A string that can't be a name matches nothing.
    WholeName = text().pattern(Some(STORABLE));
    /// A part of a name to search for. An empty one filters nothing.
    NamePart = text().max_length(Some(NAME_CHARS_MAX)).pattern(Some(STORABLE));
    /// Free text, without U+0000.
    Description = text().max_length(Some(DESCRIPTION_CHARS_MAX)).pattern(Some(STORABLE));
    /// The system prompt, without U+0000. The limit counts bytes in UTF-8, so a text with non-ASCII characters may have
    /// fewer characters.
    Prompt = text().max_length(Some(PROMPT_BYTES_MAX)).pattern(Some(STORABLE));
    /// The model's parameters. The registry passes them on unchanged: the order of keys and the numbers stay, and white
    /// space goes. `JsonValue` defines the accepted values; `x-limits` has the limit of their text without white space,
    /// in bytes, and that of an integer, written without fraction and exponent.
    ModelParameters = json_object()
        .extensions(Some(limits(json!({ "bytes": PARAMETERS_BYTES_MAX, "integer": INTEGER_MAX }))));
    /// The tools that the model may call, in order. Their names are unique. `x-limits` has the limit of their text
    /// without white space, in bytes.
    Tools = ArrayBuilder::new().items(reference("Tool")).max_items(Some(TOOLS_MAX))
        .extensions(Some(bytes(TOOLS_BYTES_MAX)));
    /// Further settings for gateways, such as MCP servers, skills, handoffs and response formats. A key is a URI or a
    /// reverse domain. The registry passes the values on unchanged. `x-limits` has the limit of their text without white
    /// space, in bytes. An empty object is the same as none.
    VersionExtensions = json_object().max_properties(Some(EXTENSIONS_MAX))
        .property_names(Some(text().max_length(Some(KEY_BYTES_MAX)).pattern(Some(KEY_PATTERN)).build()))
        .extensions(Some(bytes(EXTENSIONS_BYTES_MAX)));
    /// A tool that the model may call, as an MCP server lists it. It is served as it was published: with the same
    /// members in the same order, further ones too.
    Tool = ObjectBuilder::new()
        .property("name", reference("Name")).required("name")
        .property("title", nullable_text("A name for people."))
        .property("description", nullable_text("A description of the tool, for the model."))
        .property("input_schema", schema_of("the tool's input. It may be spelled `inputSchema`, and then is so in answers"))
        .property("outputSchema", schema_of("the tool's structured result"))
        .property("strict", ObjectBuilder::new().schema_type(types([Type::Boolean, Type::Null]))
            .description(Some("Whether the model must follow the input schema exactly.")))
        .property_names(Some(text().pattern(Some(STORABLE)).build()))
        .additional_properties(Some(reference("JsonValue")));
    /// A JSON value that can be stored: without U+0000, nested at most `x-limits.depth` levels deep.
    // Nested values don't refer to this schema: TypeScript can't compile the recursive type that openapi-typescript
    // makes.
    JsonValue = ObjectBuilder::new().schema_type(SchemaType::AnyValue).pattern(Some(STORABLE))
        .extensions(Some(limits(json!({ "depth": JSON_DEPTH_MAX }))));
    /// The SHA-256 hash of the canonical JSON (RFC 8785) of a version's content. Contents that differ only in the order
    /// of keys and the spelling of numbers have equal hashes.
    ContentHash = text().pattern(Some("^[0-9a-f]{64}$"));
    /// The SHA-256 hash of the bytes that are served: the prompt, the model's name, the parameters' and the tools' JSON, and
    /// the extensions' JSON if there are any, each after its length as 8 bytes, the highest first.
    BytesHash = text().pattern(Some("^[0-9a-f]{64}$"));
    /// The key of an environment. `production` is each customer's default.
    EnvironmentKey = text().pattern(Some("^[a-z][a-z0-9-]{0,31}$"));
    /// Names the plan of an activation: the SHA-256 hash of the environment, of both contents, of the findings and of what
    /// the rules say.
    PlanHash = text().pattern(Some("^[0-9a-f]{64}$"));
    /// What a change may do to running conversations and deployed executors, from harmless to worst. `UNKNOWN` is handled as
    /// `NARROWED`.
    ChangeImpact = text().enum_values(Some(Impact::ALL.map(Impact::as_str)));
    /// The number of a version within its agent. 0 means that the agent has no version.
    VersionNumber = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(i64::from(i32::MAX)));
    /// The number of a commit in the audit log. Later commits have larger numbers.
    Revision = integer().minimum(Some(0));
    /// Makes a write safe to repeat. For 24 hours, the same request with the same key has no second effect, and returns
    /// the object that the first one wrote, as it is now. A different request with that key is rejected. The key is
    /// printable ASCII, bare or in double quotes (draft-ietf-httpapi-idempotency-key-header), such as a UUID.
    IdempotencyKey = text().min_length(Some(1)).max_length(Some(KEY_CHARS_MAX)).pattern(Some("^[!-~]([ -~]*[!-~])?$"));
    /// An opaque position in a list: the `next` of a page.
    Cursor = text().min_length(Some(1));
    /// The maximum number of items in a page.
    PageLimit = integer().minimum(Some(1)).maximum(Some(PAGE_MAX)).default(Some(PAGE_DEFAULT.into()));
    /// The last segment of a problem's `type`.
    ProblemName = text().enum_values(Some(problem::names()));
}

/// Builders of schemas that can have a description.
pub trait Described {
    /// Builds the schema with this description.
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

fn nullable_text(description: &str) -> ObjectBuilder {
    text()
        .schema_type(types([Type::String, Type::Null]))
        .pattern(Some(STORABLE))
        .description(Some(description))
}

/// A JSON Schema of this.
fn schema_of(what: &str) -> ObjectBuilder {
    let description = format!(
        "The JSON Schema of {what}. It must be valid in the dialect that its `$schema` names; the default is 2020-12."
    );
    let types = types([Type::Object, Type::Boolean, Type::Null]);
    json_object().schema_type(types).description(Some(description))
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

/// The extension `x-limits`, for limits that JSON Schema can't express. It is a single value, because utoipa writes
/// several extensions in an unspecified order.
fn limits(limits: Value) -> Extensions {
    Extensions::builder().add("x-limits", limits).build()
}

fn bytes(most: usize) -> Extensions {
    limits(json!({ "bytes": most }))
}
