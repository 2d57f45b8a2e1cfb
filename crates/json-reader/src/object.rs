//! Objects that keep the order of their keys.

use std::{fmt, mem, slice, vec};

use indexmap::{IndexMap, map};

use crate::Json;

/// The maximum number of members that are searched linearly.
const SMALL: usize = 16;

/// An object with unique keys, in the order of their first insertion. Lookup, insertion and replacement take
/// constant time; removal takes time linear in the number of later members. Objects are equal if they have equal
/// members in the same order.
#[derive(Clone, Default)]
pub struct Object(Members);

// Most objects are small, for which a hash table would cost more than comparisons. The table of a large object uses
// randomly keyed hashes, so that an attacker can't choose colliding keys.
#[derive(Clone)]
enum Members {
    Small(Vec<(String, Json)>),
    Large(Box<IndexMap<String, Json>>),
}

impl Default for Members {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl Object {
    /// Makes an object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Members::Small(members) => members.len(),
            Members::Large(members) => members.len(),
        }
    }

    /// Whether the object has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        match &self.0 {
            Members::Small(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Members::Large(members) => members.get(key),
        }
    }

    /// Returns the value of this key, mutably.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        match &mut self.0 {
            Members::Small(members) => {
                members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            Members::Large(members) => members.get_mut(key),
        }
    }

    /// Whether the object has this key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Sets the value of this key and returns the previous one. A new key is appended, an existing one keeps its
    /// position.
    pub fn insert(&mut self, key: String, value: Json) -> Option<Json> {
        match self.with_room() {
            Members::Small(members) => match members.iter_mut().find(|(name, _)| *name == key) {
                Some((_, old)) => Some(mem::replace(old, value)),
                None => {
                    members.push((key, value));
                    None
                }
            },
            Members::Large(members) => members.insert(key, value),
        }
    }

    /// Returns the members, converted to a table if one more would exceed [`SMALL`].
    fn with_room(&mut self) -> &mut Members {
        if let Members::Small(members) = &mut self.0
            && members.len() == SMALL
        {
            self.0 = Members::Large(Box::new(mem::take(members).into_iter().collect()));
        }
        &mut self.0
    }

    /// Removes this key and returns its value. The other members keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        match &mut self.0 {
            Members::Small(members) => {
                let at = members.iter().position(|(name, _)| name == key)?;
                Some(members.remove(at).1)
            }
            Members::Large(members) => members.shift_remove(key),
        }
    }

    /// Iterates over the members, in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Members::Small(members) => Iter { small: members.iter(), large: None },
            Members::Large(members) => Iter { small: [].iter(), large: Some(members.iter()) },
        }
    }

    /// Iterates over the keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// Iterates over the values, in order.
    pub fn values(&self) -> impl Iterator<Item = &Json> {
        self.iter().map(|(_, value)| value)
    }

    /// Returns the number of members and items in the object, at any depth.
    #[must_use]
    pub fn count_values(&self) -> usize {
        self.values().map(|value| 1 + value.count_values()).sum()
    }

    /// Appends a member. If the key exists already, changes nothing and returns the key.
    pub(crate) fn insert_new(&mut self, key: String, value: Json) -> Option<String> {
        match self.with_room() {
            Members::Small(members) if members.iter().any(|(name, _)| *name == key) => Some(key),
            Members::Small(members) => {
                members.push((key, value));
                None
            }
            Members::Large(members) => match members.entry(key) {
                map::Entry::Occupied(entry) => Some(entry.key().clone()),
                map::Entry::Vacant(entry) => {
                    entry.insert(value);
                    None
                }
            },
        }
    }

    /// Returns the value of the last member, mutably.
    pub(crate) fn last_mut(&mut self) -> Option<&mut Json> {
        match &mut self.0 {
            Members::Small(members) => members.last_mut().map(|(_, value)| value),
            Members::Large(members) => members.last_mut().map(|(_, value)| value),
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl Eq for Object {}

impl FromIterator<(String, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(members: I) -> Self {
        let mut object = Self::new();
        object.extend(members);
        object
    }
}

impl Extend<(String, Json)> for Object {
    fn extend<I: IntoIterator<Item = (String, Json)>>(&mut self, members: I) {
        for (key, value) in members {
            self.insert(key, value);
        }
    }
}

/// The members of an [`Object`], borrowed.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    small: slice::Iter<'a, (String, Json)>,
    large: Option<map::Iter<'a, String, Json>>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a Json);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.large {
            None => self.small.next().map(|(key, value)| (key.as_str(), value)),
            Some(large) => large.next().map(|(key, value)| (key.as_str(), value)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.large {
            None => self.small.size_hint(),
            Some(large) => large.size_hint(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a str, &'a Json);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The members of an [`Object`].
#[derive(Debug)]
pub struct IntoIter {
    small: vec::IntoIter<(String, Json)>,
    large: Option<map::IntoIter<String, Json>>,
}

impl Iterator for IntoIter {
    type Item = (String, Json);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.large {
            None => self.small.next(),
            Some(large) => large.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.large {
            None => self.small.size_hint(),
            Some(large) => large.size_hint(),
        }
    }
}

impl ExactSizeIterator for IntoIter {}

impl IntoIterator for Object {
    type Item = (String, Json);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        match self.0 {
            Members::Small(members) => IntoIter { small: members.into_iter(), large: None },
            Members::Large(members) => {
                IntoIter { small: Vec::new().into_iter(), large: Some(members.into_iter()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_stays_however_many_members_there_are() {
        for size in [0, 1, SMALL, SMALL + 1, 1000] {
            let key = |at: usize| format!("k{}", size - at);
            let members = || (0..size).map(|at| (key(at), Json::from(i64::try_from(at).unwrap())));
            let mut object: Object = members().collect();
            assert_eq!((object.len(), object.is_empty()), (size, size == 0));
            assert!(object.keys().eq((0..size).map(key)));
            assert!(object.clone().into_iter().eq(members()));
            assert_eq!(object.count_values(), size);
            for (key, value) in members() {
                assert_eq!(object.get(&key), Some(&value));
                assert_eq!(object.insert(key.clone(), Json::Null), Some(value));
                assert_eq!(object.get_mut(&key), Some(&mut Json::Null));
            }
            assert!(object.keys().eq((0..size).map(key)), "replacing moves nothing");
            assert_eq!(object.remove("other"), None);
            if size > 2 {
                assert_eq!(object.remove(&key(1)), Some(Json::Null));
                assert!(object.keys().eq((0..size).filter(|at| *at != 1).map(key)));
                assert!(!object.contains_key(&key(1)));
            }
        }
    }

    #[test]
    fn equal_is_equal_in_order() {
        let object =
            |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), Json::Null)).collect::<Object>();
        assert_eq!(object(&["a", "b"]), object(&["a", "b"]));
        assert_ne!(object(&["a", "b"]), object(&["b", "a"]));
        assert_ne!(object(&["a", "b"]), object(&["a"]));
        // Equality doesn't depend on the representation.
        let keys: Vec<_> = (0..=SMALL).map(|at| at.to_string()).collect();
        let mut large = object(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        large.remove("0");
        assert_eq!(large, object(&keys.iter().skip(1).map(String::as_str).collect::<Vec<_>>()));
    }
}
