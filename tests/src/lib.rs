//! End-to-end and structure tests, and benchmarks.
//!
//! This library is the lab they share: it runs the agent as a user does, makes keys and
//! certificates with the `openssl` command, starts real servers on loopback and ends every one of
//! them by its process id, plants trees of files, and searches outputs for secrets. It knows
//! nothing of the inside of the product: what is compared is what a user gets to see.
//!
//! ```no_run
//! use pkimm_tests::{agent::Home, certificates::{Authority, Order}, servers::TlsServer};
//!
//! let home = Home::new();
//! let root = Authority::root(home.path(), "Lab Root");
//! let leaf = root.issue(&Order::server("www.example.test"));
//! let server = TlsServer::openssl(&leaf, &["-tls1_3"]);
//! home.agent(&["scan", "--target", &server.address()]).expect_code(0);
//! assert_eq!(home.inventory().len(), 2);
//! ```
#![allow(clippy::unwrap_used, reason = "what goes wrong in the lab fails the test that uses it")]
#![allow(clippy::disallowed_methods, reason = "reads files that tests wrote, which are not large")]

pub mod agent;
pub mod canary;
pub mod certificates;
pub mod facts;
pub mod forms;
pub mod servers;
pub mod tools;
pub mod tree;
