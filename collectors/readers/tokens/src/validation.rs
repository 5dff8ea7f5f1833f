//! The certifications that a device states of itself (PKCS #11 v3.2, the object class of validations).

use pki_inventory::Validation;

use crate::answers::{Answers, is_unavailable};
use crate::attributes::*;
use crate::token;

/// What one object of them says.
pub(crate) fn validation(answers: &Answers<'_>) -> Validation {
    let text = |attribute: u64| {
        let octets = answers.octets(attribute).filter(|octets| octets.len() <= LONGEST)?;
        let text = token::readable(token::cut(octets));
        (!text.is_empty()).then_some(text)
    };
    let version = answers.octets(CKA_VALIDATION_VERSION).and_then(|octets| match octets {
        [major, minor] => Some(token::version((*major, *minor))),
        _ => None,
    });
    Validation {
        scheme: scheme(answers.number(CKA_VALIDATION_AUTHORITY_TYPE)),
        of: answers.number(CKA_VALIDATION_TYPE).and_then(of).map(str::to_owned),
        version,
        level: answers.number(CKA_VALIDATION_LEVEL).filter(|level| !is_unavailable(*level)),
        module: text(CKA_VALIDATION_MODULE_ID),
        country: text(CKA_VALIDATION_COUNTRY),
        certificate: text(CKA_VALIDATION_CERTIFICATE_IDENTIFIER),
        address: text(CKA_VALIDATION_CERTIFICATE_URI),
    }
}

/// No text of it is longer, in octets, that is kept.
const LONGEST: usize = 1024;

/// `CKV_TYPE_…`.
fn of(kind: u64) -> Option<&'static str> {
    match kind {
        1 => Some("software"),
        2 => Some("hardware"),
        3 => Some("firmware"),
        4 => Some("hybrid"),
        _ => None,
    }
}

/// `CKV_AUTHORITY_TYPE_…`: who validated is what tells the scheme; the type of validation only says
/// whether it was of software or of hardware.
fn scheme(authority: Option<u64>) -> String {
    match authority {
        None | Some(0) => "not specified".to_owned(),
        Some(1) => "FIPS 140".to_owned(),
        Some(2) => "Common Criteria".to_owned(),
        Some(other) => format!("0x{other:08x}"),
    }
}
