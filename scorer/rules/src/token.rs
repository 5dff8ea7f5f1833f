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

/// A yes or no that a token tells of an object, or why it is not known. What the product is known to
/// tell wrong is not known either.
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
fn odd(place: &Place, oddity: Oddity, cx: &RuleContext<'_>) -> Option<&'static Quirk> {
    let (_, token) = cx.view.token_at(place)?;
    quirks(token).find(|quirk| quirk.oddity == oddity)
}

/// Judges a key by each of its objects: what one of them shows decides, then what is not known of
/// one; sentences name the places.
fn each(key: &TokenKey<'_>, judge: impl Fn(&Held<'_>) -> Outcome) -> Outcome {
    let mut not_met: BTreeMap<String, Vec<&Place>> = BTreeMap::new();
    let mut unknown = not_met.clone();
    let mut rest = Outcome::NotApplicable;
    for held in &key.objects {
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
    if !not_met.is_empty() {
        return Outcome::NotMet(placed(not_met));
    }
    if unknown.is_empty() { rest } else { Outcome::Unknown(placed(unknown)) }
}

fn placed(sentences: BTreeMap<String, Vec<&Place>>) -> String {
    let all = sentences.into_iter().map(|(why, places)| {
        format!("{why}, at {}", some(places.into_iter().map(ToString::to_string)))
    });
    all.collect::<Vec<_>>().join("; ")
}

/// The first few, and how many more there are.
fn some(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// Why not all keys on the token of this place were seen; `None` where they were.
fn unread(place: &Place, token: &Token, cx: &RuleContext<'_>) -> Option<String> {
    let why = match token.login {
        Login::Done | Login::NotRequired => {
            let module = Place::file(&token.module.path);
            let is_of = |at: &Place| at.token_part() == place.token_part() || *at == module;
            let mut gaps = cx.view.inventory().gaps();
            let gap = gaps.find(|gap| gap.collector == "pkcs11" && is_of(&gap.place));
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
    use crate::token_fixtures::{TOKEN, private, token};

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
        let bad = TokenObject { sensitive: Some(false), ..private() };
        let sentences = spread(&[bad.clone(), bad.clone(), bad.clone(), bad.clone(), bad]);
        let sentences = sentences.sentences(&RULE, &limits());
        assert!(sentences[0].ends_with("serial=012;id=%01;type=private and 2 more"));
        assert_eq!(sentences.len(), 1);
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
