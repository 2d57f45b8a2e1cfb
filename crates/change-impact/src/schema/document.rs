//! A schema's document: its draft, and what its references refer to.

use json_reader::Json;

use super::reading;
use crate::canonical;

/// The drafts that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draft {
    /// Draft-06 and draft-07. Members beside `$ref` are ignored.
    Legacy,
    /// 2019-09: tuples as in draft-07, the rest as in 2020-12.
    Middle,
    /// 2020-12, also when no draft is named, as in MCP.
    Current,
    /// Another one, or several in one document: nothing is known about its keywords.
    Other,
}

/// The most references that are followed from one schema without another keyword between.
const HOPS_MAX: usize = 32;

/// A whole schema.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) root: &'a Json,
    pub(super) draft: Draft,
    /// Its size, roughly.
    pub(super) bytes: usize,
    /// Whether it has references.
    pub(super) has_references: bool,
    /// Whether a schema in it has an id of its own, so that references in it may mean something else.
    pub(super) is_compound: bool,
}

/// A schema after its references were followed.
#[derive(Clone)]
pub(super) struct Expanded<'a> {
    pub(super) schema: &'a Json,
    /// The steps from the given schema.
    pub(super) steps: Vec<&'static str>,
    /// Whether the references lead in a circle.
    pub(super) is_circle: bool,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Json) -> Self {
        let mut document = Self {
            root,
            draft: draft(root),
            bytes: canonical::size(root),
            has_references: false,
            is_compound: false,
        };
        document.scan(root, true);
        document
    }

    fn scan(&mut self, json: &Json, is_root: bool) {
        match json {
            Json::Object(object) => {
                for (key, value) in object {
                    let is_text = value.as_str().is_some();
                    match key {
                        "$ref" | "$dynamicRef" | "$recursiveRef" if is_text => self.has_references = true,
                        "$id" if is_text && !is_root => self.is_compound = true,
                        "$schema" if is_text && !is_root => self.draft = Draft::Other,
                        _ => {}
                    }
                    self.scan(value, false);
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.scan(item, false)),
            _ => {}
        }
    }

    /// The schema that a reference within the document refers to: `#`, or `#` and a JSON Pointer (RFC 6901).
    pub(super) fn resolve(&self, reference: &str) -> Option<&'a Json> {
        if self.is_compound {
            return None;
        }
        let pointer = decoded(reference.strip_prefix('#')?)?;
        let Some(steps) = pointer.strip_prefix('/') else { return pointer.is_empty().then_some(self.root) };
        steps.split('/').try_fold(self.root, |json, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match json {
                Json::Object(object) => object.get(&step),
                Json::Array(items) => items.get(step.parse::<usize>().ok()?),
                _ => None,
            }
        })
    }

    /// Follows a schema that only refers to another one, by `$ref` or as the single item of `allOf`, `anyOf` or
    /// `oneOf`.
    pub(super) fn expand(&self, given: &'a Json) -> Expanded<'a> {
        let mut expanded = Expanded { schema: given, steps: Vec::new(), is_circle: false };
        for _ in 0..HOPS_MAX {
            let Some((steps, schema)) = self.hop(expanded.schema) else { return expanded };
            expanded.steps.extend(steps);
            expanded.schema = schema;
        }
        expanded.is_circle = true;
        expanded
    }

    fn hop(&self, schema: &'a Json) -> Option<(&'static [&'static str], &'a Json)> {
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            let is_sole = self.draft == Draft::Legacy || reading::has_only(schema, "$ref");
            return Some((&["$ref"], self.resolve(reference).filter(|_| is_sole)?));
        }
        let single = |key: &str| match schema.get(key)?.as_array()? {
            [schema] => Some(schema),
            _ => None,
        };
        [("allOf", &["allOf", "0"]), ("anyOf", &["anyOf", "0"]), ("oneOf", &["oneOf", "0"])]
            .into_iter()
            .filter(|(key, _)| reading::has_only(schema, key))
            .find_map(|(key, steps)| Some((steps.as_slice(), single(key)?)))
    }
}

fn draft(root: &Json) -> Draft {
    let Some(name) = root.get("$schema") else { return Draft::Current };
    let name = name.as_str().unwrap_or_default().trim_end_matches('#');
    let name = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://"));
    match name {
        Some("json-schema.org/draft/2020-12/schema") => Draft::Current,
        Some("json-schema.org/draft/2019-09/schema") => Draft::Middle,
        Some("json-schema.org/draft-07/schema" | "json-schema.org/draft-06/schema") => Draft::Legacy,
        _ => Draft::Other,
    }
}

/// Decodes the percent-encoding of a fragment. `None` when it is malformed.
fn decoded(fragment: &str) -> Option<String> {
    let (mut bytes, mut decoded) = (fragment.bytes(), Vec::with_capacity(fragment.len()));
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use json_reader::{Limits, read};

    #[test]
    fn a_reference_is_a_pointer_within_the_document() {
        let text = r#"{"$defs":{"a/b":{"x":[1,{"c d":2}]},"~":3,"é":4}}"#;
        let json = read(text.as_bytes(), &Limits::DEFAULT).unwrap();
        let document = Document::new(&json);
        let resolved = |reference: &str| document.resolve(reference).map(Json::to_text);
        assert_eq!(resolved("#").as_deref(), Some(text));
        assert_eq!(resolved("#/$defs/a~1b/x/1/c%20d").as_deref(), Some("2"));
        assert_eq!(resolved("#/$defs/~0").as_deref(), Some("3"));
        assert_eq!(resolved("#/%24defs/%C3%A9").as_deref(), Some("4"));
        for other in ["", "#a", "#/$defs/b", "#/%", "#/%zz", "#/%ff", "other#", "#/$defs/a~1b/x/-1"] {
            assert_eq!(resolved(other), None, "{other}");
        }
    }
}
