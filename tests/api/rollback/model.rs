//! What a rollback must do, as a function of an agent's whole history. The service reads one row for each version
//! instead; the tests compare both.

/// A version's number.
pub(super) type Version = usize;

/// A change of an agent's active version.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A version was activated explicitly.
    Activated(Version),
    /// A rollback activated a version and left these: the active one, and those that it went past.
    RolledBack { to: Version, left: Vec<Version> },
    /// The agent was deactivated, or archived and restored.
    Deactivated,
}

/// The history of an agent, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct History(Vec<Event>);

impl History {
    /// The version that is active.
    pub(super) fn active(&self) -> Option<Version> {
        self.0.last().and_then(|event| match event {
            Event::Activated(version) => Some(*version),
            Event::RolledBack { to, .. } => Some(*to),
            Event::Deactivated => None,
        })
    }

    /// Whether a rollback has left this version since its last explicit activation.
    pub(super) fn was_left(&self, version: Version) -> bool {
        let since = self.0.iter().rev().take_while(|event| !event.activates(version));
        since
            .into_iter()
            .any(|event| matches!(event, Event::RolledBack { left, .. } if left.contains(&version)))
    }

    /// The versions to which rollbacks may go, nearest first: the walk back through the history.
    pub(super) fn targets(&self) -> Vec<Version> {
        let mut targets = Vec::new();
        for event in self.0.iter().rev() {
            if let Event::Activated(version) = *event
                && self.active() != Some(version)
                && !self.was_left(version)
                && !targets.contains(&version)
            {
                targets.push(version);
            }
        }
        targets
    }

    /// Activates a version. Activating the active version changes nothing.
    pub(super) fn activate(&mut self, version: Version) {
        if self.active() != Some(version) {
            self.0.push(Event::Activated(version));
        }
    }

    /// Goes back this many steps. Returns the version, and none if there is none so far back.
    pub(super) fn roll_back(&mut self, steps: usize) -> Option<Version> {
        let targets = self.targets();
        let to = *targets.get(steps.checked_sub(1)?)?;
        let left = self.active().into_iter().chain(targets.into_iter().take(steps - 1)).collect();
        self.0.push(Event::RolledBack { to, left });
        Some(to)
    }

    /// Deactivates the agent.
    pub(super) fn deactivate(&mut self) {
        if self.active().is_some() {
            self.0.push(Event::Deactivated);
        }
    }

    /// How many times the active version changed.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Event {
    fn activates(&self, version: Version) -> bool {
        matches!(self, Self::Activated(activated) if *activated == version)
    }
}
