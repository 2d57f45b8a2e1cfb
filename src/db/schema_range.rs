//! The range of schemas: which database's schema this binary can serve. `migration/README.md` has the rules.

use std::fmt;

use migration::{FIRST_STEPS, Record, STEPS};

/// A migration and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The migration's name.
    pub name: String,
    /// Whether the migration has been applied.
    pub applied: bool,
    /// The tables whose writers wait while it is applied.
    pub locks: Vec<String>,
}

/// The migrations of a database, as this binary sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaStatus {
    /// The migrations that this binary knows, in order.
    pub known: Vec<Step>,
    /// The names of the migrations that a newer binary applied, in order.
    pub newer: Vec<String>,
    /// The schema number of the database: that of its last migration. 0 for an empty database.
    pub database: i32,
    /// The lowest schema number of a binary that can serve the database.
    pub oldest_binary: i32,
    /// The schema number of this binary.
    pub binary: i32,
}

/// Why this binary can't serve a database. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaRefusal {
    /// A newer binary applied a migration that does more than expand.
    #[error(
        "the database has schema {database}, which binaries of schema {oldest_binary} or newer can serve, and this \
         binary has schema {binary}: start a release that knows it (`migrate --status` prints both)"
    )]
    TooNew {
        /// The schema number of the database.
        database: i32,
        /// The lowest schema number of a binary that can serve it.
        oldest_binary: i32,
        /// The schema number of this binary.
        binary: i32,
    },
    /// The database has no schema yet.
    #[error(
        "the database has no registry yet: run `agent-registry migrate`, which creates its schema {binary}"
    )]
    Empty {
        /// The schema number of this binary.
        binary: i32,
    },
    /// Migrations of this binary are pending.
    #[error(
        "the database has schema {database}, and this binary needs schema {binary}: run `agent-registry migrate` \
         (`migrate --status` prints what is pending)"
    )]
    TooOld {
        /// The schema number of the database.
        database: i32,
        /// The schema number of this binary.
        binary: i32,
    },
    /// The database has a migration that neither this binary nor a newer one made.
    #[error(
        "the database has the migration {name:?}, which isn't one of this program's: its number isn't newer than schema \
         {binary}, and this binary doesn't know it; use the binary that applied it, or another database"
    )]
    Foreign {
        /// The migration's name.
        name: String,
        /// The schema number of this binary.
        binary: i32,
    },
}

impl From<&Record> for SchemaStatus {
    fn from(record: &Record) -> Self {
        let steps = FIRST_STEPS.iter().chain(STEPS);
        Self {
            known: steps
                .map(|step| Step {
                    name: step.name.to_owned(),
                    applied: record.has(step),
                    locks: step.locks(),
                })
                .collect(),
            newer: record.newer().map(|row| row.name.clone()).collect(),
            database: record.schema(),
            oldest_binary: record.oldest_binary(),
            binary: migration::binary_schema(),
        }
    }
}

impl fmt::Display for SchemaStatus {
    /// A line for each migration, then one for the schema of the database and one for that of this binary.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, newer, database, oldest_binary, binary } = self;
        for Step { name, applied, locks } in known {
            match (applied, locks.as_slice()) {
                (true, _) => writeln!(f, "applied  {name}")?,
                (false, []) => writeln!(f, "pending  {name}")?,
                (false, locks) => writeln!(f, "pending  {name}  (locks {})", locks.join(", "))?,
            }
        }
        for name in newer {
            writeln!(f, "newer    {name}")?;
        }
        writeln!(
            f,
            "the database has schema {database}: binaries of schema {oldest_binary} or newer can serve it"
        )?;
        write!(
            f,
            "this binary has schema {binary}: it can serve that one, older ones after migrating them, and newer ones that \
             don't exclude it"
        )
    }
}

/// Checks that this binary can serve a database with these migrations.
///
/// # Errors
/// [`SchemaRefusal`].
pub(super) fn check(record: &Record) -> Result<(), SchemaRefusal> {
    let (binary, oldest_binary) = (migration::binary_schema(), record.oldest_binary());
    if let Some(name) = record.foreign() {
        return Err(SchemaRefusal::Foreign { name: name.to_owned(), binary });
    }
    if oldest_binary > binary {
        return Err(SchemaRefusal::TooNew { database: record.schema(), oldest_binary, binary });
    }
    Ok(())
}

/// Checks that this binary can serve a database with these migrations as it is: none of its own is pending.
///
/// # Errors
/// [`SchemaRefusal`].
pub(super) fn check_is_current(record: &Record) -> Result<(), SchemaRefusal> {
    check(record)?;
    let (database, binary) = (record.schema(), migration::binary_schema());
    if FIRST_STEPS.iter().chain(STEPS).all(|step| record.has(step)) {
        Ok(())
    } else if database == 0 {
        Err(SchemaRefusal::Empty { binary })
    } else {
        Err(SchemaRefusal::TooOld { database, binary })
    }
}
