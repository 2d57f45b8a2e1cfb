//! Each rule of [`ProgramRun::faults`] with a mistake that it must find.

use std::collections::BTreeSet;

use super::{Help, program_run::ProgramRun, runs, unknown_settings};

/// The run of this place, as the files have it.
fn run(place: &str) -> ProgramRun {
    runs().into_iter().find(|run| run.place == place).unwrap_or_else(|| panic!("{place} isn't there"))
}

/// Asserts that a mistake in a run is found, once, by a fault with these words.
fn assert_found(planted: &ProgramRun, words: &str) {
    let faults = planted.faults();
    assert!(faults.len() == 1 && faults[0].contains(words), "{words}: {faults:#?}");
}

#[test]
fn a_mistake_in_a_run_is_found() {
    let good = run("deploy/compose.yaml: registry-1");
    let with = |name: &str, value: &str| {
        let mut planted = good.clone();
        planted.settings.insert(name.to_owned(), value.to_owned());
        planted
    };
    assert_found(
        &with("DATABASE_URI_FILE", "/run/secrets/serving-url"),
        "no such setting: DATABASE_URI_FILE",
    );
    assert_found(&with("DATABASE_URL_FILE", "/run/secrets/other-url"), "isn't there: /run/secrets/other-url");
    assert_found(&with("SIGNING_KEY", "/signing-key.pem"), "SIGNING_KEY names a file that isn't there");
    assert_found(&with("LISTEN", "0.0.0.0:80"), "another port than 8080");
    assert_found(&with("DATABASE_URL", "postgres://registry@postgres/registry"), "has the URL itself");
    assert_found(
        &with("MIGRATE_DATABASE_URL_FILE", "/run/secrets/serving-url"),
        "belongs to `migrate` alone",
    );

    let mut planted = good.clone();
    planted.arguments.push("--admin-listen".to_owned());
    assert_found(&planted, "no such flag: --admin-listen");
    let mut planted = good.clone();
    planted.arguments.pop();
    assert_found(&planted, "without --no-migrate");
    let mut planted = good.clone();
    planted.arguments[0] = "server".to_owned();
    assert_found(&planted, "no such command");
    let mut planted = good.clone();
    planted.stop = Some(9);
    assert_found(&planted, "seconds to stop");
    let mut planted = good.clone();
    planted.settings.remove("DATABASE_URL_FILE");
    assert_found(&planted, "no DATABASE_URL_FILE");
}

#[test]
fn a_secret_that_nobody_makes_is_found() {
    for place in ["deploy/kubernetes/base: Deployment", "deploy/systemd/agent-registry.service"] {
        let mut planted = run(place);
        assert_eq!(planted.faults(), [""; 0]);
        planted.secrets.retain(|secret| !secret.ends_with("/serving-url"));
        assert_found(&planted, "DATABASE_URL_FILE names a file that isn't there");
    }
}

#[test]
fn a_setting_that_no_command_has_is_found_in_prose() {
    let known: BTreeSet<String> = Help::of("serve").unwrap().settings;
    let text = "Set `PUBLIC_URL` and DRAIN_DELAY=5s, as SIGTERM says.";
    assert_eq!(unknown_settings(text, &known), ["DRAIN_DELAY"]);
}
