//! How long the tests run that could run for any time: short in `make test`, long in `make proof`.

/// Returns `short` in `make test`, and `long` in `make proof`, which sets `PROOF`.
pub(crate) fn count(short: usize, long: usize) -> usize {
    if std::env::var_os("PROOF").is_some() { long } else { short }
}
