//! Compares the versions of a line with those that the agent has already.

use sha2::{Digest, Sha256};

use super::{
    super::{Result, agent::Agent, right::GrantedTxn},
    checked::{CheckedLine, VersionRecord},
    line::invalid,
};
use crate::entity::agent_version;

/// How many versions of the registry are compared at once.
const COMPARED_AT_ONCE: usize = 1000;
/// The most numbers of versions in one note.
const NAMED_MAX: usize = 5;

/// How many of the line's versions the agent already has. They must be the line's first ones, with the same content.
/// Notes what else differs, because a published version never changes.
pub(super) async fn compare_versions(
    txn: &GrantedTxn,
    agent: &Agent,
    line: &CheckedLine,
    exact: bool,
    notes: &mut Vec<String>,
) -> Result<usize> {
    let known = usize::try_from(agent.latest_number).unwrap_or(0);
    if known > line.versions.len() {
        let (has, first) = (line.versions.len(), line.versions.len() + 1);
        return Err(invalid(format!(
            "the registry has version {first} of this agent, but the line has only {has} versions: the histories differ"
        )));
    }
    let (mut texts, mut messages, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for (page, records) in line.versions.get(..known).unwrap_or_default().chunks(COMPARED_AT_ONCE).enumerate()
    {
        let first = page * COMPARED_AT_ONCE + 1;
        let numbers = (first..first + records.len()).filter_map(|number| i32::try_from(number).ok());
        let pairs: Vec<_> = numbers.map(|number| (agent.id, number)).collect();
        let mut rows = txn.all(agent_version::summaries_by_numbers(&pairs)).await?;
        rows.sort_by_key(|row| row.number);
        for (row, record) in rows.iter().zip(records) {
            let VersionRecord { content_hash, bytes_hash, message, published_at, .. } = record;
            if row.content_hash != content_hash {
                return Err(invalid(format!(
                    "version {} differs from the one in the registry in its prompt, model, parameters, tools or extensions",
                    row.number
                )));
            }
            // Versions of older releases have no hash of their bytes.
            if row.bytes_hash.as_ref().is_some_and(|there| there != bytes_hash) {
                texts.push(row.number);
            }
            let there = row.message.as_ref().map(|message| <[u8; 32]>::from(Sha256::digest(message)));
            if message.is_some_and(|message| message != there) {
                messages.push(row.number);
            }
            if published_at.is_some_and(|at| at != row.created_at) {
                times.push(row.number);
            }
        }
    }
    let differences =
        [(texts, "order of keys or form of numbers"), (messages, "message"), (times, "time of publication")];
    for (numbers, what) in differences {
        let Some(note) = differs(&numbers, what) else { continue };
        if exact {
            return Err(invalid(format!("{note}; a published version never changes")));
        }
        notes.push(note);
    }
    Ok(known)
}

/// The note that these versions differ in this field.
fn differs(numbers: &[i32], what: &str) -> Option<String> {
    let named: Vec<String> = numbers.iter().take(NAMED_MAX).map(i32::to_string).collect();
    let named = named.join(", ");
    match numbers.len() {
        0 => None,
        1 => Some(format!("version {named} differs from the one in the registry in its {what}")),
        more if more > NAMED_MAX => {
            let others = more - NAMED_MAX;
            Some(format!(
                "versions {named} and {others} more differ from those in the registry in their {what}"
            ))
        }
        _ => Some(format!("versions {named} differ from those in the registry in their {what}")),
    }
}
