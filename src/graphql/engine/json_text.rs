//! Writes JSON: how long a text will be, and large answers without a second copy of them in memory.

use std::io;

use async_graphql::{Name, Value, indexmap::IndexMap};
use graphql_front::RAW_VALUE_TOKEN;

use super::response::GraphQlResponse;

/// The bytes of this text as a JSON string. Control characters take six bytes, or two if JSON has a short escape for
/// them.
pub(in crate::graphql) fn written_bytes(text: &str) -> usize {
    // Counted in bytes by blocks that can't overflow one, which compilers turn into vector instructions.
    let added = |block: &[u8]| -> usize {
        let (mut escaped, mut short, mut control) = (0_u8, 0_u8, 0_u8);
        for byte in block {
            escaped += u8::from(matches!(byte, b'"' | b'\\'));
            short += u8::from(matches!(byte, b'\n' | b'\t' | b'\r' | 8 | 12));
            control += u8::from(*byte < b' ');
        }
        usize::from(escaped) + usize::from(short) + 5 * usize::from(control - short)
    };
    2 + text.len() + text.as_bytes().chunks(255).map(added).sum::<usize>()
}

/// A value that is written as this JSON text. The library has no value for it: it writes the only member of an object
/// as it is, if that has this name, which no field of a schema can have.
pub(in crate::graphql) fn exact_value(text: String) -> Value {
    Value::Object(IndexMap::from([(Name::new(RAW_VALUE_TOKEN), Value::String(text))]))
}

/// The text of an [`exact_value`].
fn exact_text(fields: &IndexMap<Name, Value>) -> Option<&str> {
    match fields.get(RAW_VALUE_TOKEN) {
        Some(Value::String(text)) if fields.len() == 1 => Some(text),
        _ => None,
    }
}

/// Counts the bytes that are written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Serialises an answer, between two texts. Each value is dropped as soon as it is written, and the text is allocated
/// once, so that both together take little more memory than one of them.
pub(super) fn into_text(answer: GraphQlResponse, before: &str, after: &str) -> Vec<u8> {
    let mut length = Counter(0);
    // All map keys are strings and neither sink fails, so serialisation can't fail.
    let _ = serde_json::to_writer(&mut length, &answer);
    let mut text = Vec::with_capacity(before.len() + length.0 + after.len());
    text.extend_from_slice(before.as_bytes());
    let GraphQlResponse { data, errors, extensions } = answer;
    text.push(b'{');
    let has_data = data.is_some();
    if let Some(data) = data {
        text.extend_from_slice(b"\"data\":");
        write_value(data, &mut text);
    }
    if !errors.is_empty() {
        text.extend_from_slice(if has_data { b",\"errors\":" } else { b"\"errors\":" });
        let _ = serde_json::to_writer(&mut text, &errors);
    }
    if !extensions.is_empty() {
        text.extend_from_slice(if text.ends_with(b"{") { b"\"extensions\":" } else { b",\"extensions\":" });
        let _ = serde_json::to_writer(&mut text, &extensions);
    }
    text.push(b'}');
    text.extend_from_slice(after.as_bytes());
    text
}

fn write_value(value: Value, text: &mut Vec<u8>) {
    match value {
        Value::List(values) => {
            text.push(b'[');
            for (nth, value) in values.into_iter().enumerate() {
                if nth > 0 {
                    text.push(b',');
                }
                write_value(value, text);
            }
            text.push(b']');
        }
        Value::Object(fields) => {
            if let Some(exact) = exact_text(&fields) {
                return text.extend_from_slice(exact.as_bytes());
            }
            text.push(b'{');
            for (nth, (name, value)) in fields.into_iter().enumerate() {
                if nth > 0 {
                    text.push(b',');
                }
                let _ = serde_json::to_writer(&mut *text, name.as_str());
                text.push(b':');
                write_value(value, text);
            }
            text.push(b'}');
        }
        scalar => drop(serde_json::to_writer(&mut *text, &scalar)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use async_graphql::{ServerError, value};

    use super::*;
    use crate::graphql::OperationCost;

    #[test]
    fn a_text_is_as_long_as_it_is_written() {
        let all: String = (0..=0x7f_u8).map(char::from).chain("äß\u{2028}🙂".chars()).collect();
        for text in ["", "plain", "a\"b\\c", "\n\t\r\u{8}\u{c}", "\u{1}\u{1f}", &all] {
            assert_eq!(written_bytes(text), serde_json::to_string(text).unwrap().len(), "{text:?}");
        }
    }

    #[test]
    fn a_large_answer_is_written_as_the_library_writes_it() {
        let data = value!({
            "a": [1, -2.5, null, true, "x\u{1}\"\n"], "b": { "c": {}, "d": [] }, "e": "ENUM",
        });
        let failed = vec![ServerError::new("no \"good\"", None)];
        for (data, errors) in [
            (Some(data.clone()), vec![]),
            (Some(data), failed.clone()),
            (Some(Value::Null), failed.clone()),
            (None, failed),
        ] {
            let cost = OperationCost { requested: 1, limit: 2 };
            let bare = GraphQlResponse { data, errors, extensions: BTreeMap::new() };
            for answer in [bare.clone(), bare.with_cost(cost, None)] {
                let text = serde_json::to_vec(&answer).unwrap();
                let written = into_text(answer, "<", ">");
                let text = format!("<{}>", String::from_utf8(text).unwrap());
                assert_eq!(String::from_utf8(written.clone()).unwrap(), text);
                assert_eq!(written.capacity(), written.len(), "it is allocated once");
            }
        }
    }
}
