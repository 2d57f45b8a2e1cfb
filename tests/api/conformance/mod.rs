//! Clients that others wrote, against a real service: npm's of the versions in tests/package.json.

mod differential;
mod scenario;
mod socket;
