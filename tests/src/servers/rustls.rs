//! A server with the key exchange of tomorrow: Debian's OpenSSL knows none with ML-KEM.

use std::io::Read as _;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use super::RawServer;
use crate::certificates::{Issued, der_of};

impl RawServer {
    /// rustls with its usual groups, X25519MLKEM768 first.
    #[must_use]
    pub fn rustls(issued: &Issued) -> Self {
        let files = std::iter::once(&issued.certificate).chain(&issued.chain);
        let chain = files.map(|file| CertificateDer::from(der_of(file))).collect();
        let key = PrivateKeyDer::try_from(issued.key_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        Self::serving(None, move |mut connection| {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            // The other side may go at any time.
            let _ = Stream::new(&mut session, &mut connection).read(&mut [0; 4096]);
        })
    }
}
