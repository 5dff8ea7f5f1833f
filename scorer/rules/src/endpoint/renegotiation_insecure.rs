//! `endpoint.renegotiation-insecure`: an endpoint does not say which handshake a renegotiation
//! belongs to.
//!
//! ## What it looks at
//! Endpoints that speak TLS 1.2 or older and were asked in many ways: whether they confirm the
//! indication of RFC 5746. TLS 1.3 knows no renegotiation.
//! ## Why it matters
//! Without it an attacker opens a connection, sends a request of his own, and splices a victim's
//! handshake behind it; the server takes both for one client.
//! ## What it cannot see
//! Whether the server lets clients renegotiate at all; one that never does is safe without it, but
//! its clients cannot know.

use pki_inventory::{Asset, Endpoint};

use super::{answered, may_be_older};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.renegotiation-insecure",
    title: "An endpoint does not protect renegotiation",
    cites: &[
        Cite { document: "RFC 5746", section: "3.6" },
        Cite { document: "RFC 9325", section: "3.5" },
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
    match answered(endpoint, |posture| &posture.secure_renegotiation) {
        Ok(true) => Outcome::Met,
        Ok(false) => Outcome::NotMet(
            "does not confirm the renegotiation indication, so a victim's handshake can be spliced \
             behind another's request"
                .to_owned(),
        ),
        Err(why) => Outcome::Unknown(why),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, newest_only, posture, session};

    use pki_inventory::{Fact, Handshake, Posture};

    fn showing(secure_renegotiation: Fact) -> World {
        World::default().asked(session(), Posture { secure_renegotiation, ..posture() })
    }

    #[test]
    fn met_when_the_indication_is_confirmed() {
        check(&RULE, &showing(Fact::Yes), &limits(), "met");
    }

    #[test]
    fn not_met_when_it_is_not() {
        check(&RULE, &showing(Fact::No), &limits(), "not-met");
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
