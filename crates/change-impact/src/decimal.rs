//! Exact decimal numbers, from the tokens of JSON.

use std::cmp::Ordering;

use json_reader::Number;

/// An exact number: 0.`digits` × 10^`exponent`. Zero has no digits. Numbers are equal if their values are: `1`, `1.0`
/// and `1e0`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decimal {
    is_negative: bool,
    /// Without zeros at both ends.
    digits: String,
    exponent: i64,
}

impl Decimal {
    pub(crate) fn of(number: &Number) -> Self {
        let token = number.as_str();
        let (is_negative, token) = token.strip_prefix('-').map_or((false, token), |rest| (true, rest));
        let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Self::default();
        }
        // Exponents beyond 64 bits belong to numbers so small that readers make them zero.
        let beyond = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let exponent = exponent.trim_start_matches('+').parse().unwrap_or(beyond);
        let point = to_i64(whole.len()) - to_i64(leading);
        Self { is_negative, digits: digits.to_owned(), exponent: exponent.saturating_add(point) }
    }

    /// Writes the number in the one form that all equal numbers share.
    pub(crate) fn write(&self, text: &mut String) {
        if self.is_negative {
            text.push('-');
        }
        text.push_str(if self.digits.is_empty() { "0" } else { &self.digits });
        text.push('e');
        text.push_str(&self.exponent.to_string());
    }

    /// Whether this is `other` times an integer; `None` when the numbers are too far apart to decide, or zero.
    pub(crate) fn is_multiple_of(&self, other: &Self) -> Option<bool> {
        let lowest = self.last_exponent().min(other.last_exponent());
        let scaled = |number: &Self| -> Option<u128> {
            let zeros = u32::try_from(number.last_exponent().checked_sub(lowest)?).ok()?;
            number.digits.parse::<u128>().ok()?.checked_mul(10u128.checked_pow(zeros)?)
        };
        scaled(self)?.checked_rem(scaled(other)?).map(|rest| rest == 0)
    }

    /// The exponent of the last digit.
    fn last_exponent(&self) -> i64 {
        self.exponent.saturating_sub(to_i64(self.digits.len()))
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

fn to_i64(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(token: &str) -> Decimal {
        Decimal::of(&Number::from_token(token).unwrap())
    }

    #[test]
    fn numbers_are_equal_by_value_and_not_by_spelling() {
        for (left, right) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("100", "1E+2"),
            ("0", "-0.0e7"),
            ("0.001", "1e-3"),
            ("-12.50", "-1.25e1"),
            ("0e99999999999999999999", "0"),
        ] {
            assert_eq!(decimal(left), decimal(right), "{left} {right}");
        }
        assert_ne!(decimal("9007199254740993"), decimal("9007199254740992"));
        assert_ne!(decimal("1"), decimal("-1"));
    }

    #[test]
    fn numbers_are_in_order() {
        let sorted = [
            "-1e3",
            "-2",
            "-1.5",
            "-1e-99999999999999999999",
            "0",
            "1e-400",
            "0.1",
            "0.11",
            "0.9",
            "1",
            "9",
            "10",
        ];
        for (at, left) in sorted.iter().enumerate() {
            for (other, right) in sorted.iter().enumerate() {
                assert_eq!(decimal(left).cmp(&decimal(right)), at.cmp(&other), "{left} {right}");
            }
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (number, of, expected) in [
            ("10", "5", Some(true)),
            ("10", "4", Some(false)),
            ("0.3", "0.1", Some(true)),
            ("1e2", "0.25", Some(true)),
            ("1", "0", None),
            ("1e300", "1", None),
        ] {
            assert_eq!(decimal(number).is_multiple_of(&decimal(of)), expected, "{number} {of}");
        }
    }
}
