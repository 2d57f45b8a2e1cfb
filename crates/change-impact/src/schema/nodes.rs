//! Pairs of schemas, and steps within the values that they are for.

use json_reader::{Json, Object};

use crate::canonical;

/// A step from a value to a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Member(&'a str),
    AnyMember,
    MemberName,
    Item(usize),
    AnyItem,
}

/// A pair of object schemas. `None` is a schema without keywords.
#[derive(Clone, Copy)]
pub(super) struct Nodes<'a> {
    pub(super) old: Option<&'a Object>,
    pub(super) new: Option<&'a Object>,
}

/// The address of a value, which tells values of one document apart.
pub(super) fn address(json: &Json) -> usize {
    std::ptr::from_ref(json).addr()
}

impl<'a> Nodes<'a> {
    pub(super) fn get(self, key: &str) -> (Option<&'a Json>, Option<&'a Json>) {
        (self.old.and_then(|node| node.get(key)), self.new.and_then(|node| node.get(key)))
    }

    pub(super) fn differ(self, key: &str) -> bool {
        let (old, new) = self.get(key);
        !canonical::equal_optional(old, new)
    }

    pub(super) fn have(self, key: &str) -> bool {
        let (old, new) = self.get(key);
        old.is_some() || new.is_some()
    }
}
