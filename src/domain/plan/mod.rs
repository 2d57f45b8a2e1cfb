//! The plan of an activation: what it changes, what the rules of its environment say, and a hash that the activation
//! is held to. Pure functions without access to the database, so that a query and the check under the lock of a write
//! can't differ.

mod confirm;
mod hash;
mod rules;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{
    Result,
    diff::{ComparedContent, Finding, Impact, classify_contents},
};
use crate::{clock::Instant, domain::member::Role};

pub use super::environment::BreakingPolicy;
pub(super) use confirm::refused;
pub use confirm::{PlanConfirmation, PlanObjection};
pub use hash::PlanHash;
pub use rules::{PlanRules, PolicyEffect, PolicyFinding, PolicyRule, PromotionSource};
pub use source::SourceService;

/// What a plan is computed from.
#[derive(Clone, Debug)]
pub struct PlanInput {
    /// The rules of the environment in which the version would be activated.
    pub rules: PlanRules,
    /// The caller's role at the customer: EDITOR for an API key, ADMIN for an operator.
    pub caller_role: Role,
    /// The content that serves there now; `None` when nothing does.
    pub previous: Option<ComparedContent>,
    /// The content that would serve; `None` for a deactivation.
    pub next: Option<ComparedContent>,
    /// How long the version has been active in the environment `promote_from`; `None` when it never was. A content that
    /// isn't published never was.
    pub source: Option<SourceService>,
    /// The current time.
    pub now: Instant,
}

impl PlanInput {
    /// The size of the contents that are compared, in bytes.
    pub(super) fn bytes(&self) -> usize {
        [&self.previous, &self.next].into_iter().flatten().map(ComparedContent::bytes).sum()
    }
}

/// What an activation would change, and whether the rules of its environment let it through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The worst of the findings.
    pub impact: Impact,
    /// Each thing that differs, in the order of the content.
    pub findings: Vec<Finding>,
    /// What the rules say, in the order of [`PolicyRule`]; at most one finding for each rule.
    pub policy: Vec<PolicyFinding>,
    /// Whether the activation would go through.
    pub decision: PlanDecision,
    /// The impacts that `confirm` must name, from harmless to worst; empty unless the decision is
    /// [`PlanDecision::Confirm`].
    pub must_confirm: Vec<Impact>,
    /// Names the plan: another one has another hash.
    pub hash: PlanHash,
}

/// Whether an activation would go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanDecision {
    /// As it is.
    Allow,
    /// With the plan's hash and `confirm`.
    Confirm,
    /// Not at all.
    Refuse,
}

impl PlanDecision {
    /// The decision's name in the API, such as `CONFIRM`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Confirm => "CONFIRM",
            Self::Refuse => "REFUSE",
        }
    }
}

impl Plan {
    /// Computes the plan. Equal inputs give equal plans, and the order of the keys in a content's JSON makes no
    /// difference beyond the `bytesHash` of that content.
    ///
    /// # Errors
    /// [`super::Error::Internal`] when a finding can't be written as JSON. Findings about stored contents always can.
    pub fn of(input: &PlanInput) -> Result<Self> {
        let PlanInput { rules, previous, next, .. } = input;
        let classified = classify_contents(previous.as_ref(), next.as_ref());
        let (impact, findings) = (classified.impact, classified.findings);
        let policy = rules::findings(input, impact);
        let effect = policy.iter().map(|finding| finding.effect).max();
        let decision = match effect {
            None | Some(PolicyEffect::Info) => PlanDecision::Allow,
            Some(PolicyEffect::Confirm) => PlanDecision::Confirm,
            Some(PolicyEffect::Refuse) => PlanDecision::Refuse,
        };
        let must_confirm = match decision {
            PlanDecision::Confirm => impacts_to_confirm(impact, &findings, &policy),
            PlanDecision::Allow | PlanDecision::Refuse => Vec::new(),
        };
        let contents = [previous, next].map(|content| content.as_ref().map(ComparedContent::bytes_hash));
        let hash = PlanHash::of(rules.key.as_str(), contents, &findings, &policy)?;
        Ok(Self { impact, findings, policy, decision, must_confirm, hash })
    }
}

/// The impacts that a rule asks the caller to confirm. `ON_BREAKING` asks for each breaking impact; `SECRET_IN_PROMPT`,
/// which no impact stands for, asks for the plan's.
fn impacts_to_confirm(impact: Impact, findings: &[Finding], policy: &[PolicyFinding]) -> Vec<Impact> {
    let asks = |rule| policy.iter().any(|of| of.rule == rule && of.effect == PolicyEffect::Confirm);
    let mut impacts = BTreeSet::new();
    if asks(PolicyRule::OnBreaking) {
        impacts.extend(findings.iter().map(|finding| finding.impact).filter(|impact| impact.is_breaking()));
    }
    if asks(PolicyRule::SecretInPrompt) {
        impacts.insert(impact);
    }
    impacts.into_iter().collect()
}
