//! Verification of an excerpt of the log without access to the registry: whether its entries lead to the hash at its
//! end.

use uuid::Uuid;

use super::{
    chain::{Chain, ChainError, row_hash},
    excerpt::{ExcerptLine, FORMAT},
    signed_head::SignedHead,
};
use crate::{
    domain::change::LogPosition,
    entity::log,
    id::{CustomerId, Revision},
};

/// The limits of one line. A line of hashes has the most values: as many as a page has entries.
const LIMITS: json_reader::Limits = json_reader::Limits { bytes: usize::MAX, ..json_reader::Limits::DEFAULT };

/// The result of following an excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExcerptReport {
    /// The id of the log.
    pub log_id: Uuid,
    /// The customer that the excerpt is for.
    pub customer_id: CustomerId,
    /// How many entries of the customer it has.
    pub own: u64,
    /// How many entries of others it has.
    pub others: u64,
    /// The end of the log.
    pub end: LogPosition,
    /// How many signed heads are older than the excerpt's first entry, and couldn't be checked.
    pub skipped: usize,
}

/// Why an excerpt isn't valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExcerptError {
    /// A line isn't one of an excerpt, or is in the wrong place.
    #[error("line {0}: {1}")]
    Line(u64, String),
    /// An entry is in the wrong place, or belongs to another customer.
    #[error("line {0}, entry {1}: {2}")]
    Entry(u64, LogPosition, ChainError),
    /// The computed hash isn't the one at the excerpt's end.
    #[error("the entries do not lead to the hash at the end: something was changed, left out or added")]
    End,
    /// The last line is missing.
    #[error("the excerpt is cut off: its last line is missing")]
    Cut,
    /// The excerpt doesn't contain the entry that a head was signed of.
    #[error("entry {}.{} is not the one of the signed head", .0.revision, .0.position)]
    MissingHead(SignedHead),
    /// The excerpt ends before the entry that a head was signed of.
    #[error(
        "the excerpt ends before the signed head, entry {}.{}: if a newer excerpt does too, the log was cut off",
        .0.revision, .0.position
    )]
    Short(SignedHead),
    /// A head was signed of another log.
    #[error("the signed head is of another log, {}", .0.log_id)]
    OtherLog(SignedHead),
}

/// Verifies an excerpt line by line, without access to the registry.
#[derive(Debug)]
pub struct ExcerptVerifier {
    line: u64,
    signed_heads: Vec<SignedHead>,
    chain: Option<Chain>,
    followed: Option<ExcerptReport>,
    last: Option<LogPosition>,
    ended: bool,
}

impl ExcerptVerifier {
    /// Starts a verification that must also find the entries of these signed heads.
    #[must_use]
    pub fn new(signed_heads: Vec<SignedHead>) -> Self {
        Self { line: 0, signed_heads, chain: None, followed: None, last: None, ended: false }
    }

    /// Whether this is the first line of an excerpt. A file that begins otherwise is another kind of file.
    #[must_use]
    pub fn is_beginning(line: &str) -> bool {
        matches!(json_reader::read_as(line.as_bytes(), &LIMITS), Ok(ExcerptLine::Begin { .. }))
    }

    /// Checks the next line.
    ///
    /// # Errors
    /// [`ExcerptError`].
    pub fn take(&mut self, line: &str) -> Result<(), ExcerptError> {
        self.line += 1;
        let wrong = |what: &str| ExcerptError::Line(self.line, what.to_owned());
        let parsed = json_reader::read_as(line.as_bytes(), &LIMITS).map_err(|err| wrong(&err.to_string()))?;
        match (parsed, &mut self.chain, &mut self.followed) {
            (ExcerptLine::Begin { format, log_id, customer_id, revision, position, chain_hash }, None, _) => {
                if format != FORMAT {
                    return Err(wrong(&format!("its format is {format:?}, expected {FORMAT:?}")));
                }
                let hash =
                    bytes(&chain_hash).ok_or_else(|| wrong("`chain_hash` is not a SHA-256 hash in hex"))?;
                let floor = log::RetentionFloor { revision, position, chain_hash: hash.to_vec() };
                let chain = Chain::from(&floor)
                    .filter(|chain| revision > Revision::ZERO || *chain == Chain::genesis(log_id));
                let chain = chain.ok_or_else(|| wrong("the log can't begin with this hash"))?;
                if let Some(other) = self.signed_heads.iter().find(|signed_head| signed_head.log_id != log_id)
                {
                    return Err(ExcerptError::OtherLog(other.clone()));
                }
                let all = self.signed_heads.len();
                self.signed_heads.retain(|signed_head| signed_head.revision >= revision);
                let skipped = all - self.signed_heads.len();
                self.signed_heads.retain(|signed_head| !signed_head.is_at(&chain));
                let end = LogPosition { revision, position };
                self.followed = Some(ExcerptReport { log_id, customer_id, own: 0, others: 0, end, skipped });
                self.chain = Some(chain);
            }
            (ExcerptLine::Change(own), Some(chain), Some(followed)) if !self.ended => {
                let change =
                    own.read().ok_or_else(|| wrong("its action, actor_kind or channel is unknown"))?;
                let place = LogPosition::of(&change);
                if change.customer_id != Some(followed.customer_id)
                    || self.last.is_some_and(|last| last >= place)
                {
                    return Err(ExcerptError::Entry(self.line, place, ChainError::Position));
                }
                chain.link(&row_hash(&change));
                self.signed_heads.retain(|signed_head| !signed_head.is_at(chain));
                followed.own += 1;
                self.last = Some(place);
            }
            (ExcerptLine::Hashes(hashes), Some(chain), Some(followed)) if !self.ended => {
                for hash in &hashes {
                    chain.link(&bytes(hash).ok_or_else(|| wrong("a hash is not a SHA-256 hash in hex"))?);
                    self.signed_heads.retain(|signed_head| !signed_head.is_at(chain));
                    followed.others += 1;
                }
            }
            (ExcerptLine::End { revision, position, at: _, chain_hash }, Some(chain), Some(followed))
                if !self.ended =>
            {
                followed.end = LogPosition { revision, position };
                let is_before = self.last.is_some_and(|last| followed.end < last);
                if is_before || hex::encode(chain.hash()) != chain_hash {
                    return Err(ExcerptError::End);
                }
                self.ended = true;
            }
            _ => return Err(wrong("a line of this kind is not expected here")),
        }
        Ok(())
    }

    /// The result, after the last line.
    ///
    /// # Errors
    /// [`ExcerptError::Cut`]; [`ExcerptError::Short`] or [`ExcerptError::MissingHead`] for a signed head whose entry
    /// wasn't found.
    pub fn end(self) -> Result<ExcerptReport, ExcerptError> {
        let followed = self.followed.filter(|_| self.ended).ok_or(ExcerptError::Cut)?;
        match self.signed_heads.into_iter().next() {
            Some(signed_head)
                if followed.end
                    < (LogPosition { revision: signed_head.revision, position: signed_head.position }) =>
            {
                Err(ExcerptError::Short(signed_head))
            }
            Some(missing) => Err(ExcerptError::MissingHead(missing)),
            None => Ok(followed),
        }
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
