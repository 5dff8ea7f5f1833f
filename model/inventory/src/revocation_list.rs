//! Certificate revocation lists (RFC 5280, section 5).

use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::{DistinguishedName, SignatureAlgorithm, Time};

/// What a CRL says about itself; its entries stay in the encoding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RevocationList {
    /// The encoding as received.
    pub der: Vec<u8>,
    /// The CA that issued it.
    pub issuer: DistinguishedName,
    /// When it was made.
    pub this_update: Time,
    /// When the next one is due, where it says so.
    pub next_update: Option<Time>,
    /// Number of revoked certificates.
    pub entries: usize,
    /// How it was signed.
    pub signature: SignatureAlgorithm,
}

impl RevocationList {
    /// Parses one DER revocation list.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong, when the encoding is not a revocation list.
    pub fn parse(der: Vec<u8>) -> Result<Self, String> {
        let (_, list) =
            CertificateRevocationList::from_der(&der).map_err(|error| error.to_string())?;
        let issuer = DistinguishedName::of(list.issuer());
        let this_update = Time(list.last_update().timestamp());
        let next_update = list.next_update().map(|at| Time(at.timestamp()));
        let entries = list.iter_revoked_certificates().count();
        let signature = SignatureAlgorithm::of(&list.signature_algorithm);
        Ok(Self { issuer, this_update, next_update, entries, signature, der })
    }
}
