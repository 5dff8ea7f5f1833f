//! `configuration.protocol-deprecated`: settings enable a protocol version that has been withdrawn.
//!
//! ## What it looks at
//! Settings that name protocol versions of TLS, whatever the policy approves: SSL 2.0, SSL 3.0,
//! TLS 1.0 and TLS 1.1, of servers, clients and libraries alike.
//! ## Why it matters
//! What is enabled is spoken by the next build of the library that still knows it, also where no
//! scan has looked. Clients with such settings are met by no scan at all.
//! ## What it cannot see
//! Versions where the settings leave them to the program: unknown. Whether the library beneath
//! still speaks what the settings enable.

use pki_inventory::{Asset, Configuration};

use super::versions;
use crate::endpoint::{WITHDRAWN, listed};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "configuration.protocol-deprecated",
    title: "Settings enable a withdrawn protocol version",
    cites: &[
        Cite { document: "RFC 6176", section: "3" },
        Cite { document: "RFC 7568", section: "3" },
        Cite { document: "RFC 8996", section: "4 and 5" },
    ],
    in_force: InForce::Always,
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
    let found: Vec<String> = WITHDRAWN
        .iter()
        .filter(|(version, _)| enabled.iter().any(|one| one == version))
        .map(|(version, by)| format!("{version} ({by})"))
        .collect();
    if found.is_empty() {
        return Outcome::Met;
    }
    Outcome::NotMet(format!(
        "the settings of {} enable {}",
        configuration.software,
        listed(&found, "and")
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
    fn met_with_current_versions() {
        check(&RULE, &enabling(&["TLSv1.2", "TLSv1.3"]), &limits(), "met");
    }

    #[test]
    fn not_met_with_one_that_was_withdrawn() {
        for version in ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"] {
            check(&RULE, &enabling(&[version, "TLSv1.2"]), &limits(), "not-met");
        }
    }

    #[test]
    fn unknown_where_the_program_decides() {
        let world = World::default().configured(settings(), "file:///n.conf#1");
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_ssh_to_what_speaks_no_tls_and_to_samples() {
        let world = |software: &str, listens| {
            let one = Configuration { listens, ..Configuration::of(software, None, 1) };
            World::default().configured(one, "file:///n.conf#1")
        };
        check(&RULE, &world("OpenSSH", settings().listens), &limits(), "not-applicable");
        check(&RULE, &world("nginx", Vec::new()), &limits(), "not-applicable");
        let shipped = crate::Limits { shipped: vec!["file:///n*".to_owned()], ..limits() };
        check(&RULE, &enabling(&["SSLv3"]), &shipped, "not-applicable");
    }
}
