//! What certificates are for: usages by name.

/// Key purposes by OID (RFC 5280, 4.2.1.12; RFC 4556, 3.2.2; [MS-CRTD], 2.12 and 2.25).
const NAMES: &[(&str, &str)] = &[
    ("1.3.6.1.4.1.311.10.3.1", "trustListSigning"),
    ("1.3.6.1.4.1.311.10.3.4", "encryptingFileSystem"),
    ("1.3.6.1.4.1.311.10.3.4.1", "fileRecovery"),
    ("1.3.6.1.4.1.311.10.3.11", "keyRecovery"),
    ("1.3.6.1.4.1.311.10.3.12", "documentSigning"),
    ("1.3.6.1.4.1.311.20.2.1", "certificateRequestAgent"),
    ("1.3.6.1.4.1.311.20.2.2", "smartcardLogon"),
    ("1.3.6.1.4.1.311.21.5", "privateKeyArchival"),
    ("1.3.6.1.4.1.311.21.6", "keyRecoveryAgent"),
    ("1.3.6.1.4.1.311.21.19", "directoryReplication"),
    ("1.3.6.1.4.1.311.54.1.2", "remoteDesktop"),
    ("1.3.6.1.5.2.3.4", "pkinitClientAuth"),
    ("1.3.6.1.5.2.3.5", "pkinitKdc"),
    ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    ("1.3.6.1.5.5.7.3.2", "clientAuth"),
    ("1.3.6.1.5.5.7.3.3", "codeSigning"),
    ("1.3.6.1.5.5.7.3.4", "emailProtection"),
    ("1.3.6.1.5.5.7.3.5", "ipsecEndSystem"),
    ("1.3.6.1.5.5.7.3.6", "ipsecTunnel"),
    ("1.3.6.1.5.5.7.3.7", "ipsecUser"),
    ("1.3.6.1.5.5.7.3.8", "timeStamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSPSigning"),
    ("1.3.6.1.5.5.7.3.17", "ipsecIKE"),
    ("1.3.6.1.5.5.8.2.2", "ikeIntermediate"),
    ("2.5.29.37.0", "anyExtendedKeyUsage"),
];

/// Bits of the key usage extension, the first first (RFC 5280, 4.2.1.3).
const BITS: &[&str] = &[
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

/// The name of a usage, where one is known here.
pub(crate) fn name(oid: &str) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name)
}

/// The names of usages; those without one as they are.
pub(crate) fn names(oids: &[String]) -> Vec<String> {
    oids.iter().map(|oid| name(oid).unwrap_or(oid).to_owned()).collect()
}

/// `clientAuth (1.3.6.1.5.5.7.3.2)`.
pub(crate) fn told(oid: &str) -> String {
    name(oid).map_or_else(|| oid.to_owned(), |name| format!("{name} ({oid})"))
}

/// The names of the bits that are set in the octets of a key usage.
pub(crate) fn key_usage(octets: &[u8]) -> Vec<&'static str> {
    let set = |at: &usize| octets.get(at / 8).is_some_and(|octet| octet & (0x80 >> (at % 8)) != 0);
    (0..BITS.len()).filter(set).map(|at| BITS[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bit_of_a_key_usage_is_the_highest() {
        assert_eq!(key_usage(&[0xa0, 0]), ["digitalSignature", "keyEncipherment"]);
        assert_eq!(key_usage(&[0x06, 0x80]), ["keyCertSign", "cRLSign", "decipherOnly"]);
        assert!(key_usage(&[]).is_empty());
    }

    #[test]
    fn usages_without_a_name_stay_what_they_are() {
        assert_eq!(
            names(&["1.3.6.1.5.5.7.3.2".to_owned(), "1.2".to_owned()]),
            ["clientAuth", "1.2"]
        );
        assert_eq!(told("2.5.29.37.0"), "anyExtendedKeyUsage (2.5.29.37.0)");
    }
}
