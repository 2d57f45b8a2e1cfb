//! What runs beside the requests: follows the log and hands it to whoever watches.

mod config_watch;
mod configs;
mod credentials;
#[cfg(test)]
mod fixture;
mod hub;
mod lease;
mod mark;
mod memory;
mod retention;
mod rights;
mod roster;
mod tail;
mod told;
mod touched;
mod watch;

pub use config_watch::{ConfigEvent, ConfigWatch};
pub use configs::{Hot, Render};
pub use hub::{Hub, WatchFilter};
pub use mark::Mark;
pub use memory::Given;
pub use retention::{forget_keys, keep};
pub use rights::Rights;
pub use roster::{Watched, Watcher};
pub use tail::{POLL, follow, hear};
pub use watch::Watch;
