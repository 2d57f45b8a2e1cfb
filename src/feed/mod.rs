//! What runs beside the requests: follows the log and hands it to whoever watches.

mod config_watch;
mod hub;
mod rights;
mod tail;

pub use config_watch::{ConfigEvent, ConfigWatch};
pub use hub::{Hub, Watch, WatchFilter};
pub use rights::Rights;
pub use tail::{follow, hear};
