//! A file that the released version 0.1.0 exported: without ids, and without fields that are not set.

use agent_registry::domain::transfer::Imported;
use serde_json::Value;

use super::Desk;

const RELEASED: &str = include_str!("released.jsonl");

#[tokio::test]
async fn a_released_export_imports_unchanged() {
    let desk = Desk::open().await;
    let done = desk.import(RELEASED).await.unwrap();
    assert_eq!(done, Imported { created: 4, versions: 4, ..Imported::default() });
    let file = desk.export().await;
    for (now, then) in file.lines().zip(RELEASED.lines()) {
        let (mut now, then): (Value, Value) =
            (serde_json::from_str(now).unwrap(), serde_json::from_str(then).unwrap());
        assert!(now["id"].is_string());
        // What the released export left out is written as null or false.
        for field in ["active", "archived", "description"] {
            let unset = if field == "archived" { Value::from(false) } else { Value::Null };
            assert_eq!(&now[field], then.get(field).unwrap_or(&unset));
        }
        for version in now["versions"].as_array_mut().unwrap() {
            if version["message"].is_null() {
                version.as_object_mut().unwrap().remove("message");
            }
        }
        assert_eq!(now["versions"], then["versions"]);
    }
    for again in [RELEASED, &file] {
        assert_eq!(desk.import(again).await.unwrap(), Imported { unchanged: 4, ..Imported::default() });
    }
    assert_eq!(desk.export().await, file);
}
