//! How many values the variables have: they are looked at again by whatever coerces them.

use json_reader::Object;

use super::{Figure, Limits, Refusal, within};

/// Refuses variables of more values than [`Limits::values`].
///
/// # Errors
/// [`Refusal::TooMuch`].
pub fn weigh(variables: Option<&Object>, limits: &Limits) -> Result<(), Refusal> {
    within(Figure::Values, variables.map_or(0, Object::count_values), limits.values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_counts_however_deep_it_is() {
        let variables = br#"{ "a": [1, [2, { "b": null, "c": "text" }]], "d": {} }"#;
        let variables = json_reader::read_as::<Object>(variables, &json_reader::Limits::DEFAULT).unwrap();
        let refused = |values| weigh(Some(&variables), &Limits { values, ..Limits::DEFAULT });
        assert_eq!(refused(8), Ok(()));
        assert_eq!(refused(7), Err(Refusal::TooMuch { figure: Figure::Values, found: 8, limit: 7 }));
        assert_eq!(refused(0), Err(Refusal::TooMuch { figure: Figure::Values, found: 8, limit: 0 }));
        assert_eq!(weigh(None, &Limits { values: 0, ..Limits::DEFAULT }), Ok(()));
    }
}
