//! `cert.names-in-common-name-only`: a server certificate names its host in the common name and
//! nowhere else.
//!
//! ## What it looks at
//! End-entity certificates for servers that a server presents or whose private key lies here.
//! ## Why it matters
//! Clients have ignored the common name for years; such a certificate works by luck or not at all,
//! and it was made without a profile.
//! ## What it cannot see
//! What the clients in use still accept.

use pki_inventory::{Asset, Certificate};

use crate::population::{is_own_server, is_served};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.names-in-common-name-only",
    title: "A server certificate lacks subject alternative names",
    cites: &[
        Cite { document: "RFC 9525", section: "2" },
        Cite { document: "CA/B Forum TLS BR", section: "7.1.4.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_own_server(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    match &certificate.subject.common_name {
        _ if !certificate.host_names().is_empty() => Outcome::Met,
        // A person's certificate without usages is no server's.
        Some(name) if !is_served(asset, certificate, cx) && !looks_like_host(certificate, name) => {
            Outcome::NotApplicable
        }
        Some(name) => Outcome::NotMet(format!("names {name} in the common name only")),
        None if certificate.names.is_empty() => Outcome::NotMet("names no host at all".to_owned()),
        None => Outcome::NotApplicable,
    }
}

/// It says that it is for servers, or its common name has the form of a host name.
fn looks_like_host(certificate: &Certificate, name: &str) -> bool {
    let for_servers = certificate.extended_key_usage.iter().any(|usage| usage == "serverAuth");
    for_servers || (name.contains('.') && !name.contains([' ', '@']))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};

    #[test]
    fn met_with_an_alternative_name() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_with_a_common_name_alone() {
        let mut old = leaf("a.example");
        old.names.clear();
        check(&RULE, &World::default().stored(old.clone()).key_of(&old), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_person() {
        let mut person = leaf("a.example");
        person.subject = crate::fixtures::name("Jo Doe");
        person.names.clear();
        person.extended_key_usage.clear();
        let world = World::default().stored(person.clone()).key_of(&person);
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_client_certificate() {
        let mut client = leaf("a.example");
        client.names.clear();
        client.extended_key_usage = vec!["clientAuth".to_owned()];
        let world = World::default().stored(client.clone()).key_of(&client);
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
