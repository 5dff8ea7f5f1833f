//! Curves and points on them (PKCS #11 v3.1, 6.3; RFC 5480; RFC 8410).

use pki_encodings::public_key;
use pki_encodings::tlv::{
    self, BIT_STRING, Element, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, UTF8_STRING,
};
use pki_inventory::KeyAlgorithm;

/// What `CKA_EC_PARAMS` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Curve {
    /// One of RFC 7748, with an algorithm of its own.
    Modern(&'static Modern),
    /// One by its name.
    Named {
        /// The object identifier, in dotted form.
        oid: String,
        /// The same as an element.
        element: Vec<u8>,
    },
    /// Spelled out.
    Explicit(Vec<u8>),
    /// Whatever the parameters of the issuer are (`implicitlyCA`), which nobody tells.
    Inherited,
}

/// A curve of RFC 7748 as RFC 8410 has it: the object identifier of the key says everything.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Modern {
    pub(crate) name: &'static str,
    /// Object identifiers, without tag and length; that of RFC 8410 is the first. The others are of the
    /// time before it and still in use.
    oids: &'static [&'static [u8]],
    /// What it is called where a name stands in place of one (PKCS #11 v3.1, 6.3.5 and 6.3.6).
    names: &'static [&'static str],
    /// Octets of a public key.
    length: usize,
}

const MODERN: [Modern; 4] = [
    Modern {
        name: "Ed25519",
        oids: &[&[0x2b, 0x65, 0x70], &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1]],
        names: &["edwards25519", "ed25519"],
        length: 32,
    },
    Modern {
        name: "Ed448",
        oids: &[&[0x2b, 0x65, 0x71]],
        names: &["edwards448", "ed448"],
        length: 57,
    },
    Modern {
        name: "X25519",
        oids: &[&[0x2b, 0x65, 0x6e], &[0x2b, 6, 1, 4, 1, 0x97, 0x55, 1, 5, 1]],
        names: &["curve25519", "x25519"],
        length: 32,
    },
    Modern { name: "X448", oids: &[&[0x2b, 0x65, 0x6f]], names: &["curve448", "x448"], length: 56 },
];

/// Curves that a name may stand for, with their object identifiers without tag and length.
const NAMES: [(&str, &[u8]); 13] = [
    ("p-256", P_256),
    ("prime256v1", P_256),
    ("secp256r1", P_256),
    ("p-384", P_384),
    ("secp384r1", P_384),
    ("p-521", P_521),
    ("secp521r1", P_521),
    ("secp224r1", &[0x2b, 0x81, 4, 0, 0x21]),
    ("prime192v1", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1]),
    ("secp192r1", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1]),
    ("secp256k1", &[0x2b, 0x81, 4, 0, 0x0a]),
    ("brainpoolp256r1", &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7]),
    ("brainpoolp384r1", &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11]),
];
const P_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P_384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
const P_521: &[u8] = &[0x2b, 0x81, 4, 0, 0x23];

const PRINTABLE_STRING: u8 = 0x13;

/// No element in an attribute is read that is longer than this: a name of a curve is of a few octets,
/// spelled-out parameters of a few hundred.
const LONGEST_PARAMETERS: usize = 8 * 1024;

impl Curve {
    /// Reads `CKA_EC_PARAMS`.
    pub(crate) fn read(parameters: &[u8]) -> Option<Self> {
        let element =
            Element::first(parameters).filter(|_| parameters.len() < LONGEST_PARAMETERS)?;
        match element.tag {
            OBJECT_IDENTIFIER => Self::of(element.value),
            PRINTABLE_STRING | UTF8_STRING => {
                let name = std::str::from_utf8(element.value).ok()?.to_ascii_lowercase();
                let modern = MODERN.iter().find(|curve| curve.names.contains(&name.as_str()));
                modern.map(Self::Modern).or_else(|| {
                    let (_, oid) = NAMES.iter().find(|(known, _)| *known == name)?;
                    Self::of(oid)
                })
            }
            SEQUENCE => Some(Self::Explicit(element.whole.to_vec())),
            NULL => Some(Self::Inherited),
            _ => None,
        }
    }

    fn of(oid: &[u8]) -> Option<Self> {
        if let Some(modern) = MODERN.iter().find(|curve| curve.oids.contains(&oid)) {
            return Some(Self::Modern(modern));
        }
        let element = tlv::element(OBJECT_IDENTIFIER, &[oid]);
        let oid = Element::first(&element)?.oid()?;
        Some(Self::Named { oid, element })
    }

    /// The algorithm of a key on this curve.
    pub(crate) fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Modern(modern) => KeyAlgorithm::named(modern.name),
            Self::Named { oid, .. } => KeyAlgorithm::elliptic(Some(oid)),
            Self::Explicit(_) => KeyAlgorithm::elliptic(None),
            Self::Inherited => KeyAlgorithm::named("EC"),
        }
    }

    /// The `SubjectPublicKeyInfo` of the key with this `CKA_EC_POINT`; `None` where that is no point of
    /// the curve by its length, or where the curve is not told.
    pub(crate) fn key(&self, point: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Modern(modern) => {
                let key = forms(point).find(|form| form.len() == modern.length)?;
                let oid = tlv::element(OBJECT_IDENTIFIER, &[modern.oids[0]]);
                // RFC 8410, 3: the parameters are absent.
                Some(public_key::assemble(&tlv::element(SEQUENCE, &[&oid]), key))
            }
            Self::Named { element, .. } => {
                let bits = self.algorithm().bits?;
                let key = forms(point).find(|form| is_point(form, Some(bits)))?;
                Some(public_key::elliptic(element, key))
            }
            Self::Explicit(parameters) => {
                let key = forms(point).find(|form| is_point(form, None))?;
                Some(public_key::elliptic(parameters, key))
            }
            Self::Inherited => None,
        }
    }
}

/// What a value may stand for: an OCTET STRING around the point, which the standard asks for; a BIT
/// STRING, as drafts did; the bare point. Which of them it is, the length tells: a bare point begins with
/// the octet 4 as well.
fn forms(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let element = Element::first(value).filter(|element| element.whole.len() == value.len());
    let inside = element.and_then(|element| match element.tag {
        OCTET_STRING => Some(element.value),
        BIT_STRING => element.value.strip_prefix(&[0]),
        _ => None,
    });
    inside.into_iter().chain([value])
}

/// Whether this is a point that is not compressed or one that is, by its length (SEC 1, 2.3.3).
fn is_point(octets: &[u8], bits: Option<u32>) -> bool {
    let Some((first, coordinates)) = octets.split_first() else { return false };
    let field = bits.and_then(|bits| usize::try_from(bits.div_ceil(8)).ok());
    match first {
        4 => field.map_or(coordinates.len() % 2 == 0, |field| coordinates.len() == 2 * field),
        2 | 3 => field.is_some_and(|field| coordinates.len() == field),
        _ => false,
    }
}
