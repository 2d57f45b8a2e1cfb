//! What clients asked of one agent, when, and what they were told.

/// A version, by its number.
pub(super) type Version = u32;

/// What was asked, and the answer. `None` among versions is that nothing is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// What is active; with the revision that the answer carries, when something is.
    Read { active: Option<Version>, revision: Option<i64> },
    /// Make this the active one, if this was expected to be.
    Activate { version: Version, expected: Option<Option<Version>>, told: Told },
    /// Make the one before the current activation the active one.
    Rollback { told: Told },
    /// Make nothing active.
    Deactivate { told: Told },
}

/// How a write was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It is so, since this revision.
    Done(i64),
    /// Another one is active than was expected.
    Conflict,
    /// There is nothing to go back to.
    Refused,
}

impl Call {
    /// The revision that the answer carries.
    pub(super) fn revision(&self) -> Option<i64> {
        match *self {
            Self::Read { revision, .. } => revision,
            Self::Activate { told, .. } | Self::Rollback { told } | Self::Deactivate { told } => match told {
                Told::Done(revision) => Some(revision),
                Told::Conflict | Told::Refused => None,
            },
        }
    }

    /// Whether it is a write that was done.
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, Self::Read { .. }) && self.revision().is_some()
    }
}

/// One call of one client, in nanoseconds since the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Op {
    pub(super) client: usize,
    pub(super) called: u128,
    pub(super) answered: u128,
    /// The revision that the answer must not be older than, when that was asked.
    pub(super) at_least: Option<i64>,
    pub(super) call: Call,
}

/// An agent as far as activations go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) active: Option<Version>,
    /// What was active before the last activation.
    pub(super) previous: Option<Version>,
}

impl State {
    /// The state after this call, if the answer is right in this one.
    pub(super) fn after(self, call: &Call) -> Option<Self> {
        match *call {
            Call::Read { active, .. } => (active == self.active).then_some(self),
            Call::Activate { version, expected, told } => {
                let met = expected.is_none_or(|expected| expected == self.active);
                match told {
                    Told::Done(_) if met => Some(self.switched(Some(version))),
                    Told::Conflict if !met => Some(self),
                    Told::Done(_) | Told::Conflict | Told::Refused => None,
                }
            }
            Call::Rollback { told } => {
                let target = self.active.and(self.previous);
                match told {
                    Told::Done(_) if target.is_some() => Some(self.switched(target)),
                    Told::Refused if target.is_none() => Some(self),
                    Told::Done(_) | Told::Conflict | Told::Refused => None,
                }
            }
            Call::Deactivate { told } => match told {
                Told::Done(_) => Some(self.switched(None)),
                Told::Conflict | Told::Refused => None,
            },
        }
    }

    fn switched(self, to: Option<Version>) -> Self {
        if to == self.active { self } else { Self { active: to, previous: self.active } }
    }
}
