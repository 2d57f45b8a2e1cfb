//! Runs PyPI's `schemathesis` with the description of REST against a real service: valid requests, invalid ones,
//! and its links.

use std::path::{Path, PathBuf};

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use super::City;
use crate::support::{Calls, caller::Member, log, proof::count, python::program};

/// The fixed seed of `make test`.
const SEED: &str = "20261125";

/// A customer with a high rate limit, and its admin, who may call every endpoint.
async fn city() -> (City, Member) {
    let city = City::new().await;
    let plan =
        "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: ENTERPRISE }) { customer { plan } } }";
    let set = city.operator.gql(plan, json!({ "id": city.customer })).await;
    assert_eq!(set.at("/setPlan/customer/plan"), "ENTERPRISE");
    let admin = city.app.member(&city.customer, Role::Admin).await;
    admin.agent(&city.customer, "Another").await;
    city.serve("Hello").await;
    (city, admin)
}

/// Runs schemathesis with these arguments. Returns whether it found nothing, and its output.
async fn fuzz(city: &City, admin: &Member, description: &str, arguments: &[&str]) -> (bool, String) {
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let viewer = admin.gql("{ viewer { user { id } } }", Value::Null).await;
    let page = admin.get("/v1/agents?limit=1").await;
    let mut program = program("schemathesis");
    program
        .args(["run", description, "--url", &city.app.base, "--checks", "all", "--seed", SEED])
        .args(["--continue-on-failure", "--request-timeout", "60", "--no-color"])
        // An import's body is lines, of which schemathesis makes none; `transfer` has its tests.
        .args(["--exclude-operation-id", "importAgents"])
        .args(["--header", &format!("Authorization: Bearer {}", admin.token.as_deref().unwrap())])
        .args(arguments)
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .env("OWNER", viewer.text("/viewer/user/id"))
        .env("CURSOR", page.body["next"].as_str().unwrap())
        .env("REVISION", city.revision().await.to_string());
    // schemathesis writes its findings into the working directory.
    let own = folder(&city.customer);
    program.current_dir(&own).env("PYTHONPATH", &hooks);
    program.stderr(log::pipe("schemathesis"));
    let output = program.output().await.unwrap();
    std::fs::remove_dir_all(&own).unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Makes a folder for one run.
fn folder(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("schemathesis-{name}"));
    std::fs::create_dir_all(&own).unwrap();
    own
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_found_against_the_description() {
    let (city, admin) = city().await;
    // Read from the file: schemathesis excludes the endpoint that serves the description when it reads it from
    // there.
    let description = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let examples = count(10, 1_000).to_string();
    let (is_well, told) = fuzz(&city, &admin, description, &["--max-examples", &examples]).await;
    assert!(is_well, "{told}");
    let line = |of: &str| told.lines().find(|line| line.contains(of)).unwrap_or_default().trim().to_owned();
    println!("schemathesis: {}; {}", line(" generated, "), line("API Links:"));
    assert_eq!(line("Tested: "), "Tested: 14", "all endpoints are tested: {told}");
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(told.contains(&format!("\n  ✅ {phase}\n")), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_described_otherwise_is_found() {
    let (city, admin) = city().await;
    let mut wrong: Value = serde_json::from_str(&agent_registry::app::openapi()).unwrap();
    let list = &mut wrong["paths"]["/v1/agents"]["get"];
    list["responses"].as_object_mut().unwrap().remove("422").unwrap();
    wrong["components"]["schemas"]["Agent"]["properties"]["latest_version_number"] =
        json!({ "type": "string" });
    wrong["components"]["schemas"]["PageLimit"]["maximum"] = json!(1_000);
    wrong["paths"]["/livez"]["get"]["security"] = json!([{ "bearer": [] }]);
    wrong["paths"]["/readyz"]["get"]["responses"]["200"]["content"] = json!({ "text/html": {} });
    let file = folder("planted").join("openapi.json");
    std::fs::write(&file, wrong.to_string()).unwrap();
    let arguments = ["--phases", "coverage", "--max-examples", "5"];
    let (is_well, told) = fuzz(&city, &admin, file.to_str().unwrap(), &arguments).await;
    assert!(!is_well, "{told}");
    for found in [
        "Undocumented status code",
        "Response violates schema",
        "Schema-valid request rejected",
        "API accepts requests without authentication",
        "Undocumented Content-Type",
    ] {
        assert!(told.contains(found), "{found}: {told}");
    }
}

#[tokio::test]
async fn the_description_is_openapi_3_1() {
    let check = async |document: &Value| {
        let file = folder(&format!("valid-{}", document["openapi"])).join("openapi.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let output = program("openapi-spec-validator").arg(&file).output().await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut document: Value = serde_json::from_str(&agent_registry::app::openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let (is_well, told) = check(&document).await;
    assert!(is_well, "{told}");
    document["paths"]["/v1/agents"]["get"]["parameters"][0]["in"] = json!("nowhere");
    let (is_well, told) = check(&document).await;
    assert!(!is_well, "{told}");
}
