//! Credentials of this registry in files to import.

use serde_json::json;

use super::Home;

#[test]
fn an_import_with_the_registrys_own_credential_stores_nothing() {
    let home = Home::new("secret");
    let customer = home.last(&["customer", "create", "--name", "City"]);
    let token = home.last(&["token", "service", "--name", "gateway", "--scope", "configs:read"]);
    assert!(token.starts_with("ars_"), "{token}");
    let file = home.path("agents.jsonl");
    let good = json!({ "agent": "Good", "versions": [{ "system_prompt": "fine" }] });
    for (version, place) in [
        (json!({ "system_prompt": format!("one\ntwo {token}") }), "`system_prompt`, line 2"),
        (
            json!({ "system_prompt": "", "extensions": { "org.example": [token] } }),
            "`extensions.org.example.0`",
        ),
        (json!({ "system_prompt": "", "message": token }), "`message`"),
    ] {
        let bad = json!({ "agent": "Bad", "versions": [{ "system_prompt": "fine" }, version] });
        std::fs::write(&file, format!("{bad}\n{good}\n")).unwrap();
        let (code, told) = home.complaint(&["import", &file, "--customer", &customer]);
        assert_eq!(code, 1, "{told}");
        assert!(told.contains("line 1") && told.contains("version 2") && told.contains(place), "{told}");
        assert!(!told.contains(&token[36..]), "{told}");
        assert_eq!(home.output_of(&["export", "--customer", &customer]), "", "nothing was stored");
    }
    let done = home.last(&["import", &file, "--customer", &customer, "--skip-bad"]);
    assert_eq!(done, "agents created 1, updated 0, unchanged 0; versions published 1; lines skipped 1");
    let exported = home.output_of(&["export", "--customer", &customer]);
    assert_eq!((exported.lines().count(), exported.contains("\"Good\"")), (1, true), "{exported}");
}
