//! Other projects' clients against a real service: npm's in the versions of tests/package.json, PyPI's in the
//! versions of tests/requirements.txt.

mod differential;
mod python;
mod scenario;
mod socket;
