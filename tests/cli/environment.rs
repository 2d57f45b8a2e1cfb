//! Environments on the command line.

use super::Home;

#[test]
fn environments_are_created_listed_archived_and_restored() {
    let home = Home::new("environments");
    let city = home.last(&["customer", "create", "--name", "City"]);
    let id = home.last(&[
        "environment",
        "create",
        "--customer",
        &city,
        "--key",
        "staging",
        "--name",
        "Try",
        "--rank",
        "-1",
    ]);
    let list = || home.output_of(&["environment", "list", "--customer", &city]);
    let (first, second) =
        (list().lines().next().unwrap().to_owned(), list().lines().nth(1).unwrap().to_owned());
    assert_eq!(first, format!("{id}\tstaging\tTry\tactive"));
    assert!(second.ends_with("\tproduction\tProduction\tactive"), "{second}");
    let staging = ["--customer", &city, "--key", "staging"];
    assert_eq!(home.last(&[&["environment", "archive"][..], &staging[..]].concat()), "staging is archived");
    assert!(list().contains("staging\tTry\tarchived"), "{}", list());
    assert_eq!(home.last(&[&["environment", "restore"][..], &staging[..]].concat()), "staging is active");

    let before = list();
    for (wrong, words) in [
        (vec!["environment", "create", "--customer", &city, "--key", "Staging"], "lower-case"),
        (
            vec!["environment", "create", "--customer", &city, "--key", "staging"],
            "already has an environment",
        ),
        (
            vec!["environment", "create", "--customer", &city, "--key", "x", "--activate-role", "VIEWER"],
            "EDITOR or ADMIN",
        ),
        (
            vec!["environment", "create", "--customer", &city, "--key", "x", "--min-soak", "1"],
            "--promote-from",
        ),
        (vec!["environment", "archive", "--customer", &city, "--key", "production"], "can't be archived"),
        (vec!["environment", "archive", "--customer", &city, "--key", "nowhere"], "no such environment"),
        (vec!["environment", "list", "--customer", &id], "no such customer"),
    ] {
        let (code, told) = home.complaint(&wrong);
        assert!(code != 0 && told.contains(words), "{wrong:?}: {code} {told}");
    }
    assert_eq!(list(), before);
}
