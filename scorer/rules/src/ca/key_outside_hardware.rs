//! `ca.key-outside-hardware`: the key of an authority lies where software can read it.
//!
//! ## What it looks at
//! Certificates of authorities that have not expired and are of this organisation: their private key
//! was seen, or a directory registers them as an authority that issues. Not met are those whose key
//! lies in a file, in a keystore, or on a token that does not claim to be a device, even if it lies
//! in one as well.
//! ## Why it matters
//! Whoever copies the key of an authority can make any certificate of it, for ever and without a
//! trace. A device lets it be used, and not be copied.
//! ## What it cannot see
//! Keys that were not seen anywhere, such as those of authorities that are kept offline: unknown. That a
//! token is a device is what its module says of the slot (`CKF_HW_SLOT`); nobody proves it, and software
//! may say so as well. Whether the device was evaluated.

use pki_inventory::{Asset, Certificate, Place, published};

use crate::population::is_shipped;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "ca.key-outside-hardware",
    title: "The private key of an authority lies outside of hardware",
    cites: &[
        Cite { document: "CA/B Forum TLS BR", section: "6.2.7" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
        Cite { document: "PKCS #11 v3.1", section: "3.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    let seen = cx.view.private_places(certificate.spki);
    let registered = cx.view.authorities().iter();
    let is_registered = || {
        registered.clone().any(|(_, authority)| authority.certificates.contains(&asset.id.sha256))
    };
    if !certificate.is_authority() || (seen.is_empty() && !is_registered()) {
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
    let mut devices = Vec::new();
    let mut open = None;
    for (_, sighting) in &seen {
        let place = &sighting.place;
        match (place, cx.view.token_at(place)) {
            (Place::Token { .. }, Some((_, token))) if token.slot.hardware => devices.push(place),
            (Place::Token { .. }, Some(_)) => {
                return Outcome::NotMet(format!(
                    "its private key lies on a token that does not claim to be a device, at {place}"
                ));
            }
            (Place::Token { .. }, None) => open = Some(place),
            _ => return Outcome::NotMet(format!("its private key lies at {place}")),
        }
    }
    match (open, devices.first()) {
        (Some(place), _) => {
            Outcome::Unknown(format!("nothing is known of the token with its key, at {place}"))
        }
        (None, Some(place)) => {
            Outcome::MetBecause(format!("its private key lies on a device, at {place}"))
        }
        (None, None) => Outcome::Unknown("its private key was not seen anywhere".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::issuing;
    use crate::fixtures::{NOW, World, authority, check, leaf, limits};
    use crate::token_fixtures::{TOKEN, private, token};

    use pki_inventory::{Authority, Certificate, Token};

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

    fn in_software() -> Token {
        let mut token = token();
        token.slot.hardware = false;
        token
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
    fn not_applicable_to_others_to_leaves_and_to_what_has_expired() {
        check(&RULE, &World::default().stored(ca()), &limits(), "not-applicable");
        let one = leaf("a.example");
        let world = World::default().stored(one.clone()).key_of(&one);
        check(&RULE, &world, &limits(), "not-applicable");
        let old = Certificate { not_after: NOW.plus_days(-1), ..ca() };
        check(&RULE, &registered(&old).key_of(&old), &limits(), "not-applicable");
    }
}
