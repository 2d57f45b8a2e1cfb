//! The content of a version as it is stored and served: exact JSON text, and the parts of it that are asked for.

use std::{fmt::Write as _, ops::Range, sync::Arc};

use json_reader::{Json, JsonText, Limits, Object, ReadError};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::extensions::Extensions;

/// A version's model parameters: the text of a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelParameters(pub JsonText);

/// A member of a tool that has a field of its own. Any other member is carried along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolMember {
    /// The tool's name, unique within the version.
    Name,
    /// A name for people.
    Title,
    /// A description of the tool, for the model.
    Description,
    /// The JSON Schema of the tool's input.
    InputSchema,
    /// The JSON Schema of the tool's structured result.
    OutputSchema,
    /// Hints about the tool's behaviour.
    Annotations,
    /// The tool's icons.
    Icons,
    /// How the tool may be executed.
    Execution,
    /// Whether the model must follow the input schema exactly.
    Strict,
    /// Metadata of the server that offers the tool.
    Meta,
}

impl ToolMember {
    /// All of them, in the order in which GraphQL's fields are written.
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::Title,
        Self::Description,
        Self::InputSchema,
        Self::OutputSchema,
        Self::Annotations,
        Self::Icons,
        Self::Execution,
        Self::Strict,
        Self::Meta,
    ];

    /// The key of the canonical form. `input_schema` is older than the others, which are spelled as MCP spells them.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Description => "description",
            Self::InputSchema => "input_schema",
            Self::OutputSchema => "outputSchema",
            Self::Annotations => "annotations",
            Self::Icons => "icons",
            Self::Execution => "execution",
            Self::Strict => "strict",
            Self::Meta => "_meta",
        }
    }

    /// The member with this key, in either spelling.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        match key {
            "inputSchema" => Some(Self::InputSchema),
            "output_schema" => Some(Self::OutputSchema),
            key => Self::ALL.into_iter().find(|member| member.key() == key),
        }
    }
}

/// The members of a tool that the column of JSON has.
const SQL_MEMBERS: [ToolMember; 3] = [ToolMember::Name, ToolMember::Description, ToolMember::InputSchema];

/// A version's tools: their text as it was given, with the places of each tool's members in it. Clones share both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    text: Arc<str>,
    places: Arc<[ToolPlace]>,
}

/// The places of a tool's members in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ToolPlace {
    name: String,
    members: Vec<MemberPlace>,
}

/// The place of a member in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MemberPlace {
    member: Option<ToolMember>,
    /// Key, colon and value.
    whole: Range<usize>,
    value: Range<usize>,
}

/// One of a version's tools.
#[derive(Clone, Copy, Debug)]
pub struct ToolView<'a> {
    text: &'a str,
    place: &'a ToolPlace,
}

impl ModelParameters {
    /// The parameters of a column of JSON, as releases without text served them: keys sorted, numbers as doubles.
    pub(super) fn of_jsonb(json: &Json) -> Self {
        Self(JsonText::of(&json.to_serde().into()))
    }
}

impl Default for ModelParameters {
    fn default() -> Self {
        Self(JsonText::of(&Json::Object(Object::new())))
    }
}

impl Tools {
    /// Writes the text of these tools. Each is an object with a string as its name.
    #[must_use]
    pub fn of(tools: &[Json]) -> Self {
        let (mut text, mut places) = (String::from("["), Vec::with_capacity(tools.len()));
        for (nth, tool) in tools.iter().enumerate() {
            if nth > 0 {
                text.push(',');
            }
            places.push(ToolPlace::write(tool, &mut text));
        }
        text.push(']');
        Self { text: text.into(), places: places.into() }
    }

    /// Reads the text of a column.
    pub(super) fn read(text: &str) -> Result<Self, ReadError> {
        json_reader::read(text.as_bytes(), &Limits::STORED)
            .map(|json| Self::of(json.as_array().unwrap_or_default()))
    }

    /// The tools of a column of JSON, as releases without text served them: name, description and input schema, its
    /// keys sorted.
    pub(super) fn of_jsonb(json: &Json) -> Self {
        let tool = |tool: &Json| -> Json {
            let member = |member: ToolMember| {
                Some((member.key().to_owned(), tool.get(member.key())?.to_serde().into()))
            };
            Json::Object(SQL_MEMBERS.into_iter().filter_map(member).collect())
        };
        Self::of(&json.as_array().unwrap_or_default().iter().map(tool).collect::<Vec<_>>())
    }

    /// The tools as the column of JSON holds them: what [`Tools::of_jsonb`] reads, and no member that an instance of
    /// the first release doesn't know.
    pub(super) fn for_sql(&self) -> Json {
        let tool = |tool: ToolView<'_>| -> Json {
            let member = |member: ToolMember| Some((member.key().to_owned(), tool.json(member)?));
            Json::Object(SQL_MEMBERS.into_iter().filter_map(member).collect())
        };
        Json::Array(self.iter().map(tool).collect())
    }

    /// The text: a JSON array of objects.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Parses the text.
    #[must_use]
    pub fn to_json(&self) -> Vec<Json> {
        // A text that was written from trees always parses.
        match json_reader::read(self.text.as_bytes(), &Limits::STORED) {
            Ok(Json::Array(tools)) => tools,
            _ => Vec::new(),
        }
    }

    /// How many tools there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The tools, in their order.
    pub fn iter(&self) -> impl Iterator<Item = ToolView<'_>> {
        self.places.iter().map(|place| ToolView { text: &self.text, place })
    }

    /// The tool at this place, from 0.
    #[must_use]
    pub fn get(&self, nth: usize) -> Option<ToolView<'_>> {
        self.places.get(nth).map(|place| ToolView { text: &self.text, place })
    }

    /// The memory that the tools take, in bytes, roughly.
    #[must_use]
    pub fn weight(&self) -> usize {
        let place = |place: &ToolPlace| {
            size_of::<ToolPlace>() + place.name.len() + place.members.len() * size_of::<MemberPlace>()
        };
        self.text.len() + self.places.iter().map(place).sum::<usize>()
    }
}

impl Default for Tools {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl Serialize for Tools {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json_reader::serialize_text(&self.text, serializer)
    }
}

impl ToolPlace {
    fn write(tool: &Json, text: &mut String) -> Self {
        let mut place = Self { name: String::new(), members: Vec::new() };
        let Some(object) = tool.as_object() else {
            // Unreachable for checked tools.
            let _ = write!(text, "{tool}");
            return place;
        };
        text.push('{');
        for (nth, (key, value)) in object.iter().enumerate() {
            if nth > 0 {
                text.push(',');
            }
            let member = ToolMember::of_key(key);
            if member == Some(ToolMember::Name) {
                value.as_str().unwrap_or_default().clone_into(&mut place.name);
            }
            let start = text.len();
            // Writing to a `String` can't fail.
            let _ = write!(text, "{}:", Json::from(key));
            let colon = text.len();
            let _ = write!(text, "{value}");
            place.members.push(MemberPlace { member, whole: start..text.len(), value: colon..text.len() });
        }
        text.push('}');
        place
    }
}

impl<'a> ToolView<'a> {
    /// The tool's name.
    #[must_use]
    pub fn name(self) -> &'a str {
        &self.place.name
    }

    /// The text of a member's value; `None` when it is null or left out.
    #[must_use]
    pub fn get(self, member: ToolMember) -> Option<&'a str> {
        let found = self.place.members.iter().find(|place| place.member == Some(member))?;
        self.text.get(found.value.clone()).filter(|text| *text != "null")
    }

    /// The value of a member; `None` when it is null or left out.
    #[must_use]
    pub fn json(self, member: ToolMember) -> Option<Json> {
        json_reader::read(self.get(member)?.as_bytes(), &Limits::STORED).ok()
    }

    /// The value of a member that is a string.
    #[must_use]
    pub fn string(self, member: ToolMember) -> Option<String> {
        match self.json(member)? {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of an object with the members that have no field of their own; `None` when there are none.
    #[must_use]
    pub fn additional(self) -> Option<String> {
        let unknown = self.place.members.iter().filter(|place| place.member.is_none());
        let unknown: Vec<&str> = unknown.filter_map(|place| self.text.get(place.whole.clone())).collect();
        (!unknown.is_empty()).then(|| format!("{{{}}}", unknown.join(",")))
    }
}

/// SHA-256 over the bytes that are served: prompt, model, parameters, tools, and the extensions if there are any, each
/// after its length as eight bytes, the highest first.
#[must_use]
pub fn bytes_hash(
    system_prompt: &str,
    model_name: &str,
    parameters: &ModelParameters,
    tools: &Tools,
    extensions: &Extensions,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let parts = [system_prompt, model_name, parameters.0.as_str(), tools.as_str()];
    for part in parts.into_iter().chain(extensions.text()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
