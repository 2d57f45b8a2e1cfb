//! How long tests take that can take any time: short among all others, long for `make proof`.

/// So many in `make test`, and so many in `make proof`, which sets `PROOF`.
pub(crate) fn count(short: usize, long: usize) -> usize {
    if std::env::var_os("PROOF").is_some() { long } else { short }
}
