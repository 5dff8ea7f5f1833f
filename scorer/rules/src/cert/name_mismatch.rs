//! `cert.name-mismatch`: a server asked for by name presents a certificate that does not name it.
//!
//! ## What it looks at
//! Certificates presented first, at endpoints that were asked for by a server name.
//! ## Why it matters
//! Clients that verify refuse it. Where people learn to click past the warning, any impostor passes
//! too.
//! ## What it cannot see
//! Names that clients use but the scan did not ask for; an endpoint asked by address only is
//! unknown.

use pki_inventory::{Asset, Certificate, Place};

use crate::population::is_served;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.name-mismatch",
    title: "A server presents a certificate for other names",
    cites: &[Cite { document: "RFC 9525", section: "6.3" }],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_served(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let mut asked = asset
        .sightings()
        .filter(|sighting| sighting.circumstances.chain_position == Some(0))
        .filter_map(|sighting| match &sighting.place {
            Place::Tls { server_name, .. } => server_name.as_deref(),
            _ => None,
        })
        .peekable();
    if asked.peek().is_none() {
        return Outcome::Unknown(
            "the endpoint was asked by address, so the name that clients use is not known"
                .to_owned(),
        );
    }
    match asked.find(|name| !certificate.names_host(name)) {
        None => Outcome::Met,
        Some(name) => {
            let names = certificate.host_names();
            let listed =
                if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") };
            Outcome::NotMet(format!("was presented for {name} but names {listed}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};

    fn at(host: &str, place: &str) -> World {
        World::default().presented(leaf(host), place, 0)
    }

    #[test]
    fn met_when_the_name_is_listed() {
        let world = at("www.example.org", "tls://192.0.2.1:443?sni=www.example.org");
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_when_another_name_is_listed() {
        let world = at("mail.example.org", "tls://192.0.2.1:443?sni=www.example.org");
        check(&RULE, &world, &limits(), "not-met");
    }

    #[test]
    fn unknown_when_asked_by_address() {
        check(&RULE, &at("www.example.org", "tls://192.0.2.1:443"), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_a_file() {
        check(&RULE, &World::default().stored(leaf("a.example")), &limits(), "not-applicable");
    }
}
