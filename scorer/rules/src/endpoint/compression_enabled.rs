//! `endpoint.compression-enabled`: an endpoint compresses what it encrypts.
//!
//! ## What it looks at
//! Endpoints that speak TLS 1.2 or older and were asked in many ways: whether they take a
//! compression method when one is offered. TLS 1.3 knows none.
//! ## Why it matters
//! The length of compressed records tells what is in them: an attacker who can add text to requests
//! guesses a session cookie octet by octet (CRIME).
//! ## What it cannot see
//! Compression inside the application protocol, such as of HTTP bodies.

use pki_inventory::{Asset, Endpoint};

use super::{answered, may_be_older};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.compression-enabled",
    title: "An endpoint compresses TLS records",
    cites: &[
        Cite { document: "RFC 3749", section: "6" },
        Cite { document: "RFC 9325", section: "3.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, _: &RuleContext<'_>) -> Outcome {
    if !may_be_older(endpoint) {
        return Outcome::NotApplicable;
    }
    match answered(endpoint, |posture| &posture.compression) {
        Ok(false) => Outcome::Met,
        Ok(true) => Outcome::NotMet(
            "compresses, so the length of its records tells what is in them".to_owned(),
        ),
        Err(why) => Outcome::Unknown(why),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, newest_only, posture, session};

    use pki_inventory::{Fact, Handshake, Posture};

    fn showing(compression: Fact) -> World {
        World::default().asked(session(), Posture { compression, ..posture() })
    }

    #[test]
    fn met_when_no_method_is_taken() {
        check(&RULE, &showing(Fact::No), &limits(), "met");
    }

    #[test]
    fn not_met_when_one_is() {
        check(&RULE, &showing(Fact::Yes), &limits(), "not-met");
    }

    #[test]
    fn unknown_after_one_handshake_or_when_the_question_could_not_be_put() {
        let one = World::default().endpoint(Handshake::Shown(session()));
        check(&RULE, &one, &limits(), "unknown");
        let reset = Fact::NotObserved("the connection was reset".to_owned());
        check(&RULE, &showing(reset), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_where_nothing_older_than_tls_1_3_is_spoken() {
        let world = World::default().asked(session(), newest_only());
        check(&RULE, &world, &limits(), "not-applicable");
        let handshake = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
