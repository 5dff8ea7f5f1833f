//! What is known to be odd about the answers of certain modules, so that it does not become a
//! finding.
//!
//! The list is data with sources. It is not complete: most modules answer what is so, and what
//! others get wrong is known of a few only.

use crate::Token;

/// A claim of a module that is not to be taken at its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// `CKA_NEVER_EXTRACTABLE` is false of keys that never could leave.
    NeverExtractableFalse,
    /// `CKA_LOCAL` is false of keys that were generated on the device.
    LocalFalse,
    /// `CKA_EXTRACTABLE` and `CKA_MODIFIABLE` are told wrong.
    FlagsUnreliable,
    /// A slot whose token is not initialised is always there.
    SpareSlot,
    /// The device keeps no certificates.
    NoCertificates,
    /// All tokens of the kind have the same serial number.
    SerialNotUnique,
    /// It is a device and its slot does not claim to be one (`CKF_HW_SLOT`).
    HardwareNotClaimed,
    /// `CKA_ALWAYS_SENSITIVE` and `CKA_NEVER_EXTRACTABLE` are true of keys that came from outside.
    AlwaysTrue,
}

/// An oddity with where it is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirk {
    /// What is odd.
    pub oddity: Oddity,
    /// Of which product, for people.
    pub product: &'static str,
    /// Where it is reported.
    pub source: &'static str,
}

/// How a product is known: what its module or its token says of itself holds this text, letters of
/// either case, and its module is older than this version, where one is given.
struct Entry {
    of: Of,
    holds: &'static str,
    before: Option<(u32, u32)>,
    quirk: Quirk,
}

/// What has to hold the text.
enum Of {
    /// Manufacturer or description of the module.
    Module,
    /// Manufacturer of the token, or its model.
    Token,
    /// Any of these.
    Either,
}

const fn entry(of: Of, holds: &'static str, quirk: Quirk) -> Entry {
    Entry { of, holds, before: None, quirk }
}

const fn quirk(oddity: Oddity, product: &'static str, source: &'static str) -> Quirk {
    Quirk { oddity, product, source }
}

/// Google makes other modules too, such as native-pkcs11: the product is what counts. The module is
/// a "Cryptoki Library for Cloud KMS", and the model a "Cloud KMS Token".
const CLOUD_KMS: &str = "cloud kms";

const ENTRIES: &[Entry] = &[
    entry(
        Of::Either,
        CLOUD_KMS,
        quirk(
            Oddity::NeverExtractableFalse,
            "Cloud KMS",
            "GoogleCloudPlatform/kms-integrations#38",
        ),
    ),
    entry(
        Of::Either,
        CLOUD_KMS,
        quirk(Oddity::LocalFalse, "Cloud KMS", "GoogleCloudPlatform/kms-integrations#38"),
    ),
    entry(
        Of::Either,
        CLOUD_KMS,
        quirk(
            Oddity::HardwareNotClaimed,
            "Cloud KMS",
            "GoogleCloudPlatform/kms-integrations, kmsp11/token.cc",
        ),
    ),
    entry(
        Of::Module,
        "cloudhsm",
        quirk(Oddity::NoCertificates, "AWS CloudHSM", "letsencrypt/pkcs11key#20"),
    ),
    Entry {
        before: Some((0, 22)),
        ..entry(
            Of::Module,
            "opensc",
            quirk(Oddity::FlagsUnreliable, "OpenSC before 0.22", "OpenSC/OpenSC#2175"),
        )
    },
    entry(Of::Token, "softhsm", quirk(Oddity::SpareSlot, "SoftHSM", "seen with SoftHSM 2.6.1")),
    Entry {
        before: Some((2, 1)),
        ..entry(
            Of::Module,
            "softhsm",
            quirk(Oddity::AlwaysTrue, "SoftHSM before 2.1", "softhsm/SoftHSMv2#177"),
        )
    },
    entry(Of::Token, "nss 3", quirk(Oddity::LocalFalse, "NSS softoken", "seen with NSS 3.87")),
    entry(Of::Token, "nss 3", quirk(Oddity::SerialNotUnique, "NSS softoken", "seen with NSS 3.87")),
    entry(
        Of::Token,
        "p11-kit-trust",
        quirk(Oddity::SerialNotUnique, "p11-kit trust module", "seen with p11-kit 0.24"),
    ),
];

/// The oddities of the product that a token is, or whose module speaks for it.
pub fn quirks(token: &Token) -> impl Iterator<Item = &'static Quirk> {
    let holds = |told: &Option<String>, text: &str| {
        told.as_ref().is_some_and(|told| told.to_lowercase().contains(text))
    };
    ENTRIES
        .iter()
        .filter(move |entry| {
            let module = || [&token.module.manufacturer, &token.module.description];
            let itself = || [&token.manufacturer, &token.model];
            let by = |told: [&Option<String>; 2]| told.iter().any(|one| holds(one, entry.holds));
            let is_one = match entry.of {
                Of::Module => by(module()),
                Of::Token => by(itself()),
                Of::Either => by(module()) || by(itself()),
            };
            let version = || token.module.version.as_deref().and_then(numbers);
            is_one && entry.before.is_none_or(|before| version().is_some_and(|it| it < before))
        })
        .map(|entry| &entry.quirk)
}

/// `0.23` as two numbers.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
