//! Exit codes: a script can tell what happened without reading messages.

use super::{Home, PROMPTS};

fn code(home: &Home, settings: &[(&str, &str)], args: &[&str]) -> (i32, String) {
    let output = home.run_with(settings, args);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn each_kind_of_failure_has_its_own_code() {
    let home = Home::new("codes");
    let customer = home.last(&["customer", "create", "--name", "City"]);
    home.output_of(&["import", PROMPTS, "--customer", &customer]);
    home.output_of(&["operator", "add", "--subject", "ada"]);

    // Nobody to remove: nothing is removed.
    let (nobody, told) = code(&home, &[], &["operator", "remove", "--subject", "bob"]);
    assert!(told.contains("bob isn't an operator"), "{told}");
    assert_eq!(home.output_of(&["operator", "list"]).lines().count(), 1);

    let excerpt = home.path("audit.ndjson");
    home.output_of(&["audit", "export", "--customer", &customer, "--output", &excerpt]);
    let whole = std::fs::read_to_string(&excerpt).unwrap();
    std::fs::write(&excerpt, whole.replace("agent.created", "agent.updated")).unwrap();
    let (tampered, told) = code(&home, &[], &["audit", "verify", "--file", &excerpt]);
    assert!(told.contains("BROKEN"), "{told}");

    let (wrong_file, told) = code(&home, &[], &["audit", "verify", "--file", PROMPTS]);
    assert!(told.contains("isn't an excerpt") && !told.contains("BROKEN"), "{told}");
    let (unreadable, _) = code(&home, &[], &["audit", "verify", "--file", "/nowhere"]);
    let (usage, _) = code(&home, &[], &["audit", "verify", "--nonsense"]);

    let gone = [("DATABASE_URL", "postgres://me@127.0.0.1:9/db"), ("WAIT_FOR_DATABASE", "0s")];
    let (no_database, told) = code(&home, &gone, &["audit", "verify"]);
    assert!(told.contains("can't connect to the database"), "{told}");
    let (refused, _) = code(&home, &[], &["export", "--customer", &customer.replace('0', "1")]);

    assert_eq!((refused, usage, wrong_file, unreadable), (1, 2, 2, 2));
    assert_eq!((tampered, nobody, no_database), (3, 4, 5));
    let help = home.output_of(&["--help"]);
    assert!(help.contains("Exit codes: 0 success") && help.contains("5 the database"), "{help}");
    home.output_of(&["audit", "verify"]);
}
