//! The background half of the service: follows the change log, invalidates the in-memory caches by it, and streams
//! it to subscribers. Reads the log through `domain`; it knows no GraphQL and no HTTP.

mod affected_configs;
mod authenticator;
mod caches;
mod chain_check;
mod config_cache;
mod config_entry;
mod config_read_cache;
mod config_reader;
mod config_watch;
mod credential_cache;
mod event_hub;
mod event_key;
mod fallback;
#[cfg(test)]
mod fixture;
mod freshness;
mod gateway_reports;
mod gateway_watch;
mod hub;
mod lease;
mod outage;
mod readiness;
mod retention;
mod revocation_log;
mod subscriber_registry;
mod tail;
mod watch;
mod watch_source;

pub use chain_check::ChainStatus;
pub use config_entry::{Render, RenderedConfig};
pub use config_reader::ConfigResponse;
pub use config_watch::{ConfigEvent, ConfigWatch};
pub use event_key::EventKey;
pub use gateway_reports::store_gateway_reports;
pub use gateway_watch::{ConvergenceWatch, GatewayWatch};
pub use hub::Hub;
pub use outage::Outage;
pub use readiness::Readiness;
pub use retention::{delete_expired_keys, delete_gone_gateways, prune_periodically};
pub use revocation_log::RevocationLog;
pub use subscriber_registry::{Watched, Watcher};
pub use tail::{POLL, follow, forward_notifications};
pub use watch::Watch;
pub use watch_source::WatchFilter;
