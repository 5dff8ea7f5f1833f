//! Certificates and the like for tests, made when they are wanted.

use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ED25519, SerialNumber, date_time_ymd,
};

/// Of an algorithm whose signatures do not differ from time to time.
static KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate_for(&PKCS_ED25519).expect("a key"));

/// A certificate of an authority of this name, with the serial number 0x00a1.
pub(crate) fn certificate(name: &str) -> Vec<u8> {
    params(name).self_signed(&*KEY).expect("signed").der().to_vec()
}

/// A revocation list without entries.
pub(crate) fn revocation_list() -> Vec<u8> {
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2026, 2, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let params = params("a");
    let issuer = Issuer::from_params(&params, &*KEY);
    list.signed_by(&issuer).expect("signed").der().to_vec()
}

/// A private key, PKCS#8.
pub(crate) fn key() -> Vec<u8> {
    KEY.serialize_der()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(vec![0xa1]));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::CrlSign, KeyUsagePurpose::KeyCertSign];
    params
}
