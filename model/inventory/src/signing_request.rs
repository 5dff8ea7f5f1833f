//! PKCS#10 certification requests (RFC 2986).

use x509_parser::prelude::{FromDer, X509CertificationRequest};

use crate::{Digest, DistinguishedName, KeyAlgorithm};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SigningRequest {
    /// The encoding as received.
    pub der: Vec<u8>,
    /// The requested subject.
    pub subject: DistinguishedName,
    /// The key to be certified.
    pub key: KeyAlgorithm,
    /// SHA-256 of the `SubjectPublicKeyInfo`.
    pub spki: Digest,
}

impl SigningRequest {
    /// Parses one DER request.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong, when the encoding is not a request.
    pub fn parse(der: Vec<u8>) -> Result<Self, String> {
        let (_, request) =
            X509CertificationRequest::from_der(&der).map_err(|error| error.to_string())?;
        let info = &request.certification_request_info;
        let subject = DistinguishedName::of(&info.subject);
        let key = KeyAlgorithm::of(&info.subject_pki);
        let spki = Digest::of(info.subject_pki.raw);
        Ok(Self { subject, key, spki, der })
    }
}
