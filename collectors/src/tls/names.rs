//! Numbers of the TLS registries at IANA and their names as the RFCs write them.

use tls_parser::TlsCipherSuite;

/// SSL 2.0, as its hello writes it.
pub(super) const SSL2: u16 = 0x0002;
/// SSL 3.0 (RFC 6101).
pub(super) const SSL3: u16 = 0x0300;
/// TLS 1.0 (RFC 2246).
pub(super) const TLS10: u16 = 0x0301;
/// TLS 1.1 (RFC 4346).
pub(super) const TLS11: u16 = 0x0302;
/// TLS 1.2 (RFC 5246).
pub(super) const TLS12: u16 = 0x0303;
/// TLS 1.3 (RFC 8446).
pub(super) const TLS13: u16 = 0x0304;

/// Every version, newest first.
pub(super) const VERSIONS: [u16; 6] = [TLS13, TLS12, TLS11, TLS10, SSL3, SSL2];

/// TLS Alerts registry; the spelling of RFC 8446, section 6.
const ALERTS: &[(u8, &str)] = &[
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (21, "decryption_failed"),
    (22, "record_overflow"),
    (30, "decompression_failure"),
    (40, "handshake_failure"),
    (41, "no_certificate"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (52, "too_many_cids_requested"),
    (60, "export_restriction"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (111, "certificate_unobtainable"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (114, "bad_certificate_hash_value"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (117, "general_error"),
    (120, "no_application_protocol"),
    (121, "ech_required"),
];

/// `unexpected_message` and other alerts that are looked at by number.
pub(super) mod alert_code {
    pub(in super::super) const CLOSE_NOTIFY: u8 = 0;
    pub(in super::super) const HANDSHAKE_FAILURE: u8 = 40;
    pub(in super::super) const PROTOCOL_VERSION: u8 = 70;
    pub(in super::super) const INSUFFICIENT_SECURITY: u8 = 71;
    pub(in super::super) const INAPPROPRIATE_FALLBACK: u8 = 86;
    pub(in super::super) const UNRECOGNIZED_NAME: u8 = 112;
    pub(in super::super) const NO_APPLICATION_PROTOCOL: u8 = 120;
}

/// Numbers of the TLS Supported Groups registry that the code names.
pub(super) mod group_code {
    pub(in super::super) const SECP256R1: u16 = 23;
    pub(in super::super) const SECP384R1: u16 = 24;
    pub(in super::super) const SECP521R1: u16 = 25;
    pub(in super::super) const X25519: u16 = 29;
    pub(in super::super) const MLKEM512: u16 = 512;
    pub(in super::super) const MLKEM768: u16 = 513;
    pub(in super::super) const MLKEM1024: u16 = 514;
    pub(in super::super) const SECP256R1_MLKEM768: u16 = 4587;
    pub(in super::super) const X25519_MLKEM768: u16 = 4588;
    pub(in super::super) const SECP384R1_MLKEM1024: u16 = 4589;
}

/// TLS Supported Groups registry, and one number that browsers used before it had one.
const GROUPS: &[(u16, &str)] = &[
    (1, "sect163k1"),
    (2, "sect163r1"),
    (3, "sect163r2"),
    (4, "sect193r1"),
    (5, "sect193r2"),
    (6, "sect233k1"),
    (7, "sect233r1"),
    (8, "sect239k1"),
    (9, "sect283k1"),
    (10, "sect283r1"),
    (11, "sect409k1"),
    (12, "sect409r1"),
    (13, "sect571k1"),
    (14, "sect571r1"),
    (15, "secp160k1"),
    (16, "secp160r1"),
    (17, "secp160r2"),
    (18, "secp192k1"),
    (19, "secp192r1"),
    (20, "secp224k1"),
    (21, "secp224r1"),
    (22, "secp256k1"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (29, "x25519"),
    (30, "x448"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (41, "curveSM2"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (512, "MLKEM512"),
    (513, "MLKEM768"),
    (514, "MLKEM1024"),
    (4587, "SecP256r1MLKEM768"),
    (4588, "X25519MLKEM768"),
    (4589, "SecP384r1MLKEM1024"),
    (4590, "curveSM2MLKEM768"),
    (25497, "X25519Kyber768Draft00"),
];

/// The groups that a TLS 1.3 server is asked about, those that many have first.
pub(super) const GROUPS_OF_TLS13: &[u16] = &[
    4588, 29, 23, 24, 25, 30, 4587, 4589, 512, 513, 514, 25497, 256, 257, 258, 259, 260, 31, 32,
    33, 41, 4590,
];

/// The name of an alert.
pub(super) fn alert(code: u8) -> String {
    let known = ALERTS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("alert {code}"), |(_, name)| (*name).to_owned())
}

/// Whether an alert answers what a hello offered. Others tell of trouble, or of nothing.
pub(super) fn is_about_the_offer(alert: u8) -> bool {
    const ABOUT: [u8; 17] = [
        10,  // unexpected_message
        20,  // bad_record_mac, by servers that take a hello of SSL 2.0 for a record
        22,  // record_overflow, likewise
        40,  // handshake_failure
        41,  // no_certificate
        43,  // unsupported_certificate
        47,  // illegal_parameter
        50,  // decode_error
        60,  // export_restriction
        70,  // protocol_version
        71,  // insufficient_security
        86,  // inappropriate_fallback
        109, // missing_extension
        110, // unsupported_extension
        112, // unrecognized_name
        116, // certificate_required
        120, // no_application_protocol
    ];
    ABOUT.contains(&alert)
}

/// The name of a key exchange group.
pub(super) fn group(code: u16) -> String {
    let known = GROUPS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("group {code}"), |(_, name)| (*name).to_owned())
}

/// `SSLv2` to `TLSv1.3`.
pub(super) fn version(code: u16) -> String {
    match code {
        SSL2 => "SSLv2".to_owned(),
        SSL3 => "SSLv3".to_owned(),
        TLS10 => "TLSv1.0".to_owned(),
        TLS11 => "TLSv1.1".to_owned(),
        TLS12 => "TLSv1.2".to_owned(),
        TLS13 => "TLSv1.3".to_owned(),
        other => format!("version {other:#06x}"),
    }
}

/// The name of a cipher suite.
pub(super) fn suite(code: u16) -> String {
    let known = TlsCipherSuite::from_id(code);
    known.map_or_else(|| format!("suite {code:#06x}"), |suite| suite.name.to_owned())
}

/// Cipher kinds of SSL 2.0, three octets each (its specification, section 3.2 of the draft by
/// Hickman).
pub(super) fn suite_of_ssl2(code: [u8; 3]) -> String {
    let name = match code {
        [1, 0, 0x80] => "SSL_CK_RC4_128_WITH_MD5",
        [2, 0, 0x80] => "SSL_CK_RC4_128_EXPORT40_WITH_MD5",
        [3, 0, 0x80] => "SSL_CK_RC2_128_CBC_WITH_MD5",
        [4, 0, 0x80] => "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5",
        [5, 0, 0x80] => "SSL_CK_IDEA_128_CBC_WITH_MD5",
        [6, 0, 0x40] => "SSL_CK_DES_64_CBC_WITH_MD5",
        [7, 0, 0xc0] => "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
        [0, high, low] => return suite(u16::from_be_bytes([high, low])),
        [a, b, c] => return format!("cipher kind {a:02x}{b:02x}{c:02x}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_that_is_asked_about_has_its_registered_name() {
        for code in GROUPS_OF_TLS13 {
            assert!(!group(*code).starts_with("group "), "{code}");
        }
        assert_eq!(group(4588), "X25519MLKEM768");
        assert_eq!(group(9), "sect283k1");
        assert_eq!(group(9999), "group 9999");
    }

    #[test]
    fn versions_suites_and_alerts_are_written_as_in_the_standards() {
        assert_eq!(VERSIONS.map(version).join(" "), "TLSv1.3 TLSv1.2 TLSv1.1 TLSv1.0 SSLv3 SSLv2");
        assert_eq!(suite(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(suite(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(suite(0xfafa), "suite 0xfafa");
        assert_eq!(suite_of_ssl2([1, 0, 0x80]), "SSL_CK_RC4_128_WITH_MD5");
        assert_eq!(suite_of_ssl2([0, 0, 5]), "TLS_RSA_WITH_RC4_128_SHA");
        assert_eq!(alert(112), "unrecognized_name");
        assert_eq!(alert(70), "protocol_version");
        assert_eq!(alert(250), "alert 250");
        assert!(is_about_the_offer(40) && !is_about_the_offer(80) && !is_about_the_offer(0));
    }
}
