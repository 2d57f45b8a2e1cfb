//! How much JSON may hold.

mod weigh;

pub use weigh::{TEXT_VALUES_MAX, holds_too_many};
