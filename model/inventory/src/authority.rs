//! Certification authorities, as a directory registers them.

use serde::{Deserialize, Serialize};

use crate::{Access, Digest, Time};

/// A `pKIEnrollmentService` object: an authority that clients of Active Directory may ask. Its
/// identity is its distinguished name in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Authority {
    /// `cn`.
    pub name: String,
    /// Distinguished name, as the directory writes it.
    pub dn: String,
    /// `dNSHostName`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// `cACertificateDN`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// The certificates of `cACertificate`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub certificates: Vec<Digest>,
    /// `certificateTemplates`: the names of the templates that it publishes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub templates: Vec<String>,
    /// `msPKI-Enrollment-Servers`: where certificates are to be had over HTTPS.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub enrolment_urls: Vec<String>,
    /// `flags`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flags: Option<u32>,
    /// `whenCreated`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<Time>,
    /// `whenChanged`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed: Option<Time>,
    /// Who may do what with the object; absent where the descriptor was not to be read. What counts
    /// in the end is the list in the registry of the authority's host.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub access: Option<Access>,
}
