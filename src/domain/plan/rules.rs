//! The rules of an environment, and what each says to a plan.

use sea_orm::ActiveEnum as _;

use super::{ComparedContent, PlanInput};
use crate::{
    domain::{
        diff::Impact,
        environment::{BreakingPolicy, Environment, EnvironmentKey},
        member::Role,
        warning::{PromptSecret, find_in_prompt},
    },
    id::EnvironmentId,
};

/// The most places or models that one message lists.
const LISTED_MAX: usize = 10;

/// The rules of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRules {
    /// The environment's key, such as `production`.
    pub key: EnvironmentKey,
    /// The lowest role that may activate, roll back and deactivate there.
    pub activate_role: Role,
    /// The environment in which a version must have been active before; `None` when any version may be activated.
    pub promote_from: Option<PromotionSource>,
    /// For how long it must have been active there.
    pub min_soak_seconds: i32,
    /// What happens to a breaking change.
    pub on_breaking: BreakingPolicy,
    /// The models that may serve; `None` for all.
    pub allowed_models: Option<Vec<String>>,
}

/// The environment in which a version must have been active before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionSource {
    /// Its id.
    pub id: EnvironmentId,
    /// Its key; `None` when the caller doesn't reach it.
    pub key: Option<EnvironmentKey>,
}

/// The rules that a plan is held to, in the order of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyRule {
    /// The caller's role.
    ActivateRole,
    /// The environment in which the version must have been active before.
    PromoteFrom,
    /// For how long.
    MinSoak,
    /// Changes that may break running conversations or deployed executors.
    OnBreaking,
    /// The models that may serve.
    AllowedModels,
    /// A prompt that holds what looks like a secret.
    SecretInPrompt,
}

/// What a rule does to the activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyEffect {
    /// Nothing: for the reader.
    Info,
    /// It needs a confirmation.
    Confirm,
    /// It is refused.
    Refuse,
}

/// What a rule says to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFinding {
    /// The rule.
    pub rule: PolicyRule,
    /// What it does to the activation.
    pub effect: PolicyEffect,
    /// A sentence for people, without a full stop. It may depend on the time.
    pub message: String,
}

impl PolicyRule {
    /// The rule's name in the API, such as `MIN_SOAK`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActivateRole => "ACTIVATE_ROLE",
            Self::PromoteFrom => "PROMOTE_FROM",
            Self::MinSoak => "MIN_SOAK",
            Self::OnBreaking => "ON_BREAKING",
            Self::AllowedModels => "ALLOWED_MODELS",
            Self::SecretInPrompt => "SECRET_IN_PROMPT",
        }
    }

    /// Whether the rule is about the version's way to the environment.
    pub(super) const fn is_about_promotion(self) -> bool {
        match self {
            Self::PromoteFrom | Self::MinSoak => true,
            Self::ActivateRole | Self::OnBreaking | Self::AllowedModels | Self::SecretInPrompt => false,
        }
    }

    /// Whether the rule is about the caller.
    pub(super) const fn is_about_caller(self) -> bool {
        match self {
            Self::ActivateRole => true,
            Self::PromoteFrom
            | Self::MinSoak
            | Self::OnBreaking
            | Self::AllowedModels
            | Self::SecretInPrompt => false,
        }
    }
}

impl PolicyEffect {
    /// The effect's name in the API, such as `CONFIRM`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Confirm => "CONFIRM",
            Self::Refuse => "REFUSE",
        }
    }
}

impl PlanRules {
    /// The rules of this environment. The key of the one from which it promotes isn't known.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        Self {
            key: environment.key.clone(),
            activate_role: environment.activate_role,
            promote_from: environment.promote_from.map(|id| PromotionSource { id, key: None }),
            min_soak_seconds: environment.min_soak_seconds,
            on_breaking: environment.on_breaking,
            allowed_models: environment.allowed_models.clone(),
        }
    }

    /// Whether no rule can hold back an activation by a caller that may activate at all: then a write needs no plan.
    #[must_use]
    pub fn is_unrestricted(&self) -> bool {
        let Self { key: _, activate_role, promote_from, min_soak_seconds: _, on_breaking, allowed_models } =
            self;
        *activate_role <= Role::Editor
            && promote_from.is_none()
            && *on_breaking == BreakingPolicy::Allow
            && allowed_models.is_none()
    }

    /// The refusal of a caller with this role. Rollbacks and deactivations are held to this rule alone: they must not
    /// wait when what serves is broken.
    #[must_use]
    pub fn role_finding(&self, caller_role: Role) -> Option<PolicyFinding> {
        let Self { key, activate_role, .. } = self;
        (caller_role < *activate_role).then(|| {
            let role = activate_role.to_value();
            let message =
                format!("`{key}` is changed by the role {role} and above, an API key counts as EDITOR");
            finding(PolicyRule::ActivateRole, PolicyEffect::Refuse, message)
        })
    }
}

/// What the rules say, in their order.
pub(super) fn findings(input: &PlanInput, impact: Impact) -> Vec<PolicyFinding> {
    let PlanInput { rules, caller_role, previous, next, .. } = input;
    let mut found: Vec<PolicyFinding> = rules.role_finding(*caller_role).into_iter().collect();
    match next {
        None if previous.is_some() => {
            let message = "a deactivation waits for no rule but the role".to_owned();
            found.push(finding(PolicyRule::OnBreaking, PolicyEffect::Info, message));
        }
        None => {}
        // Nothing begins to serve that doesn't serve already, even if a rule is newer.
        Some(next) if is_same(previous.as_ref(), next) => {}
        Some(next) => {
            let of_next = [
                promotion(input),
                on_breaking(rules, impact),
                allowed_models(rules, next),
                secrets(rules, previous.as_ref(), next),
            ];
            found.extend(of_next.into_iter().flatten());
        }
    }
    found
}

fn finding(rule: PolicyRule, effect: PolicyEffect, message: String) -> PolicyFinding {
    PolicyFinding { rule, effect, message }
}

fn is_same(previous: Option<&ComparedContent>, next: &ComparedContent) -> bool {
    previous.is_some_and(|previous| previous.bytes_hash() == next.bytes_hash())
}

fn promotion(input: &PlanInput) -> Option<PolicyFinding> {
    let PlanInput { rules, source, now, .. } = input;
    let (key, PromotionSource { id: _, key: from }) = (&rules.key, rules.promote_from.as_ref()?);
    let from = from.as_ref().map_or_else(|| "the environment before it".to_owned(), |key| format!("`{key}`"));
    let Some(source) = source else {
        let message = format!(
            "`{key}` takes versions from {from}, where this one was never active; activate it there first"
        );
        return Some(finding(PolicyRule::PromoteFrom, PolicyEffect::Refuse, message));
    };
    let (been, needed) = (source.seconds(*now), i64::from(rules.min_soak_seconds));
    (been < needed).then(|| {
        // A caller that doesn't reach the other environment doesn't learn how long a version has served there.
        let time = if rules.promote_from.as_ref().is_some_and(|from| from.key.is_some()) {
            format!("for {been} s")
        } else {
            "for less".to_owned()
        };
        let message = format!("the version was active in {from} {time}, and `{key}` needs {needed} s");
        finding(PolicyRule::MinSoak, PolicyEffect::Refuse, message)
    })
}

fn on_breaking(rules: &PlanRules, impact: Impact) -> Option<PolicyFinding> {
    if !impact.is_breaking() {
        return None;
    }
    let (key, name) = (&rules.key, impact.as_str());
    let (effect, message) = match rules.on_breaking {
        BreakingPolicy::Allow => (
            PolicyEffect::Info,
            format!("the change is {name}, and `{key}` allows that without a confirmation"),
        ),
        BreakingPolicy::Confirm => {
            (PolicyEffect::Confirm, format!("the change is {name}, and `{key}` asks to confirm that"))
        }
        BreakingPolicy::Refuse => {
            (PolicyEffect::Refuse, format!("the change is {name}, and `{key}` refuses that"))
        }
    };
    Some(finding(PolicyRule::OnBreaking, effect, message))
}

fn allowed_models(rules: &PlanRules, next: &ComparedContent) -> Option<PolicyFinding> {
    let (allowed, model) = (rules.allowed_models.as_ref()?, next.model_name());
    (!allowed.iter().any(|name| name == model)).then(|| {
        let allowed = match allowed.is_empty() {
            true => "none".to_owned(),
            false => listed(allowed.iter().map(|name| format!("`{name}`"))),
        };
        let message = format!("`{}` doesn't serve the model `{model}`; it serves {allowed}", rules.key);
        finding(PolicyRule::AllowedModels, PolicyEffect::Refuse, message)
    })
}

/// A secret is recognised by its form, which may be a mistake, so no environment refuses it. An environment that asks
/// about breaking changes asks about secrets too, once: not again while the prompt stays.
fn secrets(
    rules: &PlanRules,
    previous: Option<&ComparedContent>,
    next: &ComparedContent,
) -> Option<PolicyFinding> {
    let secrets = find_in_prompt(next.system_prompt());
    if secrets.is_empty() {
        return None;
    }
    let is_new = previous.is_none_or(|old| old.system_prompt() != next.system_prompt());
    let effect = match rules.on_breaking {
        BreakingPolicy::Confirm | BreakingPolicy::Refuse if is_new => PolicyEffect::Confirm,
        BreakingPolicy::Allow | BreakingPolicy::Confirm | BreakingPolicy::Refuse => PolicyEffect::Info,
    };
    let places = listed(secrets.iter().map(|PromptSecret { what, line }| format!("line {line} ({what})")));
    let message = format!("the prompt holds what looks like a secret: {places}");
    Some(finding(PolicyRule::SecretInPrompt, effect, message))
}

/// The first items, and how many there are besides.
fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(LISTED_MAX);
    let text = items.take(LISTED_MAX).collect::<Vec<_>>().join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}
