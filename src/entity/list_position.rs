//! The position of a row in a list that isn't in the order of ids: the value that the list is ordered by, and the row's
//! id. Written as text in cursors.

use std::{fmt, str::FromStr};

use chrono::DateTime;
use sea_orm::Value;

use crate::clock::{Instant, is_of_four_digits};

/// What a row has of the value that its list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// The list is ordered by ids alone.
    Id,
    /// The row has no value, and so is at the list's end.
    Nothing,
    /// A text.
    Text(String),
    /// An instant.
    Time(Instant),
}

impl SortKey {
    /// The value to compare with; `None` for [`SortKey::Id`] and [`SortKey::Nothing`].
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            Self::Id | Self::Nothing => None,
            Self::Text(text) => Some(text.as_str().into()),
            Self::Time(at) => Some((*at).into()),
        }
    }
}

/// What the values of an order are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKind {
    /// There are none: the order is that of ids.
    Id,
    /// Texts.
    Text,
    /// Instants.
    Time,
}

impl SortKind {
    /// Whether a position with this key can be one in an order of this kind.
    #[must_use]
    pub fn has(self, key: &SortKey) -> bool {
        match key {
            SortKey::Id => self == Self::Id,
            SortKey::Nothing => self != Self::Id,
            SortKey::Text(_) => self == Self::Text,
            SortKey::Time(_) => self == Self::Time,
        }
    }
}

/// A position in a list. Of a list in the order of ids, its text is the id, as it was before there were other orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListPosition<I> {
    /// What the list is ordered by.
    pub key: SortKey,
    /// The row's id, which orders rows of equal values.
    pub id: I,
}

impl<I> ListPosition<I> {
    /// The position of a row in a list that is ordered by ids.
    pub fn of_id(id: I) -> Self {
        Self { key: SortKey::Id, id }
    }

    /// The position of a row with this value, in an order of this kind.
    pub fn of_value(kind: SortKind, (text, time): (Option<String>, Option<Instant>), id: I) -> Self {
        let key = match kind {
            SortKind::Id => SortKey::Id,
            SortKind::Text => text.map_or(SortKey::Nothing, SortKey::Text),
            SortKind::Time => time.map_or(SortKey::Nothing, SortKey::Time),
        };
        Self { key, id }
    }
}

impl<I: fmt::Display> fmt::Display for ListPosition<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, id } = self;
        match key {
            SortKey::Id => write!(f, "{id}"),
            SortKey::Nothing => write!(f, "{id} -"),
            SortKey::Text(text) => write!(f, "{id} ={text}"),
            SortKey::Time(at) => write!(f, "{id} @{}", at.timestamp_micros()),
        }
    }
}

/// A text isn't a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position in a list")]
pub struct NotAPosition;

impl<I: FromStr> FromStr for ListPosition<I> {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let (id, key) = match text.split_once(' ') {
            None => (text, SortKey::Id),
            Some((id, "-")) => (id, SortKey::Nothing),
            // Postgres can't compare with a text that it can't store.
            Some((_, key)) if key.contains('\0') => return Err(NotAPosition),
            Some((id, key)) => match (key.strip_prefix('='), key.strip_prefix('@')) {
                (Some(text), _) => (id, SortKey::Text(text.to_owned())),
                (None, Some(micros)) => {
                    let at = micros.parse().ok().and_then(DateTime::from_timestamp_micros);
                    let at = at.filter(|at| is_of_four_digits(*at));
                    (id, SortKey::Time(at.ok_or(NotAPosition)?))
                }
                (None, None) => return Err(NotAPosition),
            },
        };
        Ok(Self { key, id: id.parse().map_err(|_| NotAPosition)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let at = DateTime::from_timestamp_micros(1_764_500_000_123_456).unwrap();
        let keys = [
            (SortKey::Id, "7"),
            (SortKey::Nothing, "7 -"),
            (SortKey::Text("a ~ b = @".to_owned()), "7 =a ~ b = @"),
            (SortKey::Text(String::new()), "7 ="),
            (SortKey::Text("-".to_owned()), "7 =-"),
            (SortKey::Time(at), "7 @1764500000123456"),
        ];
        for (key, text) in keys {
            let position = ListPosition { key, id: 7 };
            assert_eq!(position.to_string(), text);
            assert_eq!(text.parse(), Ok(position));
        }
        for wrong in ["", "x", "7 ", "7 x", "7 @", "7 @x", "7 @-210866803200000001", "x =a", "7 =a\0"] {
            assert_eq!(wrong.parse::<ListPosition<i32>>(), Err(NotAPosition), "{wrong:?}");
        }
    }

    #[test]
    fn an_order_takes_positions_of_its_own_kind_alone() {
        let at = SortKey::Time(DateTime::UNIX_EPOCH);
        let (text, nothing) = (SortKey::Text(String::new()), SortKey::Nothing);
        let has = |kind: SortKind| [&SortKey::Id, &nothing, &text, &at].map(|key| kind.has(key));
        assert_eq!(has(SortKind::Id), [true, false, false, false]);
        assert_eq!(has(SortKind::Text), [false, true, true, false]);
        assert_eq!(has(SortKind::Time), [false, true, false, true]);
    }
}
