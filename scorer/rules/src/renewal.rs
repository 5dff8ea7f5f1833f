//! Rules about how certificates are renewed.

pub(crate) mod automation_sign_absent;
pub(crate) mod not_deployed;
pub(crate) mod stalled;
