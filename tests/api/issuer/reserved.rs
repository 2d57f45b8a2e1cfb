//! Keys with a special meaning in serde_json, in tokens and key sets: they're rejected, and known keys stay.

use agent_registry::domain::auth::jwks::JwksError;
use serde_json::{Value, json};

use super::{KeyFile, Signer, World, assert_refused, set};
use crate::json::bomb;

#[tokio::test]
async fn no_token_is_read_by_a_key() {
    let signer = Signer::ed("ed");
    let world = World::new(KeyFile::new(&set([&signer])).source()).await;
    let value = json!({ "$serde_json::private::RawValue": "[[[[1]]]]" });
    let number = json!({ "$serde_json::private::Number": "1" });
    let revision = world.revision().await;
    for value in [value, number] {
        for token in [
            signer.headed(json!({ "other": value }), &world.claims(json!({}))),
            signer.headed(json!({ "typ": value }), &world.claims(json!({}))),
            world.token(&signer, json!({ "name": value })),
            world.token(&signer, json!({ "other": [value] })),
            world.token(&signer, json!({ "exp": value })),
        ] {
            let answer = world.app.bearer(&token).gql(super::VIEWER, Value::Null).await;
            assert_refused(&answer, &token);
        }
    }
    assert!(world.knows(&signer).await, "a valid token is accepted");
    assert_eq!(world.revision().await, revision);
}

#[tokio::test]
async fn no_key_set_is_read_by_a_key() {
    let signer = Signer::ed("ed");
    let good = set([&signer]);
    let file = KeyFile::new(&good);
    let world = World::new(file.source()).await;
    let text = good.to_string();
    let short = r#"{"$serde_json::private::RawValue":"1"}"#.to_owned();
    for value in [short, bomb()] {
        for bad in [
            text.replacen("{\"keys\":", &format!("{{\"other\":{value},\"keys\":"), 1),
            text.replacen("\"keys\":[{", &format!("\"keys\":[{{\"other\":{value},"), 1),
        ] {
            assert_ne!(bad, text);
            std::fs::write(&file.0, bad).unwrap();
            assert!(matches!(world.keys.refresh().await, Err(JwksError::NoUsableKey(_))));
            assert!(world.knows(&signer).await, "the known keys stay");
        }
    }
}
