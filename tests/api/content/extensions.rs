//! Extensions are served as they were given by every interface, are part of both hashes, and leave a version without
//! them as it was.

use agent_registry::domain::{
    Caller,
    transfer::{ImportAgents, ImportOptions},
};
use json_reader::{Json, Object};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};

use super::{City, HASHES, any, bytes_hash, compact};
use crate::support::Answer;

const PUBLISH: &str = "mutation ($i: PublishVersionInput!) { publishVersion(input: $i) {
    isNew version { number extensions contentHash bytesHash contentBytes } userErrors { code field path message } } }";

/// Hostile, and right: keys in no order, numbers in several spellings, integers of any size, nulls.
const GIVEN: &str = r#"{"https://example.org/mcp?v=1#a":{"z":1.0,"a":1e0,"b":-0,"n":null,"servers":[{"url":"https://a.example/","headers":{"x":"é\u2028\"\\"}}]},"org.example.skills":[],"io.modelcontextprotocol/related":1000000000000000000001,"urn:b":"","a.b":null,"a.a":false}"#;

impl City {
    /// Publishes over REST, with this text of extensions or without the field.
    async fn publish_extended(&self, extensions: Option<&str>, further: &str) -> Answer {
        let extensions = extensions.map(|text| format!(r#","extensions":{text}"#)).unwrap_or_default();
        let body = format!(r#"{{"system_prompt":"p","model_name":"m"{extensions}{further}}}"#);
        let request = self.editor.request(Method::POST, &self.versions());
        Answer::of(request.header("content-type", "application/json").body(body)).await
    }

    /// Publishes over GraphQL, with this text of extensions.
    async fn publish_extended_gql(&self, extensions: &str, further: &str) -> Value {
        let input = format!(
            r#"{{"i":{{"agentId":"{}","systemPrompt":"p","modelName":"m","extensions":{extensions}{further}}}}}"#,
            self.agent
        );
        let answer: Value = serde_json::from_str(&self.gql_text(PUBLISH, &input).await).unwrap();
        answer["data"]["publishVersion"].clone()
    }

    async fn import(&self, file: &str) -> Result<(), String> {
        let input = ImportAgents::new(self.customer.parse().unwrap(), "m", ImportOptions::default());
        let (caller, mut file) = (Caller::system("test"), file.as_bytes());
        let import = self.app.registry.import(&caller, input, &mut file).await.unwrap();
        import.run(&mut |_, _| {}).await.map(drop).map_err(|err| err.to_string())
    }

    /// How many versions there are, and how many of them have extensions.
    async fn stored(&self) -> (i64, i64) {
        let mut admin = PgConnection::connect(&self.app.database.admin_url).await.unwrap();
        sqlx::query_as("SELECT count(*), count(extensions_text) FROM registry.agent_versions")
            .fetch_one(&mut admin)
            .await
            .unwrap()
    }

    async fn assert_doors_have(&self, text: &str) {
        for (door, served) in self.doors().await {
            assert!(
                served.contains(&format!(r#""extensions":{text}"#)),
                "{door}: {text} isn't in {served:.2000}"
            );
        }
    }
}

/// The hash that `bytesHash` is described as, of a content with extensions.
fn extended_hash(extensions: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["p", "m", "{}", "[]", extensions] {
        hash.update(u64::try_from(part.len()).unwrap().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// The versions of a file's last line, which has an id of its own.
fn versions(file: &str) -> String {
    file.lines().last().unwrap().split_once("\"versions\"").unwrap().1.to_owned()
}

#[tokio::test]
async fn every_door_takes_and_serves_the_given_text_and_both_hashes_cover_it() {
    let city = City::new().await;
    let text = compact(GIVEN);
    let published = city.publish_extended(Some(GIVEN), r#","activate":true"#).await;
    assert_eq!(published.status, 201, "{}", published.body);
    city.assert_doors_have(&text).await;
    let hashes = city.editor.gql(HASHES, json!({ "id": city.agent })).await;
    let hashes = hashes.at("/agent/activeVersion");
    assert_eq!(hashes["bytesHash"], extended_hash(&text));
    assert_eq!(hashes["contentBytes"], "p{}[]".len() + text.len());
    let canonical = serde_json_canonicalizer::to_vec(&json!({ "model_name": "m", "model_parameters": {},
        "system_prompt": "p", "tools": [], "extensions": serde_json::from_str::<Value>(r#"{"org.example":{"a":[1,null]}}"#).unwrap() }));
    let small = city.publish_extended_gql(r#"{"org.example":{"a":[1.0,null]}}"#, "").await;
    assert_eq!(small["version"]["contentHash"], hex::encode(Sha256::digest(canonical.unwrap())));

    // What REST took, GraphQL takes as the same bytes; so does an import of an export, which is the same file again.
    let again = city.publish_extended_gql(GIVEN, r#","activate":true"#).await;
    assert_eq!(again["version"]["bytesHash"], published.body["bytes_hash"]);
    city.assert_doors_have(&text).await;
    let file = city.export().await;
    let other = City::new().await;
    other.import(&file.replace(r#""agent":"Helper""#, r#""agent":"Other""#)).await.unwrap();
    let back = other.export().await;
    assert_eq!(versions(&back), versions(&file), "byte for byte");
    assert!(back.contains(&format!(r#"{{"extensions":{text},"message""#)), "{back}");
    // Once more, nothing is new.
    let revision = other.revision().await;
    other.import(&back).await.unwrap();
    assert_eq!(other.revision().await, revision);
    // A history that differs in its extensions alone is another one.
    let refused = other.import(&back.replace(r#""a.a":false"#, r#""a.a":true"#)).await.unwrap_err();
    assert!(refused.contains("tools or extensions"), "{refused}");
    assert_eq!(other.revision().await, revision);
}

#[tokio::test]
async fn null_and_an_empty_object_are_the_same_as_left_out() {
    let city = City::new().await;
    let first = city.publish_extended(None, r#","activate":true"#).await;
    assert_eq!(first.body["bytes_hash"], bytes_hash("p", "m", "{}", "[]"), "as it was before there were any");
    assert_eq!(first.body["extensions"], json!({}));
    let revision = city.revision().await;
    for none in ["null", "{}", " { } "] {
        let rest = city.publish_extended(Some(none), r#","if_changed":true"#).await;
        assert_eq!(
            (rest.status.as_u16(), &rest.body["is_new"]),
            (200, &json!(false)),
            "{none}: {}",
            rest.body
        );
        let gql = city.publish_extended_gql(none, r#","ifChanged":true"#).await;
        assert_eq!((&gql["isNew"], &gql["version"]["extensions"]), (&json!(false), &json!({})), "{none}");
        let line = format!(
            r#"{{"agent":"Helper","versions":[{{"system_prompt":"p","model_name":"m","extensions":{none}}}]}}"#
        );
        city.import(&line).await.unwrap();
    }
    assert_eq!(city.revision().await, revision, "nothing is stored");
    assert_eq!(city.stored().await, (1, 0));
    assert!(!city.export().await.contains("extensions"), "an export is what it was");
    for (door, text) in city.doors().await.iter().filter(|(door, _)| *door != "an export") {
        assert!(text.contains(r#""extensions":{}"#), "{door}: {text}");
    }
    // With extensions it is another version, and without them again.
    let extended = city.publish_extended_gql(r#"{"org.example":null}"#, r#","ifChanged":true"#).await;
    assert_eq!((&extended["isNew"], &extended["version"]["number"]), (&json!(true), &json!(2)));
    assert_ne!(extended["version"]["contentHash"], first.body["content_hash"]);
    let back = city.publish_extended(None, r#","if_changed":true"#).await;
    assert_eq!((&back.body["number"], &back.body["content_hash"]), (&json!(3), &first.body["content_hash"]));
    assert_eq!(city.stored().await, (3, 1));
}

#[tokio::test]
async fn what_is_too_large_or_has_no_owner_is_refused_by_its_path_and_leaves_nothing() {
    let city = City::new().await;
    let of_size = |bytes: usize| format!(r#"{{"a.b":"{}"}}"#, "x".repeat(bytes - r#"{"a.b":""}"#.len()));
    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|nth| format!(r#""org.example/n{nth}":0"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    let deep = |depth: usize| format!(r#"{{"a.b":{}0{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    for accepted in [of_size(256 * 1024), members(128), deep(32)] {
        assert_eq!(city.publish_extended(Some(&accepted), "").await.status, 201);
    }
    let (revision, stored) = (city.revision().await, city.stored().await);
    for (refused, code, path) in [
        (of_size(256 * 1024 + 1), "TOO_LARGE", json!(["extensions"])),
        (members(129), "TOO_LARGE", json!(["extensions"])),
        (deep(33), "INVALID", json!(["extensions", "a.b"])),
        (r#"{"a.b":"\u0000"}"#.to_owned(), "INVALID", json!(["extensions", "a.b"])),
        (r#"{"skills":1}"#.to_owned(), "INVALID", json!(["extensions", "skills"])),
        (r#"{"Org.Example.Skills":1}"#.to_owned(), "INVALID", json!(["extensions", "Org.Example.Skills"])),
        (r#"{"__proto__":{}}"#.to_owned(), "INVALID", json!(["extensions", "__proto__"])),
        (
            r#"{"HTTPS://example.org/a.b":1}"#.to_owned(),
            "INVALID",
            json!(["extensions", "HTTPS://example.org/a.b"]),
        ),
        (r#"{"":1}"#.to_owned(), "INVALID", json!(["extensions"])),
        ("[]".to_owned(), "INVALID", json!(["extensions"])),
        (r#""a.b""#.to_owned(), "INVALID", json!(["extensions"])),
    ] {
        let steps: Vec<&str> = path.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let field = steps.join(".");
        let gql = city.publish_extended_gql(&refused, "").await;
        let error = &gql["userErrors"][0];
        assert_eq!((&error["code"], &error["path"]), (&json!(code), &path), "{refused:.100}: {gql}");
        assert_eq!(error["field"], field);
        let rest = city.publish_extended(Some(&refused), "").await;
        assert_eq!((rest.status.as_u16(), &rest.body["code"]), (422, &json!(code)), "{}", rest.body);
        assert_eq!(rest.body["field"], field, "the key keeps its letters");
        let line = format!(r#"{{"agent":"A","versions":[{{"system_prompt":"","extensions":{refused}}}]}}"#);
        let err = city.import(&line).await.unwrap_err();
        assert!(err.contains("version 1: extensions"), "{err}");
        let check = "query ($c: VersionContentInput!) { versionWarnings(content: $c) { rule } }";
        let content = format!(r#"{{"c":{{"systemPrompt":"","modelName":"m","extensions":{refused}}}}}"#);
        assert!(city.gql_text(check, &content).await.contains("BAD_USER_INPUT"));
    }
    // A key twice, and keys that a reader of JSON reserves, are refused as everywhere.
    for malformed in [r#"{"a.b":1,"a.b":2}"#, r#"{"$serde_json::private::RawValue":"1"}"#] {
        let refused = city.publish_extended(Some(malformed), "").await;
        assert!([400, 422].contains(&refused.status.as_u16()), "{}", refused.body);
    }
    assert_eq!((city.revision().await, city.stored().await), (revision, stored), "nothing is stored");
}

#[tokio::test]
async fn a_difference_in_extensions_is_a_finding_and_a_change_by_path() {
    let city = City::new().await;
    for extensions in [
        None,
        Some(r#"{"org.example":{"a":{"b":1},"c":2}}"#),
        Some(r#"{"org.example":{"a":{"b":3},"c":2.0}}"#),
    ] {
        assert_eq!(city.publish_extended(extensions, "").await.status, 201);
    }
    let query = "query ($id: ID!, $from: Int!, $to: Int!) { agent(id: $id) { diff(from: $from, to: $to) {
        isSame impact findings { impact path message } changes { path kind before after } } } }";
    let diff = async |from: i32, to: i32| {
        let variables = json!({ "id": city.agent, "from": from, "to": to });
        city.editor.gql(query, variables).await.at("/agent/diff").clone()
    };
    let added = diff(1, 2).await;
    assert_eq!((&added["isSame"], &added["impact"]), (&json!(false), &json!("CAPABILITY")));
    assert_eq!(added["findings"][0]["path"], json!(["extensions", "org.example"]));
    assert_eq!(added["changes"][0]["kind"], "ADDED");
    let changed = diff(2, 3).await;
    assert_eq!(changed["impact"], "UNKNOWN");
    let change = json!({ "path": ["extensions", "org.example", "a", "b"], "kind": "CHANGED", "before": 1, "after": 3 });
    assert_eq!(changed["changes"], json!([change]));
    let gone = diff(3, 1).await;
    assert_eq!(gone["impact"], "REMOVED");
    assert_eq!(gone["findings"][0]["message"], "the extension `org.example` is gone");
}

/// An instance of an older release doesn't know the column: its erasure is completed, and its versions have none.
#[tokio::test]
async fn an_older_instance_erases_extensions_that_it_does_not_know() {
    let city = City::new().await;
    city.publish_extended(Some(r#"{"org.example":"secret"}"#), "").await;
    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    let mut erase = async |condition: &str| {
        let erasure = format!(
            "SET session_replication_role = replica; UPDATE registry.customers SET billing_status = 'CANCELED', {condition};
             SET session_replication_role = origin;
             UPDATE registry.agent_versions SET system_prompt = '', model_name = 'erased', model_parameters = '{{}}', tools = '[]',
                 model_parameters_text = NULL, tools_text = NULL, message = NULL"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(erasure)).execute(&mut admin).await.map(drop)
    };
    assert!(erase("erased_at = NULL").await.is_err(), "only of an erased customer");
    assert_eq!(city.stored().await, (1, 1));
    erase("erased_at = now()").await.unwrap();
    assert_eq!(city.stored().await, (1, 0));
}

#[tokio::test]
async fn any_json_in_extensions_is_served_as_its_text_and_goes_through_a_file() {
    let city = City::new().await;
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let key =
        proptest::prop_oneof!["urn:[a-zA-Z0-9:%2F]{0,3}[a-z]", "[a-z]{1,3}(\\.[a-z0-9]{1,4}){1,3}(/[A-Z])?"];
    let key = key.prop_filter("whole escapes", |key| !key.contains('%'));
    let members = proptest::collection::hash_map(key, any::any_json(false), 1..5);
    let extensions = members.prop_map(|members| members.into_iter().collect::<Object>());
    for _ in 0..12 {
        let text = Json::Object(extensions.new_tree(&mut runner).unwrap().current()).to_text();
        let rest = city.publish_extended(Some(&text), "").await;
        assert_eq!(
            (rest.status.as_u16(), &rest.body["bytes_hash"]),
            (201, &json!(extended_hash(&text))),
            "{text}"
        );
        let gql = city.publish_extended_gql(&text, r#","activate":true"#).await;
        assert_eq!(gql["version"]["bytesHash"], rest.body["bytes_hash"], "{text}");
        assert_eq!(gql["version"]["contentHash"], rest.body["content_hash"], "{text}");
        city.assert_doors_have(&text).await;
    }
    let file = city.export().await;
    let other = City::new().await;
    other.import(&file).await.unwrap();
    assert_eq!(versions(&other.export().await), versions(&file), "byte for byte");
}
