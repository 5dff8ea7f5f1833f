//! From a block of text or a binary encoding to what is reported of it.
//!
//! Programs, documents and test data are full of markers that begin no object. Two rules keep them
//! out: a block has to look like an encoding before it is called broken, and one that does not
//! stand on lines of its own has to be flawless. A file that is named, or begins, like
//! cryptographic material is held to its word: there, whatever is broken is said to be.

use pki_inventory::{Digest, Kind, Raw};
use zeroize::Zeroizing;

use crate::Report;
use crate::der_shape::{Shape, announced, is_open, shape};
use crate::encrypted_key;
use crate::pem::{Block, Fault, LARGEST_OBJECT, LARGEST_REVOCATION_LIST};
use crate::pkcs7::pkcs7;
use crate::private_key::{self, Format, Found};
use crate::report::Called;
use crate::trust_settings;

/// How sure one has to be before calling something broken.
#[derive(Debug, Clone, Copy)]
pub struct Strictness {
    /// The file's name says that it holds cryptographic material.
    pub telling: bool,
    /// The file begins with a marker.
    pub begins: bool,
}

/// What a label promises (RFC 7468 and what OpenSSL writes besides).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    Encoding(Shape),
    /// `SubjectPublicKeyInfo` or the bare RSA form.
    RsaPublicKey,
    /// A certificate with OpenSSL's trust settings behind it.
    TrustedCertificate,
    /// Known, not read.
    NotRead,
    /// Nothing of the field, or nothing that is an object: parameters, signatures.
    Nothing,
}

/// The least that is called a broken object where nothing else says that it should be one.
const LEAST_BROKEN: usize = 24;

/// Reports one block of text.
pub fn block(block: Block, strict: Strictness, report: &mut dyn Report) {
    let promise = promise(&block.label);
    let held_to_word = strict.telling || strict.begins;
    let whole = block.fault.is_none();
    // A secret may be in the buffers even when nothing comes of the block.
    let secret = block.label.ends_with("PRIVATE KEY") || block.label.ends_with("PRIVATE KEY BLOCK");
    if secret && !block.octets.is_empty() {
        report.secret();
    }
    match promise {
        Promise::Nothing if whole && block.own_line => report.known(),
        Promise::Nothing => {}
        Promise::NotRead if whole && block.own_line && !block.octets.is_empty() => {
            report.not_read(format!("`{}`", block.label));
        }
        Promise::NotRead => {}
        Promise::Encoding(_) | Promise::RsaPublicKey | Promise::TrustedCertificate => {
            let encrypted = block.dek_info.is_some();
            let plausible = if whole {
                encrypted || announced(&block.octets).is_some()
            } else {
                block.octets.len() >= LEAST_BROKEN
                    && (encrypted || announced(&block.octets).is_some_and(|length| length > 64))
                    && block.fault != Some(Fault::NotBase64 { text: false })
            };
            let flawless =
                whole && (encrypted || announced(&block.octets) == Some(block.octets.len()));
            let believed = if block.own_line { plausible || held_to_word } else { flawless };
            if believed && !report.is_full() {
                object(promise, block, report);
            }
        }
    }
}

/// Reports a block that is meant to be an object.
fn object(promise: Promise, mut block: Block, report: &mut dyn Report) {
    let claimed = match promise {
        Promise::Encoding(shape) => kind(shape).unwrap_or(Kind::Unparsed),
        Promise::TrustedCertificate => Kind::Certificate,
        _ => Kind::Key,
    };
    let label = std::mem::take(&mut block.label);
    let what = |error: &dyn std::fmt::Display| format!("`{label}`: {error}");
    let octets = &mut block.octets;
    if octets.is_empty() {
        let error = block.fault.as_ref().map_or_else(
            || what(&"nothing is between its BEGIN and END lines"),
            |fault| what(fault),
        );
        // Not all empty things are one thing: the label tells them apart.
        report.unparsed_as(Digest::of(label.as_bytes()), claimed, 0, error);
        return;
    }
    if let Some(fault) = &block.fault {
        report.unparsed(claimed, octets, what(fault));
        return;
    }
    let key = match (promise, &block.dek_info) {
        (Promise::Encoding(shape), Some(cipher)) if format(shape).is_some() => {
            encrypted_key::legacy(&label, cipher, octets)
        }
        (Promise::Encoding(shape), _) if claimed != Kind::Key => {
            return match signed(shape, octets) {
                Ok(shape) => whole(shape, octets, report),
                Err(error) => report.unparsed(claimed, octets, what(&error)),
            };
        }
        (Promise::TrustedCertificate, _) => {
            // X509_AUX stands behind the certificate (PEM_read_bio_X509_AUX(3)).
            let end = announced(octets).filter(|end| *end <= octets.len()).unwrap_or(octets.len());
            let (certificate, settings) = octets.split_at(end);
            let label = trust_settings::describe(settings);
            let mut called = Called { report, label: label.as_deref() };
            return match signed(Shape::Certificate, certificate) {
                Ok(shape) => encoding(shape, certificate, &mut called),
                Err(error) => report.unparsed(claimed, certificate, what(&error)),
            };
        }
        (Promise::Encoding(_) | Promise::RsaPublicKey, _) => key(promise, octets, report),
        (Promise::NotRead | Promise::Nothing, _) => return,
    };
    match key {
        Ok(found) => report.object(found.into()),
        Err(error) => report.unparsed(Kind::Key, octets, what(&error)),
    }
}

/// Reads a key by what its octets look like, and by its label where they look like none: PKCS#8
/// under `RSA PRIVATE KEY` is common, and a key in the clear may be called encrypted.
fn key(promise: Promise, octets: &[u8], report: &mut dyn Report) -> Result<Found, String> {
    let promised = match promise {
        Promise::Encoding(shape) => shape,
        _ => Shape::PublicKey,
    };
    let seen = shape(octets).filter(|seen| kind(*seen) == Some(Kind::Key));
    match format(seen.unwrap_or(promised)) {
        Some(format) => {
            report.secret();
            private_key::read(format, octets)
        }
        None => {
            let bare = promise == Promise::RsaPublicKey && seen.is_none();
            private_key::read_public(octets, bare)
        }
    }
}

/// Whether what a label calls a certificate, a revocation list or a request begins like one and
/// ends where it says. What does not is not handed on: labels lie, and behind a wrong one there may
/// be a private key.
fn signed(promised: Shape, octets: &[u8]) -> Result<Shape, String> {
    let (there, announced) = (octets.len(), announced(octets).unwrap_or_default());
    Err(match shape(octets) {
        Some(shape) if shape == promised && announced == there => return Ok(shape),
        // Told by its content: a key under a wrong label is a key. Windows writes messages, like
        // everything that it encodes, as `CERTIFICATE`.
        Some(shape @ Shape::Pkcs7) if announced == there => return Ok(shape),
        Some(shape) if format(shape).is_some() && announced == there => return Ok(shape),
        Some(shape) if shape == promised && announced == 0 && is_open(octets) => {
            "the encoding leaves its length open and does not end".to_owned()
        }
        Some(shape) if shape == promised && announced < there => {
            format!("{} octets follow the end of the encoding", there - announced)
        }
        Some(shape) if shape == promised => {
            format!("the encoding announces {announced} octets and only {there} are there")
        }
        _ => "the encoding does not begin like one".to_owned(),
    })
}

/// Reports one complete binary encoding that is not needed any more. A revocation list is handed on
/// without a copy: it may be large.
pub fn whole(shape: Shape, octets: &mut Zeroizing<Vec<u8>>, report: &mut dyn Report) {
    if shape == Shape::RevocationList {
        // Nobody's secret, so what shrinking leaves behind does not matter.
        let mut list = std::mem::take(&mut **octets);
        list.shrink_to_fit();
        report.object(Raw::RevocationList(list).into());
    } else {
        encoding(shape, octets, report);
    }
}

/// Reports one complete binary encoding.
pub fn encoding(shape: Shape, octets: &[u8], report: &mut dyn Report) {
    if format(shape).is_some() {
        report.secret();
    }
    if report.is_full() {
        return;
    }
    match shape {
        Shape::Certificate => report.object(Raw::Certificate(octets.to_vec()).into()),
        Shape::RevocationList => report.object(Raw::RevocationList(octets.to_vec()).into()),
        Shape::SigningRequest => report.object(Raw::SigningRequest(octets.to_vec()).into()),
        Shape::Pkcs7 => pkcs7(octets, report),
        _ => match key(Promise::Encoding(shape), octets, report) {
            Ok(found) => report.object(found.into()),
            Err(error) => report.unparsed(Kind::Key, octets, error),
        },
    }
}

/// The most octets that are read of one object.
pub fn most(shape: Shape) -> usize {
    match shape {
        // Messages carry such lists, and contents of their own.
        Shape::RevocationList | Shape::Pkcs7 => LARGEST_REVOCATION_LIST,
        _ => LARGEST_OBJECT,
    }
}

/// The kind of asset a shape becomes.
pub fn kind(shape: Shape) -> Option<Kind> {
    Some(match shape {
        Shape::Certificate => Kind::Certificate,
        Shape::RevocationList => Kind::RevocationList,
        Shape::SigningRequest => Kind::SigningRequest,
        Shape::Pkcs7 => return None,
        _ => Kind::Key,
    })
}

/// The format that a shape is of, if it is one of a private key.
pub(crate) fn format(shape: Shape) -> Option<Format> {
    Some(match shape {
        Shape::PrivateKey => Format::Pkcs8,
        Shape::EncryptedPrivateKey => Format::EncryptedPkcs8,
        Shape::RsaPrivateKey => Format::Pkcs1,
        Shape::EcPrivateKey => Format::Sec1,
        Shape::DsaPrivateKey => Format::Dsa,
        _ => return None,
    })
}

fn promise(label: &str) -> Promise {
    Promise::Encoding(match label {
        "CERTIFICATE" | "X509 CERTIFICATE" => Shape::Certificate,
        "TRUSTED CERTIFICATE" => return Promise::TrustedCertificate,
        "X509 CRL" => Shape::RevocationList,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Shape::SigningRequest,
        "PRIVATE KEY" => Shape::PrivateKey,
        "ENCRYPTED PRIVATE KEY" => Shape::EncryptedPrivateKey,
        "RSA PRIVATE KEY" => Shape::RsaPrivateKey,
        "EC PRIVATE KEY" => Shape::EcPrivateKey,
        "DSA PRIVATE KEY" => Shape::DsaPrivateKey,
        "PUBLIC KEY" => Shape::PublicKey,
        "RSA PUBLIC KEY" => return Promise::RsaPublicKey,
        "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => Shape::Pkcs7,
        // OpenSSH, PGP, and whatever else calls itself a private key.
        other if other.ends_with("PRIVATE KEY") || other.ends_with("PRIVATE KEY BLOCK") => {
            return Promise::NotRead;
        }
        _ => return Promise::Nothing,
    })
}
