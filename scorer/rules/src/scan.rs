//! Rules about the reading itself.

pub(crate) mod coverage_low;
