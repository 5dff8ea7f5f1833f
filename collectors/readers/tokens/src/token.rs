//! The token itself.

use pki_inventory::{Login, Mechanism, Module, PinState, Place, Slot, Time, Token, TokenFlags};

use crate::answers::is_unavailable;
use crate::names::{self, CKF_HW};
use crate::wire::{MechanismAnswer, Message, Octets, SlotAnswer, TokenAnswer};

/// The place of the token in this slot, with the number of the slot where `with_slot` says that
/// another token of the module has the same label, manufacturer, model and serial number, or where it
/// has none of them. `None` without a token.
#[must_use]
pub fn place(slot: &SlotAnswer, with_slot: bool) -> Option<Place> {
    let token = slot.token.as_ref()?;
    let told = [
        ("token", unpadded(&token.label)),
        ("manufacturer", unpadded(&token.manufacturer)),
        ("model", unpadded(&token.model)),
        ("serial", unpadded(&token.serial)),
    ];
    let nameless = told.iter().all(|(_, value)| value.is_empty());
    let number = slot.id.to_string();
    let number = (with_slot || nameless).then_some(("slot-id", number.as_bytes()));
    Some(Place::token(told.into_iter().chain(number)))
}

/// The token in this slot, without what lies on it. `library` is the [`Message::Library`] of its
/// module; without one, what the module is stays open.
#[must_use]
pub fn token(
    path: &str,
    library: Option<&Message>,
    slot: &SlotAnswer,
    login: Login,
) -> Option<Token> {
    let told = slot.token.as_ref()?;
    let flags = told.flags;
    let has = |flag: u64| flags & flag != 0;
    Some(Token {
        label: text(&told.label),
        manufacturer: text(&told.manufacturer),
        model: text(&told.model),
        serial: text(&told.serial),
        hardware_version: Some(version(told.hardware)),
        firmware_version: Some(version(told.firmware)),
        module: module(path, library),
        slot: Slot {
            id: slot.id,
            description: text(&slot.description),
            manufacturer: text(&slot.manufacturer),
            hardware: slot.flags & CKF_HW_SLOT != 0,
            removable: slot.flags & CKF_REMOVABLE_DEVICE != 0,
        },
        flags: TokenFlags {
            random: has(CKF_RNG),
            write_protected: has(CKF_WRITE_PROTECTED),
            login_required: has(CKF_LOGIN_REQUIRED),
            user_pin_initialized: has(CKF_USER_PIN_INITIALIZED),
            protected_authentication_path: has(CKF_PROTECTED_AUTHENTICATION_PATH),
            initialized: has(CKF_TOKEN_INITIALIZED),
            error: has(CKF_ERROR_STATE),
        },
        user_pin: pin(flags, CKF_USER_PIN_COUNT_LOW),
        so_pin: pin(flags, CKF_SO_PIN_COUNT_LOW),
        pin_lengths: both(told.min_pin, told.max_pin),
        sessions: available(told.sessions),
        public_memory: both(told.free_public, told.total_public),
        private_memory: both(told.free_private, told.total_private),
        clock: clock(told),
        mechanisms: slot.mechanisms.as_deref().map(mechanisms),
        login,
        objects: Vec::new(),
        validations: Vec::new(),
    })
}

/// A text of fixed length without what fills it up: blanks at its end (PKCS #11 v3.1, 3.1). Some modules
/// end it with NUL all the same, so it is cut at the first NUL, whatever comes behind: that is memory
/// nobody has written a text to. Nothing else is cut, no other white space and nothing at the beginning.
///
/// Whoever compares such texts has to take this, or a token is chosen by one text and named by another.
#[must_use]
pub fn unpadded(octets: &Octets) -> &[u8] {
    cut(&octets.0)
}

// PKCS #11 v3.2, `CK_SLOT_INFO`.
const CKF_REMOVABLE_DEVICE: u64 = 0x0000_0002;
const CKF_HW_SLOT: u64 = 0x0000_0004;

// PKCS #11 v3.2, `CK_TOKEN_INFO`. The flags of a PIN follow one another: count low, final try, locked,
// to be changed.
const CKF_RNG: u64 = 0x0000_0001;
const CKF_WRITE_PROTECTED: u64 = 0x0000_0002;
const CKF_LOGIN_REQUIRED: u64 = 0x0000_0004;
const CKF_USER_PIN_INITIALIZED: u64 = 0x0000_0008;
const CKF_CLOCK_ON_TOKEN: u64 = 0x0000_0040;
const CKF_PROTECTED_AUTHENTICATION_PATH: u64 = 0x0000_0100;
const CKF_TOKEN_INITIALIZED: u64 = 0x0000_0400;
const CKF_USER_PIN_COUNT_LOW: u64 = 0x0001_0000;
const CKF_SO_PIN_COUNT_LOW: u64 = 0x0010_0000;
const CKF_ERROR_STATE: u64 = 0x0100_0000;

fn module(path: &str, library: Option<&Message>) -> Module {
    let path = path.to_owned();
    match library {
        Some(Message::Library { manufacturer, description, version: own, interface }) => Module {
            path,
            manufacturer: text(manufacturer),
            description: text(description),
            version: Some(version(*own)),
            interface: Some(version(*interface)),
        },
        _ => Module { path, manufacturer: None, description: None, version: None, interface: None },
    }
}

fn pin(flags: u64, count_low: u64) -> PinState {
    PinState {
        count_low: flags & count_low != 0,
        final_try: flags & (count_low << 1) != 0,
        locked: flags & (count_low << 2) != 0,
        to_be_changed: flags & (count_low << 3) != 0,
    }
}

/// `CK_VERSION`, with both numbers as they are: some say 2.40 and mean forty, some say 2.4.
pub(crate) fn version((major, minor): (u8, u8)) -> String {
    format!("{major}.{minor}")
}

fn available(number: u64) -> Option<u64> {
    (!is_unavailable(number)).then_some(number)
}

fn both(first: u64, second: u64) -> Option<(u64, u64)> {
    Some((available(first)?, available(second)?))
}

/// `utcTime`, `YYYYMMDDhhmmss00`, which means something only where there is a clock.
fn clock(token: &TokenAnswer) -> Option<Time> {
    if token.flags & CKF_CLOCK_ON_TOKEN == 0 {
        return None;
    }
    let digits = token.clock.0.get(..14).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let digits = std::str::from_utf8(digits).ok()?;
    let part = |from: usize, to: usize| &digits[from..to];
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// By number, each once.
fn mechanisms(told: &[MechanismAnswer]) -> Vec<Mechanism> {
    let mut mechanisms: Vec<Mechanism> = told.iter().map(mechanism).collect();
    mechanisms.sort();
    mechanisms.dedup_by_key(|mechanism| mechanism.number);
    mechanisms
}

fn mechanism(told: &MechanismAnswer) -> Mechanism {
    // Mechanisms without a key have no sizes, and most modules say 0 for that.
    let sizes = told.info.filter(|(smallest, largest, _)| (*smallest, *largest) != (0, 0));
    Mechanism {
        number: told.number,
        name: names::mechanism_name(told.number).map(str::to_owned),
        smallest: sizes.and_then(|(smallest, ..)| available(smallest)),
        // CK_EFFECTIVELY_INFINITE is 0.
        largest: sizes.and_then(|(_, largest, _)| available(largest)).filter(|size| *size != 0),
        hardware: told.info.map(|(.., flags)| flags & CKF_HW != 0),
        uses: told.info.map(|(.., flags)| names::uses(flags)).unwrap_or_default(),
    }
}

/// The octets before the first NUL, without the blanks at their end.
pub(crate) fn cut(octets: &[u8]) -> &[u8] {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    let last = octets[..end].iter().rposition(|octet| *octet != b' ');
    &octets[..last.map_or(0, |last| last + 1)]
}

/// The same as people read it. It ought to be UTF-8, and it ends up in terminals and tables.
fn text(octets: &Octets) -> Option<String> {
    let text = readable(unpadded(octets));
    (!text.is_empty()).then_some(text)
}

/// What is no text, and what is no character of one, becomes U+FFFD.
pub(crate) fn readable(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let shown = |one: char| if one.is_control() { char::REPLACEMENT_CHARACTER } else { one };
    text.chars().map(shown).collect()
}
