//! The values that differ between two contents, by path.

use std::collections::HashMap;

use json_reader::Json;

use crate::{
    Content, canonical,
    content::{Tool, field, is_reordered},
};

/// The most changes that are listed by path. Beyond them, a part of the content (the parameters, a tool, the
/// extensions) is one change.
pub const CHANGES_MAX: usize = 1000;

/// The most bytes of all paths together.
const PATHS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most levels of nested values that are compared one by one.
const DEPTH_MAX: usize = 64;

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Where: a field's name in the API, then keys, and the numbers of an array's items from 0. The step after `tools`
    /// is the tool's name.
    pub path: Vec<String>,
    /// How it differs.
    pub kind: FieldChangeKind,
    /// The value before.
    pub before: Option<Json>,
    /// The value afterwards.
    pub after: Option<Json>,
}

/// How a value differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldChangeKind {
    /// Only the newer version has it.
    Added,
    /// Only the older version has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
    /// An array has the same items in another order.
    Reordered,
}

/// The result of [`changes`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes: parameters by key, removed tools in their old order, the other tools in their new order,
    /// extensions by key. Members of an object are in the order of their keys.
    pub fields: Vec<FieldChange>,
    /// Whether the tools that both versions have are in another order.
    pub tools_reordered: bool,
}

/// Compares parameters, tools and extensions. Values are equal by meaning: the order of keys and the spelling of
/// numbers don't count.
///
/// Objects are compared member by member. Arrays with equally many items are compared item by item if all items are
/// objects or arrays, and are one change otherwise.
#[must_use]
pub fn changes(old: &Content<'_>, new: &Content<'_>) -> Changes {
    let mut walk = Walk::default();
    walk.values_of(field::PARAMETERS, old.parameters, new.parameters);
    let tools_reordered = walk.tools(old.tools, new.tools);
    let empty = Json::Object(json_reader::Object::new());
    let (before, after) = (old.extensions.unwrap_or(&empty), new.extensions.unwrap_or(&empty));
    walk.values_of(field::EXTENSIONS, before, after);
    Changes { fields: walk.found, tools_reordered }
}

#[derive(Default)]
struct Walk {
    path: Vec<String>,
    found: Vec<FieldChange>,
    path_bytes: usize,
    is_too_much: bool,
    /// Whether the path is that of a whole part of the content.
    is_whole: bool,
}

impl Walk {
    /// Walks one part of the content, and replaces its changes by one if they are too many.
    fn part(&mut self, path: Vec<String>, (old, new): (&Json, &Json), walk: impl FnOnce(&mut Self)) {
        let mark = self.found.len();
        self.path.clone_from(&path);
        walk(self);
        if std::mem::take(&mut self.is_too_much) {
            self.found.truncate(mark);
            self.whole(path, FieldChangeKind::Changed, Some(old), Some(new));
        }
    }

    /// Adds the change of a whole part.
    fn whole(
        &mut self,
        path: Vec<String>,
        kind: FieldChangeKind,
        before: Option<&Json>,
        after: Option<&Json>,
    ) {
        (self.path, self.is_whole) = (path, true);
        self.push(kind, before, after);
        self.is_whole = false;
    }

    fn values_of(&mut self, field: &str, old: &Json, new: &Json) {
        self.part(vec![field.to_owned()], (old, new), |walk| walk.values(old, new));
    }

    fn tools(&mut self, old: &[Json], new: &[Json]) -> bool {
        let (Some(old_tools), Some(new_tools)) = (Tool::read_all(old), Tool::read_all(new)) else {
            let (old, new) = (Json::Array(old.to_vec()), Json::Array(new.to_vec()));
            self.values_of(field::TOOLS, &old, &new);
            return false;
        };
        let path = |tool: &Tool<'_>| vec![field::TOOLS.to_owned(), tool.name.to_owned()];
        let in_old: HashMap<&str, &Tool<'_>> = old_tools.iter().map(|tool| (tool.name, tool)).collect();
        let in_new: HashMap<&str, &Tool<'_>> = new_tools.iter().map(|tool| (tool.name, tool)).collect();
        for tool in old_tools.iter().filter(|tool| !in_new.contains_key(tool.name)) {
            self.whole(path(tool), FieldChangeKind::Removed, Some(tool.json), None);
        }
        for tool in &new_tools {
            let Some(old) = in_old.get(tool.name) else {
                self.whole(path(tool), FieldChangeKind::Added, None, Some(tool.json));
                continue;
            };
            self.part(path(tool), (old.json, tool.json), |walk| walk.members(old, tool));
        }
        is_reordered(&old_tools, &new_tools)
    }

    fn members(&mut self, old: &Tool<'_>, new: &Tool<'_>) {
        let object = |tool: &Tool<'_>| {
            let members = tool.members.iter();
            Json::Object(members.map(|(member, json)| (member.key().to_owned(), (*json).clone())).collect())
        };
        self.values(&object(old), &object(new));
    }

    fn values(&mut self, old: &Json, new: &Json) {
        if canonical::equal(old, new) {
            return;
        }
        match (old, new) {
            _ if self.is_too_much || self.path.len() >= DEPTH_MAX => {
                self.push(FieldChangeKind::Changed, Some(old), Some(new));
            }
            (Json::Object(_), Json::Object(_)) => self.objects(old, new),
            (Json::Array(old_items), Json::Array(new_items)) => {
                let is_nested = |item: &Json| matches!(item, Json::Object(_) | Json::Array(_));
                let mut items = old_items.iter().chain(new_items);
                if is_same_in_another_order(old_items, new_items) {
                    self.push(FieldChangeKind::Reordered, Some(old), Some(new));
                } else if old_items.len() == new_items.len() && items.all(is_nested) {
                    for (at, (old, new)) in old_items.iter().zip(new_items).enumerate() {
                        self.at(at.to_string(), |walk| walk.values(old, new));
                    }
                } else {
                    self.push(FieldChangeKind::Changed, Some(old), Some(new));
                }
            }
            _ => self.push(FieldChangeKind::Changed, Some(old), Some(new)),
        }
    }

    fn objects(&mut self, old: &Json, new: &Json) {
        for (key, before, after) in canonical::keyed(Some(old), Some(new)) {
            self.at(key.to_owned(), |walk| match (before, after) {
                (Some(before), Some(after)) => walk.values(before, after),
                (None, after) => walk.push(FieldChangeKind::Added, None, after),
                (before, None) => walk.push(FieldChangeKind::Removed, before, None),
            });
        }
    }

    fn at(&mut self, step: String, walk: impl FnOnce(&mut Self)) {
        self.path.push(step);
        walk(self);
        self.path.pop();
    }

    fn push(&mut self, kind: FieldChangeKind, before: Option<&Json>, after: Option<&Json>) {
        self.path_bytes += self.path.iter().map(String::len).sum::<usize>();
        let is_full = self.found.len() >= CHANGES_MAX || self.path_bytes > PATHS_BYTES_MAX;
        // A whole part is always listed.
        if is_full && !self.is_whole {
            self.is_too_much = true;
            return;
        }
        self.found.push(FieldChange {
            path: self.path.clone(),
            kind,
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

fn is_same_in_another_order(old: &[Json], new: &[Json]) -> bool {
    let sorted = |items: &[Json]| {
        let mut texts: Vec<String> = items.iter().map(canonical::text).collect();
        texts.sort_unstable();
        texts
    };
    old.len() == new.len() && sorted(old) == sorted(new)
}
