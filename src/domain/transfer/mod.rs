//! Import and export: a customer's agents with their whole histories, as JSON Lines, one agent a line.
//! What was exported imports and exports to the same bytes; importing the same file again changes nothing.

mod export;
mod import;
mod line;
mod plan;

pub use export::Exported;
pub use import::{ImportAgents, ImportError, Imported};
pub use line::{LINE_BYTES_MAX, Line, LineVersion};
