//! Tools in the GraphQL schema: what a version may call, as it was given.

use async_graphql::{InputObject, Object};
use json_reader::Object as JsonObject;

use super::scalar::Json;
use crate::{
    domain::{
        Error, InputErrors, Result,
        version::{ToolMember, ToolView, Tools},
    },
    graphql::engine::context::RequestView,
};

/// A tool that the model may call.
pub struct Tool {
    tools: Tools,
    nth: usize,
    view: RequestView,
}

/// Makes the objects of a version's tools.
pub(in crate::graphql) fn tools(of: &Tools, view: &RequestView) -> async_graphql::Result<Vec<Tool>> {
    view.weigh(of.len() * size_of::<Tool>())?;
    Ok((0..of.len()).map(|nth| Tool { tools: of.clone(), nth, view: view.clone() }).collect())
}

impl Tool {
    fn get(&self) -> Option<ToolView<'_>> {
        self.tools.get(self.nth)
    }

    fn json(&self, member: ToolMember) -> async_graphql::Result<Option<Json>> {
        self.exact(self.get().and_then(|tool| tool.get(member)).map(str::to_owned))
    }

    fn exact(&self, text: Option<String>) -> async_graphql::Result<Option<Json>> {
        self.view.weigh(text.as_ref().map_or(0, String::len))?;
        Ok(text.map(Json))
    }

    fn string(&self, member: ToolMember) -> async_graphql::Result<Option<String>> {
        let text = self.get().and_then(|tool| tool.string(member));
        self.view.weigh_text(text.as_deref().unwrap_or_default())?;
        Ok(text)
    }
}

/// A tool that the model may call. Its JSON has the order of keys and the numbers that were published.
#[Object]
impl Tool {
    /// The tool's name: 1 to 200 characters, unique within the version.
    async fn name(&self) -> async_graphql::Result<&str> {
        let name = self.get().map_or("", ToolView::name);
        self.view.weigh_text(name)?;
        Ok(name)
    }

    /// The tool's name for people; null if left out.
    async fn title(&self) -> async_graphql::Result<Option<String>> {
        self.string(ToolMember::Title)
    }

    /// The description of the tool for the model; null if left out.
    async fn description(&self) -> async_graphql::Result<Option<String>> {
        self.string(ToolMember::Description)
    }

    /// The JSON Schema of the tool's input; null if none was given.
    async fn input_schema(&self) -> async_graphql::Result<Option<Json>> {
        self.json(ToolMember::InputSchema)
    }

    /// The JSON Schema of the tool's structured result; null if none was given.
    async fn output_schema(&self) -> async_graphql::Result<Option<Json>> {
        self.json(ToolMember::OutputSchema)
    }

    /// The hints of an MCP server about the tool's behaviour, such as `readOnlyHint`; null if none were given.
    async fn annotations(&self) -> async_graphql::Result<Option<Json>> {
        self.json(ToolMember::Annotations)
    }

    /// The tool's icons, as MCP lists them; null if none were given.
    async fn icons(&self) -> async_graphql::Result<Option<Json>> {
        self.json(ToolMember::Icons)
    }

    /// How the tool may be executed, as MCP says it; null if left out.
    async fn execution(&self) -> async_graphql::Result<Option<Json>> {
        self.json(ToolMember::Execution)
    }

    /// True if the model must follow the input schema exactly; null if left out.
    async fn strict(&self) -> Option<bool> {
        self.get()?.get(ToolMember::Strict).map(|text| text == "true")
    }

    /// The metadata that an MCP server attached; null if none was given.
    #[graphql(name = "_meta")]
    async fn meta(&self) -> async_graphql::Result<Option<Json>> {
        self.json(ToolMember::Meta)
    }

    /// An object of the members that the schema has no field for, as they were given; null if there are none.
    async fn additional(&self) -> async_graphql::Result<Option<Json>> {
        self.exact(self.get().and_then(ToolView::additional))
    }
}

/// A tool that the model may call, as an MCP server lists it. Nothing of it is changed.
#[derive(Clone, Debug, InputObject)]
pub struct ToolInput {
    /// The tool's name: 1 to 200 characters, unique within the version.
    name: String,
    /// The tool's name for people.
    title: Option<String>,
    /// The description of the tool for the model.
    description: Option<String>,
    /// A JSON Schema of the tool's input, checked against its metaschema. At most 32 levels deep. References aren't
    /// fetched.
    input_schema: Option<Json>,
    /// A JSON Schema of the tool's structured result, checked as `inputSchema` is.
    output_schema: Option<Json>,
    /// Hints about the tool's behaviour, such as `readOnlyHint`.
    annotations: Option<Json>,
    /// The tool's icons.
    icons: Option<Json>,
    /// How the tool may be executed.
    execution: Option<Json>,
    /// Whether the model must follow the input schema exactly.
    strict: Option<bool>,
    /// Metadata of the server.
    #[graphql(name = "_meta")]
    meta: Option<Json>,
    /// An object of further members. Fails with INVALID if it has a member that is a field of this input.
    additional: Option<Json>,
}

impl ToolInput {
    /// The tool as JSON, for the tool at this place, from 0.
    pub(in crate::graphql) fn into_json(self, nth: usize, errors: &mut InputErrors) -> json_reader::Json {
        let Self {
            name,
            title,
            description,
            input_schema,
            output_schema,
            annotations,
            icons,
            execution,
            strict,
            meta,
            additional,
        } = self;
        let mut read = |json: Option<Json>| json.and_then(|json| errors.take(json.read()));
        let members = [
            (ToolMember::Name, Some(name.into())),
            (ToolMember::Title, title.map(Into::into)),
            (ToolMember::Description, description.map(Into::into)),
            (ToolMember::InputSchema, read(input_schema)),
            (ToolMember::OutputSchema, read(output_schema)),
            (ToolMember::Annotations, read(annotations)),
            (ToolMember::Icons, read(icons)),
            (ToolMember::Execution, read(execution)),
            (ToolMember::Strict, strict.map(Into::into)),
            (ToolMember::Meta, read(meta)),
        ];
        let members =
            members.into_iter().filter_map(|(member, value)| Some((member.key().to_owned(), value?)));
        let mut tool: JsonObject = members.collect();
        let further = read(additional);
        tool.extend(errors.take(further_members(nth, further)).unwrap_or_default());
        tool.into()
    }
}

/// The members of a tool from `additional`, where none may be that has a field of its own.
fn further_members(nth: usize, additional: Option<json_reader::Json>) -> Result<JsonObject> {
    let field = format!("tools.{nth}.additional");
    let further = match additional {
        None => JsonObject::new(),
        Some(json_reader::Json::Object(further)) => further,
        Some(other) => {
            let message = format!("{field} must be a JSON object, found {}", other.kind());
            return Err(Error::invalid(field, message));
        }
    };
    if let Some(key) = further.keys().find(|key| ToolMember::of_key(key).is_some()) {
        let message = format!("{field} has {key:?}, which has a field of its own; use that field");
        return Err(Error::invalid(field, message));
    }
    Ok(further)
}
