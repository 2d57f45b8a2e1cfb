//! Exits of `watch`: settings it rejects, errors it gives up on, and state files that it can't use.

use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use agent_registry::domain::ServiceScope;
use serde_json::Value;

use super::{
    City, Folder, Gate, WatchProcess, saved, serves,
    watching::{complaint, run, text, until},
};
use crate::support::App;

/// No process listens on port 1.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_bad_setting_is_one_line_and_exit_code_2() {
    let folder = Folder::new();
    let (state, nowhere, missing) =
        (text(&folder.path("")), text(&folder.path("no/state")), text(&folder.path("token")));
    for (url, token, args, what) in [
        (NOWHERE, None, &[][..], "set TOKEN"),
        (NOWHERE, Some(" "), &[], "token is empty"),
        (NOWHERE, None, &["--token-file", &missing], "can't read the token in "),
        (NOWHERE, Some("x"), &["--customer", "me"], "an id must be a UUID"),
        (NOWHERE, Some("x"), &["--agent", "me"], "an id must be a UUID"),
        (NOWHERE, Some("x"), &["--state", &state], "can't use the state file "),
        (NOWHERE, Some("x"), &["--state", &nowhere], "can't use the state file "),
        ("https://registry.example.org", Some("x"), &[], "TLS isn't supported yet"),
        ("ftp://registry.example.org", Some("x"), &[], "must begin with http://"),
        ("http://", Some("x"), &[], ""),
    ] {
        let (code, told) = complaint(&run(url, token, args).await);
        assert_eq!((code, told.lines().count()), (Some(2), 1), "{url} {args:?}: {told}");
        assert!(told.starts_with("agent-registry: ") && told.contains(what), "{url} {args:?}: {told}");
    }
}

#[tokio::test]
async fn who_may_not_watch_is_told_and_does_not_come_back() {
    let app = App::start().await;
    let city = City::of(&app, 1).await;
    let reader = app.service([ServiceScope::ConfigsRead]).await;
    let stranger = app.stranger();
    for (token, args, what) in [
        ("nonsense", &[][..], "the registry rejects the credential: "),
        (reader.token.as_deref().unwrap(), &[], "(FORBIDDEN)"),
        (stranger.token.as_deref().unwrap(), &["--customer", &city.customer], "(NOT_FOUND)"),
    ] {
        let output = run(&app.base, Some(token), args).await;
        let (code, told) = complaint(&output);
        assert_eq!((code, output.stdout.len()), (Some(1), 0), "{told}");
        assert!(told.lines().last().unwrap().contains(what), "{told}");
    }
}

#[tokio::test]
async fn a_state_file_is_good_for_one_watch_and_no_other() {
    let app = App::start().await;
    let city = City::of(&app, 2).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    let token = gateway.token.as_deref();
    let state = text(&folder.path("state"));
    let once = async |url: &str, args: &[&str]| {
        run(url, token, &[&["--once", "--state", &state], args].concat()).await
    };
    let output = once(&app.base, &["--customer", &city.customer]).await;
    assert_eq!(complaint(&output).0, Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("SNAPSHOT 2 agents, revision "));
    let mode = std::fs::metadata(folder.path("state")).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, folder.names()), (0o600, vec!["state".to_owned(), "state.lock".to_owned()]));

    let whole = std::fs::read(folder.path("state")).unwrap();
    let (agent, url) = (&city.agents[0], NOWHERE);
    for (url, args) in [
        (&*app.base, &[][..]),
        (&*app.base, &["--customer", &city.customer, "--agent", agent]),
        (url, &["--customer", &city.customer]),
    ] {
        let (code, told) = complaint(&once(url, args).await);
        assert_eq!((code, told.lines().count()), (Some(2), 1), "{told}");
        assert!(
            told.contains(&format!(
                "it belongs to another watch: {}, the customer {}",
                app.base, city.customer
            )),
            "{told}"
        );
    }
    let newer = String::from_utf8(whole.clone()).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    std::fs::write(folder.path("state"), &newer).unwrap();
    let (code, told) = complaint(&once(&app.base, &["--customer", &city.customer]).await);
    assert_eq!((code, told.contains("its format must be 1, got 2")), (Some(2), true), "{told}");
    assert_eq!(std::fs::read_to_string(folder.path("state")).unwrap(), newer, "the file is unchanged");

    // Two processes at once would overwrite each other's file.
    std::fs::write(folder.path("state"), &whole).unwrap();
    let args = ["--customer", &city.customer];
    let watch = WatchProcess::start(&app.base, token, &folder, &args);
    watch.says("serving 2 agents from ", 1).await;
    let (code, told) = complaint(&once(&app.base, &args).await);
    assert_eq!((code, told.contains("another process uses it")), (Some(2), true), "{told}");
}

#[tokio::test]
async fn a_damaged_state_file_is_kept_and_begun_anew() {
    let app = App::start().await;
    City::of(&app, 2).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    let args = ["--once", "--state", &text(&folder.path("state"))];
    for damage in ["", "{\"format\":1,\"sha256\":\"00\",\"sta", "\u{0}\u{0}\u{0}"] {
        std::fs::write(folder.path("state"), damage).unwrap();
        let output = run(&app.base, gateway.token.as_deref(), &args).await;
        let (code, told) = complaint(&output);
        assert_eq!((code, told.matches("is damaged").count()), (Some(0), 1), "{told}");
        assert!(serves(2)(&folder.state().unwrap()));
        let kept: Vec<String> =
            folder.names().into_iter().filter(|name| name.starts_with("state.damaged-")).collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(std::fs::read_to_string(folder.path(&kept[0])).unwrap(), damage);
        std::fs::remove_file(folder.path(&kept[0])).unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_saved_is_told_and_served_all_the_same() {
    let app = App::start().await;
    let city = City::of(&app, 2).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    // A folder with the temporary file's name keeps the state from being saved.
    std::fs::create_dir(folder.path("state.new")).unwrap();
    let args = ["--once", "--state", &text(&folder.path("state"))];
    let (code, told) = complaint(&run(&app.base, gateway.token.as_deref(), &args).await);
    assert_eq!((code, told.contains("can't save the state: ")), (Some(1), true), "{told}");
    let watch = WatchProcess::start(&app.base, gateway.token.as_deref(), &folder, &[]);
    watch.says("can't save the state: ", 1).await;
    city.set_status("SUSPENDED").await;
    watch.says("REMOVE ", 2).await;
    assert_eq!(folder.state(), None);
    std::fs::remove_dir(folder.path("state.new")).unwrap();
    city.set_status("PAST_DUE").await;
    saved(&folder, serves(2)).await;
    assert!(watch.stop().await.success());
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_is_noticed_within_half_a_minute() {
    let app = App::start().await;
    let city = City::of(&app, 1).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    let gate = Gate::to(&app.base).await;
    let watch = WatchProcess::start(&gate.url, gateway.token.as_deref(), &folder, &[]);
    watch.says("SNAPSHOT 1 agents", 1).await;
    gate.stall(true);
    let stalled = Instant::now();
    city.publish(&city.agents[0], "meanwhile").await;
    watch.says("not connected: the service didn't respond in time", 1).await;
    let noticed = stalled.elapsed();
    assert!(noticed < Duration::from_secs(30), "{noticed:?}");
    gate.stall(false);
    gate.cut();
    watch.says("UPSERT ", 1).await;
}

#[tokio::test]
async fn whoever_reads_it_may_stop() {
    let app = App::start().await;
    City::of(&app, 1).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    let (url, state) = (app.base.clone(), text(&folder.path("state")));
    let program = env!("CARGO_BIN_EXE_agent-registry");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("{program} watch --url {url} --state {state} --once | true")]);
    shell.env("TOKEN", gateway.token.as_deref().unwrap());
    let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains("panicked"), "{told}");
    let state: Option<Value> = until(|| folder.state()).await;
    assert!(serves(1)(&state.unwrap()));
}
