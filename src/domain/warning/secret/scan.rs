//! Where the secrets in a text are.

use std::borrow::Cow;

use super::forms::{FORMS, PRIVATE_KEYS};
use crate::domain::auth::opaque_token::OpaqueToken;

/// Examples in documents of AWS contain this.
const EXAMPLE: &str = "EXAMPLE";
/// What a credential of this service is, for people.
pub(super) const OWN: &str = "an API key or a service token of this registry";

/// A secret in a text: its first byte, and the byte after it.
pub(super) struct Secret {
    pub(super) what: &'static str,
    pub(super) is_own: bool,
    pub(super) start: usize,
    end: usize,
}

/// The secrets in a text, from left to right. Takes time in proportion to its length: a form is compared only where a word
/// begins, and each has a limited length or begins only where its alphabet does.
pub(super) struct Secrets<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn secret_at(&self, start: usize) -> Option<Secret> {
        let found = |what, is_own, end| Some(Secret { what, is_own, start, end });
        if let Some(length) = self.text.get(start..).and_then(OpaqueToken::leading) {
            return found(OWN, true, start + length);
        }
        let bytes = self.text.as_bytes();
        let first = bytes.get(start)?;
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if start.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(is_word) {
            return None;
        }
        let forms = FORMS.iter().chain(PRIVATE_KEYS);
        let begin_so = forms.filter(|form| form.prefix().as_bytes().first() == Some(first));
        let (what, end) = begin_so.filter_map(|form| Some((form.what, form.end(bytes, start)?))).next()?;
        let is_example = self.text.get(start..end).is_some_and(|text| text.contains(EXAMPLE));
        if is_example { None } else { found(what, false, end) }
    }
}

impl Iterator for Secrets<'_> {
    type Item = Secret;

    fn next(&mut self) -> Option<Secret> {
        while self.at < self.text.len() {
            let found = self.secret_at(self.at);
            self.at = found.as_ref().map_or(self.at + 1, |found| found.end);
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// The text without the secrets in it, for messages that quote what a client gave.
pub(in crate::domain) fn redacted(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut kept = String::new();
    while let Some(Secret { start, end, .. }) = Secrets::new(rest).next() {
        kept.push_str(rest.get(..start).unwrap_or_default());
        kept.push('…');
        rest = rest.get(end..).unwrap_or_default();
    }
    if kept.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(kept + rest) }
}
