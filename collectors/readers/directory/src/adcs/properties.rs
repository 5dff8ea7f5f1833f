//! The attributes and sets of attributes whose change is enough to take an object over. The GUIDs
//! are those of the schema ([MS-ADA1] to [MS-ADA3], `schemaIDGUID`) and of the extended rights
//! ([MS-ADTS], 5.1.3.2.1).
//!
//! The lists are narrow on purpose: a right to change what decides over nothing is no finding.

use pki_descriptors::Guid;
use pki_inventory::DirectoryRole;

type Properties = &'static [(Guid, &'static str)];

const fn guid(text: u128) -> Guid {
    Guid(text)
}

const AUTHORITY_CERTIFICATE: (Guid, &str) =
    (guid(0xbf967932_0de6_11d0_a285_00aa003049e2), "cACertificate");
const CROSS_CERTIFICATES: (Guid, &str) =
    (guid(0x167757b2_47f3_11d1_a9c3_0000f80367c1), "crossCertificatePair");
const MAPPINGS: (Guid, &str) =
    (guid(0x00fbf30c_91fe_11d1_aebc_0000f80367c1), "altSecurityIdentities");
/// The set that `altSecurityIdentities` is in.
const PUBLIC_INFORMATION: (Guid, &str) =
    (guid(0xe48d0154_bcf8_11d1_8702_00c04fb96050), "Public Information");

/// A template: who gets it, for what, and who is asked before.
pub(super) const TEMPLATE: Properties = &[
    (guid(0xea1dddc4_60ff_416e_8cc0_17cee534bce7), "msPKI-Certificate-Name-Flag"),
    (guid(0xd15ef7d8_f226_46db_ae79_b34e560bd12c), "msPKI-Enrollment-Flag"),
    (guid(0xfe17e04b_937d_4f7e_8e0e_9292c8d5683e), "msPKI-RA-Signature"),
    (guid(0x3c91fbbf_4773_4ccd_a87b_85d53e7bcf6a), "msPKI-RA-Application-Policies"),
    (guid(0x18976af6_3b9e_11d2_90cc_00c04fd91ab1), "pKIExtendedKeyUsage"),
    (guid(0xdbd90548_aa37_4202_9966_8c537ba5ce32), "msPKI-Certificate-Application-Policy"),
    (guid(0x38942346_cc5b_424b_a7d8_6ffd12029c5f), "msPKI-Certificate-Policy"),
];

/// An authority: which certificates it is known by, what it issues.
pub(super) const AUTHORITY: Properties = &[
    AUTHORITY_CERTIFICATE,
    (guid(0x2a39c5b1_8960_11d1_aebc_0000f80367c1), "certificateTemplates"),
];

const STORE: Properties = &[AUTHORITY_CERTIFICATE, CROSS_CERTIFICATES];

const DISTRIBUTION_POINT: Properties = &[
    (guid(0x1677579f_47f3_11d1_a9c3_0000f80367c1), "certificateRevocationList"),
    (guid(0x167757b5_47f3_11d1_a9c3_0000f80367c1), "deltaRevocationList"),
    (guid(0x1677578d_47f3_11d1_a9c3_0000f80367c1), "authorityRevocationList"),
];

const RECOVERY_AGENT: Properties =
    &[(guid(0xbf967a7f_0de6_11d0_a285_00aa003049e2), "userCertificate")];

const OBJECT_IDENTIFIER: Properties =
    &[(guid(0xf9c9a57c_3941_438d_bebf_0edaf2aca187), "msDS-OIDToGroupLink")];

/// `User-Force-Change-Password`: a control access and no attribute, by which a password is set without
/// knowing the old one. It is asked for as what it is, and called by what it writes.
const PASSWORD: (Guid, &str) = (guid(0x00299570_246d_11d0_a768_00aa006e0529), "the password");

const ACCOUNT: Properties = &[MAPPINGS, PUBLIC_INFORMATION, PASSWORD];

/// Who may act as the computer that an authority runs on: by its password, by delegation, by a key of
/// one's own, or by a certificate.
const HOST: Properties = &[
    MAPPINGS,
    PUBLIC_INFORMATION,
    PASSWORD,
    (guid(0x3f78c3e5_f79a_46bd_a0b8_9d18116ddc79), "msDS-AllowedToActOnBehalfOfOtherIdentity"),
    (guid(0x4c164200_20c0_11d0_a768_00aa006e0529), "Account Restrictions"),
    (guid(0x5b47d60f_6090_40b2_9f37_2a4de88f3063), "msDS-KeyCredentialLink"),
];

/// Those of an object of this sort.
pub(super) fn of(role: DirectoryRole) -> Properties {
    match role {
        // What is in a container is made and removed by rights of their own.
        DirectoryRole::Container => &[],
        DirectoryRole::LogonStore => &[AUTHORITY_CERTIFICATE],
        DirectoryRole::RootStore | DirectoryRole::AuthorityInformation => STORE,
        DirectoryRole::DistributionPoint => DISTRIBUTION_POINT,
        DirectoryRole::RecoveryAgent => RECOVERY_AGENT,
        DirectoryRole::ObjectIdentifier => OBJECT_IDENTIFIER,
        DirectoryRole::AuthorityHost => HOST,
        DirectoryRole::Account => ACCOUNT,
    }
}
