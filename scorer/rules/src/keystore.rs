//! Rules about keystores.

pub(crate) mod password_well_known;
