//! Matches the schemas of two lists, such as those of `anyOf`.

use std::collections::{HashMap, VecDeque};

use json_reader::Json;

use super::{comparer::Comparer, reading};
use crate::canonical;

/// A schema of a list, with its place.
pub(super) type Entry<'a> = Option<(usize, &'a Json)>;

impl<'a> Comparer<'a> {
    /// Pairs equal schemas, ignoring their own annotations, and then the remaining ones in their order. The pairs are in
    /// the order of the older list; schemas that only the newer list has are last.
    pub(super) fn paired(&mut self, old: &'a [Json], new: &'a [Json]) -> Vec<(Entry<'a>, Entry<'a>)> {
        let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (at, schema) in new.iter().enumerate() {
            places.entry(self.text(schema)).or_default().push_back(at);
        }
        let mut is_taken = vec![false; new.len()];
        let mut take = |at: usize| {
            if let Some(place) = is_taken.get_mut(at) {
                *place = true;
            }
            new.get(at).map(|schema| (at, schema))
        };
        let mut partners: Vec<Entry<'a>> = Vec::with_capacity(old.len());
        for schema in old {
            let place = places.get_mut(&self.text(schema)).and_then(VecDeque::pop_front);
            partners.push(place.and_then(&mut take));
        }
        let mut remaining = is_taken
            .into_iter()
            .zip(new)
            .enumerate()
            .filter_map(|(at, (is_taken, schema))| (!is_taken).then_some((at, schema)));
        let mut pairs: Vec<_> = old
            .iter()
            .enumerate()
            .zip(partners)
            .map(|(entry, partner)| (Some(entry), partner.or_else(|| remaining.next())))
            .collect();
        pairs.extend(remaining.map(|entry| (None, Some(entry))));
        pairs
    }

    /// The canonical text of a schema without its own annotations. The work counts.
    fn text(&mut self, schema: &Json) -> String {
        let mut text = String::new();
        match schema {
            Json::Object(_) => {
                for (key, value, _) in canonical::keyed(Some(schema), None) {
                    if let Some(value) = value.filter(|_| !reading::is_annotation(key)) {
                        canonical::write_string(key, &mut text);
                        canonical::write(value, &mut text);
                    }
                }
            }
            other => canonical::write(other, &mut text),
        }
        self.spend(text.len());
        text
    }
}
