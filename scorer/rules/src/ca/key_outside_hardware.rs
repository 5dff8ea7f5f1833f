//! `ca.key-outside-hardware`: the key of an authority lies where software can read it.
//!
//! ## What it looks at
//! Certificates of authorities that have not expired and are of this organisation: their private
//! key was seen, a directory registers them as an authority that issues, or they or their public
//! half lie on a token whose private objects were not seen. Not met are those whose key lies in a
//! file, in a keystore, or on a token that is software, even if it lies in a device as well.
//! ## Why it matters
//! Whoever copies the key of an authority can make any certificate of it, for ever and without a
//! trace. A device lets it be used, and not be copied.
//! ## What it cannot see
//! Keys that were not seen anywhere, such as those of authorities that are kept offline: unknown.
//! That a token is a device is what its module says of the slot (`CKF_HW_SLOT`); nobody proves it,
//! and software may say so as well. One that does not say so is software only where its mechanisms
//! say that no device does them (`CKF_HW`), else unknown. Whether the device was evaluated.

use pki_inventory::{Asset, Certificate, KeptIn, Oddity, Place, published};

use crate::population::is_shipped;
use crate::token::{odd, unread};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "ca.key-outside-hardware",
    title: "The private key of an authority lies outside of hardware",
    cites: &[
        Cite { document: "CA/B Forum TLS BR", section: "6.2.7" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
        Cite { document: "PKCS #11 v3.1", section: "3.2 and 3.4" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory", "filesystem", "pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !certificate.is_authority() {
        return Outcome::NotApplicable;
    }
    let seen = cx.view.private_places(certificate.spki);
    let hidden = hidden(asset, certificate, cx);
    let mut registered = cx.view.authorities().iter();
    let own = registered.any(|(_, it)| it.certificates.contains(&asset.id.sha256));
    if seen.is_empty() && hidden.is_none() && !own {
        return Outcome::NotApplicable;
    }
    if let Some(origin) = published(&certificate.spki) {
        return Outcome::NotApplicableBecause(format!("a key that {origin} publishes"));
    }
    if certificate.not_after < cx.as_of {
        let day = certificate.not_after.date();
        return Outcome::NotApplicableBecause(format!("it expired on {day}"));
    }
    if is_shipped(asset, cx) {
        return Outcome::NotApplicable;
    }
    let (mut devices, mut open) = (Vec::new(), Vec::new());
    for (_, sighting) in &seen {
        let place = &sighting.place;
        let token = cx.view.token_at(place).map(|(_, token)| token.kept_in());
        match (place, token) {
            (Place::Token { .. }, Some(KeptIn::Hardware)) => devices.push(place),
            (Place::Token { .. }, Some(KeptIn::Software)) => {
                return Outcome::NotMet(format!(
                    "its private key lies on a token that is software, at {place}"
                ));
            }
            (Place::Token { .. }, told) => open.push((place, told.is_some())),
            _ => return Outcome::NotMet(format!("its private key lies at {place}")),
        }
    }
    match (open.first(), devices.first(), hidden) {
        (Some((place, true)), ..) => {
            let source = odd(place, Oddity::HardwareNotClaimed, cx);
            let source = source.map_or(String::new(), |it| format!("; {} never does", it.product));
            Outcome::Unknown(format!(
                "the token with its key does not tell whether it is a device{source}, at {place}"
            ))
        }
        (Some((place, false)), ..) => {
            Outcome::Unknown(format!("nothing is known of the token with its key, at {place}"))
        }
        (None, Some(place), _) => {
            Outcome::MetBecause(format!("its private key lies on a device, at {place}"))
        }
        (None, None, Some(why)) => Outcome::Unknown(why),
        (None, None, None) => Outcome::Unknown("its private key was not seen anywhere".to_owned()),
    }
}

/// Why the private key of a certificate may lie beside it or beside its public half all the same.
fn hidden(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Option<String> {
    let records = cx.view.records_of(certificate.spki).iter().copied();
    records.chain([asset]).flat_map(Asset::places).find_map(|place| {
        let (_, token) = cx.view.token_at(place)?;
        Some(format!("{}, at {place}", unread(place, token, cx)?))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::issuing;
    use crate::fixtures::{NOW, World, authority, check, leaf, limits};
    use crate::token_fixtures::{CLOUD_KMS, TOKEN, by, in_software, private, token};

    use pki_inventory::{Authority, Certificate, Login, ObjectClass, Token, TokenObject};

    fn ca() -> Certificate {
        authority("Corp CA")
    }

    fn on(token: Option<Token>) -> World {
        let place = format!("{TOKEN};object=k;type=private");
        let world = World::default().stored(ca()).key_on(ca().spki, private(), &place);
        match token {
            Some(token) => world.token(token),
            None => world,
        }
    }

    fn registered(certificate: &Certificate) -> World {
        let certificates = vec![certificate.digest()];
        let world = World::default().stored(certificate.clone());
        world.issued_by(Authority { certificates, ..issuing(&[]) })
    }

    #[test]
    fn met_in_a_device() {
        check(&RULE, &on(Some(token())), &limits(), "met");
    }

    #[test]
    fn not_met_in_software_or_in_a_file_whatever_else_there_is() {
        check(&RULE, &on(Some(in_software())), &limits(), "not-met");
        check(&RULE, &World::default().stored(ca()).key_of(&ca()), &limits(), "not-met");
        check(&RULE, &on(Some(token())).key_of(&ca()), &limits(), "not-met");
        check(&RULE, &registered(&ca()).key_of(&ca()), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_the_key_or_the_token_was_not_seen() {
        check(&RULE, &registered(&ca()), &limits(), "unknown");
        check(&RULE, &on(None), &limits(), "unknown");
    }

    #[test]
    fn unknown_where_the_token_does_not_tell_whether_it_is_a_device() {
        let mut silent = token();
        silent.slot.hardware = false;
        check(&RULE, &on(Some(silent)), &limits(), "unknown");
        let software = in_software();
        let kms = Token { module: by(CLOUD_KMS).module, ..software };
        let world = on(Some(kms));
        check(&RULE, &world, &limits(), "unknown");
        assert!(world.sentences(&RULE, &limits())[0].contains("Cloud KMS never does"));
    }

    #[test]
    fn unknown_where_it_lies_on_a_token_whose_private_objects_were_not_seen() {
        let locked = || Token { login: Login::NotConfigured, ..token() };
        let world = World::default().token(locked()).certificate_on(ca(), "01");
        check(&RULE, &world, &limits(), "unknown");
        assert!(world.sentences(&RULE, &limits())[0].contains("no PIN is configured"));
        let public = TokenObject::of(ObjectClass::PublicKey);
        let place = format!("{TOKEN};object=k;type=public");
        let half = World::default().token(locked()).stored(ca()).key_on(ca().spki, public, &place);
        check(&RULE, &half, &limits(), "unknown");
        check(&RULE, &half.key_of(&ca()), &limits(), "not-met");
        // One that was read as a whole does not have it.
        let world = World::default().token(token()).certificate_on(ca(), "01");
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_others_to_leaves_and_to_what_has_expired() {
        check(&RULE, &World::default().stored(ca()), &limits(), "not-applicable");
        let one = leaf("a.example");
        let world = World::default().stored(one.clone()).key_of(&one);
        check(&RULE, &world, &limits(), "not-applicable");
        let old = Certificate { not_after: NOW.plus_days(-1), ..ca() };
        check(&RULE, &registered(&old).key_of(&old), &limits(), "not-applicable");
    }
}
