//! Equality of JSON by meaning: the order of keys and the spelling of numbers don't count.

use std::collections::BTreeMap;

use json_reader::Json;

use crate::decimal::Decimal;

/// Whether two values are the same.
pub(crate) fn equal(old: &Json, new: &Json) -> bool {
    equal_at_cost(old, new, &mut 0)
}

/// The same; adds about the number of compared bytes to `cost`.
pub(crate) fn equal_at_cost(old: &Json, new: &Json, cost: &mut usize) -> bool {
    *cost += 1;
    match (old, new) {
        (Json::Null, Json::Null) => true,
        (Json::Bool(old), Json::Bool(new)) => old == new,
        (Json::Number(old), Json::Number(new)) => old == new || Decimal::of(old) == Decimal::of(new),
        (Json::String(old), Json::String(new)) => {
            *cost += old.len().min(new.len());
            old == new
        }
        (Json::Array(old), Json::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| equal_at_cost(old, new, cost))
        }
        (Json::Object(old), Json::Object(new)) => {
            old.len() == new.len()
                && old.iter().all(|(key, old)| {
                    *cost += key.len();
                    new.get(key).is_some_and(|new| equal_at_cost(old, new, cost))
                })
        }
        _ => false,
    }
}

/// Whether two values that may be absent are the same.
pub(crate) fn equal_optional(old: Option<&Json>, new: Option<&Json>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => equal(old, new),
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// A text that equal values share, and others don't.
pub(crate) fn text(json: &Json) -> String {
    let mut text = String::new();
    write(json, &mut text);
    text
}

/// Writes the text of a value.
pub(crate) fn write(json: &Json, text: &mut String) {
    match json {
        Json::Number(number) => Decimal::of(number).write(text),
        Json::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Json::Object(object) => {
            text.push('{');
            for (key, value) in object.iter().collect::<BTreeMap<_, _>>() {
                write_string(key, text);
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Json::String(string) => write_string(string, text),
        Json::Null => text.push('n'),
        Json::Bool(value) => text.push(if *value { 't' } else { 'f' }),
    }
}

/// Writes a string after its length, so that no escapes are needed.
pub(crate) fn write_string(string: &str, text: &mut String) {
    text.push('"');
    text.push_str(&string.len().to_string());
    text.push(':');
    text.push_str(string);
}

/// A key, with its value on both sides.
pub(crate) type Keyed<'a> = (&'a str, Option<&'a Json>, Option<&'a Json>);

/// The keys of two objects in alphabetical order, each with both values. Values that are no objects have no keys.
pub(crate) fn keyed<'a>(old: Option<&'a Json>, new: Option<&'a Json>) -> Vec<Keyed<'a>> {
    let mut keys: BTreeMap<&str, (Option<&Json>, Option<&Json>)> = BTreeMap::new();
    for (key, value) in old.and_then(Json::as_object).into_iter().flatten() {
        keys.entry(key).or_default().0 = Some(value);
    }
    for (key, value) in new.and_then(Json::as_object).into_iter().flatten() {
        keys.entry(key).or_default().1 = Some(value);
    }
    keys.into_iter().map(|(key, (old, new))| (key, old, new)).collect()
}

/// Those of them whose values differ.
pub(crate) fn differing<'a>(old: Option<&'a Json>, new: Option<&'a Json>) -> impl Iterator<Item = Keyed<'a>> {
    keyed(old, new).into_iter().filter(|(_, old, new)| !equal_optional(*old, *new))
}

/// The size of a value in memory, roughly, in bytes.
pub(crate) fn size(json: &Json) -> usize {
    16 + match json {
        Json::Null | Json::Bool(_) => 0,
        Json::Number(number) => number.as_str().len(),
        Json::String(string) => string.len(),
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(object) => object.iter().map(|(key, value)| key.len() + size(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use json_reader::{Limits, read};

    #[test]
    fn equality_and_text_agree() {
        let values = [
            r#"{"a":1,"b":[1.0,2]}"#,
            r#"{"b":[1e0,2.0],"a":1.00}"#,
            r#"{"a":1,"b":[2,1]}"#,
            r#"{"a":"1","b":[1,2]}"#,
            r#"{"a":1}"#,
            r#"["a",["b"]]"#,
            r#"["a","b"]"#,
            "null",
            "true",
            "false",
            "0",
            "\"\"",
            "[]",
            "{}",
        ];
        let values = values.map(|value| read(value.as_bytes(), &Limits::DEFAULT).unwrap());
        for (at, left) in values.iter().enumerate() {
            for (other, right) in values.iter().enumerate() {
                let expected = at == other || at + other == 1;
                assert_eq!(equal(left, right), expected, "{left} {right}");
                assert_eq!(text(left) == text(right), expected, "{left} {right}");
            }
        }
    }
}
