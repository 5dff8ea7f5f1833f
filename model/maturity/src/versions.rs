//! The list of versions, and the way of an id from one to another.

use crate::{Model, ModelError};

/// The texts of one version.
#[derive(Debug)]
pub struct Version {
    /// `2.0.0`.
    pub id: &'static str,
    /// The model.
    pub model: &'static str,
    /// Which rules bear on which requirement.
    pub map: &'static str,
}

/// Every version, sorted.
pub const VERSIONS: &[Version] = &[
    Version {
        id: "1.0.0",
        model: include_str!("../data/pkimm-1.0.0.yaml"),
        map: include_str!("../data/map-1.0.0.yaml"),
    },
    Version {
        id: "1.1.0",
        model: include_str!("../data/pkimm-1.1.0.yaml"),
        map: include_str!("../data/map-1.1.0.yaml"),
    },
    Version {
        id: "2.0.0",
        model: include_str!("../data/pkimm-2.0.0.yaml"),
        map: include_str!("../data/map-2.0.0.yaml"),
    },
];

/// The version used when none is asked for.
pub const DEFAULT_VERSION: &str = "2.0.0";

/// The id that a category or requirement of one version carries in another; `None` where the other
/// does not have it.
///
/// # Errors
///
/// When one of the versions is not built in.
pub fn rename(from: &str, id: &str, to: &str) -> Result<Option<String>, ModelError> {
    let (from, to) = (Model::built_in(from)?, Model::built_in(to)?);
    let canonical = ids(&from).find(|(own, _)| *own == id).map(|(_, canonical)| canonical);
    Ok(canonical.and_then(|wanted| {
        ids(&to).find(|(_, canonical)| *canonical == wanted).map(|(own, _)| own.to_owned())
    }))
}

fn ids(model: &Model) -> impl Iterator<Item = (&str, &str)> {
    let categories = model.categories().map(|c| (c.id.as_str(), c.canonical.as_str()));
    categories.chain(model.requirements().map(|r| (r.id.as_str(), r.canonical.as_str())))
}

pub(crate) fn find(version: &str) -> Result<&'static Version, ModelError> {
    VERSIONS.iter().find(|known| known.id == version).ok_or_else(|| ModelError::UnknownVersion {
        version: version.to_owned(),
        known: VERSIONS.iter().map(|known| known.id).collect::<Vec<_>>().join(", "),
    })
}
