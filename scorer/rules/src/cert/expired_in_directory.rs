//! `cert.expired-in-directory`: a directory still publishes a certificate that expired long ago.
//!
//! ## What it looks at
//! Certificates in userCertificate of the entries of a directory: expired for more than a year.
//! Key recovery agents are left out: another rule is about them.
//! ## Why it matters
//! What nobody takes out makes entries and logons slow, and hides the certificate that counts. To
//! read what was encrypted for it the owner needs the key, not the entry.
//! ## What it cannot see
//! Entries that were not read, or not asked for.

use pki_inventory::{Asset, Certificate, DirectoryRole, Sighting};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.expired-in-directory",
    title: "A directory publishes a certificate that expired over a year ago",
    cites: &[
        Cite { document: "RFC 5280", section: "4.1.2.5" },
        Cite { document: "RFC 4523", section: "4.1" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

/// Days that a certificate may be left where it is.
const LEFT: i64 = 365;

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    let Some(seen) = asset.sightings().find(|sighting| is_published(sighting)) else {
        return Outcome::NotApplicable;
    };
    let mut agents = cx.view.directory_objects(DirectoryRole::RecoveryAgent).iter();
    if agents.any(|(_, agent)| agent.certificates.contains(&asset.id.sha256)) {
        return Outcome::NotApplicable;
    }
    if cx.as_of <= certificate.not_after.plus_days(LEFT) {
        return Outcome::Met;
    }
    let days = certificate.not_after.days_until(cx.as_of);
    let date = certificate.not_after.date();
    Outcome::NotMet(format!("expired on {date}, {days} days ago, and is still in {}", seen.place))
}

fn is_published(sighting: &Sighting) -> bool {
    let label = sighting.circumstances.label.as_deref().unwrap_or_default().to_lowercase();
    sighting.collector == "directory" && label.starts_with("usercertificate")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::holding;
    use crate::fixtures::{NOW, World, check, leaf, limits};

    use pki_inventory::{Certificate, DirectoryRole};

    const USER: &str = "userCertificate;binary";

    fn ended(days: i64) -> Certificate {
        Certificate { not_after: NOW.plus_days(-days), ..leaf("user") }
    }

    #[test]
    fn met_for_a_year() {
        check(&RULE, &World::default().listed(ended(365), USER), &limits(), "met");
    }

    #[test]
    fn not_met_after_it() {
        check(&RULE, &World::default().listed(ended(366), USER), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_in_other_attributes_and_places() {
        let world = World::default().listed(ended(999), "cACertificate");
        check(&RULE, &world, &limits(), "not-applicable");
        check(&RULE, &World::default().stored(ended(999)), &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_recovery_agents() {
        let agent = holding(DirectoryRole::RecoveryAgent, &[&ended(999)]);
        let world = World::default().object(agent).listed(ended(999), USER);
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
