//! Clients that others wrote, against a real service: npm's of the versions in tests/package.json, PyPI's of those in
//! tests/requirements.txt.

mod differential;
mod python;
mod scenario;
mod socket;
