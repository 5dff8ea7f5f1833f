//! Mechanisms of PKCS #11 that nobody should use any more, and what for.

use pki_inventory::Usage;

/// What is weak about a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weakness {
    /// What it is, in the words of a finding.
    pub(crate) what: &'static str,
    /// For which uses: a signature of old may still be checked, and old data decrypted.
    pub(crate) of: &'static [Usage],
}

const SIGNING: &[Usage] = &[Usage::Sign, Usage::SignRecover];
const ENCRYPTING: &[Usage] = &[Usage::Encrypt, Usage::Wrap];
// Who decrypts is who can be asked again and again whether the padding was right (RFC 8017, 7.2).
const PADDING: &[Usage] = &[Usage::Decrypt, Usage::Encrypt, Usage::Unwrap, Usage::Wrap];
const ALL: &[Usage] =
    &[Usage::Decrypt, Usage::Encrypt, Usage::Sign, Usage::SignRecover, Usage::Unwrap, Usage::Wrap];

/// What is weak about the mechanism of this name, if something is.
pub(crate) fn weakness(name: &str) -> Option<Weakness> {
    let name = name.strip_prefix("CKM_")?;
    let (what, of) = match name {
        "MD2_RSA_PKCS" | "MD5_RSA_PKCS" => ("signatures with MD5", SIGNING),
        "DSA_SHA1" | "ECDSA_SHA1" | "SHA1_RSA_PKCS" | "SHA1_RSA_PKCS_PSS" | "SHA1_RSA_X9_31" => {
            ("signatures with SHA-1", SIGNING)
        }
        "RSA_X_509" => ("RSA without padding", ALL),
        "RSA_PKCS" => ("RSA encryption with the padding of PKCS #1 v1.5", PADDING),
        // Codes of authentication are not encryption, and derivation makes other keys.
        _ if name.contains("MAC") || name.ends_with("_DATA") => return None,
        _ if begins(name, &["CDMF_", "DES_", "RC2_", "RC4", "SKIPJACK_"]) => {
            ("encryption with DES, RC2 or RC4", ENCRYPTING)
        }
        _ if begins(name, &["DES2_", "DES3_"]) => ("encryption with 3DES", ENCRYPTING),
        _ if name.ends_with("_ECB") => ("encryption block by block (ECB)", ENCRYPTING),
        _ => return None,
    };
    Some(Weakness { what, of })
}

/// The word of [`Mechanism::uses`](pki_inventory::Mechanism::uses) and the attribute of a key for a
/// use that a weakness is about.
pub(crate) fn words(usage: Usage) -> (&'static str, &'static str) {
    match usage {
        Usage::Decapsulate => ("decapsulate", "CKA_DECAPSULATE"),
        Usage::Decrypt => ("decrypt", "CKA_DECRYPT"),
        Usage::Derive => ("derive", "CKA_DERIVE"),
        Usage::Encapsulate => ("encapsulate", "CKA_ENCAPSULATE"),
        Usage::Encrypt => ("encrypt", "CKA_ENCRYPT"),
        Usage::Sign => ("sign", "CKA_SIGN"),
        Usage::SignRecover => ("sign-recover", "CKA_SIGN_RECOVER"),
        Usage::Unwrap => ("unwrap", "CKA_UNWRAP"),
        Usage::Verify => ("verify", "CKA_VERIFY"),
        Usage::VerifyRecover => ("verify-recover", "CKA_VERIFY_RECOVER"),
        Usage::Wrap => ("wrap", "CKA_WRAP"),
    }
}

fn begins(name: &str, with: &[&str]) -> bool {
    with.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::weakness;

    #[test]
    fn what_is_weak_is_told_from_what_only_looks_like_it() {
        let weak = |name: &str| weakness(name).map(|one| one.what);
        assert_eq!(weak("CKM_DES_CBC"), Some("encryption with DES, RC2 or RC4"));
        assert_eq!(weak("CKM_RC4"), Some("encryption with DES, RC2 or RC4"));
        assert_eq!(weak("CKM_DES3_CBC_PAD"), Some("encryption with 3DES"));
        assert_eq!(weak("CKM_AES_ECB"), Some("encryption block by block (ECB)"));
        assert_eq!(weak("CKM_ECDSA_SHA1"), Some("signatures with SHA-1"));
        for name in [
            "CKM_AES_CBC",
            "CKM_AES_ECB_ENCRYPT_DATA",
            "CKM_DES3_CMAC",
            "CKM_ECDSA",
            "CKM_RSA_PKCS_OAEP",
            "CKM_SHA256_RSA_PKCS",
            "CKM_SHA_1_HMAC",
            "0x80000001",
        ] {
            assert_eq!(weak(name), None, "{name}");
        }
    }
}
