//! `cert.revoked-in-service`: a server presents a certificate together with the statement that it
//! is revoked.
//!
//! ## What it looks at
//! Certificates that a server presents as its own, and the status (OCSP) that it staples for them.
//! ## Why it matters
//! A certificate is revoked because its key may be in other hands or its holder lost the name; as
//! long as it is served, clients that do not check are deceived and all others are locked out.
//! ## What it cannot see
//! Revocation of certificates without a stapled status: no revocation list is fetched for this, and
//! those are unknown. The signature of the status is not verified.

use pki_inventory::{
    Asset, AssetId, Certificate, Digest, Endpoint, Kind, RevocationStatus, StapleContent,
};

use crate::population::is_served;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.revoked-in-service",
    title: "A served certificate is revoked",
    cites: &[
        Cite { document: "RFC 5280", section: "3.3" },
        Cite { document: "RFC 6960", section: "2.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

/// What one server staples for a certificate.
enum Stapled {
    Revoked(String),
    Good,
    Nothing(String),
}

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_served(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let (mut good, mut open) = (false, None);
    for sighting in asset.sightings().filter(|s| s.circumstances.chain_position == Some(0)) {
        // The identity of an endpoint is that of its place.
        let id = AssetId::new(Kind::Endpoint, Digest::of(sighting.place.to_string().as_bytes()));
        let Some(endpoint) = cx.view.inventory().get(id).and_then(Asset::endpoint) else {
            continue;
        };
        match stapled(endpoint, certificate) {
            Stapled::Revoked(how) => {
                return Outcome::NotMet(format!(
                    "{how}, and is still served at {}",
                    sighting.place
                ));
            }
            Stapled::Good => good = true,
            Stapled::Nothing(why) => open = open.or(Some(why)),
        }
    }
    match open {
        _ if good => Outcome::Met,
        Some(why) => Outcome::Unknown(why),
        None => Outcome::Unknown("no handshake with its server is known any more".to_owned()),
    }
}

fn stapled(endpoint: &Endpoint, certificate: &Certificate) -> Stapled {
    let staple = endpoint.session().and_then(|session| session.staple.as_ref());
    let status = match staple.map(|staple| &staple.content) {
        None => return Stapled::Nothing("its server staples no status".to_owned()),
        Some(StapleContent::Refused(word)) => {
            return Stapled::Nothing(format!("the responder only said {word}"));
        }
        Some(StapleContent::Unreadable(error)) => {
            return Stapled::Nothing(format!("the stapled status could not be read: {error}"));
        }
        Some(StapleContent::Status(status)) => status,
    };
    if status.serial != certificate.serial {
        return Stapled::Nothing("the stapled status is that of another certificate".to_owned());
    }
    let fresh = status.next_update.is_none_or(|next| endpoint.observed <= next);
    match &status.status {
        RevocationStatus::Revoked { at, reason } => {
            let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            Stapled::Revoked(format!("was revoked on {}{reason}", at.date()))
        }
        RevocationStatus::Good if fresh => Stapled::Good,
        RevocationStatus::Good => Stapled::Nothing("the stapled status is out of date".to_owned()),
        RevocationStatus::Unknown => {
            Stapled::Nothing("the responder does not know the certificate".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits, session, staple};

    use pki_inventory::{Handshake, RevocationStatus, Session, Staple, StapleContent};

    /// A leaf with the serial number 01, at a server that staples this.
    fn stapling(staple: Option<Staple>) -> World {
        let handshake = Handshake::Shown(Session { staple, ..session() });
        World::default().served(leaf("a.example")).endpoint(handshake)
    }

    fn saying(status: RevocationStatus) -> World {
        let mut staple = staple("01");
        if let StapleContent::Status(content) = &mut staple.content {
            content.status = status;
        }
        stapling(Some(staple))
    }

    #[test]
    fn met_when_the_status_is_good() {
        check(&RULE, &stapling(Some(staple("01"))), &limits(), "met");
    }

    #[test]
    fn not_met_when_it_is_revoked() {
        let at = NOW.plus_days(-3);
        let reason = Some("keyCompromise".to_owned());
        let world = saying(RevocationStatus::Revoked { at, reason });
        check(&RULE, &world, &limits(), "not-met");
    }

    #[test]
    fn unknown_when_nothing_that_counts_is_stapled() {
        check(&RULE, &stapling(None), &limits(), "unknown");
        check(&RULE, &stapling(Some(staple("02"))), &limits(), "unknown");
        check(&RULE, &saying(RevocationStatus::Unknown), &limits(), "unknown");
        let mut old = staple("01");
        if let StapleContent::Status(content) = &mut old.content {
            content.next_update = Some(NOW.plus_days(-1));
        }
        check(&RULE, &stapling(Some(old)), &limits(), "unknown");
        for content in [
            StapleContent::Refused("tryLater".to_owned()),
            StapleContent::Unreadable("truncated".to_owned()),
        ] {
            let staple = Staple { content, ..staple("01") };
            check(&RULE, &stapling(Some(staple)), &limits(), "unknown");
        }
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_a_file() {
        check(&RULE, &World::default().stored(leaf("a.example")), &limits(), "not-applicable");
    }
}
