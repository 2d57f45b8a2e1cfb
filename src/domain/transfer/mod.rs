//! Import and export of a customer's agents with all their versions, as JSON Lines with one agent a line. An exported
//! file that is imported and exported again is the same, byte by byte; importing a file twice changes nothing.
//!
//! Neither holds a line in memory. An export reads all agents in one snapshot, and then their versions, which never
//! change, page by page. An import reads a line piece by piece (`reader.rs`), checks its versions in groups
//! (`checked.rs`), and keeps their texts in a temporary file if they are large (`spool.rs`). Then it writes the agent
//! in one transaction (`apply.rs`).

mod apply;
mod checked;
mod compare;
mod convert;
mod export;
mod import;
mod line;
mod reader;
mod report;
mod room;
mod spool;

pub use convert::{Converted, FOREIGN_BYTES_MAX, ForeignFormat, convert};
pub use export::{Export, ExportAgents, Exported};
pub use import::{Import, ImportAgents, ImportOptions};
pub use line::{Line, LineHead, LineVersion, VERSION_BYTES_MAX};
pub use report::{ImportError, Imported, LineOutcome, LineReport};
pub use spool::temporary_file;
