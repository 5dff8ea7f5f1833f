//! `adcs.template-security-extension-absent`: certificates that log on do not say whose they are by
//! security identifier.
//!
//! ## What it looks at
//! Certificate templates that leave the security extension out (NO_SECURITY_EXTENSION), for usages
//! that log on. Then: some authority publishes the template, ordinary accounts may enrol, no
//! manager approves, no agent signs.
//! ## Why it matters
//! Without it a certificate is matched with an account by name alone. Whoever can change the name
//! of some account logs on as another one.
//! ## What it cannot see
//! Whether the domain controllers still accept such certificates:
//! StrongCertificateBindingEnforcement stands in their registry.

use pki_inventory::{Asset, Template, enrolment_flag};

use crate::enrolment::{Path, both, flag, path};
use crate::usages::logon;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-security-extension-absent",
    title: "A template that logs on leaves the security extension out (ESC9)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC9" },
        Cite { document: "[MS-CRTD]", section: "2.26" },
        Cite { document: "KB5014754", section: "Registry key information" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let condition = flag(
        template.enrols(enrolment_flag::NO_SECURITY_EXTENSION),
        "msPKI-Enrollment-Flag",
        "its certificates carry no security identifier (NO_SECURITY_EXTENSION)",
    );
    let usage = logon(template, cx).map(|usage| format!("and are {usage}"));
    match path(template, both(condition, usage), cx) {
        Path::None => Outcome::Met,
        Path::Closed(why) => Outcome::MetBecause(why),
        Path::Unpublished(why) => Outcome::NotApplicableBecause(why),
        Path::Unclear(why) => Outcome::Unknown(why),
        Path::Open(how) => Outcome::NotMet(how),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{published, template, used_for, ways};
    use crate::fixtures::World;

    use pki_inventory::Template;

    fn armed() -> Template {
        Template { enrolment_flags: Some(0x8_0000), ..template("T") }
    }

    #[test]
    fn with_the_condition_the_way_decides() {
        ways(&RULE, World::default, &armed(), ["not-met", "met", "unknown", "not-applicable"]);
    }

    #[test]
    fn the_flag_is_set_and_the_usage_logs_on() {
        let for_servers = used_for(crate::usages::SERVER, armed());
        let unread = Template { enrolment_flags: None, ..armed() };
        published(&RULE, [(template("T"), "met"), (for_servers, "met"), (unread, "unknown")]);
    }
}
