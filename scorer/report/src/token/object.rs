//! What a token says of one object on it, in words.

use std::collections::BTreeSet;

use pki_inventory::{Asset, ObjectClass, Sighting, Token, TokenObject, Usage, View};

/// How an object is protected, one line of it.
pub(crate) struct Said {
    /// The line.
    pub(crate) text: String,
    /// Whether it says that something is open. Who prints it says so by more than a colour: the
    /// line itself has the words.
    pub(crate) open: bool,
}

/// Yes, no, or that the token did not tell.
pub(crate) fn told(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not told",
    }
}

/// Whether it is sensitive, and whether it always was, in a few letters.
pub(crate) fn sensitive_word(object: &TokenObject) -> &'static str {
    match (object.sensitive, object.always_sensitive) {
        (Some(true), Some(true)) => "yes, always",
        (Some(true), Some(false)) => "yes, was not",
        (Some(true), None) => "yes, not told",
        (Some(false), _) => "no",
        (None, _) => "not told",
    }
}

/// Whether it is extractable, and whether it ever was, in a few letters.
pub(crate) fn extractable_word(object: &TokenObject) -> &'static str {
    match (object.extractable, object.never_extractable) {
        (Some(false), Some(true)) => "no, never was",
        (Some(false), Some(false)) => "no, but was",
        (Some(false), None) => "no, not told",
        (Some(true), _) => "yes",
        (None, _) => "not told",
    }
}

/// Its `CKA_ID` in words.
pub(crate) fn id(object: &TokenObject) -> &str {
    match object.id.as_deref() {
        None => "not told",
        Some("") => "empty",
        Some(id) => id,
    }
}

/// What it is called there: its label, else its `CKA_ID`.
pub(crate) fn name(sighting: &Sighting, object: &TokenObject) -> String {
    let label = sighting.circumstances.label.clone().filter(|label| !label.is_empty());
    let id = object.id.as_ref().filter(|id| !id.is_empty()).map(|id| format!("id {id}"));
    label.or(id).unwrap_or_else(|| "without label and id".to_owned())
}

/// What a key is called on a token, and on which: `k1 on CA keys`. Its private half names it where
/// it has one there. `None` for a key that lies on no token.
pub(crate) fn on(asset: &Asset, view: &View<'_>) -> Option<String> {
    let objects = asset.sightings();
    let mut objects: Vec<(&Sighting, &TokenObject)> =
        objects.filter_map(|at| Some((at, at.circumstances.token.as_deref()?))).collect();
    objects.sort_by_key(|(_, object)| !object.is_secret());
    let (at, object) = objects.first()?;
    let tokens: BTreeSet<_> = objects.iter().filter_map(|(at, _)| at.place.token_part()).collect();
    let on = view.token_at(&at.place);
    let on = on.map_or_else(String::new, |(_, on)| format!(" on {}", super::distinct(on, view)));
    let more = match tokens.len() {
        0 | 1 => String::new(),
        several => format!(" and {} more", several - 1),
    };
    Some(format!("{}{on}{more}", name(at, object)))
}

/// A word for a class.
pub(crate) fn class(class: ObjectClass) -> &'static str {
    match class {
        ObjectClass::Certificate => "certificate",
        ObjectClass::PublicKey => "public key",
        ObjectClass::PrivateKey => "private key",
        ObjectClass::SecretKey => "symmetric key",
    }
}

/// Where a key came from and how it is kept from leaving, each a line. What the token did not tell
/// is said to be so, with the reason where there is one. Without its token nothing is known of
/// logins but what the object itself says.
pub(crate) fn protection(object: &TokenObject, token: Option<&Token>) -> Vec<Said> {
    if !object.is_secret() {
        return Vec::new();
    }
    let mut lines = vec![born(object), sensitive(object), extractable(object)];
    let closed = |text: &str| Said { text: text.to_owned(), open: false };
    let open = |text: &str| Said { text: text.to_owned(), open: true };
    // CKA_PRIVATE asks for a login where there are logins (CKF_LOGIN_REQUIRED; PKCS #11 v3.1, 3.2).
    let no_login = token.is_some_and(|token| !token.flags.login_required);
    lines.push(match object.private {
        Some(true) if no_login => open("the token asks for no login"),
        Some(true) => closed("shown after a login only"),
        Some(false) => open("shown without a login"),
        None => untold(object, "whether it is shown without a login", "CKA_PRIVATE"),
    });
    lines.extend((object.modifiable == Some(true)).then(|| open("its attributes can be changed")));
    let at_each = object.always_authenticate == Some(true);
    lines.extend(at_each.then(|| closed("each use asks for the PIN")));
    lines.extend((object.trusted == Some(true)).then(|| closed("trusted to take other keys out")));
    lines
}

fn born(object: &TokenObject) -> Said {
    let by = object.key_gen_mechanism.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    match object.local {
        Some(true) => Said { text: format!("generated on the token{by}"), open: false },
        Some(false) => Said { text: "not generated on the token".to_owned(), open: true },
        None => untold(object, "whether it was generated on the token", "CKA_LOCAL"),
    }
}

fn sensitive(object: &TokenObject) -> Said {
    let (text, open) = match (object.sensitive, object.always_sensitive) {
        (Some(false), _) => ("not sensitive: its value can be read in the clear", true),
        (Some(true), Some(true)) => ("sensitive, and always was", false),
        (Some(true), Some(false)) => ("sensitive, but was not always", true),
        (Some(true), None) => ("sensitive; not told whether it always was", false),
        (None, _) => return untold(object, "whether it is sensitive", "CKA_SENSITIVE"),
    };
    Said { text: text.to_owned(), open }
}

fn extractable(object: &TokenObject) -> Said {
    let (text, open) = match (object.extractable, object.never_extractable) {
        (Some(true), _) if object.wrap_with_trusted == Some(true) => {
            ("extractable, under trusted keys only", true)
        }
        (Some(true), _) => ("extractable", true),
        (Some(false), Some(true)) => ("not extractable, and never was", false),
        (Some(false), Some(false)) => ("not extractable, but once was", true),
        (Some(false), None) => ("not extractable; not told whether it ever was", false),
        (None, _) => return untold(object, "whether it is extractable", "CKA_EXTRACTABLE"),
    };
    Said { text: text.to_owned(), open }
}

fn untold(object: &TokenObject, what: &str, attribute: &str) -> Said {
    let reason = object.untold.get(attribute);
    let reason = reason.map_or_else(String::new, |reason| format!(" ({attribute}: {reason})"));
    Said { text: format!("not told {what}{reason}"), open: false }
}

/// What it may be used for.
pub(crate) fn usages(object: &TokenObject) -> Vec<&'static str> {
    let may = object.usages.iter().filter(|(_, may)| **may);
    may.map(|(usage, _)| of_usage(*usage).1).collect()
}

/// In a line: how it is protected and what it may be used for; of a public object its `CKA_ID`.
pub(crate) fn in_short(object: &TokenObject, token: Option<&Token>) -> String {
    let protection = protection(object, token);
    let mut parts: Vec<String> = protection.into_iter().map(|said| said.text).collect();
    let usages = usages(object);
    if object.is_secret() && !usages.is_empty() {
        parts.push(format!("may {}", usages.join(", ")));
    }
    if parts.is_empty() {
        parts.push(class(object.class).to_owned());
        parts.extend(object.id.as_ref().filter(|id| !id.is_empty()).map(|id| format!("id {id}")));
    }
    parts.join("; ")
}

/// Every attribute that was told, by its name in the standard, and with `open` those that were
/// asked for and not told.
pub(crate) fn attributes(object: &TokenObject) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut text = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| (name.to_owned(), value)));
    };
    let date = |time: Option<pki_inventory::Time>| time.map(|time| time.date());
    let empty = |id: &String| if id.is_empty() { "empty".to_owned() } else { id.clone() };
    text("CKA_ID", object.id.as_ref().map(empty));
    text("CKA_UNIQUE_ID", object.unique_id.clone());
    text("CKA_KEY_TYPE", object.key_type.clone());
    for (name, value) in booleans(object) {
        text(name, value.map(|_| told(value).to_owned()));
    }
    text("CKA_KEY_GEN_MECHANISM", object.key_gen_mechanism.clone());
    for (usage, may) in &object.usages {
        text(of_usage(*usage).0, Some(told(Some(*may)).to_owned()));
    }
    let allowed = object.allowed_mechanisms.as_ref().map(|names| match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    });
    text("CKA_ALLOWED_MECHANISMS", allowed);
    text("CKA_PUBLIC_EXPONENT", object.public_exponent.as_ref().map(|hex| format!("0x{hex}")));
    text("CKA_START_DATE", date(object.start));
    text("CKA_END_DATE", date(object.end));
    let templates = (!object.templates.is_empty()).then(|| object.templates.join(", "));
    text("templates", templates);
    let untold = object.untold.iter();
    lines.extend(untold.map(|(name, why)| (name.clone(), format!("not told: {why}"))));
    lines
}

/// The attributes that are yes or no, usages apart.
fn booleans(object: &TokenObject) -> [(&'static str, Option<bool>); 13] {
    [
        ("CKA_TOKEN", object.token),
        ("CKA_PRIVATE", object.private),
        ("CKA_MODIFIABLE", object.modifiable),
        ("CKA_COPYABLE", object.copyable),
        ("CKA_DESTROYABLE", object.destroyable),
        ("CKA_LOCAL", object.local),
        ("CKA_SENSITIVE", object.sensitive),
        ("CKA_ALWAYS_SENSITIVE", object.always_sensitive),
        ("CKA_EXTRACTABLE", object.extractable),
        ("CKA_NEVER_EXTRACTABLE", object.never_extractable),
        ("CKA_WRAP_WITH_TRUSTED", object.wrap_with_trusted),
        ("CKA_TRUSTED", object.trusted),
        ("CKA_ALWAYS_AUTHENTICATE", object.always_authenticate),
    ]
}

/// The attribute of a usage, and a word for it.
fn of_usage(usage: Usage) -> (&'static str, &'static str) {
    match usage {
        Usage::Decapsulate => ("CKA_DECAPSULATE", "decapsulate"),
        Usage::Decrypt => ("CKA_DECRYPT", "decrypt"),
        Usage::Derive => ("CKA_DERIVE", "derive"),
        Usage::Encapsulate => ("CKA_ENCAPSULATE", "encapsulate"),
        Usage::Encrypt => ("CKA_ENCRYPT", "encrypt"),
        Usage::Sign => ("CKA_SIGN", "sign"),
        Usage::SignRecover => ("CKA_SIGN_RECOVER", "sign with recovery"),
        Usage::Unwrap => ("CKA_UNWRAP", "unwrap"),
        Usage::Verify => ("CKA_VERIFY", "verify"),
        Usage::VerifyRecover => ("CKA_VERIFY_RECOVER", "verify with recovery"),
        Usage::Wrap => ("CKA_WRAP", "wrap"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(object: &TokenObject) -> Vec<(String, bool)> {
        protection(object, None).into_iter().map(|said| (said.text, said.open)).collect()
    }

    #[test]
    fn what_is_not_told_is_neither_open_nor_closed() {
        let mut object = TokenObject::of(ObjectClass::PrivateKey);
        object.untold.insert("CKA_EXTRACTABLE".to_owned(), "sensitive".to_owned());
        let told = lines(&object);
        assert!(told.iter().all(|(text, open)| text.starts_with("not told") && !open), "{told:?}");
        let why = "not told whether it is extractable (CKA_EXTRACTABLE: sensitive)";
        assert!(told.iter().any(|(text, _)| text == why), "{told:?}");
        let attributes = attributes(&object);
        let expected = ("CKA_EXTRACTABLE".to_owned(), "not told: sensitive".to_owned());
        assert_eq!(attributes, [expected], "what has no value has no line");
    }

    #[test]
    fn the_past_of_a_key_is_told_beside_its_present() {
        let mut object = TokenObject::of(ObjectClass::SecretKey);
        (object.sensitive, object.always_sensitive) = (Some(true), Some(false));
        (object.extractable, object.never_extractable) = (Some(false), Some(false));
        let told = lines(&object);
        assert!(told.contains(&("sensitive, but was not always".to_owned(), true)), "{told:?}");
        assert!(told.contains(&("not extractable, but once was".to_owned(), true)), "{told:?}");
        (object.extractable, object.wrap_with_trusted) = (Some(true), Some(true));
        let told = lines(&object);
        let trusted = ("extractable, under trusted keys only".to_owned(), true);
        assert!(told.contains(&trusted), "{told:?}");
        object.wrap_with_trusted = Some(false);
        assert!(lines(&object).contains(&("extractable".to_owned(), true)));
    }

    #[test]
    fn a_public_object_has_nothing_to_protect() {
        let mut object = TokenObject::of(ObjectClass::PublicKey);
        object.id = Some("01".to_owned());
        assert!(protection(&object, None).is_empty());
        assert_eq!(in_short(&object, None), "public key; id 01");
    }
}
