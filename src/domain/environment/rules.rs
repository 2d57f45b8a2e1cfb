//! The rules of environments: read and checked.

use std::collections::BTreeSet;

use super::{
    super::{Error, InputErrors, Patch, Result, content::at_most, member::Role, text},
    BreakingPolicy, Environment, EnvironmentKey,
};
use crate::id::EnvironmentId;

/// The most models that an environment may allow by name.
const MODELS_MAX: usize = 100;
/// The longest time that a version may have to be active elsewhere before: a year.
const SOAK_SECONDS_MAX: i32 = 365 * 24 * 3600;

/// The rules of an environment, as they are given.
#[derive(Clone, Debug)]
pub struct EnvironmentRules {
    /// The place in lists, ascending; after the last one for `None` at the creation.
    pub rank: Option<i32>,
    /// The key of the environment in which a version must have been active before, or none.
    pub promote_from: Patch<String>,
    /// For how long it must have been active there.
    pub min_soak_seconds: Option<i32>,
    /// What happens to a plan that may break something.
    pub on_breaking: Option<BreakingPolicy>,
    /// The only models that versions may use, or all.
    pub allowed_models: Patch<Vec<String>>,
    /// The lowest role that may change what serves here.
    pub activate_role: Option<Role>,
}

/// Reads the key of an environment in the input field `field`; the default environment's when it is left out.
///
/// # Errors
/// [`Error::Invalid`].
pub fn key_or_default(field: &str, key: Option<&str>) -> Result<EnvironmentKey> {
    key.map_or_else(|| Ok(EnvironmentKey::default()), |key| parse_key(field, key))
}

/// Reads a list of keys in the input field `field`; the default environment's alone when it is left out.
///
/// # Errors
/// [`Error::Invalid`], also for an empty list; [`Error::TooLarge`] for more than 100 keys.
pub fn keys_or_default(field: &str, keys: Option<&[String]>) -> Result<Vec<EnvironmentKey>> {
    keys.map_or_else(|| Ok(vec![EnvironmentKey::default()]), |keys| parse_keys(field, keys))
}

/// Reads a list of keys in the input field `field`. Returns them sorted, each once.
///
/// # Errors
/// As [`keys_or_default`].
pub fn parse_keys(field: &str, keys: &[String]) -> Result<Vec<EnvironmentKey>> {
    const KEYS_MAX: usize = 100;
    if keys.is_empty() {
        return Err(Error::invalid(
            field,
            format!("{field} must name an environment; leave it out otherwise"),
        ));
    }
    at_most(field, keys.len(), KEYS_MAX, "keys")?;
    let keys: Result<BTreeSet<EnvironmentKey>> = keys.iter().map(|key| parse_key(field, key)).collect();
    Ok(keys?.into_iter().collect())
}

/// The environment in which a publication activates its version; `None` when it activates it nowhere, whichever it names.
///
/// # Errors
/// [`Error::Invalid`] for the key.
pub fn activation_place(activate: bool, environment: Option<&str>) -> Result<Option<EnvironmentKey>> {
    let place = key_or_default("environment", environment)?;
    Ok(activate.then_some(place))
}

pub(super) fn parse_key(field: &str, key: &str) -> Result<EnvironmentKey> {
    key.parse().map_err(|err| Error::invalid(field, format!("{field}: {err}")))
}

/// Checks what can be checked of rules without the database.
pub(super) fn check_rules(rules: &EnvironmentRules, errors: &mut InputErrors) {
    let EnvironmentRules {
        rank: _,
        promote_from,
        min_soak_seconds,
        on_breaking: _,
        allowed_models,
        activate_role,
    } = rules;
    if let Some(Some(key)) = promote_from {
        errors.note(parse_key("promoteFrom", key).map(drop));
    }
    if let Some(seconds) = min_soak_seconds.filter(|seconds| !(0..=SOAK_SECONDS_MAX).contains(seconds)) {
        let message = format!("minSoakSeconds must be 0 to {SOAK_SECONDS_MAX}, got {seconds}");
        errors.note(Err(Error::invalid("minSoakSeconds", message)));
    }
    if let Some(Some(models)) = allowed_models {
        errors.note(check_models(models));
    }
    if *activate_role == Some(Role::Viewer) {
        errors.note(Err(Error::invalid("activateRole", "activateRole must be EDITOR or ADMIN")));
    }
}

fn check_models(models: &[String]) -> Result<()> {
    let field = "allowedModels";
    if models.is_empty() {
        return Err(Error::invalid(field, "allowedModels must name a model; null allows every model"));
    }
    at_most(field, models.len(), MODELS_MAX, "models")?;
    models
        .iter()
        .enumerate()
        .try_for_each(|(index, model)| text::check_name(&format!("{field}.{index}"), model))
}

/// The environment with these rules, which are complete then. `known` are all environments of its customer.
pub(super) fn with_rules(
    before: Environment,
    rules: EnvironmentRules,
    known: &[Environment],
) -> Result<Environment> {
    let EnvironmentRules { rank, promote_from, min_soak_seconds, on_breaking, allowed_models, activate_role } =
        rules;
    let promote_from = match promote_from {
        None => before.promote_from,
        Some(None) => None,
        Some(Some(key)) => Some(source(&before, &key, known)?),
    };
    // Without a source there is nothing to wait for.
    let kept = if promote_from.is_some() { before.min_soak_seconds } else { 0 };
    let soak = min_soak_seconds.unwrap_or(kept);
    if promote_from.is_none() && soak != 0 {
        let message = "minSoakSeconds counts the time in the environment that promoteFrom names; give it too";
        return Err(Error::invalid("minSoakSeconds", message));
    }
    Ok(Environment {
        rank: rank.unwrap_or(before.rank),
        promote_from,
        min_soak_seconds: soak,
        on_breaking: on_breaking.unwrap_or(before.on_breaking),
        allowed_models: allowed_models.unwrap_or(before.allowed_models),
        activate_role: activate_role.unwrap_or(before.activate_role),
        ..before
    })
}

/// The environment with this key, if versions can come from there: it isn't archived, and they don't come from here.
fn source(of: &Environment, key: &str, known: &[Environment]) -> Result<EnvironmentId> {
    let invalid = |message: String| Err(Error::invalid("promoteFrom", message));
    let Some(from) = known.iter().find(|other| other.key.as_str() == key && other.archived_at.is_none())
    else {
        return invalid(format!("the customer has no environment `{key}`"));
    };
    let mut next = Some(from.id);
    // A chain without a circle has at most as many links as there are environments.
    for _ in 0..=known.len() {
        if next == Some(of.id) {
            return invalid(format!(
                "`{key}` promotes from this environment already, so nothing could serve in either"
            ));
        }
        next = known.iter().find(|other| Some(other.id) == next).and_then(|other| other.promote_from);
    }
    Ok(from.id)
}
