//! Rules about what authorities hand out.

pub(crate) mod crl_stale;
