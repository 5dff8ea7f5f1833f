//! Rules about cryptographic tokens and the keys on them.

pub(crate) mod certificate_without_key;
pub(crate) mod identity_incomplete;
pub(crate) mod in_error;
pub(crate) mod key_exponent_small;
pub(crate) mod key_extractable;
pub(crate) mod key_id_duplicate;
pub(crate) mod key_id_missing;
pub(crate) mod key_imported;
pub(crate) mod key_kept_after_expiry;
pub(crate) mod key_mechanism_weak;
pub(crate) mod key_modifiable;
pub(crate) mod key_not_private;
pub(crate) mod key_not_sensitive;
pub(crate) mod key_on_several_tokens;
pub(crate) mod key_once_exposed;
pub(crate) mod key_pair_wraps;
pub(crate) mod key_usage_pair;
pub(crate) mod key_without_certificate;
pub(crate) mod key_wrappable_by_trusted;
pub(crate) mod mechanism_weak;
pub(crate) mod not_initialised;
pub(crate) mod pin_at_risk;
pub(crate) mod secret_key_weak;
pub(crate) mod serial_duplicate;
pub(crate) mod wrapping_key_untrusted;

use std::collections::BTreeMap;

use pki_inventory::{
    Held, Login, ObjectClass, Oddity, Place, Quirk, Token, TokenKey, Usage, quirks,
};

use crate::weak_mechanisms::words;
use crate::{Outcome, RuleContext};

/// Names, places and the like that a sentence lists before it only counts.
const NAMED: usize = 3;

/// A yes or no that a token tells of an object, or why it is not known. What the product is known
/// to tell wrong is not known either.
fn told(
    held: &Held<'_>,
    attribute: &str,
    value: Option<bool>,
    cx: &RuleContext<'_>,
) -> Result<bool, String> {
    let value = value.ok_or_else(|| untold(held, attribute))?;
    let oddity = match (attribute, value) {
        ("CKA_EXTRACTABLE" | "CKA_MODIFIABLE", _) => Oddity::FlagsUnreliable,
        ("CKA_LOCAL", false) => Oddity::LocalFalse,
        ("CKA_NEVER_EXTRACTABLE", false) => Oddity::NeverExtractableFalse,
        ("CKA_ALWAYS_SENSITIVE" | "CKA_NEVER_EXTRACTABLE", true) => Oddity::AlwaysTrue,
        _ => return Ok(value),
    };
    match odd(&held.sighting.place, oddity, cx) {
        None => Ok(value),
        Some(quirk) => Err(format!(
            "what {} tells of {attribute} is not to be relied on ({})",
            quirk.product, quirk.source
        )),
    }
}

/// The same of an attribute whose default is no (4.8 to 4.10): where the module calls its type
/// invalid, the object has no such attribute, and that is the default. Any other reason leaves it
/// open.
fn told_or_no(
    held: &Held<'_>,
    attribute: &str,
    value: Option<bool>,
    cx: &RuleContext<'_>,
) -> Result<bool, String> {
    let is_invalid = held.object.untold.get(attribute).is_some_and(|why| why == "invalid");
    told(held, attribute, value.or(is_invalid.then_some(false)), cx)
}

/// Whether an object may be used so, or why it is not known.
fn may(held: &Held<'_>, usage: Usage) -> Result<bool, String> {
    let (_, attribute) = words(usage);
    held.object.may(usage).ok_or_else(|| untold(held, attribute))
}

/// That an attribute was not told, and why where the token said so.
fn untold(held: &Held<'_>, attribute: &str) -> String {
    match held.object.untold.get(attribute) {
        Some(why) => format!("the token does not tell {attribute} ({why})"),
        None => format!("the token does not tell {attribute}"),
    }
}

/// What is known to be odd about the token of this place.
pub(crate) fn odd(place: &Place, oddity: Oddity, cx: &RuleContext<'_>) -> Option<&'static Quirk> {
    let (_, token) = cx.view.token_at(place)?;
    quirks(token).find(|quirk| quirk.oddity == oddity)
}

/// Judges a key by each of its objects: what one of them shows decides, then what is not known of
/// one. Sentences name the places unless all objects share what is said: the finding has them all.
fn each(key: &TokenKey<'_>, judge: impl Fn(&Held<'_>) -> Outcome) -> Outcome {
    judged(&key.objects, false, judge)
}

/// The same for findings that are not about the key, and do not have its places.
pub(crate) fn each_placed(objects: &[Held<'_>], judge: impl Fn(&Held<'_>) -> Outcome) -> Outcome {
    judged(objects, true, judge)
}

fn judged(objects: &[Held<'_>], always: bool, judge: impl Fn(&Held<'_>) -> Outcome) -> Outcome {
    let mut not_met: BTreeMap<String, Vec<&Place>> = BTreeMap::new();
    let mut unknown = not_met.clone();
    let mut rest = Outcome::NotApplicable;
    for held in objects {
        let place = &held.sighting.place;
        match judge(held) {
            Outcome::NotMet(why) => not_met.entry(why).or_default().push(place),
            Outcome::Unknown(why) => unknown.entry(why).or_default().push(place),
            Outcome::NotApplicable => {}
            // That the rule is not about one object says less than that another one is met.
            outcome if rest.name() == "not-applicable" => rest = outcome,
            _ => {}
        }
    }
    let placed = |sentences: BTreeMap<String, Vec<&Place>>| {
        let all = sentences.into_iter().map(|(why, places)| {
            if places.len() == objects.len() && !always {
                return why;
            }
            format!("{why}, at {}", some(places.into_iter().map(ToString::to_string)))
        });
        all.collect::<Vec<_>>().join("; ")
    };
    if !not_met.is_empty() {
        return Outcome::NotMet(placed(not_met));
    }
    if unknown.is_empty() { rest } else { Outcome::Unknown(placed(unknown)) }
}

/// The first few, and how many more there are.
fn some(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// Whether a token was set up. The flag is not to be relied on where something lies on it: somebody
/// put that there.
fn is_set_up(token: &Token) -> bool {
    token.flags.initialized || token.objects.iter().any(|(_, count)| *count > 0)
}

/// Why not all keys on the token of this place were seen; `None` where they were.
pub(crate) fn unread(place: &Place, token: &Token, cx: &RuleContext<'_>) -> Option<String> {
    let why = match token.login {
        Login::Done | Login::NotRequired => {
            let module = Place::file(&token.module.path);
            let is_of = |at: &Place| at.token_part() == place.token_part() || *at == module;
            let gap = cx.view.token_gaps().iter().find(|gap| is_of(&gap.place));
            return gap.map(|gap| format!("the token was not read as a whole ({})", gap.reason));
        }
        Login::NotConfigured => "no PIN is configured for it",
        Login::NotTried => "the PIN was not tried",
        Login::Refused => "the PIN was refused",
    };
    Some(format!("the private objects of the token were not to be seen: {why}"))
}

/// Whether a key is symmetric on every token it lies on.
fn is_symmetric(key: &TokenKey<'_>) -> bool {
    key.objects.iter().all(|held| held.object.class == ObjectClass::SecretKey)
}

#[cfg(test)]
mod tests {
    use super::key_not_sensitive::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{TOKEN, holding, private, secret, token};

    use pki_inventory::{Digest, TokenObject};

    fn spread(objects: &[TokenObject]) -> World {
        let mut world = World::default();
        for (number, object) in objects.iter().enumerate() {
            let place = format!("{TOKEN}{number}");
            world = world.token_at(token(), &place);
            let place = format!("{place};id=%01;type=private");
            world = world.key_on(Digest::of(b"k"), object.clone(), &place);
        }
        world
    }

    #[test]
    fn one_bad_object_of_several_decides_and_is_named() {
        let bad = TokenObject { sensitive: Some(false), ..private() };
        let world = spread(&[private(), bad]);
        check(&RULE, &world, &limits(), "not-met");
        let sentences = world.sentences(&RULE, &limits());
        assert!(sentences[0].ends_with("serial=011;id=%01;type=private"), "{sentences:?}");
    }

    #[test]
    fn more_than_three_places_are_counted() {
        let bad = || TokenObject { sensitive: Some(false), ..private() };
        let sentences = spread(&[bad(), bad(), bad(), bad(), bad(), private()]);
        let sentences = sentences.sentences(&RULE, &limits());
        assert!(sentences[0].ends_with("serial=012;id=%01;type=private and 2 more"));
        assert_eq!(sentences.len(), 1);
    }

    #[test]
    fn places_that_all_objects_share_are_left_to_the_finding() {
        let bad = || TokenObject { sensitive: Some(false), ..private() };
        for world in [spread(&[bad()]), spread(&[bad(), bad()])] {
            let sentence = world.sentences(&RULE, &limits()).concat();
            assert!(!sentence.contains("pkcs11:"), "{sentence}");
        }
    }

    #[test]
    fn an_attribute_of_an_invalid_type_is_no_and_any_other_reason_leaves_it_open() {
        use super::{key_extractable, key_wrappable_by_trusted, wrapping_key_untrusted};
        let open = |reason: &str| {
            let mut object =
                TokenObject { extractable: Some(true), wrap_with_trusted: None, ..private() };
            object.untold.insert("CKA_WRAP_WITH_TRUSTED".to_owned(), reason.to_owned());
            object
        };
        let wrapping = |reason: &str| {
            let mut object = TokenObject { trusted: None, ..secret() };
            object.usages.insert(pki_inventory::Usage::Wrap, true);
            object.untold.insert("CKA_TRUSTED".to_owned(), reason.to_owned());
            object
        };
        check(&key_extractable::RULE, &holding(open("invalid")), &limits(), "not-met");
        check(&key_extractable::RULE, &holding(open("unavailable")), &limits(), "unknown");
        let rule = &key_wrappable_by_trusted::RULE;
        check(rule, &holding(open("invalid")), &limits(), "not-applicable");
        check(rule, &holding(open("CKR_DEVICE_ERROR")), &limits(), "unknown");
        let rule = &wrapping_key_untrusted::RULE;
        for (of_key, of_wrapping, expected) in [
            ("invalid", "invalid", "not-met"),
            ("unavailable", "invalid", "unknown"),
            ("invalid", "CKR_DEVICE_ERROR", "unknown"),
        ] {
            let world = holding(open(of_key)).on_token(wrapping(of_wrapping));
            check(rule, &world, &limits(), expected);
        }
    }

    #[test]
    fn an_object_of_which_it_is_not_told_comes_before_one_that_is_as_it_should_be() {
        let silent = TokenObject { sensitive: None, ..private() };
        check(&RULE, &spread(&[private(), silent]), &limits(), "unknown");
    }

    #[test]
    fn a_reason_of_the_token_is_in_the_sentence() {
        let mut silent = TokenObject { sensitive: None, ..private() };
        silent.untold.insert("CKA_SENSITIVE".to_owned(), "CKR_DEVICE_ERROR".to_owned());
        let sentences = spread(&[silent]).sentences(&RULE, &limits());
        assert!(sentences[0].contains("CKA_SENSITIVE (CKR_DEVICE_ERROR)"), "{sentences:?}");
    }
}
