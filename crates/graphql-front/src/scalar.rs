//! Scalars: the five built-in ones of the specification, and the schema's custom scalars.

use std::collections::HashMap;

use async_graphql_value::ConstValue;
use json_reader::{Json, Path};
use serde_json::Number;

/// Coerces a value to the form that the executor's resolver accepts. Returns the path of the rejected part, within
/// the value, on error.
pub type Coerce = fn(&Json) -> Result<ConstValue, Path>;

/// The rule by which values of a custom scalar are coerced.
#[derive(Clone, Copy, Debug)]
pub struct ScalarRule {
    /// The accepted values, as they follow "expected" in a message.
    pub accepted: &'static str,
    /// Whether a literal may contain bare names (`{mode: FAST}`), which then count as strings.
    pub accepts_names: bool,
    /// Coerces a value. It isn't called for null.
    pub coerce: Coerce,
}

/// The rules of the schema's custom scalars, by name.
pub(crate) type ScalarRules = HashMap<String, ScalarRule>;

/// Returns the rule of a built-in scalar (section 3.5), or `None` for other names.
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

/// Coerces a JSON number to Int. `1.0` is accepted, because JSON has only one kind of number. The literal `1.0` is
/// a Float, and rejected before.
fn int(value: &Json) -> Option<ConstValue> {
    let Json::Number(number) = value else { return None };
    let whole = match number.as_i64() {
        Some(whole) => whole,
        None => {
            let double = number.as_f64();
            let is_whole = double.fract() == 0.0 && double.abs() <= f64::from(u32::MAX);
            #[expect(clippy::cast_possible_truncation, reason = "the value is whole and within 33 bits")]
            is_whole.then_some(double as i64)?
        }
    };
    i32::try_from(whole).ok().map(|whole| ConstValue::Number(whole.into()))
}

fn float(value: &Json) -> Option<ConstValue> {
    let Json::Number(number) = value else { return None };
    Number::from_f64(number.as_f64()).map(ConstValue::Number)
}
