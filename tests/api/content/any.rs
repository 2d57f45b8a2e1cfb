//! Any JSON object that is accepted is served in the order and with the numbers of its text.

use json_reader::{Json, Number, Object};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use super::City;

/// How many contents are published.
const CASES: usize = 12;

/// A number as any program may write it.
fn number(is_integer_small: bool) -> impl Strategy<Value = Json> {
    let token = prop_oneof![
        "-?(0|[1-9][0-9]{0,14})",
        "-?(0|[1-9][0-9]{0,12})\\.[0-9]{1,12}",
        "-?[1-9][eE][+-]?[0-9]{1,2}",
        "-?[1-9]\\.[0-9]{0,3}0e-?[0-9]{1,3}",
        if is_integer_small { "[1-9][0-9]{14}" } else { "[1-9][0-9]{15,60}" },
    ];
    token.prop_filter_map("finite", |token| Number::from_token(&token).map(Json::Number))
}

fn key() -> impl Strategy<Value = String> {
    // A key of the reserved prefix is rejected, and U+0000 can't be stored.
    "[\\PC\\n\\\\\"äé\u{2028}🙂]{0,8}".prop_filter("storable", |key| !key.starts_with('$'))
}

/// Any JSON that may be stored, in any order of keys.
pub(super) fn any_json(is_integer_small: bool) -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        number(is_integer_small),
        key().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            object_of(inner).prop_map(Json::Object),
        ]
    })
}

fn object_of(value: impl Strategy<Value = Json>) -> impl Strategy<Value = Object> {
    prop::collection::hash_map(key(), value, 0..5).prop_map(|members| members.into_iter().collect())
}

/// A tool with any schema's annotations, and members that nobody knows, in any order.
fn tool() -> impl Strategy<Value = Json> {
    let schema = || {
        any_json(false).prop_map(|value| {
            let members = [("default", value), ("type", "object".into())];
            Json::Object(members.map(|(key, value)| (key.to_owned(), value)).into_iter().collect())
        })
    };
    let name = "[a-z]{12}".prop_map(Json::from);
    // GraphQL takes null for a field that is left out.
    let some = || any_json(false).prop_filter("not null", |value| *value != Json::Null);
    let members = (name, schema(), schema(), some(), some(), object_of(any_json(false)));
    members.prop_flat_map(|(name, input, output, annotations, meta, unknown)| {
        let known = [
            ("name", name),
            ("inputSchema", input),
            ("outputSchema", output),
            ("annotations", annotations),
            ("_meta", meta),
        ];
        let known = known.map(|(key, value)| (key.to_owned(), value)).into_iter();
        let all: Vec<_> =
            known.chain(unknown.into_iter().map(|(key, value)| (format!("x{key}"), value))).collect();
        Just(all).prop_shuffle().prop_map(|members| Json::Object(members.into_iter().collect()))
    })
}

#[tokio::test]
async fn any_accepted_json_is_served_in_the_order_and_with_the_numbers_of_its_text() {
    let city = City::new().await;
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let content = (object_of(any_json(true)), prop::collection::vec(tool(), 0..3));
    for _ in 0..CASES {
        let (parameters, mut tools) = content.new_tree(&mut runner).unwrap().current();
        tools.dedup_by_key(|tool| tool.get("name").cloned());
        let (parameters, list) = (parameters.to_string(), Json::Array(tools.clone()).to_text());
        let published = city.publish_text(&parameters, &list).await;
        assert_eq!(published.status, 201, "{parameters} {list}: {}", published.body);
        city.assert_served(&parameters, &tools).await;

        // The same over GraphQL is served in the same order over REST.
        let publish = "mutation ($i: PublishVersionInput!) { publishVersion(input: $i) { userErrors { message } version { id } } }";
        let inputs: Vec<String> = tools.iter().map(as_input).collect();
        let variables = format!(
            r#"{{"i":{{"agentId":"{}","systemPrompt":"p","modelName":"m","activate":true,"modelParameters":{parameters},"tools":[{}]}}}}"#,
            city.agent,
            inputs.join(",")
        );
        let answer = city.gql_text(publish, &variables).await;
        assert!(answer.contains(r#""userErrors":[]"#), "{answer}");
        let text = city.app.gateway().await.request(reqwest::Method::GET, &city.active());
        let text = text.send().await.unwrap().text().await.unwrap();
        assert!(
            text.contains(&format!(r#""model_parameters":{parameters}"#)),
            "{parameters} isn't in {text}"
        );
        for value in tools.iter().filter_map(Json::as_object).flat_map(Object::values) {
            assert!(text.contains(&format!(":{value}")), "{value} isn't in {text}");
        }
        let hash = "query ($id: ID!) { agent(id: $id) { versions(first: 2) { nodes { contentHash } } } }";
        let read = city.editor.gql(hash, serde_json::json!({ "id": city.agent })).await;
        assert_eq!(read.at("/agent/versions/nodes/0"), read.at("/agent/versions/nodes/1"), "{list}");
    }
}

/// A tool as GraphQL takes it: what has no field is in `additional`.
fn as_input(tool: &Json) -> String {
    let fields = ["name", "inputSchema", "outputSchema", "annotations", "_meta"];
    let (known, unknown): (Vec<_>, Vec<_>) =
        tool.as_object().unwrap().iter().partition(|(key, _)| fields.contains(key));
    let object = |members: Vec<(&str, &Json)>| -> Object {
        members.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
    };
    let mut input = object(known);
    input.insert("additional".to_owned(), Json::Object(object(unknown)));
    input.to_string()
}
