//! Follows an excerpt of the log, without any registry: whether what is in it comes to the hash at its end.

use uuid::Uuid;

use super::{
    chain::{Chain, Flaw, row_hash},
    excerpt::{FORMAT, Line},
    seal::Seal,
};
use crate::{domain::change::Place, entity::log, id::CustomerId};

/// What one line may hold. Its hashes are the most values, and a line has as many as a page of the log has entries.
const LIMITS: json_reader::Limits = json_reader::Limits { bytes: usize::MAX, ..json_reader::Limits::DEFAULT };

/// What following an excerpt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Of which log.
    pub log_id: Uuid,
    /// Whose excerpt.
    pub customer_id: CustomerId,
    /// How many entries of its own.
    pub own: u64,
    /// How many of others.
    pub others: u64,
    /// Where the log ended.
    pub end: Place,
    /// How many of the sealed heads are of before it begins, and could not be looked at.
    pub skipped: usize,
}

/// Why an excerpt does not prove what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExcerptError {
    /// A line is none of an excerpt.
    #[error("line {0}: {1}")]
    Line(u64, String),
    /// An entry does not fit.
    #[error("line {0}, entry {1}: {2}")]
    Entry(u64, Place, Flaw),
    /// The hash over all of it is not the one at its end.
    #[error("what is in it does not come to the hash at its end: something was changed, left out or added")]
    End,
    /// It ends without its last line.
    #[error("it is cut off: its last line is missing")]
    Cut,
    /// What was sealed is not in it.
    #[error("entry {}.{} is not the one that was sealed", .0.revision, .0.position)]
    Sealed(Seal),
    /// It ends before what was sealed.
    #[error(
        "entry {}.{} was sealed, and it ends before that: get a newer one, and if that does too, the log was cut off",
        .0.revision, .0.position
    )]
    Short(Seal),
    /// A head was sealed of another log.
    #[error("the sealed head is of another log, {}", .0.log_id)]
    OtherLog(Seal),
}

/// Follows an excerpt line by line, without any registry.
#[derive(Debug)]
pub struct Follower {
    line: u64,
    seals: Vec<Seal>,
    chain: Option<Chain>,
    followed: Option<Followed>,
    last: Option<Place>,
    ended: bool,
}

impl Follower {
    /// Follows one that must have what was sealed.
    #[must_use]
    pub fn new(seals: Vec<Seal>) -> Self {
        Self { line: 0, seals, chain: None, followed: None, last: None, ended: false }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// [`ExcerptError`].
    pub fn take(&mut self, line: &str) -> Result<(), ExcerptError> {
        self.line += 1;
        let wrong = |what: &str| ExcerptError::Line(self.line, what.to_owned());
        let parsed = json_reader::read_as(line.as_bytes(), &LIMITS).map_err(|err| wrong(&err.to_string()))?;
        match (parsed, &mut self.chain, &mut self.followed) {
            (Line::Begin { format, log_id, customer_id, revision, position, chain_hash }, None, _) => {
                if format != FORMAT {
                    return Err(wrong(&format!("its form is {format:?}, and {FORMAT:?} is known")));
                }
                let hash = bytes(&chain_hash).ok_or_else(|| wrong("the hash is none"))?;
                let floor = log::Floor { revision, position, chain_hash: hash.to_vec() };
                let chain =
                    Chain::from(&floor).filter(|chain| revision > 0 || *chain == Chain::genesis(log_id));
                let chain = chain.ok_or_else(|| wrong("the log does not begin so"))?;
                if let Some(other) = self.seals.iter().find(|seal| seal.log_id != log_id) {
                    return Err(ExcerptError::OtherLog(other.clone()));
                }
                let all = self.seals.len();
                self.seals.retain(|seal| seal.revision >= revision);
                let skipped = all - self.seals.len();
                self.seals.retain(|seal| !seal.is_at(&chain));
                let end = Place { revision, position };
                self.followed = Some(Followed { log_id, customer_id, own: 0, others: 0, end, skipped });
                self.chain = Some(chain);
            }
            (Line::Change(own), Some(chain), Some(followed)) if !self.ended => {
                let change = own.read().ok_or_else(|| wrong("it is no entry of this log"))?;
                let place = Place::of(&change);
                if change.customer_id != Some(followed.customer_id)
                    || self.last.is_some_and(|last| last >= place)
                {
                    return Err(ExcerptError::Entry(self.line, place, Flaw::Numbered));
                }
                chain.link(&row_hash(&change));
                self.seals.retain(|seal| !seal.is_at(chain));
                followed.own += 1;
                self.last = Some(place);
            }
            (Line::Hashes(hashes), Some(chain), Some(followed)) if !self.ended => {
                for hash in &hashes {
                    chain.link(&bytes(hash).ok_or_else(|| wrong("a hash is none"))?);
                    self.seals.retain(|seal| !seal.is_at(chain));
                    followed.others += 1;
                }
            }
            (Line::End { revision, position, at: _, chain_hash }, Some(chain), Some(followed))
                if !self.ended =>
            {
                followed.end = Place { revision, position };
                let is_before = self.last.is_some_and(|last| followed.end < last);
                if is_before || hex::encode(chain.hash()) != chain_hash {
                    return Err(ExcerptError::End);
                }
                self.ended = true;
            }
            _ => return Err(wrong("it does not belong here")),
        }
        Ok(())
    }

    /// What it came to, after the last line.
    ///
    /// # Errors
    /// [`ExcerptError::Cut`]; [`ExcerptError::Sealed`].
    pub fn end(self) -> Result<Followed, ExcerptError> {
        let followed = self.followed.filter(|_| self.ended).ok_or(ExcerptError::Cut)?;
        match self.seals.into_iter().next() {
            Some(seal) if followed.end < (Place { revision: seal.revision, position: seal.position }) => {
                Err(ExcerptError::Short(seal))
            }
            Some(missing) => Err(ExcerptError::Sealed(missing)),
            None => Ok(followed),
        }
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
