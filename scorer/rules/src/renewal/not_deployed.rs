//! `renewal.not-deployed`: a certificate was renewed, and the server still presents the old one.
//!
//! ## What it looks at
//! Certificates that a server presents as its own, beside the files that its settings name, and
//! beside those that a tool for renewal manages: where the old one lies there too, or the server is
//! on this very host. Not met is one for which a newer certificate for the same names lies there
//! for longer than the days of grace.
//! ## Why it matters
//! Servers read their certificates when they start. A renewal without a reload ends in an outage on
//! the day the old one expires, although every file looks right.
//! ## What it cannot see
//! Servers whose settings and files were not read.

use pki_inventory::{Asset, AssetId, Body, Certificate, Drift, Fact, Kind, Sighting, compared};

use crate::population::{is_loopback, is_served};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "renewal.not-deployed",
    title: "A renewed certificate is not in use",
    cites: &[
        Cite { document: "ISO/IEC 27001:2022", section: "A.8.16" },
        Cite { document: "RFC 8555", section: "1" },
    ],
    in_force: InForce::Policy,
    fed_by: &["filesystem", "tls"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_served(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let (mut is_known, mut open) = (false, None);
    let presented = |sighting: &&Sighting| sighting.circumstances.chain_position == Some(0);
    for sighting in asset.sightings().filter(presented) {
        let ripe = |newer: &Certificate| {
            newer.not_before.plus_days(cx.limits.renewal_grace_days) < sighting.last_seen
        };
        let said = |newer: &Certificate, at: &str| {
            let day = newer.not_before.date();
            Outcome::NotMet(format!(
                "{} presents it, but one that is valid from {day} lies {at}",
                sighting.place
            ))
        };
        let endpoint = cx.view.inventory().get(AssetId::at(Kind::Endpoint, &sighting.place));
        if let Some(comparison) = endpoint.and_then(|endpoint| compared(endpoint, cx.view)) {
            let newer = comparison.drifts.iter().find_map(|drift| match drift {
                Drift::Certificate { served, newer_on_disk, .. } if *served == asset.id.sha256 => {
                    cx.view.inventory().get(AssetId::new(Kind::Certificate, (*newer_on_disk)?))
                }
                _ => None,
            });
            if let Some(newer) = newer.and_then(Asset::certificate).filter(|newer| ripe(newer)) {
                return said(newer, "in the file that is configured");
            }
            match comparison.certificates {
                Fact::NotObserved(why) => open = Some(why),
                Fact::Yes | Fact::No => is_known = true,
            }
        }
        if let Some((newest, tool)) = managed(asset, certificate, is_loopback(&sighting.place), cx)
        {
            is_known = true;
            if newest.not_before > certificate.not_before && ripe(newest) {
                return said(newest, &format!("where {tool} keeps it"));
            }
        }
    }
    match open {
        _ if is_known => Outcome::Met,
        Some(why) => Outcome::Unknown(why),
        None => Outcome::NotApplicable,
    }
}

/// The newest certificate for the same names that a tool manages where it manages this one too, or
/// anywhere on the host that presents it. Other hosts may have renewed theirs on their own.
fn managed<'a>(
    asset: &Asset,
    certificate: &Certificate,
    is_here: bool,
    cx: &RuleContext<'a>,
) -> Option<(&'a Certificate, &'a str)> {
    let own = cx.view.automation_of(asset);
    let traces = (!is_here).then_some(own.as_slice());
    let (newest, trace) = cx.view.newest_kept(certificate, traces)?;
    let Body::Automation(trace) = &trace.body else { return None };
    Some((newest, trace.tool.as_str()))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits, lineage, presenting, settings};

    use std::collections::BTreeMap;

    use pki_inventory::{Certificate, Configuration, Endpoint};

    const HERE: &str = "tls://127.0.0.1:443";
    const FILE: &str = "file:///etc/letsencrypt/archive/a/cert2.pem#1";

    /// Issued so many days ago.
    fn renewed(days: i64) -> Certificate {
        let mut newer = leaf("a.example");
        newer.der = b"newer".to_vec();
        newer.not_before = NOW.plus_days(-days);
        newer
    }

    fn serving(place: &str) -> World {
        let endpoint = Endpoint::new(NOW, presenting(&[&leaf("a.example")]));
        World::default().presented(leaf("a.example"), place, 0).answering_at(endpoint, place)
    }

    fn configured(world: World) -> World {
        let certificates = vec!["/etc/letsencrypt/archive/a/cert2.pem".to_owned()];
        world.configured(Configuration { certificates, ..settings() }, "file:///etc/nginx.conf#1")
    }

    fn managed(world: World) -> World {
        world.automated(lineage("/etc/letsencrypt/archive/a/"), "file:///etc/renewal/a.conf")
    }

    #[track_caller]
    fn outcome(world: &World, expected: &'static str) {
        // Certificates that only lie on disk are none of the rule's business.
        let outcomes = world.outcomes(&RULE, &limits());
        let expected = match world.certificates() {
            1 => BTreeMap::from([(expected, 1)]),
            _ if expected == "not-applicable" => BTreeMap::from([(expected, 2)]),
            _ => BTreeMap::from([(expected, 1), ("not-applicable", 1)]),
        };
        assert_eq!(outcomes, expected);
    }

    #[test]
    fn met_when_the_configured_file_holds_what_is_served_or_was_renewed_just_now() {
        outcome(&configured(serving(HERE).stored_at(leaf("a.example"), FILE)), "met");
        outcome(&configured(serving(HERE).stored_at(renewed(1), FILE)), "met");
        outcome(&managed(serving(HERE).stored_at(leaf("a.example"), FILE)), "met");
    }

    #[test]
    fn not_met_when_a_newer_one_lies_in_the_configured_file() {
        outcome(&configured(serving(HERE).stored_at(renewed(3), FILE)), "not-met");
    }

    #[test]
    fn not_met_when_a_tool_on_the_host_or_of_the_old_one_has_a_newer_one() {
        outcome(&managed(serving(HERE).stored_at(renewed(3), FILE)), "not-met");
        let first = "file:///etc/letsencrypt/archive/a/cert1.pem#1";
        let far = || serving("tls://192.0.2.1:443").stored_at(renewed(3), FILE);
        outcome(&managed(far().stored_at(leaf("a.example"), first)), "not-met");
        outcome(&managed(far()), "not-applicable");
    }

    #[test]
    fn unknown_when_the_configured_file_was_not_read() {
        outcome(&configured(serving(HERE)), "unknown");
    }

    #[test]
    fn not_applicable_without_settings_and_automation() {
        check(&RULE, &serving(HERE), &limits(), "not-applicable");
    }
}
