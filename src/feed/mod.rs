//! The background half of the service: follows the change log, invalidates the in-memory caches by it, and streams
//! it to subscribers. Reads the log through `domain`; it knows no GraphQL and no HTTP.

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
