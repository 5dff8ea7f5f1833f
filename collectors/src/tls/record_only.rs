//! The only place in this product where rustls does not verify a server.
//!
//! Some habits show only once a handshake is complete, and those of servers with expired,
//! self-signed and malformed certificates are wanted as well, so nothing may be refused while they
//! are asked. Nothing is sent over such a connection but the handshake, and no other module may
//! build one: whatever talks to a server to use it verifies it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{ALL_KX_GROUPS, default_provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};

/// Accepts everything and remembers what was wanted of us.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    wants_certificate: AtomicBool,
}

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
    /// Whether the server wanted a certificate of ours.
    pub(super) fn wants_certificate(&self) -> bool {
        self.wants_certificate.load(Ordering::Relaxed)
    }
}

/// A client that offers everything rustls can do in these versions, and remembers sessions.
///
/// # Errors
///
/// When the provider cannot do any of the versions.
pub(super) fn client(
    versions: &[&'static SupportedProtocolVersion],
    tls12: Tls12Resumption,
    recorder: &Arc<Recorder>,
) -> Result<ClientConfig, Error> {
    let provider = CryptoProvider { kx_groups: ALL_KX_GROUPS.to_vec(), ..default_provider() };
    let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(recorder) as _;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::clone(recorder) as _);
    config.resumption = Resumption::in_memory_sessions(4).tls12_resumption(tls12);
    // Asked for, and never used: nothing is sent but the handshake.
    config.enable_early_data = true;
    Ok(config)
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
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
        self.wants_certificate.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
