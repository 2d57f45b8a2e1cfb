//! Extensions of a version: settings for gateways that the registry doesn't interpret, such as MCP servers, skills,
//! handoffs and response formats. Their keys are names that have an owner, so that two authors never mean different
//! things by one key.

use json_reader::{Json, Object};

use super::{Error, InputErrors, Result, content::at_most, text, warning::redacted};
use crate::entity::extensions::Extensions;

/// The largest extensions, in bytes of JSON without white space.
pub const EXTENSIONS_BYTES_MAX: usize = 256 * 1024;
/// The most extensions of a version: as many as tools.
pub const EXTENSIONS_MAX: usize = 128;
/// The longest key, in bytes. A domain has at most 253.
pub const KEY_BYTES_MAX: usize = 256;
/// The longest label of a domain, in bytes (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;

/// The keys that are accepted, as a regular expression: a URI (RFC 3986) with a lower-case scheme and no address in
/// brackets, which has a host after `//`; or a reverse domain of at least two labels in lower case, with a name after a
/// slash or without, as MCP names members of `_meta`.
pub const KEY_PATTERN: &str = concat!(
    "^(",
    "[a-z][a-z0-9+.-]*:",
    "(//([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?",
    "|/?([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)",
    r"(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?",
    "(#([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?",
    "|",
    r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+",
    "(/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?",
    ")$"
);

/// The name of the input field.
pub(super) const FIELD: &str = "extensions";

/// The key of an extension in the name of a field at fault. It has dots of its own.
pub(super) fn key_in_field(field: &str) -> Option<&str> {
    field.strip_prefix(FIELD)?.strip_prefix('.')
}

/// Checks the extensions of a content. Null and an empty object are none.
pub(super) fn checked_extensions(given: Option<&Json>) -> Result<Extensions> {
    let object = match given {
        None | Some(Json::Null) => return Ok(Extensions::default()),
        Some(Json::Object(object)) => object,
        Some(other) => {
            let message = format!("{FIELD} must be a JSON object, found {}", other.kind());
            return Err(Error::invalid(FIELD, message));
        }
    };
    at_most(FIELD, object.len(), EXTENSIONS_MAX, "members")?;
    check_members(object)?;
    let extensions = Extensions::of(object);
    at_most(FIELD, extensions.bytes(), EXTENSIONS_BYTES_MAX, "bytes")?;
    Ok(extensions)
}

fn check_members(object: &Object) -> Result<()> {
    let mut errors = InputErrors::default();
    for (key, value) in object {
        if is_key(key) {
            errors.note(text::check_json(&format!("{FIELD}.{}", redacted(key)), value));
        } else {
            errors.note(Err(refused_key(key)));
        }
    }
    errors.into_result()
}

/// The error of a key that has no owner. Names the key without a secret in it, unless it is too long for a name.
fn refused_key(key: &str) -> Error {
    let key = redacted(key);
    let shown: String = key.chars().take(KEY_BYTES_MAX).collect();
    let shortened = if shown.len() < key.len() { "…" } else { "" };
    let message = format!(
        "{FIELD} has the key {shown:?}{shortened}, which must be a URI with a lower-case scheme, such as \
         \"https://example.org/skills\", or a reverse domain in lower case, such as \"org.example.skills\" or \
         \"org.example/skills\"; at most {KEY_BYTES_MAX} bytes"
    );
    let is_name = shortened.is_empty() && !key.is_empty() && !key.chars().any(char::is_control);
    Error::invalid(if is_name { format!("{FIELD}.{key}") } else { FIELD.to_owned() }, message)
}

/// Whether a key is a name with an owner. [`KEY_PATTERN`] describes the same.
fn is_key(key: &str) -> bool {
    key.len() <= KEY_BYTES_MAX && (is_uri(key) || is_reverse_domain(key))
}

/// Whether a text is a URI: a scheme in lower case, and something after it besides a query and a fragment.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'-'));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let has_name = match path.strip_prefix("//") {
        Some(authority) => !authority.is_empty() && !authority.starts_with('/'),
        None => !path.is_empty() && path != "/",
    };
    is_scheme && has_name && is_escaped(path, b"/") && is_escaped(query, b"/?") && is_escaped(fragment, b"/?")
}

/// Whether a text has only characters that a URI has unescaped (RFC 3986, `pchar`), these, and complete escapes.
fn is_escaped(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_accepted = match byte {
            b'%' => {
                let mut is_digit = || bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit());
                is_digit() && is_digit()
            }
            byte => {
                byte.is_ascii_alphanumeric() || b"._~!$&'()*+,;=:@-".contains(&byte) || others.contains(&byte)
            }
        };
        if !is_accepted {
            return false;
        }
    }
    true
}

/// Whether a text is a domain in reverse order, with a name after a slash or without. A lone label has no owner.
fn is_reverse_domain(text: &str) -> bool {
    let (domain, name) = text.split_once('/').map_or((text, None), |(domain, name)| (domain, Some(name)));
    let is_label = |label: &str| {
        let is_inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = |name: &str| {
        let is_end = |end: Option<u8>| end.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        name.bytes().all(is_inner) && is_end(name.bytes().next()) && is_end(name.bytes().last())
    };
    domain.starts_with(|first: char| first.is_ascii_lowercase())
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && name.is_none_or(is_name)
}

#[cfg(test)]
mod tests;
