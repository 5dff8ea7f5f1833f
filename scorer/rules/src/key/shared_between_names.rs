//! `key.shared-between-names`: one key is certified for names that have nothing to do with each
//! other.
//!
//! ## What it looks at
//! Keys of end-entity certificates that a server presents or whose private key lies here, with all
//! unexpired certificates for the same key.
//! ## Why it matters
//! A shared key makes one theft a theft of all, and says that keys are copied instead of made where
//! they are used.
//! ## What it cannot see
//! Keys certified in places that were not read. Certificates of which one covers all names of the
//! other are taken as versions of one service.

use pki_inventory::{Asset, Certificate, KeyUse};

use crate::population::is_own_leaf;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.shared-between-names",
    title: "A key is shared between unrelated names",
    cites: &[
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.2" },
        Cite { document: "CA/B Forum TLS BR", section: "6.1.1.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "pkcs11", "tls"],
    reach: Reach::Whole,
    check: Check::CertifiedKey(check),
};

fn check(key: &KeyUse<'_>, cx: &RuleContext<'_>) -> Outcome {
    let in_use = |asset: &&Asset| {
        asset.certificate().is_some_and(|certificate| is_own_leaf(asset, certificate, cx))
    };
    if !key.certificates.iter().copied().any(|asset| in_use(&asset)) {
        return Outcome::NotApplicable;
    }
    let names: Vec<Vec<String>> = key
        .certificates
        .iter()
        .filter_map(|asset| asset.certificate())
        .filter(|certificate| cx.as_of <= certificate.not_after && !certificate.is_authority())
        .map(Certificate::lineage_names)
        .collect();
    let covered = |all: &[String], name: &String| {
        let below = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        all.contains(name) || below.is_some_and(|wildcard| all.contains(&wildcard))
    };
    let covers = |all: &[String], some: &[String]| some.iter().all(|name| covered(all, name));
    let strangers = names.iter().enumerate().find_map(|(at, one)| {
        let apart = |other: &&Vec<String>| !covers(one, other) && !covers(other, one);
        names[at + 1..].iter().find(apart).map(|other| (one, other))
    });
    match strangers {
        None => Outcome::Met,
        Some((one, other)) => Outcome::NotMet(format!(
            "the same key serves {} and {}",
            one.join(", "),
            other.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};

    use pki_inventory::AlternativeName;

    #[test]
    fn met_with_one_name_or_a_wider_certificate_for_it() {
        let one = leaf("a.example");
        let mut wider = leaf("a.example");
        wider.der = b"wider".to_vec();
        wider.names.push(AlternativeName::Dns("b.example".to_owned()));
        check(&RULE, &World::default().served(one).stored(wider), &limits(), "met");
    }

    #[test]
    fn met_with_a_wildcard_that_covers_the_name() {
        let one = leaf("www.a.example");
        let mut wildcard = leaf("*.a.example");
        wildcard.spki = one.spki;
        check(&RULE, &World::default().served(one).stored(wildcard), &limits(), "met");
    }

    #[test]
    fn not_met_with_a_stranger() {
        let one = leaf("a.example");
        let mut other = leaf("b.example");
        other.spki = one.spki;
        check(&RULE, &World::default().served(one).stored(other), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_without_a_use() {
        check(&RULE, &World::default().stored(leaf("a.example")), &limits(), "not-applicable");
    }
}
