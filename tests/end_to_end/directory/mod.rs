//! What directories hold of a public key infrastructure, and what authorities say of themselves.

mod records;
mod servers;
