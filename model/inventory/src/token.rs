//! A cryptographic token, as its PKCS #11 module describes it (PKCS #11 v3.1, sections 3.2 and 5.5;
//! v3.2 for validations).

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::quirks::{Oddity, Quirk, quirks};

/// A token: a hardware security module or a partition of one, a smart card, or a store in software
/// that answers like one. Its identity is its place, which is made of label, manufacturer, model
/// and serial number (RFC 7512): the same token seen by two agents is one.
///
/// What a module claims is kept as it claims it; which claims are known to be wrong is said by the
/// [quirks](crate::quirks) of its vendor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Token {
    /// The name somebody gave it when it was initialised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// Who made the device.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub manufacturer: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// The serial number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
    /// Version of the hardware, such as `2.1`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hardware_version: Option<String>,
    /// Version of the firmware, such as `5.43`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firmware_version: Option<String>,
    /// The module through which it was seen.
    pub module: Module,
    /// The slot it is in.
    pub slot: Slot,
    /// What its flags say.
    pub flags: TokenFlags,
    /// State of the PIN of the user.
    pub user_pin: PinState,
    /// State of the PIN of the security officer.
    pub so_pin: PinState,
    /// Shortest and longest PIN, in octets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pin_lengths: Option<(u64, u64)>,
    /// Sessions open at that time, where the token tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sessions: Option<u64>,
    /// Free and total memory for public objects, in octets, where the token tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub public_memory: Option<(u64, u64)>,
    /// The same for private objects.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub private_memory: Option<(u64, u64)>,
    /// What its clock showed, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clock: Option<Time>,
    /// The mechanisms it offers, by number; absent where it did not tell them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mechanisms: Option<Vec<Mechanism>>,
    /// How far it let itself be read.
    pub login: Login,
    /// How many objects of each class were seen: `certificate`, `public`, `private`, `secret-key`,
    /// `data`, `validation`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub objects: Vec<(String, u64)>,
    /// The certifications that it states itself (`CKO_VALIDATION`, PKCS #11 v3.2).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub validations: Vec<Validation>,
}

/// Where a token keeps what lies on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptIn {
    /// In a device: its slot claims to be one (`CKF_HW_SLOT`).
    Hardware,
    /// In software: the slot claims no device, and no mechanism that the token offers is done by
    /// one.
    Software,
    /// Not told: modules of some devices leave out the flag of the slot, and the mechanisms do not
    /// settle it either.
    Unknown,
}

impl Token {
    /// Where it keeps what lies on it, as far as its module tells.
    ///
    /// A flag that is absent is no proof of software: PKCS #11 v3.1 (section 3.2, `CKF_HW_SLOT`,
    /// and section 3.4, `CKF_HW`) asks for both of devices, and modules of devices forget the one
    /// or the other.
    #[must_use]
    pub fn kept_in(&self) -> KeptIn {
        if self.slot.hardware {
            return KeptIn::Hardware;
        }
        let silent = |quirk: &Quirk| quirk.oddity == Oddity::HardwareNotClaimed;
        let mechanisms = self.mechanisms.as_deref().unwrap_or_default();
        let told = || mechanisms.iter().filter_map(|mechanism| mechanism.hardware);
        let by_software = told().count() > 0 && !told().any(|hardware| hardware);
        if by_software && !quirks(self).any(silent) { KeptIn::Software } else { KeptIn::Unknown }
    }
}

/// A PKCS #11 module: the library that speaks for tokens (`CK_INFO`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Module {
    /// Path of the library.
    pub path: String,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub manufacturer: Option<String>,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// Its own version, such as `2.6`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The version of the interface it speaks, such as `2.40`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
}

/// A slot (`CK_SLOT_INFO`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// Its number in the module. It need not stay the same.
    pub id: u64,
    /// What the module calls it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub manufacturer: Option<String>,
    /// Whether it claims to be a device rather than software (`CKF_HW_SLOT`).
    pub hardware: bool,
    /// Whether its token can be taken out (`CKF_REMOVABLE_DEVICE`).
    pub removable: bool,
}

/// The flags of a token (`CK_TOKEN_INFO`).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenFlags {
    /// It has a random number generator (`CKF_RNG`).
    pub random: bool,
    /// Nothing can be written to it (`CKF_WRITE_PROTECTED`).
    pub write_protected: bool,
    /// Some of what it can do needs a login (`CKF_LOGIN_REQUIRED`).
    pub login_required: bool,
    /// The PIN of the user was set (`CKF_USER_PIN_INITIALIZED`).
    pub user_pin_initialized: bool,
    /// The PIN is typed at the device itself (`CKF_PROTECTED_AUTHENTICATION_PATH`).
    pub protected_authentication_path: bool,
    /// It was initialised (`CKF_TOKEN_INITIALIZED`).
    pub initialized: bool,
    /// It failed a test of itself (`CKF_ERROR_STATE`).
    pub error: bool,
}

/// The state of a PIN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PinState {
    /// A wrong one was entered since the last right one.
    pub count_low: bool,
    /// One more wrong one locks it.
    pub final_try: bool,
    /// It is locked.
    pub locked: bool,
    /// It is the one it was delivered with, or it has run out.
    pub to_be_changed: bool,
}

/// A mechanism (`CK_MECHANISM_INFO`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mechanism {
    /// Its number (`CKM_…`).
    pub number: u64,
    /// Its name in the standard, such as `CKM_RSA_PKCS`; absent for those of vendors.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Smallest key, in the unit of the mechanism; absent where the token did not tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub smallest: Option<u64>,
    /// Largest key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub largest: Option<u64>,
    /// Done by the device (`CKF_HW`); absent where the token did not tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hardware: Option<bool>,
    /// What it can be used for: `encrypt`, `decrypt`, `digest`, `sign`, `sign-recover`, `verify`,
    /// `verify-recover`, `generate`, `generate-key-pair`, `wrap`, `unwrap`, `derive`,
    /// `encapsulate`, `decapsulate`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub uses: Vec<String>,
}

/// How far a token let itself be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// It asks for none: everything on it was to be seen.
    NotRequired,
    /// It asks for one and no PIN was configured: private objects were not to be seen.
    NotConfigured,
    /// A PIN was configured and not tried; a gap says why.
    NotTried,
    /// The PIN was refused; a gap says how.
    Refused,
    /// A user was logged in while it was read.
    Done,
}

/// A certification that a device states of itself (`CKO_VALIDATION`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Validation {
    /// The scheme, such as `FIPS 140` or `Common Criteria`, or its number where it has no name
    /// here.
    pub scheme: String,
    /// What was certified: `software`, `hardware`, `firmware` or `hybrid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<String>,
    /// Version of the scheme, such as `3.0`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// Level.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<u64>,
    /// What the certificate calls the module.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub module: Option<String>,
    /// Country of the authority.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub country: Option<String>,
    /// Number of the certificate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate: Option<String>,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

/// A symmetric key on a token. Its value is never asked for; its identity is its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretKey {
    /// The algorithm, such as `AES`, `3DES` or `generic secret`, with its size where the token
    /// tells it.
    pub algorithm: crate::KeyAlgorithm,
}
