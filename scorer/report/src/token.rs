//! What people read of tokens: hardware security modules and their partitions, cards, and stores in
//! software that answer like them.

pub(crate) mod object;
pub(crate) mod rows;

use pki_inventory::{
    Gap, KeptIn, Login, Mechanism, Module, Oddity, PinState, Place, Quirk, Slot, Token, Validation,
    View, quirks,
};

use crate::words;

/// Said wherever a certification is told: nobody but the device vouches for it here.
pub(crate) const UNVERIFIED: &str = "stated by the device itself, not verified";

/// Where its keys are kept, as far as its module tells (`CKF_HW_SLOT`, `CKF_HW`; PKCS #11 v3.1, 3.2
/// and 3.4).
pub(crate) fn kept_in(token: &Token) -> &'static str {
    match token.kept_in() {
        KeptIn::Hardware => "hardware",
        KeptIn::Software => "software",
        KeptIn::Unknown => "not known",
    }
}

/// The same with where that is known from.
pub(crate) fn kept_in_words(token: &Token) -> &'static str {
    match token.kept_in() {
        KeptIn::Hardware => "hardware, as its slot states (CKF_HW_SLOT); not verified",
        KeptIn::Software => {
            "software: its slot states no device (CKF_HW_SLOT), and no mechanism is one's (CKF_HW)"
        }
        KeptIn::Unknown => {
            "not known: its slot states no device (CKF_HW_SLOT), which is no proof that it is none"
        }
    }
}

/// Its label, or whatever else it has for a name.
pub(crate) fn name(token: &Token) -> String {
    let serial = token.serial.as_ref().map(|serial| format!("without a label, serial {serial}"));
    let named = token.label.clone().or(serial).or_else(|| token.model.clone());
    named.unwrap_or_else(|| format!("without a name, slot {}", token.slot.id))
}

/// Its name, and where others have the same what tells it from them: its serial number, else what
/// it is, else its slot.
pub(crate) fn distinct(token: &Token, view: &View<'_>) -> String {
    const PARTS: [fn(&Token) -> Option<String>; 3] = [
        |token| token.serial.as_ref().map(|serial| format!("serial {serial}")),
        |token| Some(product(token)).filter(|product| !product.is_empty()),
        |token| Some(format!("slot {}", token.slot.id)),
    ];
    let same = |other: &Token| {
        let labelled = token.label.is_some() || name(other) == name(token);
        other.label == token.label && labelled && other != token
    };
    let mut others: Vec<&Token> =
        view.tokens().map(|(_, other)| other).filter(|other| same(other)).collect();
    let mut told = name(token);
    for part in PARTS {
        let (own, before) = (part(token), others.len());
        others.retain(|other| part(other) == own);
        let tells = others.len() < before;
        told.extend(own.filter(|_| tells).map(|own| format!(", {own}")));
    }
    told
}

/// The serial number of a token.
pub(crate) struct Serial<'t> {
    /// `None` where it tells none, or zeros of which it is known that they stand for none.
    pub(crate) number: Option<&'t str>,
    /// What is known to be odd about it.
    pub(crate) odd: Option<&'static str>,
}

/// Its serial number with what is known to be odd about it.
pub(crate) fn serial(token: &Token) -> Serial<'_> {
    let shared = quirks(token).any(|quirk| quirk.oddity == Oddity::SerialNotUnique);
    let zeros = |number: &&str| shared && number.bytes().all(|digit| digit == b'0');
    Serial {
        number: token.serial.as_deref().filter(|number| !zeros(number)),
        odd: shared.then_some("all tokens of the kind have the same serial number"),
    }
}

/// What is known to be odd about it and bears on this token: that spare slots of a product are not
/// initialised says nothing of one that is.
pub(crate) fn odd(token: &Token) -> impl Iterator<Item = &'static Quirk> {
    let initialized = token.flags.initialized;
    quirks(token).filter(move |quirk| quirk.oddity != Oddity::SpareSlot || !initialized)
}

/// Who made it and what it is.
pub(crate) fn product(token: &Token) -> String {
    let known: Vec<&str> =
        [&token.manufacturer, &token.model].into_iter().flatten().map(String::as_str).collect();
    known.join(", ")
}

/// A word for how far it let itself be read.
pub(crate) fn login_word(login: Login) -> &'static str {
    match login {
        Login::NotRequired => "none asked",
        Login::NotConfigured => "no PIN given",
        Login::NotTried => "not tried",
        Login::Refused => "refused",
        Login::Done => "done",
    }
}

/// The same as a sentence without its stop.
pub(crate) fn login(login: Login) -> String {
    match why_unseen(login) {
        Some(why) => format!("{why}: what is private was not to be seen"),
        None if login == Login::Done => "a user was logged in while it was read".to_owned(),
        None => "it asks for no login: everything on it was to be seen".to_owned(),
    }
}

/// Why what is private was not to be seen; `None` where it was.
pub(crate) fn why_unseen(login: Login) -> Option<&'static str> {
    match login {
        Login::NotRequired | Login::Done => None,
        Login::NotConfigured => Some("it asks for a login and no PIN is configured"),
        Login::NotTried => Some("a PIN is configured and was not tried"),
        Login::Refused => Some("it refused the login"),
    }
}

/// What its flags say of a PIN, each a line; none where nothing is noted.
pub(crate) fn pin(state: PinState) -> Vec<&'static str> {
    let noted = [
        (state.locked, "locked"),
        (state.final_try, "one more wrong one locks it"),
        (state.count_low, "a wrong one was entered since the last right one"),
        (state.to_be_changed, "it has to be changed"),
    ];
    noted.into_iter().filter(|(set, _)| *set).map(|(_, what)| what).collect()
}

/// What is noted of the PINs of the user and of the security officer, each a line.
pub(crate) fn pins(token: &Token) -> Vec<String> {
    let mut lines = Vec::new();
    if token.flags.initialized && !token.flags.user_pin_initialized {
        lines.push("PIN of the user: never set".to_owned());
    }
    for (whose, state) in [("user", token.user_pin), ("security officer", token.so_pin)] {
        let noted = pin(state);
        if !noted.is_empty() {
            lines.push(format!("PIN of the {whose}: {}", noted.join("; ")));
        }
    }
    lines
}

/// What else its flags say, each a line.
pub(crate) fn flags(token: &Token) -> Vec<&'static str> {
    let flags = &token.flags;
    let said = [
        (!flags.initialized, "not initialised"),
        (flags.error, "it failed a test of itself"),
        (flags.login_required, "a login is required"),
        (flags.protected_authentication_path, "the PIN is entered at the device"),
        (flags.write_protected, "write-protected"),
        (flags.random, "it has a random number generator"),
        (token.slot.removable, "it can be taken out"),
    ];
    said.into_iter().filter(|(set, _)| *set).map(|(_, what)| what).collect()
}

/// How many objects of each class it showed, keys first.
pub(crate) fn objects(token: &Token) -> Vec<String> {
    const CLASSES: [(&str, &str, &str); 6] = [
        ("private", "private key", "private keys"),
        ("secret-key", "symmetric key", "symmetric keys"),
        ("public", "public key", "public keys"),
        ("certificate", "certificate", "certificates"),
        ("data", "data object", "data objects"),
        ("validation", "certification", "certifications"),
    ];
    let known = CLASSES.iter().filter_map(|(class, one, many)| {
        let (_, count) = token.objects.iter().find(|(name, _)| name == class)?;
        Some(words::count(usize::try_from(*count).unwrap_or(usize::MAX), one, many))
    });
    let others =
        token.objects.iter().filter(|(name, _)| CLASSES.iter().all(|(class, _, _)| name != class));
    known.chain(others.map(|(name, count)| format!("{count} of class {name}"))).collect()
}

/// A certification, without saying that it is the word of the device: [`UNVERIFIED`] says it.
pub(crate) fn validation(validation: &Validation) -> String {
    let mut told = validation.scheme.clone();
    if let Some(version) = &validation.version {
        told.push_str(&format!(" {version}"));
    }
    let level = validation.level.map(|level| format!("level {level}"));
    let certificate = validation.certificate.as_ref().map(|number| format!("certificate {number}"));
    let module = validation.module.as_ref().map(|module| format!("for {module}"));
    let country = validation.country.as_ref().map(|country| format!("country {country}"));
    let of = validation.of.as_ref().map(|of| format!("of {of}"));
    let more = [of, level, certificate, module, country, validation.address.clone()];
    more.into_iter().flatten().for_each(|part| told.push_str(&format!(", {part}")));
    told
}

/// The library that speaks for it: what it calls itself and its versions.
pub(crate) fn module(module: &Module) -> String {
    let named = [&module.manufacturer, &module.description].into_iter().flatten().cloned();
    let version = module.version.as_ref().map(|version| format!("version {version}"));
    let interface = module.interface.as_ref().map(|version| format!("PKCS #11 {version}"));
    named.chain(version).chain(interface).collect::<Vec<_>>().join(", ")
}

/// `slot 3, Net Token Slot`.
pub(crate) fn slot(slot: &Slot) -> String {
    let named = [&slot.description, &slot.manufacturer].into_iter().flatten().cloned();
    std::iter::once(format!("slot {}", slot.id)).chain(named).collect::<Vec<_>>().join(", ")
}

/// Its name in the standard; of a vendor's the number.
pub(crate) fn mechanism(mechanism: &Mechanism) -> String {
    mechanism.name.clone().unwrap_or_else(|| format!("0x{:08x}", mechanism.number))
}

/// Sizes of keys, in the unit of the mechanism. Both are 0 where it takes no key (PKCS #11 v3.1,
/// 3.5).
pub(crate) fn sizes(mechanism: &Mechanism) -> Option<String> {
    match (mechanism.smallest, mechanism.largest) {
        (Some(0) | None, Some(0) | None) => None,
        (Some(one), Some(other)) if one == other => Some(one.to_string()),
        (Some(one), Some(other)) => Some(format!("{one} to {other}")),
        (Some(one), None) => Some(format!("from {one}")),
        (None, Some(other)) => Some(format!("to {other}")),
    }
}

/// Who does it (`CKF_HW`).
pub(crate) fn done_by(mechanism: &Mechanism) -> &'static str {
    match mechanism.hardware {
        Some(true) => "the device",
        Some(false) => "software",
        None => "not told",
    }
}

/// Shortest and longest PIN.
pub(crate) fn pin_lengths(lengths: (u64, u64)) -> String {
    format!("{} to {} octets", lengths.0, lengths.1)
}

/// Free and total memory.
pub(crate) fn memory(memory: (u64, u64)) -> String {
    format!("{} of {} octets free", memory.0, memory.1)
}

/// What an oddity means, as a sentence.
pub(crate) fn oddity(oddity: Oddity) -> &'static str {
    match oddity {
        Oddity::NeverExtractableFalse => {
            "It says of keys that never could leave that once they could (CKA_NEVER_EXTRACTABLE)."
        }
        Oddity::LocalFalse => {
            "It says of keys that were generated on the device that they were not (CKA_LOCAL)."
        }
        Oddity::FlagsUnreliable => "It tells CKA_EXTRACTABLE and CKA_MODIFIABLE wrong.",
        Oddity::SpareSlot => "There is always a slot whose token is not initialised.",
        Oddity::NoCertificates => "It keeps no certificates.",
        Oddity::SerialNotUnique => "All tokens of the kind have the same serial number.",
        Oddity::HardwareNotClaimed => {
            "It is a device and its slot does not state one (CKF_HW_SLOT)."
        }
        Oddity::AlwaysTrue => {
            "It says of keys that came from outside that they always were sensitive and never could \
             leave (CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE)."
        }
    }
}

/// Whether it is about what objects on the token say, rather than about the token.
pub(crate) fn is_of_objects(oddity: Oddity) -> bool {
    match oddity {
        Oddity::AlwaysTrue
        | Oddity::FlagsUnreliable
        | Oddity::LocalFalse
        | Oddity::NeverExtractableFalse => true,
        Oddity::HardwareNotClaimed
        | Oddity::NoCertificates
        | Oddity::SerialNotUnique
        | Oddity::SpareSlot => false,
    }
}

/// A name for programs.
pub(crate) fn oddity_name(oddity: Oddity) -> &'static str {
    match oddity {
        Oddity::NeverExtractableFalse => "never-extractable-false",
        Oddity::LocalFalse => "local-false",
        Oddity::FlagsUnreliable => "flags-unreliable",
        Oddity::SpareSlot => "spare-slot",
        Oddity::NoCertificates => "no-certificates",
        Oddity::SerialNotUnique => "serial-not-unique",
        Oddity::HardwareNotClaimed => "hardware-not-claimed",
        Oddity::AlwaysTrue => "always-true",
    }
}

/// An oddity with the product and where it is known from.
pub(crate) fn quirk(quirk: &Quirk) -> String {
    let (product, source) = (quirk.product, quirk.source);
    format!("{product}: {} ({source})", oddity(quirk.oddity))
}

/// What was asked for at the token of this place and not read.
pub(crate) fn gaps<'a>(place: &Place, view: &View<'a>) -> Vec<&'a Gap> {
    let Some(token) = place.token_part() else { return Vec::new() };
    view.inventory().gaps().filter(|gap| gap.place.token_part() == Some(token)).collect()
}

/// Everything on tokens that was asked for and not read.
pub(crate) fn all_gaps<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Gap> {
    view.inventory().gaps().filter(|gap| gap.collector == "pkcs11")
}
