//! The bits of a template's and an authority's flags: the name of each in its document, and a few
//! words.

/// A bit: its value, its name, what it means.
type Flag = (u32, &'static str, &'static str);

/// The bits of one attribute.
pub(crate) struct Set {
    bits: &'static [Flag],
    /// Parts that hold a number: where, from which bit on, what of.
    parts: &'static [(u32, u32, &'static str)],
}

/// `flags` of a template ([MS-CRTD], 2.4).
pub(crate) const GENERAL: Set = Set {
    parts: &[],
    bits: &[
        (0x0000_0002, "CT_FLAG_ADD_EMAIL", "a mail address is added"),
        (
            0x0000_0008,
            "CT_FLAG_PUBLISH_TO_DS",
            "certificates are put into the directory (version 1)",
        ),
        (0x0000_0010, "CT_FLAG_EXPORTABLE_KEY", "the key is exportable (version 1)"),
        (0x0000_0020, "CT_FLAG_AUTO_ENROLLMENT", "for automatic enrolment"),
        (0x0000_0040, "CT_FLAG_MACHINE_TYPE", "for computers"),
        (0x0000_0080, "CT_FLAG_IS_CA", "for authorities"),
        (0x0000_0100, "CT_FLAG_ADD_DIRECTORY_PATH", "the path in the directory is added"),
        (0x0000_0200, "CT_FLAG_ADD_TEMPLATE_NAME", "the name of the template is added"),
        (0x0000_0400, "CT_FLAG_ADD_SUBJECT_DIRECTORY_PATH", "the path of the subject is added"),
        (0x0000_0800, "CT_FLAG_IS_CROSS_CA", "for cross-certification"),
        (
            0x0000_1000,
            "CT_FLAG_DONOTPERSISTINDB",
            "the authority keeps no record of what it issues",
        ),
        (0x0001_0000, "CT_FLAG_IS_DEFAULT", "one of the templates that come with the product"),
        (0x0002_0000, "CT_FLAG_IS_MODIFIED", "changed after it was made"),
    ],
};

/// `msPKI-Enrollment-Flag` ([MS-CRTD], 2.26).
pub(crate) const ENROLMENT: Set = Set {
    parts: &[],
    bits: &[
        (0x0000_0001, "CT_FLAG_INCLUDE_SYMMETRIC_ALGORITHMS", "symmetric algorithms are named"),
        (0x0000_0002, "CT_FLAG_PEND_ALL_REQUESTS", "a manager approves each request"),
        (0x0000_0004, "CT_FLAG_PUBLISH_TO_KRA_CONTAINER", "put among the key recovery agents"),
        (0x0000_0008, "CT_FLAG_PUBLISH_TO_DS", "certificates are put into the directory"),
        (
            0x0000_0010,
            "CT_FLAG_AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE",
            "no automatic enrolment while the directory has a certificate",
        ),
        (0x0000_0020, "CT_FLAG_AUTO_ENROLLMENT", "automatic enrolment is on"),
        (
            0x0000_0040,
            "CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT",
            "a renewal needs no approval of its own",
        ),
        (0x0000_0100, "CT_FLAG_USER_INTERACTION_REQUIRED", "a person is asked at enrolment"),
        (
            0x0000_0400,
            "CT_FLAG_REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE",
            "what is not valid any more is removed",
        ),
        (0x0000_0800, "CT_FLAG_ALLOW_ENROLL_ON_BEHALF_OF", "agents may enrol for others"),
        (0x0000_1000, "CT_FLAG_ADD_OCSP_NOCHECK", "the OCSP no-check extension is added"),
        (
            0x0000_2000,
            "CT_FLAG_ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL",
            "the key is kept where the token is full",
        ),
        (
            0x0000_4000,
            "CT_FLAG_NOREVOCATIONINFOINISSUEDCERTS",
            "certificates do not say where revocation is told",
        ),
        (
            0x0000_8000,
            "CT_FLAG_INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS",
            "basic constraints are added for end entities",
        ),
        (
            0x0001_0000,
            "CT_FLAG_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT",
            "the old key alone renews",
        ),
        (0x0002_0000, "CT_FLAG_ISSUANCE_POLICIES_FROM_REQUEST", "the request names the policies"),
        (0x0004_0000, "CT_FLAG_SKIP_AUTO_RENEWAL", "no automatic renewal"),
        (
            0x0008_0000,
            "CT_FLAG_NO_SECURITY_EXTENSION",
            "certificates do not name the account's security identifier",
        ),
    ],
};

/// `msPKI-Private-Key-Flag` ([MS-CRTD], 2.27). The two fields of versions are apart.
pub(crate) const PRIVATE_KEY: Set = Set {
    parts: VERSIONS,
    bits: &[
        (0x0000_0001, "CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL", "the key is archived"),
        (0x0000_0010, "CT_FLAG_EXPORTABLE_KEY", "the key is exportable"),
        (0x0000_0020, "CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED", "a person approves each use"),
        (
            0x0000_0040,
            "CT_FLAG_REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM",
            "requests are signed with RSASSA-PSS",
        ),
        (0x0000_0080, "CT_FLAG_REQUIRE_SAME_KEY_RENEWAL", "renewals keep the key"),
        (0x0000_0100, "CT_FLAG_USE_LEGACY_PROVIDER", "by providers of the old interface"),
        (0x0000_0200, "CT_FLAG_EK_TRUST_ON_USE", "endorsed by who asks"),
        (0x0000_0400, "CT_FLAG_EK_VALIDATE_CERT", "endorsed by a certificate of the TPM"),
        (0x0000_0800, "CT_FLAG_EK_VALIDATE_KEY", "endorsed by a listed key of the TPM"),
        (0x0000_1000, "CT_FLAG_ATTEST_PREFERRED", "attested where possible"),
        (0x0000_2000, "CT_FLAG_ATTEST_REQUIRED", "attestation is required"),
        (0x0000_4000, "CT_FLAG_ATTESTATION_WITHOUT_POLICY", "attestation adds no policy"),
        (0x0020_0000, "CT_FLAG_HELLO_LOGON_KEY", "a key of Windows Hello"),
    ],
};

/// Parts of `msPKI-Private-Key-Flag` that hold the least versions of the authority and of the
/// client.
const VERSIONS: &[(u32, u32, &str)] =
    &[(0x000f_0000, 16, "server-version"), (0x0f00_0000, 24, "client-version")];

/// `msPKI-Certificate-Name-Flag` ([MS-CRTD], 2.28).
pub(crate) const NAME: Set = Set {
    parts: &[],
    bits: &[
        (0x0000_0001, "CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT", "whoever enrols supplies the subject"),
        (
            0x0000_0008,
            "CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME",
            "a renewal takes the names of the old certificate",
        ),
        (
            0x0001_0000,
            "CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME",
            "whoever enrols supplies the alternative names",
        ),
        (
            0x0040_0000,
            "CT_FLAG_SUBJECT_ALT_REQUIRE_DOMAIN_DNS",
            "alternative name: DNS name of the domain",
        ),
        (0x0080_0000, "CT_FLAG_SUBJECT_ALT_REQUIRE_SPN", "alternative name: service principal"),
        (
            0x0100_0000,
            "CT_FLAG_SUBJECT_ALT_REQUIRE_DIRECTORY_GUID",
            "alternative name: GUID of the account",
        ),
        (0x0200_0000, "CT_FLAG_SUBJECT_ALT_REQUIRE_UPN", "alternative name: user principal name"),
        (0x0400_0000, "CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL", "alternative name: mail address"),
        (0x0800_0000, "CT_FLAG_SUBJECT_ALT_REQUIRE_DNS", "alternative name: DNS name"),
        (0x1000_0000, "CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN", "subject: DNS name as common name"),
        (0x2000_0000, "CT_FLAG_SUBJECT_REQUIRE_EMAIL", "subject: mail address"),
        (0x4000_0000, "CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME", "subject: common name"),
        (0x8000_0000, "CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH", "subject: path in the directory"),
    ],
};

/// `flags` of an enrolment service, as `certca.h` names them.
pub(crate) const AUTHORITY: Set = Set {
    parts: &[],
    bits: &[
        (0x0000_0001, "CA_FLAG_NO_TEMPLATE_SUPPORT", "it knows no templates"),
        (0x0000_0002, "CA_FLAG_SUPPORTS_NT_AUTHENTICATION", "it knows who asks from Windows"),
        (
            0x0000_0004,
            "CA_FLAG_CA_SUPPORTS_MANUAL_AUTHENTICATION",
            "requests may wait for a manager",
        ),
        (0x0000_0008, "CA_FLAG_CA_SERVERTYPE_ADVANCED", "templates of version 2 and later"),
    ],
};

/// The names of the bits that are set; a bit without a name as its value.
pub(crate) fn names(flags: u32, known: &Set) -> Vec<String> {
    told(flags, known, |flag| flag.1)
}

/// What the bits that are set mean; a bit without a meaning here as its value.
pub(crate) fn words(flags: u32, known: &Set) -> Vec<String> {
    told(flags, known, |flag| flag.2)
}

fn told(flags: u32, known: &Set, what: impl Fn(&Flag) -> &'static str) -> Vec<String> {
    let set = known.bits.iter().filter(|flag| flags & flag.0 != 0);
    let mut told: Vec<String> = set.map(|flag| what(flag).to_owned()).collect();
    let mut rest = known.bits.iter().fold(flags, |rest, flag| rest & !flag.0);
    for (mask, shift, name) in known.parts {
        let number = (rest & mask) >> shift;
        if number != 0 {
            told.push(format!("{name} {number}"));
        }
        rest &= !mask;
    }
    let unknown = (0..u32::BITS).map(|at| 1 << at).filter(|bit| rest & bit != 0);
    told.extend(unknown.map(|bit: u32| format!("0x{bit:08x}")));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_told() {
        let bits = 0x0504_0110 | 0x8000_0000;
        assert_eq!(
            names(bits, &PRIVATE_KEY),
            [
                "CT_FLAG_EXPORTABLE_KEY",
                "CT_FLAG_USE_LEGACY_PROVIDER",
                "server-version 4",
                "client-version 5",
                "0x80000000"
            ]
        );
        assert_eq!(words(3, &NAME), ["whoever enrols supplies the subject", "0x00000002"]);
        assert!(words(0, &ENROLMENT).is_empty());
        for known in [&GENERAL, &ENROLMENT, &PRIVATE_KEY, &NAME, &AUTHORITY] {
            assert!(known.bits.is_sorted_by(|a, b| a.0 < b.0));
            assert!(known.bits.iter().all(|flag| flag.0.count_ones() == 1));
        }
    }

    #[test]
    fn the_bits_that_rules_look_at_have_the_same_values_here() {
        use pki_inventory::{enrolment_flag, general_flag, name_flag, private_key_flag};
        for (bit, known, name) in [
            (general_flag::NOT_IN_DATABASE, &GENERAL, "CT_FLAG_DONOTPERSISTINDB"),
            (enrolment_flag::PEND_ALL_REQUESTS, &ENROLMENT, "CT_FLAG_PEND_ALL_REQUESTS"),
            (enrolment_flag::NO_SECURITY_EXTENSION, &ENROLMENT, "CT_FLAG_NO_SECURITY_EXTENSION"),
            (private_key_flag::EXPORTABLE, &PRIVATE_KEY, "CT_FLAG_EXPORTABLE_KEY"),
            (name_flag::ENROLLEE_SUPPLIES_SUBJECT, &NAME, "CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT"),
        ] {
            assert_eq!(names(bit, known), [name]);
        }
    }
}
