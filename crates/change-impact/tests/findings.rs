//! The order of findings, and their words.

#![cfg(test)]

use change_impact::{Content, classify};
use json_reader::{Json, Limits, read};

fn json(text: &str) -> Json {
    read(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

#[test]
fn findings_are_in_the_order_of_the_content_and_say_what_differs() {
    let parameters = [r#"{"top_p":1,"temperature":1}"#, r#"{"temperature":0,"seed":7}"#].map(json);
    let tools = [
        r#"[{"name":"gone"},{"name":"b","description":"x"},{"name":"find","annotations":{"readOnlyHint":true},
            "outputSchema":{"properties":{"n":{"type":"number"}}},"inputSchema":{"type":"object","properties":{
            "city":{"type":["string","null"]},"limit":{"type":"integer","minimum":1,"maximum":50},
            "kind":{"enum":["a","b"]},"at":{"items":{"properties":{"x":{"type":"string"}}}}},"required":["city"]}}]"#,
        r#"[{"name":"find","annotations":{"readOnlyHint":false},"strict":true,"x":1,
            "outputSchema":{"properties":{"n":{"type":"integer"}}},"inputSchema":{"type":"object","properties":{
            "city":{"type":"string"},"limit":{"type":"integer","minimum":1,"maximum":20},
            "kind":{"enum":["a","c"]},"at":{"items":{"properties":{"x":{"type":"string"},"y":{"type":"string"}},
            "required":["x"]}}},"required":[]}},{"name":"new"},{"name":"b","description":"y"}]"#,
    ]
    .map(json);
    let extensions = [r#"{"org.a":1,"org.c":1}"#, r#"{"org.b":1,"org.c":2}"#].map(json);
    let content = |at: usize, prompt, model| Content {
        prompt,
        model,
        parameters: &parameters[at],
        tools: tools[at].as_array().unwrap(),
        extensions: Some(&extensions[at]),
    };
    let old = content(0, "{{a}} {{b}}", "gpt-4o");
    let new = content(1, "{{b}} {{c}}", "gpt-4o-2024-08-06");
    let found = classify(Some(&old), Some(&new));
    let lines: Vec<String> = found
        .findings
        .iter()
        .map(|finding| format!("{:?} {}: {}", finding.impact, finding.path.join("/"), finding.message))
        .collect();
    let expected = [
        "Content systemPrompt: the system prompt differs",
        "Removed variables/a: the prompt no longer has the variable `a`",
        "Narrowed variables/c: the prompt now needs the variable `c`",
        "Model modelName: the model is `gpt-4o-2024-08-06` instead of `gpt-4o`; only the date differs",
        "Tuning modelParameters/seed: `seed` is a parameter that the older version doesn't have",
        "Tuning modelParameters/temperature: the parameter `temperature` differs",
        "Tuning modelParameters/top_p: the parameter `top_p` is gone",
        "Removed tools/gone: the tool `gone` is gone",
        "Content tools: the tools are in another order",
        "Widened tools/find/inputSchema/properties/at/items/properties/y: `find` now has `at[].y`",
        "Narrowed tools/find/inputSchema/properties/at/items/required/x: `find` now requires `at[].x`",
        "Narrowed tools/find/inputSchema/properties/city/type: `find`: `city` can no longer be null",
        r#"Narrowed tools/find/inputSchema/properties/kind/enum: `find`: `kind` can no longer be "b""#,
        r#"Widened tools/find/inputSchema/properties/kind/enum: `find`: `kind` may now be "c""#,
        "Narrowed tools/find/inputSchema/properties/limit/maximum: `find`: `limit`: `maximum` is 20 instead of 50",
        "Widened tools/find/inputSchema/required/city: `find` no longer requires `city`",
        "Widened tools/find/outputSchema/properties/n/type: the result of `find`: `n` can no longer be a number with a fraction",
        "Capability tools/find/strict: `find`: the model now has to follow the input schema exactly",
        "Capability tools/find/annotations/readOnlyHint: `find`: the annotation `readOnlyHint` is now false",
        "Unknown tools/find/x: `find`: `x` differs; its effect isn't known here",
        "Capability tools/new: the tool `new` is new",
        "Capability tools/b/description: `b`: `description` differs",
        "Removed extensions/org.a: the extension `org.a` is gone",
        "Capability extensions/org.b: the extension `org.b` is new",
        "Unknown extensions/org.c: the extension `org.c` differs; its effect isn't known here",
    ];
    for (at, (line, expected)) in lines.iter().zip(expected).enumerate() {
        assert_eq!(line, expected, "{at}");
    }
    assert_eq!(lines.len(), expected.len());
    assert!(
        found
            .findings
            .iter()
            .all(|finding| finding.tool_name.is_some()
                == (finding.path.len() > 1 && finding.path[0] == "tools"))
    );
}

#[test]
fn a_finding_has_the_values_at_its_path() {
    let tool = |maximum: &str| [json(&format!(r#"{{"name":"t","inputSchema":{{"maximum":{maximum}}}}}"#))];
    let (old, new, parameters) = (tool("5.0"), tool("4"), json("{}"));
    let content =
        |tools| Content { prompt: "", model: "m", parameters: &parameters, tools, extensions: None };
    let found = classify(Some(&content(&old)), Some(&content(&new)));
    assert_eq!((&found.findings[0].before, &found.findings[0].after), (&Some(json("5.0")), &Some(json("4"))));
}

#[test]
fn names_and_values_are_shortened_in_messages() {
    let long = "n".repeat(10_000);
    let tool = |value: &str| {
        [json(&format!(
            r#"{{"name":"t","inputSchema":{{"properties":{{"{long}":{{"properties":{{"{long}":{{"pattern":"{value}"}}}}}}}}}}}}"#
        ))]
    };
    let (old, new, parameters) = (tool(&long), tool(&"é".repeat(10_000)), json("{}"));
    let content =
        |tools| Content { prompt: "", model: &long, parameters: &parameters, tools, extensions: None };
    let found = classify(Some(&content(&old)), Some(&Content { model: "m", ..content(&new) }));
    let lengths: Vec<usize> = found.findings.iter().map(|finding| finding.message.chars().count()).collect();
    assert!(lengths.len() == 2 && lengths.iter().all(|length| *length < 400), "{lengths:?}");
}
