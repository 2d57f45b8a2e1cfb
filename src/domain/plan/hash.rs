//! The hash that names a plan.

use std::fmt;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{PolicyFinding, Result};
use crate::domain::{Error, content::comparable, diff::Finding, text};

/// SHA-256 over the canonical JSON (RFC 8785) of a plan: the environment's key, the `bytesHash` of what serves and of
/// what would serve, the findings, and what the rules say.
///
/// Left out is all that may change while the plan stays the same:
/// - the time. A rule counts by its effect and not by its message, which tells how many seconds are left: the hash
///   changes at the moment when the soak is long enough, and not before.
/// - the caller. `ACTIVATE_ROLE` isn't part of the hash, so that an EDITOR can plan what an ADMIN activates. The role
///   is checked at each activation.
/// - the version's id and number. A content that isn't published has the hash of the version that it becomes.
/// - the wording of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlanHash([u8; 32]);

impl PlanHash {
    /// Computes the hash. `contents` are the `bytesHash`es of what serves now and of what would serve.
    pub(super) fn of(
        environment: &str,
        contents: [Option<&[u8]>; 2],
        findings: &[Finding],
        policy: &[PolicyFinding],
    ) -> Result<Self> {
        let [previous, next] = contents.map(|hash| hash.map(hex::encode));
        let policy = policy.iter().filter(|finding| !finding.rule.is_about_caller());
        let canonical = text::canonical(&json!({
            "environment": environment,
            "previous": previous,
            "next": next,
            "findings": findings.iter().map(canonical_finding).collect::<Vec<_>>(),
            "policy": policy
                .map(|finding| json!([finding.rule.as_str(), finding.effect.as_str()]))
                .collect::<Vec<_>>(),
        }))?;
        Ok(Self(Sha256::digest(canonical).into()))
    }

    /// Reads a hash as [`PlanHash`] is written.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `planHash`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut hash = [0; 32];
        let is_lower = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        match hex::decode_to_slice(text, &mut hash) {
            Ok(()) if is_lower => Ok(Self(hash)),
            _ => Err(Error::invalid(
                "planHash",
                "`planHash` must be the one of a plan: 64 hexadecimal digits in lower case",
            )),
        }
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

fn canonical_finding(finding: &Finding) -> Value {
    let Finding { impact, path, tool_name, before, after, message: _ } = finding;
    let mut members = Map::new();
    members.insert("impact".to_owned(), impact.as_str().into());
    members.insert("path".to_owned(), path.as_slice().into());
    // A value of null isn't the same as none.
    let values = [("before", before), ("after", after)];
    let values = values.into_iter().filter_map(|(key, value)| Some((key, comparable(value.as_ref()?))));
    let tool = tool_name.as_ref().map(|name| ("tool", name.as_str().into()));
    members.extend(values.chain(tool).map(|(key, value)| (key.to_owned(), value)));
    Value::Object(members)
}
