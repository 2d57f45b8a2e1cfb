//! What runs beside the requests: follows the log and hands it to whoever watches.

mod config_watch;
mod hub;
mod retention;
mod rights;
mod roster;
mod tail;

pub use config_watch::{ConfigEvent, ConfigWatch};
pub use hub::{Hub, Watch, WatchFilter};
pub use retention::{forget_keys, keep};
pub use rights::Rights;
pub use roster::{Watched, Watcher};
pub use tail::{POLL, follow, hear};
