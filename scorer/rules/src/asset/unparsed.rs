//! `asset.unparsed`: something claims to be cryptographic material and cannot be parsed.
//!
//! ## What it looks at
//! Everything that was found with an encoding of its own, parsed or not: certificates, keys,
//! keystores, trust stores, revocation lists and requests, but not what comes with software, which
//! tests itself with broken ones.
//! ## Why it matters
//! What cannot be parsed is in no list of algorithms, names and dates. It is a blind spot of the
//! inventory, and perhaps a certificate that some software reads all the same.
//! ## What it cannot see
//! Whether the octets were ever meant to be what they seem to be; what is not recognised at all.

use pki_inventory::{Asset, Body};

use crate::population::is_shipped;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "asset.unparsed",
    title: "Something looks like cryptographic material and cannot be parsed",
    cites: &[
        Cite { document: "RFC 5280", section: "4.1" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Encoded(check),
};

fn check(asset: &Asset, cx: &RuleContext<'_>) -> Outcome {
    if is_shipped(asset, cx) {
        return Outcome::NotApplicable;
    }
    match &asset.body {
        Body::Unparsed(unparsed) => Outcome::NotMet(format!(
            "claims to be a {} of {} octets and cannot be parsed: {}",
            unparsed.claimed, unparsed.length, unparsed.error
        )),
        _ => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};

    use crate::Limits;

    #[test]
    fn met_by_what_parses() {
        check(&RULE, &World::default().stored(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_by_what_does_not() {
        check(&RULE, &World::default().unparsed("file:///srv/broken.der"), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_what_comes_with_software() {
        let shipped = Limits { shipped: vec!["file:///usr/*".to_owned()], ..limits() };
        let world = World::default().unparsed("file:///usr/share/doc/broken.der");
        check(&RULE, &world, &shipped, "not-applicable");
    }
}
