//! TLS to a directory: always verified, and what the server showed is kept, also where that failed.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pki_config::{Bind, DirectoryServer};
use pki_inventory::GapReason;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use zeroize::Zeroizing;

use super::answers::Refusal;

/// More than any bundle of authorities has.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Certificates of one server that are kept.
const MOST_SHOWN: usize = 32;

/// What verifies servers, and what we show them.
#[derive(Debug)]
pub(super) struct Trust {
    verifier: Arc<WebPkiServerVerifier>,
    own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    /// The file of the settings, for sentences.
    named: Option<String>,
}

/// Leaves the decision to webpki and remembers what it was about.
#[derive(Debug)]
pub(super) struct Watching {
    inner: Arc<WebPkiServerVerifier>,
    shown: Mutex<Vec<Vec<u8>>>,
}

impl Trust {
    /// What the settings of a server name, or what this machine trusts.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds nothing that is trusted.
    pub(super) fn of(server: &DirectoryServer) -> Result<Self, Refusal> {
        let mut roots = RootCertStore::empty();
        let named = server.trusted.as_ref().map(|path| path.display().to_string());
        let certificates = match &server.trusted {
            Some(path) => certificates(path, "trusted")?,
            // SSL_CERT_FILE, SSL_CERT_DIR, then the usual places of distributions.
            None => rustls_native_certs::load_native_certs().certs,
        };
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            let from = named.as_deref().unwrap_or("what this machine trusts");
            let detail = format!(
                "no certificate of an authority could be read from {from}; name a file (PEM) with \
                 the one that the server's certificate comes from in `trusted`"
            );
            return Err(Refusal::lasting(GapReason::HandshakeFailed, detail));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(default_provider()),
        )
        .build();
        let verifier = verifier
            .map_err(|error| Refusal::lasting(GapReason::HandshakeFailed, error.to_string()))?;
        let own = match &server.bind {
            Bind::External { certificate, key } => {
                Some((certificates_of_ours(certificate)?, key_of_ours(key)?))
            }
            _ => None,
        };
        Ok(Self { verifier, own, named })
    }

    /// A client for one connection, and what remembers the server's certificates.
    ///
    /// # Errors
    ///
    /// When our own key does not fit our own certificate.
    pub(super) fn client(&self) -> Result<(Arc<ClientConfig>, Arc<Watching>), Refusal> {
        let watching =
            Arc::new(Watching { inner: Arc::clone(&self.verifier), shown: Mutex::default() });
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Refusal::lasting(GapReason::HandshakeFailed, error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&watching) as _);
        let config = match &self.own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(|error| {
                    let detail = format!(
                        "`certificate` and `key` are not to be used: {error}; check that the key \
                         belongs to the first certificate of the file"
                    );
                    Refusal::lasting(GapReason::PermissionDenied, detail)
                })?
            }
        };
        Ok((Arc::new(config), watching))
    }

    /// Why a handshake failed, and what can be done.
    pub(super) fn failure(&self, error: &std::io::Error) -> Refusal {
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        let detail = match cause {
            Some(Error::InvalidCertificate(why)) => {
                let by = match &self.named {
                    Some(file) => format!("the authorities in {file}"),
                    None => "the authorities that this machine trusts".to_owned(),
                };
                format!(
                    "the server's certificate does not pass verification by {by}: {why:?}; where \
                     it is the right one, name the certificate (PEM) of the authority that issued \
                     it in `trusted`, and ask for the server by a name that is in it; nothing was \
                     sent to it"
                )
            }
            Some(why) => format!("TLS with the server failed: {why}"),
            None => format!("TLS with the server failed: {error}"),
        };
        Refusal::passing(GapReason::HandshakeFailed, detail)
    }
}

impl Watching {
    /// The certificates that the server showed, its own first.
    pub(super) fn shown(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).take(MOST_SHOWN);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) =
            chain.map(|certificate| certificate.to_vec()).collect();
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn certificates_of_ours(path: &Path) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let all = certificates(path, "certificate")?;
    if all.is_empty() {
        let detail = format!("{} (`certificate`) holds no certificate (PEM)", path.display());
        return Err(Refusal::lasting(GapReason::Unrecognised, detail));
    }
    Ok(all)
}

fn certificates(path: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let text = contents(path, key)?;
    Ok(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect())
}

fn key_of_ours(path: &Path) -> Result<PrivateKeyDer<'static>, Refusal> {
    let text = contents(path, "key")?;
    // What is wrong with a key is not said: nothing of it is to get into a report.
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let detail = format!(
            "{} (`key`) holds no private key (PEM) that can be read without a passphrase",
            path.display()
        );
        Refusal::lasting(GapReason::Unrecognised, detail)
    })
}

fn contents(path: &Path, key: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let refused = |error: std::io::Error| {
        let reason = match error.kind() {
            std::io::ErrorKind::PermissionDenied => GapReason::PermissionDenied,
            _ => GapReason::ReadFailed,
        };
        let detail = format!("{} (`{key}`) cannot be read: {error}", path.display());
        Refusal::lasting(reason, detail)
    };
    // Opening what is no regular file may wait for ever.
    if !path.metadata().map_err(refused)?.is_file() {
        let detail = format!("{} (`{key}`) is no regular file", path.display());
        return Err(Refusal::lasting(GapReason::NotRegularFile, detail));
    }
    // One allocation: a buffer that grows leaves parts of a key in freed memory.
    let length = path.metadata().map_err(refused)?.len().min(LARGEST_FILE);
    let mut octets =
        Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1));
    let file = std::fs::File::open(path).map_err(refused)?;
    file.take(length).read_to_end(&mut octets).map_err(refused)?;
    Ok(octets)
}
