//! `adcs.template-key-weak`: keys of its certificates may be weak.
//!
//! ## What it looks at
//! The least size of keys that certificate templates ask for, with the algorithm where they name
//! one: RSA, DSA and DH from 2048 bits on, curves from 224. Only templates that an authority
//! publishes.
//! ## Why it matters
//! The template is the place to refuse weak keys. What it allows is asked for by old devices, and
//! by whoever means to break it.
//! ## What it cannot see
//! The sizes that were asked for: certificates show those. An algorithm without a name here is
//! unknown.

use pki_inventory::{Asset, Template};

use crate::enrolment::{Publication, publication};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-key-weak",
    title: "A published template allows weak keys",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.19 and 2.23.1" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.6.1.1" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    match publication(template, cx) {
        Publication::By(_) => {}
        Publication::Nobody => return Outcome::NotApplicable,
        Publication::Unclear(why) => return Outcome::Unknown(why),
    }
    let named = template.algorithms.iter().find(|(name, _)| name == "msPKI-Asymmetric-Algorithm");
    let algorithm = named.map_or("RSA", |(_, algorithm)| algorithm.as_str());
    let upper = algorithm.to_uppercase();
    let least = match upper.as_str() {
        "RSA" | "DSA" | "DH" => 2048,
        curve if curve.starts_with("EC") || curve.starts_with("CURVE") || curve == "X25519" => 224,
        _ => return Outcome::Unknown(format!("its algorithm {algorithm} has no name here")),
    };
    // `ECDSA_P256` has its size in its name; the attribute may be for RSA still.
    let bits = match upper.rsplit_once("_P").and_then(|(_, bits)| bits.parse().ok()) {
        Some(bits) => Some(bits),
        None => template.minimal_key_bits,
    };
    match bits {
        None => Outcome::Unknown("its `msPKI-Minimal-Key-Size` was not read".to_owned()),
        Some(0) => Outcome::NotMet(format!("sets no least size of keys for {algorithm}")),
        Some(bits) if bits < least => {
            Outcome::NotMet(format!("allows keys of {bits} bits for {algorithm}"))
        }
        Some(_) => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{published, template, unpublished};

    use pki_inventory::Template;

    fn with(algorithm: &str, minimal_key_bits: Option<u32>) -> Template {
        let named = ("msPKI-Asymmetric-Algorithm".to_owned(), algorithm.to_owned());
        Template { algorithms: vec![named], minimal_key_bits, ..template("T") }
    }

    #[test]
    fn met_from_2048_bits_on_and_by_a_curve() {
        let curves = [with("ECDSA_P256", Some(256)), with("ECDH_P384", None)];
        published(&RULE, [template("T")].into_iter().chain(curves).map(|one| (one, "met")));
    }

    #[test]
    fn not_met_below_or_without_a_least_size() {
        let unnamed = |bits| Template { minimal_key_bits: Some(bits), ..template("T") };
        let weak = [unnamed(1024), unnamed(0), with("RSA", Some(1024))];
        published(&RULE, weak.map(|one| (one, "not-met")));
    }

    #[test]
    fn unknown_without_the_attribute_or_a_name() {
        let unread = Template { minimal_key_bits: None, ..template("T") };
        published(&RULE, [(unread, "unknown"), (with("ROT13", Some(4096)), "unknown")]);
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
