//! What the agent and the process of a module say to each other: one JSON text a line.
//!
//! The agent says [`Order::Start`]; the module tells its [`Library`](Message::Library), each
//! [`Slot`](Message::Slot), [`SlotsEnd`](Message::SlotsEnd). For each slot that the agent wants it says
//! [`Order::Read`], and hears [`Object`](Message::Object)s up to [`ReadEnd`](Message::ReadEnd), with
//! [`LoginBegins`](Message::LoginBegins) and [`Login`](Message::Login) among them where it ordered one.
//! At [`Order::End`] the module is let go and [`End`](Message::End) comes last.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// No line of an answer is longer, in octets; who reads them reads no further.
pub const MAX_LINE: usize = 1 << 20;

/// What the agent asks for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Load this module and tell what slots it has. First, and once.
    Start {
        /// Path of the library.
        module: String,
        /// The text that the reserved argument of `C_Initialize` points to.
        parameters: Option<String>,
        /// MiB of address space that the process may have.
        memory_mib: u64,
    },
    /// Read what lies on the token of this slot.
    Read {
        /// Its number.
        slot: u64,
        /// How to log in after all was read that is to be seen without.
        login: Option<LoginOrder>,
        /// No more objects of one class than these. Without room for an object that only a user sees
        /// nobody is logged in.
        max_objects: u64,
    },
    /// Let the module go.
    End,
}

/// How to log in.
#[derive(Debug, Serialize, Deserialize)]
pub enum LoginOrder {
    /// With this PIN.
    Pin(Pin),
    /// With the PIN that somebody types at the device: no PIN is handed over (PKCS #11 v3.1, 5.6.8).
    Device,
}

/// A PIN on its way. It shows itself to nobody and is wiped when it is dropped.
///
/// It goes as base64 of its octets: a text with escapes in it is put together in memory of the JSON
/// reader, which nobody wipes.
pub struct Pin(pub Zeroizing<String>);

/// What the process of the module answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// What the module says of itself (`CK_INFO`); absent where it does not.
    Library {
        /// `manufacturerID`.
        manufacturer: Octets,
        /// `libraryDescription`.
        description: Octets,
        /// `libraryVersion`.
        version: (u8, u8),
        /// `cryptokiVersion`.
        interface: (u8, u8),
    },
    /// A slot and the token in it.
    Slot(Box<SlotAnswer>),
    /// There are no more slots.
    SlotsEnd,
    /// The next call is `C_Login`: if nothing comes after this, the attempt was made all the same.
    LoginBegins {
        /// In which slot.
        slot: u64,
    },
    /// What `C_Login` returned.
    Login {
        /// In which slot.
        slot: u64,
        /// `CK_RV`.
        returned: u64,
    },
    /// An object.
    Object(Box<ObjectAnswer>),
    /// All of a token was read that could be, and that there was room for.
    ReadEnd {
        /// In which slot.
        slot: u64,
        /// Objects seen, by `CKO_…`.
        counts: Vec<(u64, u64)>,
        /// Whether there were more of a class than were to be read.
        truncated: bool,
    },
    /// A call failed; what comes after it is read all the same, as far as that makes sense.
    Failed {
        /// In which slot, where it was about one.
        slot: Option<u64>,
        /// The function, such as `C_FindObjectsInit`.
        call: String,
        /// `CK_RV`, where the function returned one.
        returned: Option<u64>,
        /// What happened, where the number does not say it all.
        detail: String,
    },
    /// The module was let go.
    End {
        /// How many functions of the module were called.
        calls: u64,
    },
}

/// A slot (`CK_SLOT_INFO`) and its token (`CK_TOKEN_INFO`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotAnswer {
    /// Its number.
    pub id: u64,
    /// `slotDescription`.
    pub description: Octets,
    /// `manufacturerID`.
    pub manufacturer: Octets,
    /// `flags` (`CKF_…`).
    pub flags: u64,
    /// The token, if there is one that tells what it is.
    pub token: Option<TokenAnswer>,
    /// `C_GetMechanismList` with `C_GetMechanismInfo`; absent where the former failed, or where other
    /// tokens have taken all the room there is.
    pub mechanisms: Option<Vec<MechanismAnswer>>,
}

/// `CK_TOKEN_INFO`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// `label`.
    pub label: Octets,
    /// `manufacturerID`.
    pub manufacturer: Octets,
    /// `model`.
    pub model: Octets,
    /// `serialNumber`.
    pub serial: Octets,
    /// `flags` (`CKF_…`).
    pub flags: u64,
    /// `ulSessionCount`; `CK_UNAVAILABLE_INFORMATION` is left to the reader, here and below.
    pub sessions: u64,
    /// `ulMaxPinLen`.
    pub max_pin: u64,
    /// `ulMinPinLen`.
    pub min_pin: u64,
    /// `ulTotalPublicMemory`.
    pub total_public: u64,
    /// `ulFreePublicMemory`.
    pub free_public: u64,
    /// `ulTotalPrivateMemory`.
    pub total_private: u64,
    /// `ulFreePrivateMemory`.
    pub free_private: u64,
    /// `hardwareVersion`.
    pub hardware: (u8, u8),
    /// `firmwareVersion`.
    pub firmware: (u8, u8),
    /// `utcTime`.
    pub clock: Octets,
}

/// A mechanism and `CK_MECHANISM_INFO`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MechanismAnswer {
    /// `CKM_…`.
    pub number: u64,
    /// `ulMinKeySize`, `ulMaxKeySize`, `flags`; absent where `C_GetMechanismInfo` failed.
    pub info: Option<(u64, u64, u64)>,
}

/// An object with the attributes that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectAnswer {
    /// In which slot.
    pub slot: u64,
    /// The class it was found under (`CKO_…`).
    pub class: u64,
    /// Its attributes by `CKA_…`, in the order of [`wanted`](crate::attributes::wanted).
    pub attributes: Vec<(u64, Value)>,
}

/// What a module answered about one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// Its value, as it is in memory.
    #[serde(rename = "o")]
    Octets(Octets),
    /// `CKR_ATTRIBUTE_TYPE_INVALID`: objects like this have none.
    #[serde(rename = "i")]
    Invalid,
    /// `CKR_ATTRIBUTE_SENSITIVE`: it is not to be told.
    #[serde(rename = "s")]
    Sensitive,
    /// `CK_UNAVAILABLE_INFORMATION` for another reason.
    #[serde(rename = "u")]
    Unavailable,
    /// The value is longer than is read.
    #[serde(rename = "l")]
    TooLong(u64),
    /// Another `CK_RV`.
    #[serde(rename = "f")]
    Failed(u64),
    /// Not asked for: so many objects of the same class and type of key had none; with 0, none has by the
    /// standard.
    #[serde(rename = "n")]
    NotAsked(u64),
}

/// Octets, in base64 on the way.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

impl Serialize for Pin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let octets = self.0.as_bytes();
        // All the room at once: what grows leaves copies behind.
        let mut place = Zeroizing::new(vec![0; octets.len().div_ceil(3) * 4]);
        let length = STANDARD_NO_PAD.encode_slice(octets, &mut place);
        let length = length.map_err(|_| serde::ser::Error::custom("a PIN without end"))?;
        let text = std::str::from_utf8(&place[..length]);
        serializer.serialize_str(text.expect("base64 is ASCII"))
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(PinVisitor)
    }
}

/// Takes the text where it lies. What it says of a text that is no PIN tells nothing of it.
struct PinVisitor;

impl Visitor<'_> for PinVisitor {
    type Value = Pin;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a PIN in base64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Pin, E> {
        let mut octets = Zeroizing::new(vec![0; text.len().div_ceil(4) * 3]);
        let length = STANDARD_NO_PAD.decode_slice(text, &mut octets);
        octets.truncate(length.map_err(|_| E::custom("a PIN that is no base64"))?);
        // Moved, not copied; what is no text is given back to be wiped.
        match String::from_utf8(std::mem::take(&mut *octets)) {
            Ok(pin) => Ok(Pin(Zeroizing::new(pin))),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(E::custom("a PIN that is no text"))
            }
        }
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Pin, E> {
        self.visit_str(&Zeroizing::new(text))
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD_NO_PAD.decode(text).map(Self).map_err(de::Error::custom)
    }
}
