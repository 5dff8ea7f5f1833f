//! Rules about everything that has an encoding of its own.

pub(crate) mod unparsed;
