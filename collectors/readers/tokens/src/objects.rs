//! Objects on a token, and what they are to the inventory.

use std::collections::BTreeMap;

use pki_encodings::tlv::{Element, SEQUENCE};
use pki_inventory::{
    Circumstances, Digest, Encryption, Half, Key, KeyForm, Kind, ObjectClass, Place, Raw,
    TrustStore, Unparsed, Validation,
};

use crate::answers::{Answers, Packed, Told};
use crate::attributes::*;
use crate::describe::describe;
use crate::pairing::{Member, Role, ToldBy, pair};
use crate::public_half::{self, PublicHalf};
use crate::secret_key::secret_key;
use crate::validation::validation;
use crate::wire::ObjectAnswer;

/// The objects of one token, gathered: a private key may tell its public half by another object only.
///
/// How many there are is limited by whoever adds them; how many octets of their values are kept is
/// limited here.
#[derive(Debug)]
pub struct Objects {
    token: Place,
    objects: Vec<(ObjectClass, Packed)>,
    validations: Vec<Validation>,
    /// Octets of values that there is still room for.
    room: usize,
}

/// Something on a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub raw: Raw,
    /// Where.
    pub place: Place,
    /// What the token says of it.
    pub circumstances: Circumstances,
}

impl Objects {
    /// No objects yet, of the token at this place.
    #[must_use]
    pub fn of(token: Place) -> Self {
        Self { token, objects: Vec::new(), validations: Vec::new(), room: MOST_OCTETS }
    }

    /// Takes one. Those of classes that are not kept one by one leave nothing, and so does every
    /// attribute that was not asked for.
    pub fn add(&mut self, answer: ObjectAnswer) {
        let class = match answer.class {
            CKO_CERTIFICATE => ObjectClass::Certificate,
            CKO_PUBLIC_KEY => ObjectClass::PublicKey,
            CKO_PRIVATE_KEY => ObjectClass::PrivateKey,
            CKO_SECRET_KEY => ObjectClass::SecretKey,
            CKO_VALIDATION => {
                if self.validations.len() < MOST_VALIDATIONS {
                    let packed = Packed::of(answer, &mut self.room);
                    self.validations.push(validation(&packed.open()));
                }
                return;
            }
            _ => return,
        };
        self.objects.push((class, Packed::of(answer, &mut self.room)));
    }

    /// The certifications that the token states itself.
    #[must_use]
    pub fn validations(&self) -> Vec<Validation> {
        self.validations.clone()
    }

    /// Hands over what they are, in the order they came in; at last, where there are so many
    /// certificates and no private key, that together they may be a trust store.
    pub fn finish(self, found: &mut dyn FnMut(Found)) {
        let mut members: Vec<Member> =
            self.objects.iter().map(|(class, packed)| member(*class, &packed.open())).collect();
        pair(&mut members);
        let numbers = self.numbers();
        let mut certificates = Vec::new();
        let without_keys = members.iter().all(|member| member.role != Role::Private);
        for (((class, packed), member), number) in self.objects.iter().zip(members).zip(numbers) {
            let answers = packed.open();
            let place = place(&self.token, *class, &answers, number);
            let raw = raw(*class, &answers, member.half, &place);
            if let Raw::Certificate(der) = &raw
                && without_keys
            {
                certificates.push(Digest::of(der));
            }
            let circumstances = Circumstances {
                key: form(*class, member.told_by),
                label: label(&answers),
                token: Some(Box::new(describe(*class, &answers))),
                ..Circumstances::default()
            };
            found(Found { raw, place, circumstances });
        }
        if certificates.len() >= TrustStore::LEAST_MEMBERS {
            let (raw, place) = (Raw::Bundle(certificates), self.token);
            found(Found { raw, place, circumstances: Circumstances::default() });
        }
    }

    /// Which of those with the same id, label and class each object is, from 1. Modules list their
    /// objects in any order, in another one each time: what they are decides, and not what is said of
    /// them, or a key that is changed would be taken for another one.
    fn numbers(&self) -> Vec<u32> {
        let mut alike: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (at, (class, packed)) in self.objects.iter().enumerate() {
            let place = place(&self.token, *class, &packed.open(), 1);
            alike.entry(place).or_default().push(at);
        }
        let mut numbers = vec![1; self.objects.len()];
        for mut same in alike.into_values().filter(|same| same.len() > 1) {
            // What can be changed decides only between those that are nothing else but the same.
            same.sort_by_cached_key(|at| {
                let (_, packed) = &self.objects[*at];
                (packed.lasting_digest(), packed.digest())
            });
            for (number, at) in (1..).zip(same) {
                numbers[at] = number;
            }
        }
        numbers
    }
}

/// No more octets of values than these are kept of one token. A certificate has some 2000 of them, a
/// key a few hundred.
const MOST_OCTETS: usize = 256 << 20;

/// No token states more certifications.
const MOST_VALIDATIONS: usize = 100;

/// No more of a label is kept, in characters.
const LONGEST_LABEL: usize = 1024;

/// No more of an id or a label stands in a place, in octets; real ones are shorter by far.
const LONGEST_IN_PLACE: usize = 256;

fn member(class: ObjectClass, answers: &Answers<'_>) -> Member {
    let (role, half) = match class {
        ObjectClass::Certificate => {
            let half = certificate(answers).map(public_half::of_certificate);
            (Role::Public, half.unwrap_or_default())
        }
        ObjectClass::PublicKey => (Role::Public, public_half::of_key(answers)),
        ObjectClass::PrivateKey => (Role::Private, public_half::of_key(answers)),
        ObjectClass::SecretKey => (Role::Other, PublicHalf::default()),
    };
    Member { role, half, id: answers.octets(CKA_ID).map(Digest::of), told_by: ToldBy::Itself }
}

/// `id`, `object` and `type` of RFC 7512, 2.3, and a number of ours where these are not enough.
fn place(token: &Place, class: ObjectClass, answers: &Answers<'_>, number: u32) -> Place {
    let octets = |attribute: u64| {
        let octets = answers.octets(attribute).unwrap_or_default();
        &octets[..octets.len().min(LONGEST_IN_PLACE)]
    };
    let number = if number > 1 { number.to_string() } else { String::new() };
    token.on_token([
        ("id", octets(CKA_ID)),
        ("object", octets(CKA_LABEL)),
        ("type", class.name().as_bytes()),
        ("x-number", number.as_bytes()),
    ])
}

fn raw(class: ObjectClass, answers: &Answers<'_>, half: PublicHalf, place: &Place) -> Raw {
    match class {
        ObjectClass::SecretKey => Raw::SecretKey(secret_key(answers)),
        ObjectClass::PublicKey | ObjectClass::PrivateKey => {
            let PublicHalf { spki, algorithm, .. } = half;
            let id = spki.unwrap_or_else(|| Digest::of(place.to_string().as_bytes()));
            Raw::Key { id, key: Key { spki, algorithm } }
        }
        ObjectClass::Certificate => match certificate(answers) {
            Ok(der) => Raw::Certificate(der.to_vec()),
            Err(error) => {
                let id = answers.octets(CKA_VALUE).map(Digest::of);
                let id = id.unwrap_or_else(|| Digest::of(place.to_string().as_bytes()));
                let length = match answers.told(CKA_VALUE) {
                    Some(Told::Octets(octets)) => octets.len(),
                    Some(Told::TooLong(length)) => usize::try_from(length).unwrap_or(usize::MAX),
                    _ => 0,
                };
                let claimed = Kind::Certificate.name().to_owned();
                Raw::Unparsed { id, unparsed: Unparsed { claimed, length, error } }
            }
        },
    }
}

/// The octets of an X.509 certificate, or why there are none.
fn certificate<'a>(answers: &Answers<'a>) -> Result<&'a [u8], String> {
    // CKC_X_509 is 0.
    if let Some(other) = answers.number(CKA_CERTIFICATE_TYPE).filter(|number| *number != 0) {
        return Err(format!("a certificate of type 0x{other:08x}, which is not X.509"));
    }
    match answers.told(CKA_VALUE) {
        Some(Told::Octets([])) if answers.octets(CKA_URL).is_some() => {
            Err("the token keeps only where it is to be had (CKA_URL)".to_owned())
        }
        Some(Told::Octets([])) => Err("its value on the token is empty".to_owned()),
        Some(Told::Octets(octets)) => Ok(unpadded(octets)),
        Some(other) => {
            Err(format!("the token does not tell it: {}", other.reason().unwrap_or_default()))
        }
        None => Err("the token does not tell it: not answered".to_owned()),
    }
}

/// Cards keep certificates in files of fixed size, and some hand out all of the file: zeros follow, or
/// the octet of memory that was never written.
fn unpadded(octets: &[u8]) -> &[u8] {
    let Some(element) = Element::first(octets).filter(|first| first.tag == SEQUENCE) else {
        return octets;
    };
    let behind = &octets[element.whole.len()..];
    let padded = [0, 0xff].iter().any(|pad| behind.iter().all(|octet| octet == pad));
    if padded { element.whole } else { octets }
}

fn form(class: ObjectClass, told_by: ToldBy) -> Option<KeyForm> {
    let (half, encryption) = match class {
        ObjectClass::PublicKey => (Half::Public, Encryption::None),
        ObjectClass::PrivateKey => (Half::Private, Encryption::Token),
        ObjectClass::Certificate | ObjectClass::SecretKey => return None,
    };
    let encoding = match told_by {
        ToldBy::Itself => "PKCS#11",
        // People set that id: which key it is rests on them.
        ToldBy::Id => "PKCS#11, public half by CKA_ID",
    };
    Some(KeyForm { half, encoding: encoding.to_owned(), encryption })
}

/// Some modules end a label with NUL, as C does.
fn label(answers: &Answers<'_>) -> Option<String> {
    let label = String::from_utf8_lossy(answers.octets(CKA_LABEL)?);
    let label: String = label.trim_end_matches('\0').chars().take(LONGEST_LABEL).collect();
    (!label.is_empty()).then_some(label)
}
