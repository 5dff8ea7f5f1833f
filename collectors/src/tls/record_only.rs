//! The only place in this product that does not verify a server: it writes down what is shown.
//!
//! An inventory has to hold the expired, the self-signed and the malformed certificates above all,
//! so nothing may be refused while they are collected. Nothing is sent over such a connection but
//! the handshake, and no other module may build one: whatever talks to a server to use it verifies
//! it. What a certificate is worth is judged later, from the record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{ALL_KX_GROUPS, default_provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};

/// What a server showed during one handshake.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    /// Encodings in the order they were sent.
    pub(super) chain: Vec<Vec<u8>>,
    /// The stapled certificate status; empty when there was none.
    pub(super) staple: Vec<u8>,
    /// It wanted a certificate from us.
    pub(super) wants_client_certificate: bool,
}

/// Accepts everything and remembers it.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Shown>);

/// Every scheme there is a number for. rustls sends this list as `signature_algorithms` (RFC 8446,
/// 4.2.3), and a server whose only certificate is signed otherwise does not show it at all.
const SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::ED448,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::ML_DSA_44,
    SignatureScheme::ML_DSA_65,
    SignatureScheme::ML_DSA_87,
    // rsa_pss_pss_sha256, _sha384, _sha512.
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
    // ecdsa_brainpoolP256r1tls13_sha256 and its two larger sisters (RFC 8734).
    SignatureScheme::Unknown(0x081a),
    SignatureScheme::Unknown(0x081b),
    SignatureScheme::Unknown(0x081c),
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::ECDSA_SHA1_Legacy,
    SignatureScheme::RSA_PKCS1_SHA1,
];

impl Recorder {
    /// What was shown so far.
    pub(super) fn shown(&self) -> Shown {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        // The record is replaced as a whole, so it is never half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that offers everything rustls can do in these versions, and records into `recorder`.
///
/// # Errors
///
/// When the provider cannot do any of the versions.
pub(super) fn client(
    versions: &[&'static SupportedProtocolVersion],
    recorder: &Arc<Recorder>,
) -> Result<ClientConfig, Error> {
    let provider = CryptoProvider { kx_groups: ALL_KX_GROUPS.to_vec(), ..default_provider() };
    let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(recorder) as _;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::clone(recorder) as _);
    // A resumed handshake shows no certificates.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut shown = self.lock();
        shown.chain =
            std::iter::once(end_entity).chain(intermediates).map(|der| der.to_vec()).collect();
        shown.staple = ocsp_response.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    // Whether the server holds the key is not judged either: a signature by a 512-bit key or with
    // SHA-1 would be refused, and its certificate lost with it.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

impl ResolvesClientCert for Recorder {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.lock().wants_client_certificate = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
