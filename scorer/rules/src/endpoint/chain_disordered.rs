//! `endpoint.chain-disordered`: a server sends its certificates in an order in which the next one
//! does not certify the one before.
//!
//! ## What it looks at
//! Endpoints that sent two certificates or more.
//! ## Why it matters
//! TLS 1.2 demands the order and TLS 1.3 recommends it. Clients that follow the list instead of
//! searching it refuse the server, and they are the ones nobody tests with.
//! ## What it cannot see
//! Whether any client in use minds. The chains of other certificates that the same server has.

use pki_inventory::{Asset, Endpoint, Fact, chain_facts};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.chain-disordered",
    title: "An endpoint sends its chain in the wrong order",
    cites: &[
        Cite { document: "RFC 5246", section: "7.4.2" },
        Cite { document: "RFC 8446", section: "4.4.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::Whole,
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, cx: &RuleContext<'_>) -> Outcome {
    let sent = endpoint.session().map_or(0, |session| session.chain.len());
    let Some(facts) = chain_facts(endpoint, None, cx.view).filter(|_| sent > 1) else {
        return Outcome::NotApplicable;
    };
    match facts.ordered {
        Fact::Yes => Outcome::Met,
        Fact::No => {
            let surplus = match facts.extra.len() {
                0 => String::new(),
                extra => format!("; {extra} of them lead nowhere from the first"),
            };
            Outcome::NotMet(format!(
                "sends {sent} certificates of which one is not issued by the next{surplus}"
            ))
        }
        Fact::NotObserved(why) => Outcome::Unknown(why),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, authority, check, leaf, limits, name, presenting};

    use pki_inventory::Certificate;

    fn sending(chain: &[&Certificate]) -> World {
        let world = World::default().endpoint(presenting(chain));
        chain.iter().fold(world, |world, one| world.stored((*one).clone()))
    }

    fn hierarchy() -> (Certificate, Certificate, Certificate) {
        let mut issuing = authority("Test CA");
        issuing.issuer = name("Test Root");
        (leaf("a.example"), issuing, authority("Test Root"))
    }

    #[test]
    fn met_when_each_is_issued_by_the_next() {
        let (leaf, issuing, root) = hierarchy();
        check(&RULE, &sending(&[&leaf, &issuing, &root]), &limits(), "met");
    }

    #[test]
    fn not_met_when_two_are_swapped_or_one_belongs_elsewhere() {
        let (leaf, issuing, root) = hierarchy();
        check(&RULE, &sending(&[&leaf, &root, &issuing]), &limits(), "not-met");
        let other = authority("Other CA");
        check(&RULE, &sending(&[&leaf, &issuing, &other]), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_one_could_not_be_read() {
        let (leaf, issuing, _) = hierarchy();
        let world = World::default().endpoint(presenting(&[&leaf, &issuing])).stored(leaf);
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_one_certificate_alone() {
        check(&RULE, &sending(&[&leaf("a.example")]), &limits(), "not-applicable");
    }
}
