//! Certificate templates of Active Directory Certificate Services ([MS-CRTD]).

use serde::{Deserialize, Serialize};

use crate::{Access, Time};

/// A `pKICertificateTemplate` object. Its identity is its distinguished name in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Template {
    /// `cn`, by which authorities publish it.
    pub name: String,
    /// `displayName`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub display_name: Option<String>,
    /// Distinguished name, as the directory writes it.
    pub dn: String,
    /// `msPKI-Cert-Template-OID`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub oid: Option<String>,
    /// `msPKI-Template-Schema-Version`; an object without it is of version 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub schema_version: Option<u32>,
    /// `revision` and `msPKI-Template-Minor-Revision`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revision: Option<(u32, u32)>,
    /// `pKIExpirationPeriod`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validity_secs: Option<i64>,
    /// `pKIOverlapPeriod`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renewal_secs: Option<i64>,
    /// `pKIExtendedKeyUsage`, as OIDs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub extended_key_usage: Vec<String>,
    /// `msPKI-Certificate-Application-Policy`, as OIDs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub application_policies: Vec<String>,
    /// `pKIKeyUsage`, as the octets of the BIT STRING.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub key_usage: Vec<u8>,
    /// `flags` ([MS-CRTD], 2.4).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub general_flags: Option<u32>,
    /// `msPKI-Enrollment-Flag` ([MS-CRTD], 2.26).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrolment_flags: Option<u32>,
    /// `msPKI-Private-Key-Flag` ([MS-CRTD], 2.27).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub private_key_flags: Option<u32>,
    /// `msPKI-Certificate-Name-Flag` ([MS-CRTD], 2.28).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_flags: Option<u32>,
    /// `msPKI-Minimal-Key-Size`, in bits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub minimal_key_bits: Option<u32>,
    /// `pKIDefaultCSPs`, without the numbers before the names.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub providers: Vec<String>,
    /// `msPKI-RA-Signature`: how many agents have to sign a request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent_signatures: Option<u32>,
    /// `msPKI-RA-Application-Policies`: what the agents' certificates must be for. Of the property
    /// list of schema 3 and later, the OIDs of `msPKI-RA-Application-Policies`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub agent_policies: Vec<String>,
    /// Algorithms that the property list of schema 3 and later names, such as
    /// `msPKI-Asymmetric-Algorithm`: `RSA`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub algorithms: Vec<(String, String)>,
    /// `msPKI-Certificate-Policy`, as OIDs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub issuance_policies: Vec<String>,
    /// `msPKI-Supersede-Templates`: the templates this one replaces, by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub supersedes: Vec<String>,
    /// `whenCreated`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<Time>,
    /// `whenChanged`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed: Option<Time>,
    /// Who may do what; absent where the descriptor was not to be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub access: Option<Access>,
}

/// Bits of `msPKI-Certificate-Name-Flag` ([MS-CRTD], 2.28).
pub mod name_flag {
    /// CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT.
    pub const ENROLLEE_SUPPLIES_SUBJECT: u32 = 0x0000_0001;
    /// CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME.
    pub const OLD_CERTIFICATE_SUPPLIES_NAMES: u32 = 0x0000_0008;
    /// CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME.
    pub const ENROLLEE_SUPPLIES_ALTERNATIVE_NAME: u32 = 0x0001_0000;
    /// CT_FLAG_SUBJECT_ALT_REQUIRE_UPN.
    pub const REQUIRE_UPN: u32 = 0x0200_0000;
    /// CT_FLAG_SUBJECT_ALT_REQUIRE_DNS.
    pub const REQUIRE_DNS: u32 = 0x0800_0000;
}

/// Bits of `msPKI-Enrollment-Flag` ([MS-CRTD], 2.26).
pub mod enrolment_flag {
    /// CT_FLAG_PEND_ALL_REQUESTS: a manager approves each request.
    pub const PEND_ALL_REQUESTS: u32 = 0x0000_0002;
    /// CT_FLAG_PUBLISH_TO_DS.
    pub const PUBLISH_TO_DIRECTORY: u32 = 0x0000_0008;
    /// CT_FLAG_AUTO_ENROLLMENT.
    pub const AUTO_ENROLMENT: u32 = 0x0000_0020;
    /// CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT.
    pub const PREVIOUS_APPROVAL_IS_ENOUGH: u32 = 0x0000_0040;
    /// CT_FLAG_ALLOW_ENROLL_ON_BEHALF_OF.
    pub const ON_BEHALF_OF: u32 = 0x0000_0800;
    /// CT_FLAG_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT.
    pub const KEY_BASED_RENEWAL: u32 = 0x0001_0000;
    /// CT_FLAG_INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS aside: CT_FLAG_NOREVOCATIONINFOINISSUEDCERTS.
    pub const NO_REVOCATION_INFORMATION: u32 = 0x0000_4000;
    /// CT_FLAG_NO_SECURITY_EXTENSION.
    pub const NO_SECURITY_EXTENSION: u32 = 0x0008_0000;
}

/// Bits of `msPKI-Private-Key-Flag` ([MS-CRTD], 2.27).
pub mod private_key_flag {
    /// CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL.
    pub const ARCHIVAL: u32 = 0x0000_0001;
    /// CT_FLAG_EXPORTABLE_KEY.
    pub const EXPORTABLE: u32 = 0x0000_0010;
    /// CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED.
    pub const STRONG_PROTECTION: u32 = 0x0000_0020;
    /// CT_FLAG_REQUIRE_SAME_KEY_RENEWAL.
    pub const SAME_KEY_RENEWAL: u32 = 0x0000_0080;
    /// CT_FLAG_USE_LEGACY_PROVIDER.
    pub const LEGACY_PROVIDER: u32 = 0x0000_0100;
    /// CT_FLAG_ATTEST_PREFERRED.
    pub const ATTESTATION_PREFERRED: u32 = 0x0000_1000;
    /// CT_FLAG_ATTEST_REQUIRED.
    pub const ATTESTATION_REQUIRED: u32 = 0x0000_2000;
}

/// Bits of `flags` ([MS-CRTD], 2.4).
pub mod general_flag {
    /// CT_FLAG_MACHINE_TYPE.
    pub const MACHINE: u32 = 0x0000_0040;
    /// CT_FLAG_IS_CA.
    pub const AUTHORITY: u32 = 0x0000_0080;
    /// CT_FLAG_IS_CROSS_CA.
    pub const CROSS_AUTHORITY: u32 = 0x0000_0800;
    /// CT_FLAG_DONOTPERSISTINDB.
    pub const NOT_IN_DATABASE: u32 = 0x0000_1000;
}

impl Template {
    /// Whether a bit of the name flags is set; `None` where there are none.
    #[must_use]
    pub fn names(&self, flag: u32) -> Option<bool> {
        self.name_flags.map(|flags| flags & flag != 0)
    }

    /// Whether a bit of the enrolment flags is set; `None` where there are none.
    #[must_use]
    pub fn enrols(&self, flag: u32) -> Option<bool> {
        self.enrolment_flags.map(|flags| flags & flag != 0)
    }

    /// Whether a bit of the private key flags is set; `None` where there are none.
    #[must_use]
    pub fn keys(&self, flag: u32) -> Option<bool> {
        self.private_key_flags.map(|flags| flags & flag != 0)
    }
}
