//! `console` on the command line: it prints an address that signs in once. `serve` prints one to a terminal only.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{Home, PROGRAM, SETTINGS, serve::Serving};

/// Presses the button of an address. Returns the status and the cookie.
async fn press(address: &str, base: &str) -> (u16, Option<String>) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.post(address).header("sec-fetch-site", "same-origin").header("origin", base);
    let answer = request.send().await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
    (answer.status().as_u16(), cookie.and_then(|cookie| cookie.split(';').next().map(str::to_owned)))
}

#[tokio::test]
async fn the_printed_address_signs_in_once_and_is_in_no_log() {
    let home = Home::new("console");
    let serving = Serving::start_with(&home, &[]);
    serving.ready().await;
    let arguments = ["console", "--operator", "--public-url", &serving.base];
    let printed = home.output_of(&arguments);
    let address = printed.lines().last().unwrap().to_owned();
    let secret = address.strip_prefix(&format!("{}/auth/link/", serving.base)).expect(&printed).to_owned();
    assert!(secret.len() == 64 && secret.bytes().all(|digit| digit.is_ascii_hexdigit()), "{printed}");
    let (status, cookie) = press(&address, &serving.base).await;
    assert_eq!((status, cookie.is_some()), (303, true));
    assert_eq!(press(&address, &serving.base).await, (404, None));
    assert_eq!(home.last(&["operator", "list"]), "urn:agent-registry:local\tme");
    drop(serving);
    let log = std::fs::read_to_string(home.path("serve.log")).unwrap();
    let value = cookie.unwrap().split_once('=').unwrap().1.to_owned();
    assert!(log.contains("/auth/link/") && !log.contains(&secret) && !log.contains(&value));
    // Not to a terminal, so nobody could be meant.
    assert!(!log.contains("Nobody is an operator yet"));
}

#[test]
fn an_address_is_for_a_user_who_is_known() {
    let home = Home::new("console-nobody");
    let (code, why) = home.complaint(&["console", "--subject", "nobody"]);
    assert_eq!((code, why.lines().count()), (2, 1), "{why}");
    assert!(why.contains("--operator"), "{why}");
    let address = home.last(&["console", "--operator"]);
    assert!(address.starts_with("http://127.0.0.1:8080/auth/link/"), "{address}");
    assert!(home.output_of(&["operator", "list"]).is_empty(), "only the click makes an operator");
}

/// Starts `serve` on a terminal, which util-linux' `script` makes, until its output has `word`. Returns the output.
fn on_a_terminal(home: &Home, listen: &str, word: &str) -> String {
    let mut command = Command::new("script");
    for setting in SETTINGS {
        command.env_remove(setting);
    }
    let transcript = home.path("terminal");
    let command = command.args(["-q", "-f", "-c", &format!("{PROGRAM} serve"), &transcript]);
    let command = command.env("DATA_DIR", &home.0).env("LISTEN", listen).env("LOG", "warn");
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let output = loop {
        let output = std::fs::read_to_string(&transcript).unwrap_or_default();
        if output.contains(word) {
            break output;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{output}");
        std::thread::sleep(Duration::from_millis(50));
    };
    // Ctrl-C at its terminal ends the service, and `script` with it.
    process.stdin.take().unwrap().write_all(b"\x03").unwrap();
    let ended = loop {
        match process.try_wait().unwrap() {
            None if begun.elapsed() < Duration::from_secs(90) => {
                std::thread::sleep(Duration::from_millis(50))
            }
            ended => break ended.is_some(),
        }
    };
    if !ended {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    assert!(ended, "Ctrl-C doesn't end the service: {output}");
    output
}

#[test]
fn serve_prints_an_address_to_a_terminal_on_loopback() {
    let home = Home::new("console-terminal");
    let output = on_a_terminal(&home, "127.0.0.1:0", "Later:");
    assert!(output.contains("Nobody is an operator yet") && output.contains("/auth/link/"), "{output}");
}

#[test]
fn serve_prints_none_once_there_is_an_operator() {
    let home = Home::new("console-operator");
    home.output_of(&["operator", "add", "--subject", "olga"]);
    let output = on_a_terminal(&home, "127.0.0.1:0", "a token");
    assert!(!output.contains("/auth/link/"), "{output}");
}
