//! `endpoint.staple-stale`: a server staples a certificate status that was already out of date.
//!
//! ## What it looks at
//! Endpoints that stapled a status (OCSP): its nextUpdate against the time at which it was shown.
//! ## Why it matters
//! Clients refuse a stale status or ignore it; either way revocation does not reach them, and a
//! certificate that requires a staple locks everybody out.
//! ## What it cannot see
//! Whether the status is signed by whom it should be. Servers that staple nothing are not judged.

use pki_inventory::{Asset, Endpoint, StapleContent};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.staple-stale",
    title: "An endpoint staples a certificate status that is out of date",
    cites: &[
        Cite { document: "RFC 6960", section: "3.2" },
        Cite { document: "RFC 6066", section: "8" },
    ],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, _: &RuleContext<'_>) -> Outcome {
    let Some(staple) = endpoint.session().and_then(|session| session.staple.as_ref()) else {
        return Outcome::NotApplicable;
    };
    let status = match &staple.content {
        StapleContent::Status(status) => status,
        StapleContent::Refused(word) => {
            return Outcome::Unknown(format!("the responder only said {word}"));
        }
        StapleContent::Unreadable(error) => {
            return Outcome::Unknown(format!("the status could not be read: {error}"));
        }
    };
    match status.next_update {
        None => Outcome::Unknown("the status does not say when the next one is due".to_owned()),
        Some(next) if endpoint.observed <= next => Outcome::Met,
        Some(next) => Outcome::NotMet(format!(
            "the next status was due on {}, {} days before this one was shown",
            next.date(),
            next.days_until(endpoint.observed)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, limits, session, staple};

    use pki_inventory::{Handshake, Session, StapleContent, Time};

    fn stapling(next_update: Option<Time>) -> World {
        let mut staple = staple("01");
        if let StapleContent::Status(status) = &mut staple.content {
            status.next_update = next_update;
        }
        World::default().endpoint(Handshake::Shown(Session { staple: Some(staple), ..session() }))
    }

    #[test]
    fn met_until_the_next_status_is_due() {
        check(&RULE, &stapling(Some(NOW)), &limits(), "met");
    }

    #[test]
    fn not_met_the_second_after() {
        check(&RULE, &stapling(Some(Time(NOW.0 - 1))), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_no_date_can_be_read() {
        check(&RULE, &stapling(None), &limits(), "unknown");
        for content in [
            StapleContent::Refused("tryLater".to_owned()),
            StapleContent::Unreadable("truncated".to_owned()),
        ] {
            let staple = Some(pki_inventory::Staple { content, ..staple("01") });
            let handshake = Handshake::Shown(Session { staple, ..session() });
            check(&RULE, &World::default().endpoint(handshake), &limits(), "unknown");
        }
    }

    #[test]
    fn not_applicable_when_nothing_is_stapled() {
        let world = World::default().endpoint(Handshake::Shown(session()));
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
