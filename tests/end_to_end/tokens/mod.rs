//! Tokens and what lies on them, read through the modules that speak for them.

mod servers;
