//! Records every byte that a caller receives, and searches it for another customer's data.

use std::{collections::BTreeSet, sync::Mutex};

use super::{
    ask::ProbeRequest,
    known_values::{Rows, cursor, names_in},
};
use crate::support::caller::Client;

/// The text without the value of its first `cursor`.
fn without_cursor(text: &str) -> String {
    let cut =
        text.split_once("\"cursor\":\"").and_then(|(before, rest)| Some((before, rest.split_once('"')?.1)));
    cut.map_or_else(|| text.to_owned(), |(before, after)| [before, after].concat())
}

/// A response: its status, its headers without the varying ones, its body, and all its bytes.
pub(super) struct RecordedResponse {
    pub(super) status: u16,
    pub(super) headers: Vec<String>,
    pub(super) body: String,
    pub(super) bytes: Vec<u8>,
}

/// Sends the request and records the response.
pub(super) async fn send_and_record(client: &Client, ask: &ProbeRequest) -> RecordedResponse {
    let mut request = client.request(ask.method.clone(), &ask.path);
    for (name, value) in &ask.headers {
        request = request.header(*name, value);
    }
    if let Some(body) = &ask.body {
        request = request.header("content-type", "application/json").body(body.clone());
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let (mut headers, mut bytes) = (Vec::new(), Vec::new());
    for (name, value) in response.headers() {
        let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat();
        bytes.extend(&line);
        if !["x-request-id", "date"].contains(&name.as_str()) {
            headers.push(String::from_utf8_lossy(&line).into_owned());
        }
    }
    let body = response.bytes().await.unwrap();
    bytes.extend(&body);
    RecordedResponse { status, headers, body: String::from_utf8_lossy(&body).into_owned(), bytes }
}

/// Searches responses for one customer's data.
pub(super) struct LeakDetector {
    secrets: BTreeSet<String>,
    found: Mutex<Vec<(String, String)>>,
    heard: Mutex<(usize, usize)>,
}

impl LeakDetector {
    /// Searches for the marker, and for the ids and hashes in these rows, plain and as cursors, except those that
    /// `others` contain too.
    pub(super) fn new(marker: &str, rows: &Rows, others: &Rows, more: &[String]) -> Self {
        let mut secrets: BTreeSet<String> = names_in(rows).difference(&names_in(others)).cloned().collect();
        assert!(secrets.len() > 50, "{secrets:?}");
        let cursors: Vec<String> = secrets.iter().map(|name| cursor(name).to_lowercase()).collect();
        secrets.extend(cursors);
        secrets.extend(more.iter().map(|text| text.to_lowercase()));
        secrets.insert(marker.to_owned());
        Self { secrets, found: Mutex::default(), heard: Mutex::default() }
    }

    /// Searches bytes received by a caller whose request contained the texts `said`; those are ignored.
    pub(super) fn listen(&self, what: &str, said: &[String], bytes: &[u8]) {
        let mut text = String::from_utf8_lossy(bytes).to_lowercase();
        for said in said.iter().map(|said| said.to_lowercase()) {
            if text.contains(&said) {
                text = text.replace(&said, "…");
            }
        }
        // A bookmark's cursor names the end of the log, whichever customer's entry that is. It has a part of the
        // entry's hash, which an excerpt of the audit shows to every customer.
        if text.contains("\"kind\":\"bookmark\"") {
            text = without_cursor(&text);
        }
        {
            let mut heard = self.heard.lock().unwrap();
            *heard = (heard.0 + 1, heard.1 + bytes.len());
        }
        if let Some(secret) = self.secrets.iter().find(|secret| text.contains(secret.as_str())) {
            let line = format!("{what}: {secret} in {}", text.chars().take(600).collect::<String>());
            self.found.lock().unwrap().push((what.to_owned(), line));
        }
    }

    /// The number of responses and of bytes searched.
    pub(super) fn heard(&self) -> (usize, usize) {
        *self.heard.lock().unwrap()
    }

    /// The requests whose responses had something forbidden.
    pub(super) fn found(&self) -> BTreeSet<String> {
        self.found.lock().unwrap().iter().map(|(what, _)| what.clone()).collect()
    }

    /// Panics if anything was found.
    pub(super) fn assert_no_leaks(&self) {
        let found = self.found.lock().unwrap();
        let lines: Vec<&str> = found.iter().take(5).map(|(_, line)| line.as_str()).collect();
        assert!(found.is_empty(), "{} leaks:\n{}", found.len(), lines.join("\n"));
    }
}
