//! Sets of JSON types, and the keyword `type`.

use json_reader::Json;

use super::{comparer::Comparer, effect::Effect, nodes::Nodes};

/// A set of types. Integers are a type apart from numbers with a fraction, so that `number` has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeSet(u8);

impl TypeSet {
    const NULL: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    pub(super) const STRING: Self = Self(4);
    const INTEGER: Self = Self(8);
    const FRACTION: Self = Self(16);
    pub(super) const NUMBER: Self = Self(8 + 16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);
    const ALL: Self = Self(127);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::NULL, "null"),
        (Self::BOOLEAN, "a boolean"),
        (Self::STRING, "a string"),
        (Self::INTEGER, "an integer"),
        (Self::FRACTION, "a number with a fraction"),
        (Self::ARRAY, "an array"),
        (Self::OBJECT, "an object"),
    ];

    /// Reads the value of `type`; everything when it is left out, `None` when it isn't understood.
    pub(super) fn read(json: Option<&Json>) -> Option<Self> {
        match json {
            None => Some(Self::ALL),
            Some(Json::String(name)) => Self::of_name(name),
            Some(Json::Array(names)) => names.iter().try_fold(Self(0), |set, name| {
                let other = Self::of_name(name.as_str()?)?;
                Some(Self(set.0 | other.0))
            }),
            Some(_) => None,
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "string" => Self::STRING,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    /// Whether the set has one of these types.
    pub(super) fn has(self, types: Self) -> bool {
        self.0 & types.0 != 0
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The types' names for messages.
    fn names(self) -> String {
        let names: Vec<&str> =
            Self::NAMES.into_iter().filter(|(set, _)| self.has(*set)).map(|(_, name)| name).collect();
        names.join(" or ")
    }
}

impl<'a> Comparer<'a> {
    /// Compares `type`, and returns the types that both schemas accept. Rules for other types don't matter: a value
    /// of such a type is refused by one of the schemas anyway, and its type is a finding.
    pub(super) fn types(&mut self, nodes: Nodes<'a>) -> TypeSet {
        let (before, after) = nodes.get("type");
        let (Some(old), Some(new)) = (TypeSet::read(before), TypeSet::read(after)) else {
            if nodes.differ("type") {
                self.at_key("type", |comparer| {
                    comparer.push(Effect::Unknown, (before, after), |place| {
                        format!("{place}: `type` differs, and isn't understood")
                    });
                });
            }
            return TypeSet::ALL;
        };
        self.rule(nodes, &["type"], true, |comparer| {
            comparer.at_key("type", |comparer| {
                let (gone, added) = (old.without(new), new.without(old));
                if gone.0 != 0 {
                    comparer.push(Effect::Narrower, (before, after), |place| {
                        format!("{place} can no longer be {}", gone.names())
                    });
                }
                if added.0 != 0 {
                    comparer.push(Effect::Wider, (before, after), |place| {
                        format!("{place} may now be {}", added.names())
                    });
                }
            });
        });
        TypeSet(old.0 & new.0)
    }
}
