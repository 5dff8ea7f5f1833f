//! Certificate revocation lists (RFC 5280, section 5).

use x509_parser::extensions::ParsedExtension;
use x509_parser::oid_registry::OID_X509_EXT_DELTA_CRL_INDICATOR;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::certificate::hex;
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
    /// Whether it holds only what changed since another list (`deltaCRLIndicator`, 5.2.4).
    pub is_delta: bool,
    /// Authority key identifier in hexadecimal (5.2.1).
    pub authority_key_id: Option<String>,
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
        let (mut is_delta, mut authority_key_id) = (false, None);
        for extension in list.extensions() {
            is_delta |= extension.oid == OID_X509_EXT_DELTA_CRL_INDICATOR;
            if let ParsedExtension::AuthorityKeyIdentifier(id) = extension.parsed_extension() {
                authority_key_id = id.key_identifier.as_ref().map(|id| hex(id.0));
            }
        }
        Ok(Self {
            is_delta,
            authority_key_id,
            issuer,
            this_update,
            next_update,
            entries,
            signature,
            der,
        })
    }
}
