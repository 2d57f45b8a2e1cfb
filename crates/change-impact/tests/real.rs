//! Changes of real tools: those of GitHub's MCP server.

#![cfg(test)]

use std::collections::BTreeSet;

use change_impact::{Classification, Content, Finding, Impact, classify};
use json_reader::{Json, Limits, Object, read};

const GITHUB: &str = include_str!("../../../tests/api/content/github-mcp-tools.jsonl");

fn github() -> Vec<Json> {
    let tool = |line: &str| read(line.as_bytes(), &Limits::DEFAULT).unwrap().get("tool").unwrap().clone();
    GITHUB.lines().map(tool).collect()
}

fn classified(old: &[Json], new: &[Json]) -> Classification {
    let parameters = Json::Object(Object::new());
    let content =
        |tools| Content { prompt: "", model: "m", parameters: &parameters, tools, extensions: None };
    classify(Some(&content(old)), Some(&content(new)))
}

/// A tool with a changed input schema.
fn with_schema(tool: &Json, change: impl FnOnce(&mut Object)) -> Json {
    let Json::Object(mut tool) = tool.clone() else { panic!() };
    let Some(Json::Object(schema)) = tool.get_mut("inputSchema") else { panic!() };
    change(schema);
    Json::Object(tool)
}

/// A tool with changed parameters.
fn with_properties(tool: &Json, change: impl FnOnce(&mut Object)) -> Json {
    with_schema(tool, |schema| {
        let Some(Json::Object(properties)) = schema.get_mut("properties") else { panic!() };
        change(properties);
    })
}

fn name(tool: &Json) -> &str {
    tool.get("name").and_then(Json::as_str).unwrap()
}

/// The names of a tool's parameters, and of those that it requires.
fn parameters(tool: &Json) -> (BTreeSet<String>, BTreeSet<String>) {
    let schema = tool.get("inputSchema").unwrap();
    let all = schema.get("properties").and_then(Json::as_object).into_iter().flat_map(Object::keys);
    let required = schema.get("required").and_then(Json::as_array).unwrap_or_default();
    (all.map(str::to_owned).collect(), required.iter().filter_map(Json::as_str).map(str::to_owned).collect())
}

#[track_caller]
fn single(found: &Classification) -> &Finding {
    let [finding] = found.findings.as_slice() else { panic!("{:#?}", found.findings) };
    finding
}

#[test]
fn the_tools_are_the_same_as_themselves() {
    let tools = github();
    assert!(tools.len() >= 50);
    assert_eq!(classified(&tools, &tools), Classification::default());
}

#[test]
fn a_parameter_that_is_dropped_is_widened_or_narrowed_by_what_is_said_of_others() {
    for tool in &github() {
        for parameter in parameters(tool).0 {
            let dropped = with_properties(tool, |properties| {
                properties.remove(&parameter);
            });
            let found = classified(std::slice::from_ref(tool), std::slice::from_ref(&dropped));
            let finding = single(&found);
            let is_any = tool
                .get("inputSchema")
                .and_then(|schema| schema.get("properties")?.get(&parameter)?.get("type"));
            let expected = if is_any.is_some() { Impact::Widened } else { finding.impact };
            assert_eq!(finding.impact, expected, "{finding:?}");
            assert_eq!(finding.path, ["tools", name(tool), "inputSchema", "properties", &parameter]);

            let close = |tool: &Json| {
                with_schema(tool, |schema| {
                    schema.insert("additionalProperties".to_owned(), Json::from(false));
                })
            };
            let found = classified(&[close(tool)], &[close(&dropped)]);
            assert_eq!(single(&found).impact, Impact::Narrowed, "{parameter}");

            // The other way round, the parameter is new.
            let found = classified(std::slice::from_ref(&dropped), std::slice::from_ref(tool));
            let is_required = parameters(tool).1.contains(&parameter);
            let expected = if is_required { Impact::Narrowed } else { Impact::Widened };
            assert_eq!(found.impact, expected, "{parameter} {found:#?}");
        }
    }
}

#[test]
fn a_requirement_that_is_dropped_is_widened_and_one_that_is_added_is_narrowed() {
    for tool in &github() {
        for parameter in parameters(tool).1 {
            let dropped = with_schema(tool, |schema| {
                let Some(Json::Array(names)) = schema.get_mut("required") else { panic!() };
                names.retain(|name| name.as_str() != Some(&parameter));
            });
            let tool = std::slice::from_ref(tool);
            let found = classified(tool, std::slice::from_ref(&dropped));
            assert_eq!(single(&found).impact, Impact::Widened);
            let found = classified(std::slice::from_ref(&dropped), tool);
            let finding = single(&found);
            assert_eq!(finding.impact, Impact::Narrowed);
            assert_eq!(finding.message, format!("`{}` now requires `{parameter}`", name(&tool[0])));
        }
    }
}

#[test]
fn a_tool_that_is_dropped_or_renamed_is_removed() {
    let tools = github();
    let found = classified(&tools, &tools[1..]);
    assert_eq!(
        (single(&found).impact, single(&found).tool_name.as_deref()),
        (Impact::Removed, Some(name(&tools[0])))
    );
    assert_eq!(single(&classified(&tools[1..], &tools)).impact, Impact::Capability);
    let mut renamed = tools.clone();
    let Json::Object(tool) = &mut renamed[0] else { panic!() };
    tool.insert("name".to_owned(), Json::from("renamed"));
    let found = classified(&tools, &renamed);
    let messages: Vec<&str> = found.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["the tool `actions_get` is now called `renamed`", "the tool `renamed` is new"]);
    assert_eq!(found.impact, Impact::Removed);
}

#[test]
fn a_change_in_each_definition_of_a_large_schema_is_found_within_the_bounds() {
    let tools = github();
    let schema = |text: &str| {
        let mut definitions = Object::new();
        let mut properties = Object::new();
        // Four copies of each schema: 250 KiB.
        for (at, tool) in tools.iter().cycle().take(4 * tools.len()).enumerate() {
            let definition = with_schema(tool, |schema| {
                schema.insert("description".to_owned(), Json::from(text));
            });
            let key = format!("{}-{at}", name(tool));
            let reference = Json::Object(
                [("$ref".to_owned(), Json::from(format!("#/$defs/{key}")))].into_iter().collect(),
            );
            definitions.insert(key.clone(), definition.get("inputSchema").unwrap().clone());
            properties.insert(key, reference);
        }
        let members = [("properties", properties), ("$defs", definitions)];
        let members = members.map(|(key, object)| (key.to_owned(), Json::Object(object)));
        Json::Object(
            [
                ("name".to_owned(), Json::from("t")),
                ("inputSchema".to_owned(), Json::Object(members.into_iter().collect())),
            ]
            .into_iter()
            .collect(),
        )
    };
    let found = classified(&[schema("a")], &[schema("b")]);
    assert_eq!((found.impact, found.findings.len()), (Impact::Capability, 4 * tools.len()));
}
