//! `token.certificate-without-key`: a token holds a certificate whose private key is not on it.
//!
//! ## What it looks at
//! Tokens, certificate by certificate. Those of authorities that issued another one of the token
//! are its chain and need no key; members of trust stores, and tokens that are one, are not meant.
//! ## Why it matters
//! A certificate is put beside its key. Where the key is gone it was deleted, lies elsewhere, or
//! never was there, and programs that choose by certificate fail when they sign.
//! ## What it cannot see
//! Private objects of a token that were not to be seen, and keys that do not tell their public
//! half: unknown. Whether the key lies on another token is said by its own record.

use std::collections::BTreeSet;

use pki_inventory::{Asset, Certificate, Digest, Held, Token, TrustStore};

use crate::token::{is_set_up, some, unread};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.certificate-without-key",
    title: "A token holds a certificate without its private key",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.6.3" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Token(check),
};

fn check(asset: &Asset, token: &Token, cx: &RuleContext<'_>) -> Outcome {
    let Some(place) = asset.places().next().filter(|_| is_set_up(token)) else {
        return Outcome::NotApplicable;
    };
    let objects = cx.view.objects_on(place);
    let held = || objects.iter().filter_map(|it| Some((it, it.asset.certificate()?)));
    let authorities = held().filter(|(_, one)| one.is_authority()).count();
    let keys = Keys::of(objects);
    let is_store = authorities >= TrustStore::LEAST_MEMBERS || authorities == held().count();
    if is_store && authorities > 0 && keys.count == 0 {
        return Outcome::NotApplicableBecause("it keeps certificates of authorities".to_owned());
    }
    // A root is its own issuer, and that makes it no chain of another one.
    let above = |one: &Certificate| -> Vec<Digest> {
        let issuers = cx.view.issuers(one).filter_map(Asset::certificate).map(|it| it.spki);
        issuers.filter(|spki| *spki != one.spki).collect()
    };
    let chain: BTreeSet<Digest> = held().flat_map(|(_, one)| above(one)).collect();
    let needs = |it: &Asset, spki| !chain.contains(&spki) && !cx.view.is_anchor(it.id);
    let own: Vec<_> = held().filter(|(it, one)| needs(it.asset, one.spki)).collect();
    let lacking = own.iter().filter(|(it, one)| !keys.hold(it, one));
    let lacking: Vec<String> = lacking.map(|(_, one)| one.display_name().to_string()).collect();
    match (own.len(), lacking.len(), unread(place, token, cx)) {
        (0, ..) => Outcome::NotApplicable,
        (_, 0, _) => Outcome::Met,
        (.., Some(why)) => Outcome::Unknown(why),
        (..) if keys.hidden => {
            Outcome::Unknown("a private key on it does not tell its public half".to_owned())
        }
        (own, lacking_count, None) => Outcome::NotMet(format!(
            "the private keys of {lacking_count} of {own} certificates are not on it: {}",
            some(lacking.into_iter())
        )),
    }
}

/// The secret objects of a token.
#[derive(Default)]
struct Keys<'a> {
    count: usize,
    spkis: BTreeSet<Digest>,
    /// Identifiers of those that do not tell their public half.
    ids: BTreeSet<&'a str>,
    hidden: bool,
}

impl<'a> Keys<'a> {
    fn of(objects: &[Held<'a>]) -> Self {
        let mut keys = Self::default();
        for held in objects.iter().filter(|held| held.object.is_secret()) {
            keys.count += 1;
            let Some(key) = held.asset.key() else { continue };
            keys.spkis.extend(key.spki);
            if key.spki.is_none() {
                keys.hidden = true;
                keys.ids.extend(held.object.id.as_deref().filter(|id| !id.is_empty()));
            }
        }
        keys
    }

    fn hold(&self, held: &Held<'_>, certificate: &Certificate) -> bool {
        let id = held.object.id.as_deref();
        self.spkis.contains(&certificate.spki) || id.is_some_and(|id| self.ids.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, authority, check, leaf, limits};
    use crate::token_fixtures::{TOKEN, private, spare, token};

    use pki_inventory::{Certificate, Digest, Key, Login, Token};

    fn one() -> Certificate {
        leaf("a.example")
    }

    fn keyed(spki: Digest) -> World {
        let place = format!("{TOKEN};object=k;type=private");
        World::default().token(token()).key_on(spki, private(), &place)
    }

    #[test]
    fn met_with_the_key_beside_it_by_either_join() {
        check(&RULE, &keyed(one().spki).certificate_on(one(), "01"), &limits(), "met");
        let chain = keyed(one().spki).certificate_on(one(), "01");
        let chain = chain.certificate_on(authority("Test CA"), "02");
        check(&RULE, &chain, &limits(), "met");
        let place = format!("{TOKEN};object=k;type=private");
        let key = Key { spki: None, algorithm: None };
        let hidden = || World::default().token(token()).bare_key_on(key.clone(), private(), &place);
        check(&RULE, &hidden().certificate_on(one(), "01"), &limits(), "met");
        check(&RULE, &hidden().certificate_on(one(), "02"), &limits(), "unknown");
    }

    #[test]
    fn not_met_where_the_key_is_another_one_or_there_is_none() {
        let world = keyed(Digest::of(b"other")).certificate_on(one(), "01");
        check(&RULE, &world, &limits(), "not-met");
        let world = World::default().token(token()).certificate_on(one(), "01");
        check(&RULE, &world, &limits(), "not-met");
        let alone = keyed(one().spki).certificate_on(authority("Other CA"), "02");
        check(&RULE, &alone, &limits(), "not-met");
    }

    #[test]
    fn unknown_where_private_objects_were_not_to_be_seen() {
        let locked = Token { login: Login::NotConfigured, ..token() };
        let world = World::default().token(locked).certificate_on(one(), "01");
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_one_that_is_not_set_up_or_empty() {
        let spare = World::default().token(spare()).certificate_on(one(), "01");
        check(&RULE, &spare, &limits(), "not-applicable");
        let empty = World::default().token(token());
        check(&RULE, &empty, &limits(), "not-applicable");
        assert!(empty.sentences(&RULE, &limits()).is_empty(), "it keeps nothing");
    }

    #[test]
    fn not_applicable_to_stores_of_authorities_and_to_anchors() {
        let mut world = World::default().token(token()).certificate_on(one(), "01");
        for number in 0..20 {
            world = world.certificate_on(authority(&format!("CA {number}")), "");
        }
        check(&RULE, &world, &limits(), "not-applicable");
        let few = World::default().token(token()).certificate_on(authority("Root"), "");
        check(&RULE, &few, &limits(), "not-applicable");
        let anchored = keyed(Digest::of(b"k")).certificate_on(authority("Root"), "");
        let anchored = anchored.trusting(&[authority("Root")]);
        check(&RULE, &anchored, &limits(), "not-applicable");
    }
}
