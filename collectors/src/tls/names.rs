//! Names of protocol elements as IANA and the RFCs write them.

use rustls::crypto::SupportedKxGroup;
use rustls::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion};

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

/// TLS Supported Groups registry.
const GROUPS: &[(u16, &str)] = &[
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (29, "x25519"),
    (30, "x448"),
    (512, "MLKEM512"),
    (513, "MLKEM768"),
    (514, "MLKEM1024"),
    (4587, "SecP256r1MLKEM768"),
    (4588, "X25519MLKEM768"),
    (4589, "SecP384r1MLKEM1024"),
];

/// The name of an alert.
pub(super) fn alert(alert: AlertDescription) -> String {
    let code = u8::from(alert);
    let known = ALERTS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("alert {code}"), |(_, name)| (*name).to_owned())
}

/// The name of a key exchange group.
pub(super) fn group(group: NamedGroup) -> String {
    let code = u16::from(group);
    let known = GROUPS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("group {code}"), |(_, name)| (*name).to_owned())
}

/// The names of the groups of these that a client offers in a version, in their order.
pub(super) fn groups_for(
    groups: &[&dyn SupportedKxGroup],
    versions: &[ProtocolVersion],
) -> Vec<String> {
    let offered = |group: &&&dyn SupportedKxGroup| {
        versions.iter().any(|version| group.usable_for_version(*version))
    };
    groups.iter().filter(offered).map(|known| group(known.name())).collect()
}

/// `TLSv1.3`, `TLSv1.2`.
pub(super) fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The name of a cipher suite. rustls writes `TLS13_` where IANA writes `TLS_`.
pub(super) fn suite(suite: CipherSuite) -> String {
    let name = format!("{suite:?}");
    name.strip_prefix("TLS13_").map(|rest| format!("TLS_{rest}")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::{ALL_KX_GROUPS, default_provider};

    #[test]
    fn everything_that_is_offered_has_its_registered_name() {
        let modern = groups_for(ALL_KX_GROUPS, &[ProtocolVersion::TLSv1_3]);
        assert!(
            modern.contains(&"X25519MLKEM768".to_owned())
                && modern.contains(&"MLKEM1024".to_owned())
        );
        assert!(modern.iter().all(|name| !name.starts_with("group ")), "{modern:?}");
        let classic = groups_for(ALL_KX_GROUPS, &[ProtocolVersion::TLSv1_2]);
        assert_eq!(classic, ["x25519", "secp256r1", "secp384r1"]);
        for known in default_provider().cipher_suites {
            let name = suite(known.suite());
            assert!(name.starts_with("TLS_") && !name.contains("TLS13"), "{name}");
        }
    }

    #[test]
    fn alerts_are_written_as_in_the_standard() {
        assert_eq!(alert(AlertDescription::UnrecognisedName), "unrecognized_name");
        assert_eq!(alert(AlertDescription::ProtocolVersion), "protocol_version");
        assert_eq!(alert(AlertDescription::Unknown(250)), "alert 250");
    }
}
