//! The history of calls on one agent: arguments, times and responses.

/// A version's number.
pub(super) type Version = u32;

/// A call and its response. `None` in place of a version means that no version is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Reads the active version. `revision` is that of the response, when a version is active.
    Read { active: Option<Version>, revision: Option<i64> },
    /// Activates this version, if `expected` is the active one.
    Activate { version: Version, expected: Option<Option<Version>>, told: WriteOutcome },
    /// Goes back to the version that served before.
    Rollback { told: WriteOutcome },
    /// Deactivates the agent.
    Deactivate { told: WriteOutcome },
}

/// The response to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    /// The write took effect, or had already, at this revision.
    Done(i64),
    /// Another version is active than expected.
    Conflict,
    /// There is no version to roll back to.
    Refused,
}

impl Call {
    /// The revision in the response.
    pub(super) fn revision(&self) -> Option<i64> {
        match *self {
            Self::Read { revision, .. } => revision,
            Self::Activate { told, .. } | Self::Rollback { told } | Self::Deactivate { told } => match told {
                WriteOutcome::Done(revision) => Some(revision),
                WriteOutcome::Conflict | WriteOutcome::Refused => None,
            },
        }
    }

    /// Whether this is a write that took effect.
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, Self::Read { .. }) && self.revision().is_some()
    }
}

/// One call of a client. Times are in nanoseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Op {
    pub(super) client: usize,
    pub(super) called: u128,
    pub(super) answered: u128,
    /// The `atLeast` of the call.
    pub(super) at_least: Option<i64>,
    pub(super) call: Call,
}

/// The state of an agent's activations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) active: Option<Version>,
    /// The versions that a rollback may return to, in the order of their last activation. A rollback removes the
    /// versions that it leaves.
    targets: Vec<Version>,
}

impl State {
    /// The state after this call. None if the response is wrong in this state.
    pub(super) fn after(&self, call: &Call) -> Option<Self> {
        match *call {
            Call::Read { active, .. } => (active == self.active).then(|| self.clone()),
            Call::Activate { version, expected, told } => {
                let met = expected.is_none_or(|expected| expected == self.active);
                match told {
                    WriteOutcome::Done(_) if met => Some(self.activated(version)),
                    WriteOutcome::Conflict if !met => Some(self.clone()),
                    WriteOutcome::Done(_) | WriteOutcome::Conflict | WriteOutcome::Refused => None,
                }
            }
            Call::Rollback { told } => {
                let target = self.targets.iter().rposition(|target| self.active != Some(*target));
                match (told, target) {
                    (WriteOutcome::Done(_), Some(at)) => {
                        let targets = self.targets[..=at].to_vec();
                        Some(Self { active: targets.last().copied(), targets })
                    }
                    (WriteOutcome::Refused, None) => Some(self.clone()),
                    (WriteOutcome::Done(_) | WriteOutcome::Conflict | WriteOutcome::Refused, _) => None,
                }
            }
            Call::Deactivate { told } => match told {
                WriteOutcome::Done(_) => Some(Self { active: None, ..self.clone() }),
                WriteOutcome::Conflict | WriteOutcome::Refused => None,
            },
        }
    }

    fn activated(&self, version: Version) -> Self {
        let mut state = self.clone();
        if state.active != Some(version) {
            state.targets.retain(|target| *target != version);
            state.targets.push(version);
            state.active = Some(version);
        }
        state
    }
}
