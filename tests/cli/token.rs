//! Service tokens on the command line: limited to customers, with an end, rotated and listed.

use super::Home;

/// The columns of the line of `token list` for the token with this id.
fn listed(home: &Home, id: &str) -> Vec<String> {
    let list = home.output_of(&["token", "list"]);
    let line = list.lines().find(|line| line.starts_with(id)).unwrap_or_else(|| panic!("no {id} in {list}"));
    line.split('\t').map(str::to_owned).collect()
}

/// The id and the secret that a command has printed.
fn printed(output: &str) -> (String, String) {
    let id = output.lines().find_map(|line| line.strip_prefix("id ")).unwrap();
    (id.to_owned(), output.lines().last().unwrap().to_owned())
}

#[test]
fn a_token_is_limited_rotated_and_listed() {
    let home = Home::new("tokens");
    let city = home.last(&["customer", "create", "--name", "City"]);
    let town = home.last(&["customer", "create", "--name", "Town"]);
    let make = ["token", "service", "--name", "gateway", "--scope", "configs:read"];
    let (all, _) = printed(&home.output_of(&make));
    assert_eq!(listed(&home, &all)[1..], ["gateway", "configs:read", "accepted", "all", "never", "all"]);

    let limits = ["--customer", &town, "--customer", &city, "--expires", "2099-01-31T00:00:00Z"];
    let (limited, secret) = printed(&home.output_of(&[&make[..], &limits].concat()));
    let customers = format!("{city},{town}");
    let end = "2099-01-31T00:00:00.000000Z";
    assert_eq!(listed(&home, &limited)[3..], ["accepted", &customers, end, "all"]);

    let rotated = home.output_of(&["token", "rotate", "--id", &limited, "--overlap", "0s"]);
    let (successor, new) = printed(&rotated);
    assert!(new.starts_with("ars_") && new != secret, "{rotated}");
    assert!(rotated.contains(&format!("{limited} is accepted until 2")), "{rotated}");
    assert_eq!(listed(&home, &limited)[3], "expired");
    assert_eq!(listed(&home, &successor)[3..], ["accepted", &customers, end, "all"]);
    home.output_of(&["token", "revoke", "--id", &successor]);
    assert_eq!(listed(&home, &successor)[3], "revoked");
    let (for_a_day, _) = printed(&home.output_of(&[&make[..], &["--expires", "1d"]].concat()));
    assert!(listed(&home, &for_a_day)[5].starts_with('2'));
}

#[test]
fn a_refused_token_is_not_made() {
    let home = Home::new("no-tokens");
    let make = ["token", "service", "--name", "gateway", "--scope", "configs:read"];
    let nobody = "01a20326-e777-71ce-9264-eefdca7dad0e";
    for (args, code, told) in [
        (["--customer", nobody], 1, "there is no such customer"),
        (["--expires", "2001-01-31T00:00:00Z"], 1, "expiresAt must be in the future"),
        (
            ["--expires", "soon"],
            2,
            "expected a time, such as 2027-01-31T00:00:00Z, or a duration, such as 90d",
        ),
        (["--customer", "City"], 2, "an id must be a UUID"),
    ] {
        let (actual, complaint) = home.complaint(&[&make[..], &args].concat());
        assert_eq!((actual, complaint.contains(told)), (code, true), "{complaint}");
    }
    let (code, complaint) = home.complaint(&["token", "rotate", "--id", nobody]);
    assert_eq!((code, complaint.contains("there is no such service token")), (1, true), "{complaint}");
    assert_eq!(home.output_of(&["token", "list"]), "");
}
