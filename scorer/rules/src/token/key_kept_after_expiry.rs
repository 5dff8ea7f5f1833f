//! `token.key-kept-after-expiry`: a key is past its end, and still on a token.
//!
//! ## What it looks at
//! Keys on tokens: `CKA_END_DATE`, and whether all certificates for the key have expired. Keys that
//! can only decrypt or unwrap are left out: what was encrypted for them may still have to be read.
//! ## Why it matters
//! A key that is not needed any more can only be stolen. What it signs can be given an older date.
//! ## What it cannot see
//! Newer certificates where nobody looked, and why the key was kept. Keys with neither a date nor a
//! certificate have no end to be past.

use pki_inventory::{TokenKey, Usage};

use crate::token::{each, untold};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-kept-after-expiry",
    title: "A key that has expired is still on a token",
    cites: &[
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.3 and 8.3.4" },
        Cite { document: "PKCS #11 v3.1", section: "4.7" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    if only_reads_old(key) {
        return Outcome::NotApplicableBecause("it reads what was encrypted before".to_owned());
    }
    let spki = key.asset.key().and_then(|key| key.spki);
    let certificates = spki.map_or(&[][..], |spki| cx.view.certificates_of(spki));
    let ends = certificates.iter().filter_map(|asset| asset.certificate());
    let certified = ends.map(|certificate| certificate.not_after).max();
    each(key, |held| match (held.object.end, certified) {
        (Some(end), _) if end < cx.as_of => {
            Outcome::NotMet(format!("its CKA_END_DATE was {}", end.date()))
        }
        (_, Some(end)) if end < cx.as_of => {
            Outcome::NotMet(format!("the last certificate for it expired on {}", end.date()))
        }
        (None, None) => match held.object.untold.get("CKA_END_DATE") {
            Some(why) if why != "invalid" => Outcome::Unknown(untold(held, "CKA_END_DATE")),
            _ => Outcome::NotApplicable,
        },
        _ => Outcome::Met,
    })
}

/// Whether no object of the key makes anything new.
fn only_reads_old(key: &TokenKey<'_>) -> bool {
    key.objects.iter().all(|held| {
        let may = |usages: &[Usage]| usages.iter().any(|it| held.object.may(*it) == Some(true));
        // Of other ways to make something new, objects of its class may have none.
        held.object.may(Usage::Sign) == Some(false)
            && !may(&[Usage::SignRecover, Usage::Encrypt, Usage::Wrap])
            && may(&[Usage::Decrypt, Usage::Unwrap, Usage::Derive, Usage::Decapsulate])
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits};
    use crate::token_fixtures::{holding, private, using};

    use pki_inventory::{Digest, TokenObject, Usage};

    fn certified(object: TokenObject, days: &[i64]) -> World {
        days.iter().fold(holding(object), |world, days| {
            let mut certificate = leaf(&format!("a{days}.example"));
            certificate.spki = Digest::of(b"k");
            certificate.not_after = NOW.plus_days(*days);
            world.stored(certificate)
        })
    }

    fn ending(days: i64) -> TokenObject {
        TokenObject { end: Some(NOW.plus_days(days)), ..private() }
    }

    #[test]
    fn met_while_a_certificate_or_the_date_lasts() {
        check(&RULE, &certified(private(), &[-9, 9]), &limits(), "met");
        check(&RULE, &holding(ending(0)), &limits(), "met");
    }

    #[test]
    fn not_met_after_the_last_of_them() {
        check(&RULE, &certified(private(), &[-9, -1]), &limits(), "not-met");
        check(&RULE, &certified(ending(-1), &[9]), &limits(), "not-met");
        check(&RULE, &certified(ending(9), &[-1]), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_the_date_is_not_told_and_nothing_certifies_it() {
        let mut silent = private();
        silent.untold.insert("CKA_END_DATE".to_owned(), "unreadable: 3 octets".to_owned());
        check(&RULE, &holding(silent), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_an_end_and_to_what_reads_old_data() {
        check(&RULE, &holding(private()), &limits(), "not-applicable");
        let object = using(Usage::Sign, Some(false), private());
        let object = using(Usage::Decrypt, Some(true), object);
        check(&RULE, &certified(object, &[-9]), &limits(), "not-applicable");
    }
}
