//! A certificate status that came with a handshake (RFC 6066, section 8; RFC 6960).

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use x509_parser::asn1_rs::{Any, Class, GeneralizedTime, Oid, Tag};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use crate::certificate::hex;
use crate::der::Elements;
use crate::timestamps::log_ids_of_extension;
use crate::{Asset, Certificate, Digest, DistinguishedName, Fact, Time, View};

/// A stapled OCSP response: its identity and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Staple {
    /// Octets received.
    pub length: usize,
    /// SHA-256 of the response.
    pub sha256: Digest,
    /// What it says.
    pub content: StapleContent,
}

/// What an OCSP response says. Its signature is not verified here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StapleContent {
    /// The status of a certificate.
    Status(CertificateStatus),
    /// The responder did not answer: the name of its `OCSPResponseStatus`, such as `tryLater`.
    Refused(String),
    /// The octets are no OCSP response; what is wrong with them.
    Unreadable(String),
}

/// The first `SingleResponse` of a response (RFC 6960, 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// Serial number of the certificate, hexadecimal as in [`crate::Certificate::serial`].
    pub serial: String,
    /// Who issued that certificate.
    pub issuer: IssuerHashes,
    /// What is said of it.
    pub status: RevocationStatus,
    /// When this was known to be so.
    pub this_update: Time,
    /// When newer information will be there.
    pub next_update: Option<Time>,
    /// When the response was signed.
    pub produced_at: Time,
    /// The responder: its name, or the hash of its key.
    pub responder: String,
    /// Logs of signed certificate timestamps in the response (RFC 6962, 3.3), by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sct_logs: Vec<String>,
}

/// How a `CertID` names the issuer of a certificate (RFC 6960, 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IssuerHashes {
    /// `SHA-1`, `SHA-256`, `SHA-384`, `SHA-512`, or the OID of another one.
    pub algorithm: String,
    /// Of the issuer's name, hexadecimal.
    pub name: String,
    /// Of the issuer's public key, hexadecimal.
    pub key: String,
}

/// `CertStatus` of RFC 6960.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// When.
        at: Time,
        /// Name of the `CRLReason`, where one is given.
        reason: Option<String>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// Responses are of a few kilobytes, some tens where they carry post-quantum certificates.
const LONGEST: usize = 256 * 1024;

/// id-pkix-ocsp-basic, RFC 6960, 4.2.1.
const BASIC_RESPONSE: &str = "1.3.6.1.5.5.7.48.1.1";

/// The extension with timestamps in a response, RFC 6962, 3.3.
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.5";

impl Staple {
    /// Reads a response as it was received. What cannot be read says so; nothing is verified.
    #[must_use]
    pub fn of(response: &[u8]) -> Self {
        let content = read(response).unwrap_or_else(StapleContent::Unreadable);
        Self { length: response.len(), sha256: Digest::of(response), content }
    }

    /// What is said of the certificate, where the response says anything.
    #[must_use]
    pub fn status(&self) -> Option<&CertificateStatus> {
        match &self.content {
            StapleContent::Status(status) => Some(status),
            StapleContent::Refused(_) | StapleContent::Unreadable(_) => None,
        }
    }
}

impl CertificateStatus {
    /// Whether it is about this certificate: the serial number, the name of the issuer as the
    /// certificate has it and, where the inventory knows the issuer, its key. A serial number alone
    /// is one of many issuers'.
    #[must_use]
    pub fn is_about(&self, certificate: &Certificate, view: &View<'_>) -> Fact {
        if self.serial != certificate.serial {
            return Fact::No;
        }
        let Some(hash) = self.issuer.hash() else {
            let algorithm = &self.issuer.algorithm;
            return Fact::NotObserved(format!("its issuer is named by a hash of kind {algorithm}"));
        };
        let name = match self.issuer.algorithm.as_str() {
            "SHA-256" => Some(certificate.issuer.sha256.to_string()),
            _ => issuer_name(certificate).map(|name| hash(&name)),
        };
        match name {
            Some(name) if name != self.issuer.name => return Fact::No,
            Some(_) => {}
            None => return Fact::NotObserved("the certificate cannot be read again".to_owned()),
        }
        let issuers = view.issuers(certificate).filter_map(Asset::certificate);
        let mut keys = issuers.filter_map(public_key).map(|key| hash(&key)).peekable();
        // Name and number are enough where no key speaks against it: they "identify a unique
        // certificate" (RFC 5280, 4.1.2.2).
        (keys.peek().is_none() || keys.any(|key| key == self.issuer.key)).into()
    }
}

impl IssuerHashes {
    /// The function that they were made with, where it is known here.
    fn hash(&self) -> Option<fn(&[u8]) -> String> {
        HASHES.iter().find(|(_, name, _)| *name == self.algorithm).map(|(.., hash)| *hash)
    }
}

/// The encoding of the issuer's name, as a `CertID` hashes it.
fn issuer_name(certificate: &Certificate) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(&certificate.der).ok()?;
    Some(parsed.tbs_certificate.issuer.as_raw().to_vec())
}

/// The octets of the public key: "the value (excluding tag and length) of the subject public key
/// field" (RFC 6960, 4.1.1), and without the count of unused bits.
fn public_key(certificate: &Certificate) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(&certificate.der).ok()?;
    Some(parsed.tbs_certificate.subject_pki.subject_public_key.data.to_vec())
}

impl StapleContent {
    /// The word for what it comes to: `good`, `revoked` and `unknown` for a status, else `refused`
    /// or `unreadable`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status(status) => status.status.name(),
            Self::Refused(_) => "refused",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl RevocationStatus {
    /// The word for it: `good`, `revoked`, `unknown`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked { .. } => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

/// `OCSPResponse`, RFC 6960, 4.2.1.
fn read(octets: &[u8]) -> Result<StapleContent, String> {
    if octets.len() > LONGEST {
        return Err(format!("longer than {LONGEST} octets, which no response is"));
    }
    let mut outermost = Elements::of(octets);
    let mut response = Elements::of(outermost.universal(Tag::Sequence, "OCSPResponse")?);
    if !outermost.is_done() {
        return Err("octets follow the response".to_owned());
    }
    let status = small_number(response.universal(Tag::Enumerated, "responseStatus")?);
    let status = status.ok_or("the responseStatus is no small number")?;
    if status != 0 {
        return Ok(StapleContent::Refused(named(RESPONSE_STATUS, status, "responseStatus")));
    }
    let bytes = response.optional(0, "responseBytes")?;
    let bytes = bytes.ok_or("the response is successful and empty")?;
    let mut bytes = Elements::of(Elements::of(bytes).universal(Tag::Sequence, "responseBytes")?);
    if oid(bytes.universal(Tag::Oid, "responseType")?) != BASIC_RESPONSE {
        return Err("the response is not of the basic type".to_owned());
    }
    let basic = bytes.universal(Tag::OctetString, "response")?;
    let mut basic =
        Elements::of(Elements::of(basic).universal(Tag::Sequence, "BasicOCSPResponse")?);
    response_data(basic.universal(Tag::Sequence, "tbsResponseData")?).map(StapleContent::Status)
}

fn response_data(content: &[u8]) -> Result<CertificateStatus, String> {
    let mut data = Elements::of(content);
    data.optional(0, "version")?;
    let responder = responder(&data.any("responderID")?)?;
    let produced_at = time(&mut data, "producedAt")?;
    let mut responses = Elements::of(data.universal(Tag::Sequence, "responses")?);
    if responses.is_done() {
        return Err("it is about no certificate".to_owned());
    }
    let mut single = Elements::of(responses.universal(Tag::Sequence, "SingleResponse")?);

    let mut id = Elements::of(single.universal(Tag::Sequence, "certID")?);
    let issuer = issuer_hashes(&mut id)?;
    let serial = hex(id.universal(Tag::Integer, "serialNumber")?);

    let status = revocation_status(&single.any("certStatus")?)?;
    let this_update = time(&mut single, "thisUpdate")?;
    let next_update = single
        .optional(0, "nextUpdate")?
        .map(|content| time(&mut Elements::of(content), "nextUpdate"))
        .transpose()?;
    let extensions = single.optional(1, "singleExtensions")?;
    let sct_logs = extensions.map(sct_logs).transpose()?.unwrap_or_default();
    Ok(CertificateStatus {
        serial,
        issuer,
        status,
        this_update,
        next_update,
        produced_at,
        responder,
        sct_logs,
    })
}

fn issuer_hashes(id: &mut Elements<'_>) -> Result<IssuerHashes, String> {
    let mut algorithm = Elements::of(id.universal(Tag::Sequence, "hashAlgorithm")?);
    let algorithm = oid(algorithm.universal(Tag::Oid, "hashAlgorithm")?);
    let known = HASHES.iter().find(|(known, ..)| *known == algorithm);
    Ok(IssuerHashes {
        algorithm: known.map_or(algorithm, |(_, name, _)| (*name).to_owned()),
        name: hex(id.universal(Tag::OctetString, "issuerNameHash")?),
        key: hex(id.universal(Tag::OctetString, "issuerKeyHash")?),
    })
}

/// `ResponderID`: a name under 1, the hash of a key under 2.
fn responder(id: &Any<'_>) -> Result<String, String> {
    match (id.class(), id.tag().0) {
        (Class::ContextSpecific, 1) => match X509Name::from_der(id.data) {
            Ok(([], name)) => Ok(DistinguishedName::of(&name).text),
            _ => Err("the name of the responder cannot be read".to_owned()),
        },
        (Class::ContextSpecific, 2) => {
            let hash = Elements::of(id.data).universal(Tag::OctetString, "byKey")?;
            Ok(format!("key {}", hex(hash)))
        }
        _ => Err("the responderID is of another type".to_owned()),
    }
}

fn revocation_status(status: &Any<'_>) -> Result<RevocationStatus, String> {
    match (status.class(), status.tag().0) {
        (Class::ContextSpecific, 0) => Ok(RevocationStatus::Good),
        (Class::ContextSpecific, 1) => {
            let mut info = Elements::of(status.data);
            let at = time(&mut info, "revocationTime")?;
            let reason = info.optional(0, "revocationReason")?.map(|content| {
                let reason = Elements::of(content).universal(Tag::Enumerated, "CRLReason")?;
                let reason = small_number(reason).ok_or("the CRLReason is no small number")?;
                Ok::<_, String>(named(CRL_REASONS, reason, "CRLReason"))
            });
            Ok(RevocationStatus::Revoked { at, reason: reason.transpose()? })
        }
        (Class::ContextSpecific, 2) => Ok(RevocationStatus::Unknown),
        _ => Err("the certStatus is of another type".to_owned()),
    }
}

fn sct_logs(content: &[u8]) -> Result<Vec<String>, String> {
    let mut extensions =
        Elements::of(Elements::of(content).universal(Tag::Sequence, "singleExtensions")?);
    let mut logs = Vec::new();
    while !extensions.is_done() {
        let mut extension = Elements::of(extensions.universal(Tag::Sequence, "extension")?);
        let id = oid(extension.universal(Tag::Oid, "extnID")?);
        let mut value = extension.any("extnValue")?;
        if value.tag() == Tag::Boolean {
            value = extension.any("extnValue")?;
        }
        if id == SCT_LIST {
            logs.extend(log_ids_of_extension(value.data));
        }
    }
    Ok(logs)
}

fn time(elements: &mut Elements<'_>, what: &str) -> Result<Time, String> {
    let text = elements.universal(Tag::GeneralizedTime, what)?;
    let time = GeneralizedTime::from_bytes(text).and_then(|time| time.utc_datetime());
    time.map(|time| Time(time.unix_timestamp())).map_err(|_| format!("the {what} is no instant"))
}

fn oid(content: &[u8]) -> String {
    Oid::new(content.into()).to_id_string()
}

fn small_number(content: &[u8]) -> Option<u8> {
    match content {
        [number @ 0..=127] => Some(*number),
        _ => None,
    }
}

/// OID, name, and the function, in hexadecimal.
type Hash = (&'static str, &'static str, fn(&[u8]) -> String);

/// The hashes that issuers are named by. Nothing is secured with them here; hardly any responder
/// uses another than SHA-1.
const HASHES: &[Hash] = &[
    ("1.3.14.3.2.26", "SHA-1", |octets| hex(&sha1::Sha1::digest(octets))),
    ("2.16.840.1.101.3.4.2.1", "SHA-256", |octets| hex(&sha2::Sha256::digest(octets))),
    ("2.16.840.1.101.3.4.2.2", "SHA-384", |octets| hex(&sha2::Sha384::digest(octets))),
    ("2.16.840.1.101.3.4.2.3", "SHA-512", |octets| hex(&sha2::Sha512::digest(octets))),
];

/// `OCSPResponseStatus`, RFC 6960, 4.2.1; 4 is not used.
const RESPONSE_STATUS: &[(u8, &str)] = &[
    (1, "malformedRequest"),
    (2, "internalError"),
    (3, "tryLater"),
    (5, "sigRequired"),
    (6, "unauthorized"),
];

/// `CRLReason`, RFC 5280, 5.3.1; 7 is not used.
const CRL_REASONS: &[(u8, &str)] = &[
    (0, "unspecified"),
    (1, "keyCompromise"),
    (2, "cACompromise"),
    (3, "affiliationChanged"),
    (4, "superseded"),
    (5, "cessationOfOperation"),
    (6, "certificateHold"),
    (8, "removeFromCRL"),
    (9, "privilegeWithdrawn"),
    (10, "aACompromise"),
];

/// The name of a number, or what it is a number of.
fn named(names: &[(u8, &str)], number: u8, what: &str) -> String {
    let known = names.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("{what} {number}"), |(_, name)| (*name).to_owned())
}
