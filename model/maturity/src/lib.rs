//! Versions of the PKI Maturity Model, and which rules bear on which requirement how far.
//!
//! Ids, names, weights and level numbers are the PKI Consortium's; every sentence is written for
//! this project. Model and map are data (`data/pkimm-X.yaml`, `data/map-X.yaml`), listed in
//! [`VERSIONS`]. [`Model::official`] loads a model file of the PKI Consortium instead, so that a
//! team can see the official wording; the map stays ours.
//!
//! What this crate does not do: it computes no score and knows no certificate. It reads no file:
//! text comes in, a model goes out.
//!
//! ```
//! let model = pki_maturity::Model::built_in("2.0.0")?;
//! assert_eq!(model.requirements().count(), 76);
//! assert_eq!(model.level_name(2.try_into()?), "Foundational");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod level;
mod map;
mod model;
mod versions;
mod written;

pub use level::{Level, LevelError};
pub use map::{Bearing, Entry, Map};
pub use model::{Category, Model, Module, Requirement};
pub use versions::{DEFAULT_VERSION, VERSIONS, Version, rename};

/// Why a model or map could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No such version is built in.
    #[error("model version {version} is not built in; built in are {known}")]
    UnknownVersion {
        /// What was asked for.
        version: String,
        /// What there is.
        known: String,
    },
    /// The text is not YAML of a shape that is known here.
    #[error("the model is not readable: {0}")]
    Unreadable(String),
    /// The schema is newer or older than what is read.
    #[error("schemaVersion {0} is not read; 1.0.0 and 2.0.0 are")]
    Schema(String),
    /// The text is readable but contradicts itself.
    #[error("the model is not sound: {0}")]
    Unsound(String),
}
