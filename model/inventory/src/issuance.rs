//! Rows of an authority's own records.

use serde::{Deserialize, Serialize};

use crate::{Digest, Time};

/// What an authority's database says of one request. Its identity is the authority with the serial
/// number, or with the number of the request where nothing was issued.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Issuance {
    /// The common name of the authority, as the export or the settings name it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authority: Option<String>,
    /// Number of the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<u64>,
    /// What came of it.
    pub disposition: Disposition,
    /// Serial number in lower-case hexadecimal, without leading zeros.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requester: Option<String>,
    /// The template, by name or OID.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub template: Option<String>,
    /// The common name that was issued.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub common_name: Option<String>,
    /// Start of validity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_before: Option<Time>,
    /// End of validity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_after: Option<Time>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked: Option<Time>,
    /// Why it was revoked, as written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revocation_reason: Option<String>,
    /// The certificate, where the export holds it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate: Option<Digest>,
}

/// What came of a request ([MS-CSRA], 3.1.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// 20, and 15, 16, 17 of the authority's own and of chain certificates.
    Issued,
    /// 21.
    Revoked,
    /// 31.
    Denied,
    /// 30.
    Failed,
    /// 8, 9.
    Pending,
    /// Any other, as written.
    Other(String),
}

impl Issuance {
    /// What it is known by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let authority = self.authority.as_deref().unwrap_or_default().to_lowercase();
        let number = match (&self.serial, self.request) {
            (Some(serial), _) => serial.clone(),
            (None, request) => format!("#{}", request.unwrap_or_default()),
        };
        Digest::of(format!("{authority}\n{number}").as_bytes())
    }
}

impl Disposition {
    /// The word for it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Other(text) => text,
        }
    }
}
