//! `configuration.protocol-not-approved`: settings enable a protocol version that the policy does
//! not approve, or none that it approves.
//!
//! ## What it looks at
//! Settings that name protocol versions of TLS, by the list of the policy that endpoints are judged
//! by too.
//! ## Why it matters
//! Settings are where a rule about protocols is carried out or not. They show it for every
//! listener, also for those that no scan reaches, and for clients.
//! ## What it cannot see
//! Versions where the settings leave them to the program: unknown. Whether what is set is what
//! runs; that takes a look at the endpoint.

use pki_inventory::{Asset, Configuration};

use super::versions;
use crate::endpoint::listed;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "configuration.protocol-not-approved",
    title: "Settings enable a protocol version that is not approved",
    cites: &[
        Cite { document: "RFC 8996", section: "1" },
        Cite { document: "RFC 9325", section: "3.1.1" },
    ],
    in_force: InForce::Policy,
    fed_by: &["filesystem"],
    reach: Reach::WhereShown,
    check: Check::Configuration(check),
};

fn check(asset: &Asset, configuration: &Configuration, cx: &RuleContext<'_>) -> Outcome {
    let enabled = match versions(asset, configuration, cx) {
        None => return Outcome::NotApplicable,
        Some(Err(why)) => return Outcome::Unknown(why),
        Some(Ok(enabled)) => enabled,
    };
    let others: Vec<&String> =
        enabled.iter().filter(|version| !cx.limits.protocols.contains(version)).collect();
    if others.is_empty() {
        return Outcome::Met;
    }
    let (software, others) = (&configuration.software, listed(&others, "and"));
    Outcome::NotMet(format!(
        "the settings of {software} enable {others}, which the policy does not approve"
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, settings};

    use pki_inventory::Configuration;

    fn enabling(versions: &[&str]) -> World {
        let versions = Some(versions.iter().map(|version| (*version).to_owned()).collect());
        World::default().configured(Configuration { versions, ..settings() }, "file:///n.conf#1")
    }

    #[test]
    fn met_with_an_approved_one_alone() {
        check(&RULE, &enabling(&["TLSv1.3"]), &limits(), "met");
    }

    #[test]
    fn not_met_with_another() {
        check(&RULE, &enabling(&["TLSv1.2", "TLSv1.3"]), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_the_program_decides_or_none_is_left() {
        let world = World::default().configured(settings(), "file:///n.conf#1");
        check(&RULE, &world, &limits(), "unknown");
        check(&RULE, &enabling(&[]), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_where_there_is_no_tls() {
        let one = Configuration::of("nginx", None, 1);
        let world = World::default().configured(one, "file:///n.conf#1");
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
