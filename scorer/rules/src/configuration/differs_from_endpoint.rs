//! `configuration.differs-from-endpoint`: what a server shows is not what its settings ask for.
//!
//! ## What it looks at
//! Settings that belong to an endpoint that answered: protocol versions, cipher suites where they
//! are named one by one, and the certificates in the files that are named.
//! ## Why it matters
//! Settings are what people review. Where a server does something else, it was not reloaded,
//! another file is in force or something stands before it, and the review was of no use.
//! ## What it cannot see
//! What the settings leave to the program, and versions and suites that a single handshake does not
//! show. Where several settings may stand behind an endpoint, only what holds for all of them.

use pki_inventory::{Asset, Configuration, Fact, compared};

use crate::population::is_shipped;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "configuration.differs-from-endpoint",
    title: "An endpoint differs from the settings behind it",
    cites: &[
        Cite { document: "ISO/IEC 27001:2022", section: "A.8.9" },
        Cite { document: "NIST SP 800-53 r5", section: "CM-6" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "tls"],
    reach: Reach::WhereShown,
    check: Check::Configuration(check),
};

/// Differences that a sentence has.
const TOLD: usize = 3;

fn check(asset: &Asset, _: &Configuration, cx: &RuleContext<'_>) -> Outcome {
    if is_shipped(asset, cx) {
        return Outcome::NotApplicable;
    }
    let endpoints = cx.view.endpoints_of(asset);
    let comparisons: Vec<_> =
        endpoints.iter().filter_map(|endpoint| compared(endpoint, cx.view)).collect();
    if comparisons.is_empty() {
        return Outcome::NotApplicable;
    }
    let mut drifts: Vec<String> =
        comparisons.iter().flat_map(|one| &one.drifts).map(ToString::to_string).collect();
    drifts.sort();
    drifts.dedup();
    if !drifts.is_empty() {
        let more = match drifts.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        drifts.truncate(TOLD);
        return Outcome::NotMet(format!("{}{more}", drifts.join("; ")));
    }
    let facts =
        || comparisons.iter().flat_map(|one| [&one.versions, &one.suites, &one.certificates]);
    let open: Option<&str> = facts().find_map(Fact::why);
    match (facts().any(|fact| *fact == Fact::Yes), open) {
        (true, None) => Outcome::Met,
        (true, Some(why)) => Outcome::MetBecause(format!("agrees as far as it shows; {why}")),
        (false, why) => Outcome::Unknown(why.unwrap_or("nothing could be compared").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, limits, posture, session, settings};

    use pki_inventory::{Configuration, Endpoint, Handshake};

    /// Speaks TLS 1.2 and 1.3 on this host.
    fn beside(configuration: Configuration) -> World {
        let endpoint = Endpoint::new(NOW, Handshake::Shown(session()));
        let endpoint = Endpoint { posture: Some(Box::new(posture())), ..endpoint };
        World::default()
            .answering_at(endpoint, "tls://127.0.0.1:443")
            .configured(configuration, "file:///etc/nginx.conf#1")
    }

    fn enabling(versions: &[&str]) -> Configuration {
        let versions = Some(versions.iter().map(|version| (*version).to_owned()).collect());
        Configuration { versions, ..settings() }
    }

    #[test]
    fn met_where_what_could_be_compared_agrees() {
        check(&RULE, &beside(enabling(&["TLSv1.2", "TLSv1.3"])), &limits(), "met");
    }

    #[test]
    fn not_met_where_more_or_less_is_offered() {
        check(&RULE, &beside(enabling(&["TLSv1.3"])), &limits(), "not-met");
        check(&RULE, &beside(enabling(&["TLSv1.1", "TLSv1.2", "TLSv1.3"])), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_the_settings_say_nothing() {
        check(&RULE, &beside(settings()), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_an_endpoint() {
        let world = World::default().configured(enabling(&["SSLv3"]), "file:///etc/nginx.conf#1");
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
