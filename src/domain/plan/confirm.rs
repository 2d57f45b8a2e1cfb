//! What a caller has seen of a plan and accepts, and the plan's objections to it.

use super::{Plan, PlanDecision, PlanHash, PolicyEffect, PolicyFinding, Result};
use crate::domain::{Error, diff::Impact};

/// The plan that the caller has seen, and the impacts that it accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanConfirmation {
    hash: Option<PlanHash>,
    confirmed: Vec<Impact>,
}

/// Why an activation is refused. Each has an error code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanObjection {
    /// The plan isn't the one that the caller has seen.
    Changed,
    /// The caller hasn't confirmed each impact that it must.
    Unconfirmed,
    /// A rule of the environment refuses it.
    Refused,
    /// The version hasn't been active for long enough in the environment before this one.
    NotPromotable,
}

impl PlanConfirmation {
    /// Reads a client's `planHash` and `confirm`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `confirm` without `planHash`: a confirmation means one plan, or the next one would be
    /// confirmed without having been seen.
    pub fn new(hash: Option<&str>, confirmed: Vec<Impact>) -> Result<Self> {
        match hash {
            None if !confirmed.is_empty() => {
                Err(Error::invalid("confirm", "`confirm` needs the hash of the plan whose impacts it names"))
            }
            hash => Ok(Self { hash: hash.map(PlanHash::parse).transpose()?, confirmed }),
        }
    }

    /// Whether the caller names a plan, which must then be computed.
    #[must_use]
    pub fn names_a_plan(&self) -> bool {
        self.hash.is_some()
    }

    /// The plan's first objection, with the message for the caller; `None` when the activation goes through.
    #[must_use]
    pub fn objection(&self, plan: &Plan) -> Option<(PlanObjection, String)> {
        let Self { hash, confirmed } = self;
        if hash.is_some_and(|hash| hash != plan.hash) {
            let message = "the activation would no longer do what was planned: look at the new plan";
            return Some((PlanObjection::Changed, message.to_owned()));
        }
        if let Some(refusal) = plan.policy.iter().find(|finding| finding.effect == PolicyEffect::Refuse) {
            return Some(refused(refusal));
        }
        let missing = plan.must_confirm.iter().any(|impact| !confirmed.contains(impact));
        (plan.decision == PlanDecision::Confirm && missing).then(|| {
            let impacts: Vec<_> = plan.must_confirm.iter().map(|impact| impact.as_str()).collect();
            let message = format!(
                "the environment asks to confirm this: give the plan's hash, and `confirm` with {}",
                impacts.join(", ")
            );
            (PlanObjection::Unconfirmed, message)
        })
    }
}

/// The objection of a rule that refuses the activation.
pub(in crate::domain) fn refused(by: &PolicyFinding) -> (PlanObjection, String) {
    let objection = match by.rule.is_about_promotion() {
        true => PlanObjection::NotPromotable,
        false => PlanObjection::Refused,
    };
    (objection, by.message.clone())
}
