//! What runs beside the requests: follows the log and hands it to whoever watches.

mod hub;
mod tail;

pub use hub::{Hub, Watch, WatchFilter};
pub use tail::{follow, hear};
