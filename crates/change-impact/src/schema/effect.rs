//! The effect of a rule's change on the set of accepted values, and what it means for a tool.

use crate::{content::field, finding::Impact};

/// Which way the values of a schema travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the model to the executor: a call.
    Input,
    /// From the executor to the model: a result.
    Output,
}

/// What a change does to the set of values that a rule accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Effect {
    /// Nothing.
    Note,
    /// More are accepted.
    Wider,
    /// Fewer are accepted.
    Narrower,
    /// It isn't known.
    Unknown,
}

/// The effects that were found, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effects(u8);

impl Direction {
    /// The impact of an effect. A call is written by the model and read by the executor, a result the other way round:
    ///
    /// | | running conversation, new version | new conversation, deployed executor |
    /// | --- | --- | --- |
    /// | input | its calls are refused if the schema is narrower | gets calls that it doesn't know if it is wider |
    /// | output | gets results that it doesn't expect if it is wider | its results are refused if it is narrower |
    pub(super) fn impact(self, effect: Effect) -> Impact {
        match (effect, self) {
            (Effect::Note, _) => Impact::Capability,
            (Effect::Unknown, _) => Impact::Unknown,
            (Effect::Wider, Self::Input) | (Effect::Narrower, Self::Output) => Impact::Widened,
            (Effect::Narrower, Self::Input) | (Effect::Wider, Self::Output) => Impact::Narrowed,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }

    /// The path of the schema.
    pub(super) fn path(self, tool: &str) -> Vec<String> {
        let member = match self {
            Self::Input => "inputSchema",
            Self::Output => "outputSchema",
        };
        vec![field::TOOLS.to_owned(), tool.to_owned(), member.to_owned()]
    }
}

impl Effects {
    pub(super) fn insert(&mut self, effect: Effect) {
        self.0 |= 1 << effect as u8;
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has(self, effect: Effect) -> bool {
        self.0 & (1 << effect as u8) != 0
    }

    /// Whether the set of accepted values may differ.
    pub(super) fn is_semantic(self) -> bool {
        [Effect::Wider, Effect::Narrower, Effect::Unknown].into_iter().any(|effect| self.has(effect))
    }

    /// The worst impact of the effects.
    pub(super) fn worst(self, direction: Direction) -> Impact {
        let all = [Effect::Note, Effect::Wider, Effect::Narrower, Effect::Unknown];
        let found = all.into_iter().filter(|effect| self.has(*effect));
        found.map(|effect| direction.impact(effect)).max().unwrap_or_default()
    }
}
