//! Keyset pages: a page at the end of a list costs as much as one at its start.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, Result};
use crate::entity::KeysetPage;

/// The most rows a page may have.
pub const PAGE_MAX: u64 = 100;
/// The size of a page when neither `first` nor `last` is given.
pub const PAGE_DEFAULT: u64 = 20;

/// How many bytes of the hash of its list a cursor has.
const LIST_BYTES: usize = 4;
/// What separates a key from the hash of its list. No key contains it.
const OF_LIST: char = '~';

/// A list: what it lists, and the object that it is below. Its filter doesn't matter, since a position is the same in
/// each part of a list. Cursors are bound to their list, so that a cursor of another one isn't taken for a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListId(String);

impl ListId {
    /// The list of all rows of this kind that the reader can see.
    #[must_use]
    pub fn all(kind: &'static str) -> Self {
        Self::named(kind)
    }

    /// The list below this object.
    #[must_use]
    pub fn below(kind: &'static str, parent: impl Into<Uuid>) -> Self {
        Self::named(&format!("{kind} {}", parent.into()))
    }

    fn named(name: &str) -> Self {
        let hash = Sha256::digest(name);
        Self(hex::encode(hash.get(..LIST_BYTES).unwrap_or_default()))
    }

    /// The same list in another order than its own. Its positions aren't those of the list.
    #[must_use]
    pub fn ordered(&self, order: &str) -> Self {
        Self::named(&format!("{} by {order}", self.0))
    }

    /// An opaque cursor for a row's key. GraphQL and REST use the same.
    #[must_use]
    pub fn cursor(&self, key: impl ToString) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}{OF_LIST}{}", key.to_string(), self.0))
    }

    /// The key in a cursor of this list. Accepts the cursors of the first release, which name no list.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `field` when it isn't a cursor, or one of another list.
    pub fn key<K: std::str::FromStr>(&self, field: &str, cursor: &str) -> Result<K> {
        let wrong = |what| Error::invalid(field, format!("{field} is {what}; begin again without it"));
        let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| wrong("not a cursor"))?;
        let key = match text.rsplit_once(OF_LIST) {
            Some((_, list)) if list != self.0 => return Err(wrong("a cursor of another list")),
            Some((key, _)) => key,
            None => &text,
        };
        key.parse().map_err(|_| wrong("not a cursor of this list"))
    }
}

/// The kinds of lists. Their names are hashed into cursors, so they never change.
pub mod kinds {
    /// The activations of an agent.
    pub const ACTIVATIONS: &str = "activations";
    /// Agents: all, or those of a customer.
    pub const AGENTS: &str = "agents";
    /// The API keys of a customer.
    pub const API_KEYS: &str = "api keys";
    /// Entries of the audit log: all, or those about a customer or an agent.
    pub const CHANGES: &str = "changes";
    /// Customers.
    pub const CUSTOMERS: &str = "customers";
    /// Gateways.
    pub const GATEWAYS: &str = "gateways";
    /// The invitations of a customer.
    pub const INVITATIONS: &str = "invitations";
    /// The members of a customer.
    pub const MEMBERS: &str = "members";
    /// The agents that a user owns.
    pub const OWNED_AGENTS: &str = "owned agents";
    /// The versions of an agent.
    pub const VERSIONS: &str = "versions";
    /// Service tokens.
    pub const SERVICE_TOKENS: &str = "service tokens";
    /// People with a profile.
    pub const USERS: &str = "users";
    /// The running subscriptions of an instance.
    pub const WATCHERS: &str = "watchers";
}

/// Relay's four page arguments, checked (Relay Cursor Connections, section 4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageArgs<K> {
    after: Option<K>,
    before: Option<K>,
    limit: u64,
    backward: bool,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Whether the list has rows after this page.
    pub has_next: bool,
    /// Whether the list has rows before this page.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// An empty page.
    #[must_use]
    pub fn empty() -> Self {
        Self { items: Vec::new(), has_next: false, has_previous: false }
    }

    /// Converts each row.
    pub fn map<U>(self, to: impl FnMut(T) -> U) -> Page<U> {
        let Self { items, has_next, has_previous } = self;
        Page { items: items.into_iter().map(to).collect(), has_next, has_previous }
    }

    /// Converts each row, by reference.
    pub fn each<U>(&self, to: impl FnMut(&T) -> U) -> Page<U> {
        let Self { items, has_next, has_previous } = self;
        Page { items: items.iter().map(to).collect(), has_next: *has_next, has_previous: *has_previous }
    }
}

impl<K: Clone> PageArgs<K> {
    /// Checks the four page arguments.
    ///
    /// # Errors
    /// [`Error::Invalid`] when both `first` and `last` are given, or the size isn't 1 to [`PAGE_MAX`].
    pub fn new(first: Option<i32>, after: Option<K>, last: Option<i32>, before: Option<K>) -> Result<Self> {
        let (field, size, backward) = match (first, last) {
            (Some(_), Some(_)) => return Err(Error::invalid("last", "give either first or last, not both")),
            (None, Some(last)) => ("last", Some(last), true),
            (first, None) => ("first", first, false),
        };
        let limit = match size {
            None => PAGE_DEFAULT,
            Some(size) => u64::try_from(size)
                .ok()
                .filter(|size| (1..=PAGE_MAX).contains(size))
                .ok_or_else(|| Error::invalid(field, format!("{field} must be 1–{PAGE_MAX}, got {size}")))?,
        };
        Ok(Self { after, before, limit, backward })
    }

    /// Checks the keys between which the page lies.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cursor whose key isn't one of this list.
    pub fn check_positions(&self, is_one: impl Fn(&K) -> bool) -> Result<()> {
        for (field, key) in [("after", &self.after), ("before", &self.before)] {
            if key.as_ref().is_some_and(|key| !is_one(key)) {
                return Err(Error::invalid(
                    field,
                    format!("{field} is not a cursor of this list; begin again without it"),
                ));
            }
        }
        Ok(())
    }

    /// The rows to read. Reads one more than the page's size, to find out whether the list continues.
    pub(super) fn keyset_page(&self) -> KeysetPage<K> {
        KeysetPage {
            after: self.after.clone(),
            before: self.before.clone(),
            limit: self.limit + 1,
            backward: self.backward,
        }
    }

    /// Cuts the page out of a complete list, which must be in the list's order.
    #[must_use]
    pub fn page_of_list<T>(&self, all: Vec<T>, key: impl Fn(&T) -> K) -> Page<T>
    where
        K: Ord,
    {
        let is_beyond = |row: &T| self.after.as_ref().is_none_or(|after| key(row) > *after);
        let is_short_of = |row: &T| self.before.as_ref().is_none_or(|before| key(row) < *before);
        let mut rows: Vec<T> = all.into_iter().filter(|row| is_beyond(row) && is_short_of(row)).collect();
        if self.backward {
            rows.reverse();
        }
        self.page(rows)
    }

    /// Makes a page of the rows that [`PageArgs::slice`] selected.
    pub(super) fn page<T>(&self, mut rows: Vec<T>) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.backward {
            rows.reverse();
            Page { items: rows, has_next: self.before.is_some(), has_previous: more }
        } else {
            Page { items: rows, has_next: more, has_previous: self.after.is_some() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page of a list from 1 to `count`, and whether the list has rows before and after it.
    fn page(count: u64, first: Option<i32>, last: Option<i32>, after: Option<u64>) -> (Vec<u64>, [bool; 2]) {
        let args = PageArgs::new(first, after, last, None).unwrap();
        let read = |slice: KeysetPage<u64>| -> Vec<u64> {
            let from = slice.after.map_or(1, |after| after + 1);
            let limit = usize::try_from(slice.limit).unwrap();
            if slice.backward {
                (from..=count).rev().take(limit).collect()
            } else {
                (from..=count).take(limit).collect()
            }
        };
        let page = args.page(read(args.keyset_page()));
        assert_eq!(args.page_of_list((1..=count).collect(), |row| *row).items, page.items);
        (page.items, [page.has_previous, page.has_next])
    }

    #[test]
    fn a_cursor_is_bound_to_its_list() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let list = ListId::below("versions", one);
        let cursor = list.cursor(7);
        assert_eq!(list.key::<i32>("after", &cursor).unwrap(), 7);
        for other in [ListId::below("versions", two), ListId::below("members", one), ListId::all("versions")]
        {
            let refused = other.key::<i32>("after", &cursor).unwrap_err();
            assert_eq!(refused.to_string(), "after is a cursor of another list; begin again without it");
            assert_eq!(refused.field(), Some("after"));
        }
        // Clients keep cursors: those of the first release are only the key, and these are kept from now on.
        assert_eq!(list.key::<i32>("after", &URL_SAFE_NO_PAD.encode("7")).unwrap(), 7);
        assert_eq!(URL_SAFE_NO_PAD.decode(&cursor).unwrap(), b"7~e5b8a0af");
        for wrong in ["%", "bm9uc2Vuc2U", ""] {
            assert!(list.key::<i32>("after", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_of_exactly_what_there_is_has_nothing_beyond_it() {
        assert_eq!(page(3, Some(3), None, None), (vec![1, 2, 3], [false, false]));
        assert_eq!(page(3, None, Some(3), None), (vec![1, 2, 3], [false, false]));
        assert_eq!(page(3, Some(2), None, None), (vec![1, 2], [false, true]));
        assert_eq!(page(3, None, Some(2), None), (vec![2, 3], [true, false]));
        assert_eq!(page(3, Some(4), None, None), (vec![1, 2, 3], [false, false]));
        assert_eq!(page(3, None, Some(4), None), (vec![1, 2, 3], [false, false]));
        assert_eq!(page(3, Some(2), None, Some(1)), (vec![2, 3], [true, false]));
        assert_eq!(page(3, Some(1), None, Some(1)), (vec![2], [true, true]));
        assert_eq!(page(0, Some(1), None, None), (vec![], [false, false]));
        assert_eq!(page(0, None, Some(1), None), (vec![], [false, false]));
    }
}
