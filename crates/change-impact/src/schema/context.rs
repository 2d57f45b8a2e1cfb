//! Where a schema stands among those that apply to the same value.

/// Where a schema stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Context {
    /// Whether no other schema applies to the same value, so that the members of an object that this one doesn't name
    /// aren't named elsewhere.
    pub(super) is_alone: bool,
    /// Whether it is a tool's whole schema, whose members are the tool's parameters.
    pub(super) is_root: bool,
    /// Whether it is below a keyword whose effect doesn't follow from that of its schemas, such as `not`. Findings
    /// there are replaced by one.
    pub(super) is_opaque: bool,
    /// Whether it is beside or below a keyword for what others don't evaluate, so that even a rule that accepts
    /// everything has an effect.
    pub(super) is_evaluated: bool,
    /// Whether to skip annotations, which were compared already.
    pub(super) is_bare: bool,
}

impl Context {
    /// A whole schema.
    pub(super) const ROOT: Self =
        Self { is_alone: true, is_root: true, is_opaque: false, is_evaluated: false, is_bare: false };

    /// A schema for a part of the value: a member, an item, a key.
    pub(super) fn part(self) -> Self {
        Self { is_alone: true, is_root: false, is_bare: false, ..self }
    }

    /// A schema for the same value, beside others.
    pub(super) fn beside(self) -> Self {
        Self { is_alone: false, is_bare: false, ..self }
    }

    /// The same schema below a keyword whose effect doesn't follow from that of its schemas.
    pub(super) fn opaque(self) -> Self {
        Self { is_opaque: true, ..self }
    }

    /// The same schema beside a keyword for what others don't evaluate.
    pub(super) fn evaluated(self) -> Self {
        Self { is_opaque: true, is_evaluated: true, ..self }
    }
}
