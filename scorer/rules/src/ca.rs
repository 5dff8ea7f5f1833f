//! Rules about what authorities hand out.

pub(crate) mod crl_stale;
pub(crate) mod key_exposed;
pub(crate) mod key_outside_hardware;
