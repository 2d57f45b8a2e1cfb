//! What every test uses: a database, a service on it, and clients.

pub(crate) mod app;
pub(crate) mod caller;
pub(crate) mod cluster;
pub(crate) mod events;
pub(crate) mod log;
pub(crate) mod node;
pub(crate) mod proof;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod socket;
pub(crate) mod wait;

pub(crate) use app::App;
pub(crate) use caller::{Answer, Calls};
