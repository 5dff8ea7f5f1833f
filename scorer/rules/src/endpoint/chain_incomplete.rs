//! `endpoint.chain-incomplete`: a server leaves out an intermediate certificate between its own and
//! the authority that clients know.
//!
//! ## What it looks at
//! Endpoints that showed certificates: whether a way leads through them to a self-signed authority,
//! sent or known from elsewhere in the inventory.
//! ## Why it matters
//! Browsers fetch or remember what is missing; programs, devices and other servers do not, and fail
//! on a server that looks sound to whoever checks it by hand.
//! ## What it cannot see
//! Whether any client trusts the authority at the end. Where its issuer was seen nowhere, the
//! intermediate that is missing may be unknown here as well; such a chain is unknown.

use pki_inventory::{Asset, AssetId, Endpoint, Fact, Kind, chain_facts};

use super::listed;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.chain-incomplete",
    title: "An endpoint leaves out a certificate of its chain",
    cites: &[
        Cite { document: "RFC 5246", section: "7.4.2" },
        Cite { document: "RFC 8446", section: "4.4.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, cx: &RuleContext<'_>) -> Outcome {
    let Some(facts) = chain_facts(endpoint, None, cx.view) else { return Outcome::NotApplicable };
    match facts.complete {
        Fact::Yes => Outcome::Met,
        Fact::No => {
            let named = facts.missing.iter().filter_map(|sha256| {
                let id = AssetId::new(Kind::Certificate, *sha256);
                cx.view.inventory().get(id)?.certificate().map(|missing| &missing.subject.text)
            });
            let named: Vec<&String> = named.collect();
            Outcome::NotMet(format!("does not send {}", listed(&named, "and")))
        }
        Fact::NotObserved(why) => Outcome::Unknown(why),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, authority, check, leaf, limits, name, presenting};

    use pki_inventory::{Certificate, Handshake};

    fn hierarchy() -> (Certificate, Certificate, Certificate) {
        let mut issuing = authority("Test CA");
        issuing.issuer = name("Test Root");
        (leaf("a.example"), issuing, authority("Test Root"))
    }

    fn knowing(world: World, known: &[&Certificate]) -> World {
        known.iter().fold(world, |world, one| world.stored((*one).clone()))
    }

    #[test]
    fn met_when_a_way_leads_to_a_known_authority() {
        let (leaf, issuing, root) = hierarchy();
        let world = World::default().endpoint(presenting(&[&leaf, &issuing]));
        check(&RULE, &knowing(world, &[&leaf, &issuing, &root]), &limits(), "met");
    }

    #[test]
    fn not_met_when_a_known_intermediate_is_left_out() {
        let (leaf, issuing, root) = hierarchy();
        let world = World::default().endpoint(presenting(&[&leaf]));
        check(&RULE, &knowing(world, &[&leaf, &issuing, &root]), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_the_issuer_was_seen_nowhere() {
        let (leaf, ..) = hierarchy();
        let world = World::default().endpoint(presenting(&[&leaf]));
        check(&RULE, &knowing(world, &[&leaf]), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_a_certificate() {
        check(&RULE, &World::default().endpoint(presenting(&[])), &limits(), "not-applicable");
        let handshake = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
