//! `renewal.automation-sign-absent`: a certificate in use shows that it is renewed by hand.
//!
//! ## What it looks at
//! End-entity certificates that a server presents or whose private key lies here, by the signs of
//! how they are renewed: issuer, validity, form, names of files, traces of tools. One strong sign
//! or two of medium strength decide, unless there are as good ones for the other side.
//! ## Why it matters
//! What people renew by hand is forgotten now and then, and the shorter certificates live, the more
//! often. Automation is what makes short lives and quick replacement possible.
//! ## What it cannot see
//! Tools that leave no trace where something was read. Where the signs do not tell, the outcome is
//! unknown, and not that it is done by hand.

use pki_inventory::{Asset, Certificate, Direction, Renewal, renewal_by, signs};

use crate::population::is_own_leaf;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "renewal.automation-sign-absent",
    title: "A certificate in use is renewed by hand",
    cites: &[
        Cite { document: "RFC 8555", section: "1" },
        Cite { document: "CA/B Forum TLS BR", section: "6.3.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

/// Signs that a sentence has; the export of the inventory has all.
const TOLD: usize = 3;

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_own_leaf(asset, certificate, cx) || certificate.is_authority() {
        return Outcome::NotApplicable;
    }
    let signs = signs(asset, certificate, cx.view);
    let told = |direction: Option<Direction>| {
        let of = signs.iter().filter(|sign| direction.is_none_or(|it| sign.direction == it));
        let told: Vec<String> = of.take(TOLD).map(|sign| sign.what.clone()).collect();
        told.join("; ")
    };
    match renewal_by(&signs) {
        Renewal::Automated => {
            Outcome::MetBecause(format!("renewed by itself: {}", told(Some(Direction::Automatic))))
        }
        Renewal::Manual => {
            Outcome::NotMet(format!("renewed by hand: {}", told(Some(Direction::Manual))))
        }
        Renewal::Undetermined if signs.is_empty() => {
            Outcome::Unknown("nothing shows how it is renewed".to_owned())
        }
        Renewal::Undetermined => {
            Outcome::Unknown(format!("how it is renewed is not to be told: {}", told(None)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, authority, check, leaf, limits, lineage, test_key, timer};

    use pki_inventory::Certificate;

    fn by_hand() -> Certificate {
        // A common name and no alternative name.
        Certificate { names: Vec::new(), ..leaf("a.example") }
    }

    #[test]
    fn met_by_an_issuer_that_knows_no_other_way() {
        let mut one = leaf("a.example");
        one.issuer.organisation = Some("Let's Encrypt".to_owned());
        check(&RULE, &World::default().served(one), &limits(), "met");
    }

    #[test]
    fn met_by_a_tool_that_manages_it_and_runs() {
        let place = "file:///etc/letsencrypt/archive/a/cert1.pem#1";
        let world = World::default()
            .stored_at(leaf("a.example"), place)
            .served(leaf("a.example"))
            .automated(lineage("/etc/letsencrypt/archive/a/"), "file:///etc/letsencrypt/a.conf")
            .automated(timer(true), "file:///etc/systemd/certbot.timer");
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_with_the_signs_of_hands() {
        check(&RULE, &World::default().served(by_hand()), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_the_signs_do_not_tell() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_a_use_to_an_authority_or_to_test_material() {
        check(&RULE, &World::default().stored(by_hand()), &limits(), "not-applicable");
        check(&RULE, &World::default().served(authority("CA")), &limits(), "not-applicable");
        let test = Certificate { spki: test_key(), ..by_hand() };
        let world = World::default().stored(test.clone()).key_of(&test);
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
