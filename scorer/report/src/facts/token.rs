//! The facts of tokens and of the objects on them as JSON.

use pki_inventory::{
    Asset, Mechanism, PinState, SecretKey, Sighting, Time, Token, TokenKey, TokenObject, Usage,
    Validation, View, quirks,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{algorithm, ids, value};
use crate::token::{self, UNVERIFIED};

fn pin(state: PinState) -> Value {
    json!({
        "count_low": state.count_low,
        "final_try": state.final_try,
        "locked": state.locked,
        "to_be_changed": state.to_be_changed,
    })
}

fn memory(memory: Option<(u64, u64)>) -> Value {
    memory.map_or(Value::Null, |(free, total)| json!({ "free": free, "total": total }))
}

fn mechanism(mechanism: &Mechanism) -> Value {
    json!({
        "number": mechanism.number,
        "name": mechanism.name,
        "smallest": mechanism.smallest,
        "largest": mechanism.largest,
        "hardware": mechanism.hardware,
        "uses": mechanism.uses,
    })
}

fn validation(validation: &Validation) -> Value {
    json!({
        "scheme": validation.scheme,
        "of": validation.of,
        "version": validation.version,
        "level": validation.level,
        "module": validation.module,
        "country": validation.country,
        "certificate": validation.certificate,
        "address": validation.address,
        "standing": UNVERIFIED,
    })
}

pub(super) fn token(asset: &Asset, body: &Token, view: &View<'_>) -> Value {
    let (module, slot, flags) = (&body.module, &body.slot, &body.flags);
    let lengths = body.pin_lengths;
    let lengths = lengths.map(|(least, most)| json!({ "shortest": least, "longest": most }));
    let counts = body.objects.iter();
    let counts = counts.map(|(class, count)| json!({ "class": class, "count": count }));
    let known = quirks(body).map(|quirk| {
        json!({
            "oddity": token::oddity_name(quirk.oddity),
            "meaning": token::oddity(quirk.oddity),
            "product": quirk.product,
            "source": quirk.source,
        })
    });
    let held = || asset.places().flat_map(|place| view.objects_on(place));
    let of = |secret: bool| {
        let wanted = held().filter(|held| held.object.is_secret() == secret);
        let wanted: std::collections::BTreeSet<_> = wanted.map(|held| held.asset.id).collect();
        ids(wanted)
    };
    json!({
        "label": body.label,
        "manufacturer": body.manufacturer,
        "model": body.model,
        "serial": body.serial,
        "hardware_version": body.hardware_version,
        "firmware_version": body.firmware_version,
        "kept_in": token::kept_in(body),
        "module": {
            "path": module.path,
            "manufacturer": module.manufacturer,
            "description": module.description,
            "version": module.version,
            "interface": module.interface,
        },
        "slot": {
            "id": slot.id,
            "description": slot.description,
            "manufacturer": slot.manufacturer,
            "hardware": slot.hardware,
            "removable": slot.removable,
        },
        "flags": {
            "random": flags.random,
            "write_protected": flags.write_protected,
            "login_required": flags.login_required,
            "user_pin_initialized": flags.user_pin_initialized,
            "protected_authentication_path": flags.protected_authentication_path,
            "initialized": flags.initialized,
            "error": flags.error,
        },
        "user_pin": pin(body.user_pin),
        "so_pin": pin(body.so_pin),
        "pin_lengths": lengths,
        "sessions": body.sessions,
        "public_memory": memory(body.public_memory),
        "private_memory": memory(body.private_memory),
        "clock": body.clock.map(|time| time.to_string()),
        "mechanisms":
            body.mechanisms.as_ref().map(|all| all.iter().map(mechanism).collect::<Vec<_>>()),
        "login": value(&body.login),
        "objects": counts.collect::<Vec<_>>(),
        "validations": body.validations.iter().map(validation).collect::<Vec<_>>(),
        "quirks": known.collect::<Vec<_>>(),
        "keys": of(true),
        "public_objects": of(false),
    })
}

pub(super) fn secret_key(asset: &Asset, body: &SecretKey, view: &View<'_>) -> Value {
    let tokens = asset.places().filter_map(|place| view.token_at(place));
    json!({
        "algorithm": value(&algorithm(&body.algorithm)),
        "tokens": ids(tokens.map(|(token, _)| token.id)),
    })
}

/// The attributes of an object. One that it does not have or that was not told is absent; `untold`
/// says which of those that were asked for, and why.
#[derive(Serialize)]
pub(super) struct ObjectFacts<'a> {
    class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modifiable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copyable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_gen_mechanism: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    always_sensitive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extractable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    never_extractable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrap_with_trusted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    always_authenticate: Option<bool>,
    usages: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_mechanisms: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_exponent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    templates: &'a [String],
    untold: &'a std::collections::BTreeMap<String, String>,
}

pub(super) fn object(object: &TokenObject) -> ObjectFacts<'_> {
    let time = |time: Option<Time>| time.map(|time| time.to_string());
    let usages = object.usages.iter();
    ObjectFacts {
        class: object.class.name(),
        id: object.id.as_deref(),
        unique_id: object.unique_id.as_deref(),
        key_type: object.key_type.as_deref(),
        token: object.token,
        private: object.private,
        modifiable: object.modifiable,
        copyable: object.copyable,
        destroyable: object.destroyable,
        local: object.local,
        key_gen_mechanism: object.key_gen_mechanism.as_deref(),
        sensitive: object.sensitive,
        always_sensitive: object.always_sensitive,
        extractable: object.extractable,
        never_extractable: object.never_extractable,
        wrap_with_trusted: object.wrap_with_trusted,
        trusted: object.trusted,
        always_authenticate: object.always_authenticate,
        usages: usages.map(|(usage, may)| (usage_name(*usage).to_owned(), (*may).into())).collect(),
        allowed_mechanisms: object.allowed_mechanisms.as_deref(),
        public_exponent: object.public_exponent.as_deref(),
        start: time(object.start),
        end: time(object.end),
        templates: &object.templates,
        untold: &object.untold,
    }
}

fn usage_name(usage: Usage) -> &'static str {
    match usage {
        Usage::Decapsulate => "decapsulate",
        Usage::Decrypt => "decrypt",
        Usage::Derive => "derive",
        Usage::Encapsulate => "encapsulate",
        Usage::Encrypt => "encrypt",
        Usage::Sign => "sign",
        Usage::SignRecover => "sign-recover",
        Usage::Unwrap => "unwrap",
        Usage::Verify => "verify",
        Usage::VerifyRecover => "verify-recover",
        Usage::Wrap => "wrap",
    }
}

/// A private or symmetric key with every object on a token that it is, for the document: there keys
/// have no facts of their own.
pub(crate) fn token_key(key: &TokenKey<'_>, view: &View<'_>) -> Value {
    use pki_inventory::Body;
    let (algorithm, spki) = match &key.asset.body {
        Body::Key(key) => (key.algorithm.as_ref(), key.spki),
        Body::SecretKey(key) => (Some(&key.algorithm), None),
        _ => (None, None),
    };
    let certified = spki.map_or(&[][..], |spki| view.certificates_of(spki));
    let elsewhere = spki.map(|spki| view.private_places(spki)).unwrap_or_default();
    let elsewhere = elsewhere.iter().map(|(_, sighting)| &sighting.place);
    let elsewhere = elsewhere.filter(|place| place.token_part().is_none());
    let objects = key.objects.iter().map(|held| {
        let Sighting { place, collector, first_seen, last_seen, circumstances } = held.sighting;
        json!({
            "place": place.to_string(),
            "token": view.token_at(place).map(|(token, _)| token.id.to_string()),
            "collector": collector,
            "first_seen": first_seen.to_string(),
            "last_seen": last_seen.to_string(),
            "label": circumstances.label,
            "attributes": value(&object(held.object)),
        })
    });
    json!({
        "id": key.asset.id.to_string(),
        "algorithm": algorithm.map(|algorithm| value(&super::algorithm(algorithm))),
        "certificates": ids(certified.iter().map(|asset| asset.id)),
        "elsewhere": elsewhere.map(ToString::to_string).collect::<Vec<_>>(),
        "objects": objects.collect::<Vec<_>>(),
    })
}
