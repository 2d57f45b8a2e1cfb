//! Scalars: the five of the specification, and those that the schema defines.

use std::collections::HashMap;

use async_graphql_value::ConstValue;
use json_reader::{Json, Path};
use serde_json::Number;

/// Reads a value as the executor's resolver takes it, or answers the path, within the value, of what is not accepted.
pub type Coerce = fn(&Json) -> Result<ConstValue, Path>;

/// How the values of a scalar that the schema defines are read.
#[derive(Clone, Copy, Debug)]
pub struct ScalarRule {
    /// What it takes, to follow the word "expected" in a message.
    pub accepted: &'static str,
    /// Whether a literal may hold bare names (`{mode: FAST}`), which count as strings then.
    pub accepts_names: bool,
    /// Reads a value. It is never asked for null.
    pub coerce: Coerce,
}

/// The rules of the scalars that a schema defines, by name.
pub(crate) type ScalarRules = HashMap<String, ScalarRule>;

/// The rule of one of the five scalars of the specification (section 3.5). `None` when it has another name.
pub(crate) fn built_in(name: &str) -> Option<ScalarRule> {
    let (accepted, coerce): (_, Coerce) = match name {
        "Int" => ("an Int, a whole number of 32 bits", |value| int(value).ok_or_else(Path::default)),
        "Float" => ("a Float, a finite number", |value| float(value).ok_or_else(Path::default)),
        "String" => ("a String", |value| {
            value.as_str().map(|text| ConstValue::String(text.to_owned())).ok_or_else(Path::default)
        }),
        "Boolean" => {
            ("a Boolean", |value| value.as_bool().map(ConstValue::Boolean).ok_or_else(Path::default))
        }
        "ID" => ("an ID, a string or a whole number", |value| id(value).ok_or_else(Path::default)),
        _ => return None,
    };
    Some(ScalarRule { accepted, accepts_names: false, coerce })
}

fn id(value: &Json) -> Option<ConstValue> {
    match value {
        Json::String(text) => Some(ConstValue::String(text.clone())),
        Json::Number(number) if number.is_integer_token() => {
            Some(ConstValue::String(number.as_str().to_owned()))
        }
        _ => None,
    }
}

/// `1.0` is a whole number in JSON's eyes, which knows one kind of number; in a literal it is a Float and comes not here.
fn int(value: &Json) -> Option<ConstValue> {
    let Json::Number(number) = value else { return None };
    let whole = match number.as_i64() {
        Some(whole) => whole,
        None => {
            let double = number.as_f64();
            let is_whole = double.fract() == 0.0 && double.abs() <= f64::from(u32::MAX);
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 33 bits")]
            is_whole.then_some(double as i64)?
        }
    };
    i32::try_from(whole).ok().map(|whole| ConstValue::Number(whole.into()))
}

fn float(value: &Json) -> Option<ConstValue> {
    let Json::Number(number) = value else { return None };
    Number::from_f64(number.as_f64()).map(ConstValue::Number)
}
