//! Import and export of a customer's agents with all their versions, as JSON Lines with one agent a line. An exported
//! file that is imported and exported again is the same, byte by byte; importing a file twice changes nothing.

mod export;
mod import;
mod line;
mod plan;

pub use export::Exported;
pub use import::{ImportAgents, ImportError, Imported};
pub use line::{LINE_BYTES_MAX, Line, LineVersion};
