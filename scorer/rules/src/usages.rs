//! What certificates of a template are for, and whom they name.

use pki_inventory::{Template, View, name_flag};

use crate::RuleContext;
use crate::enrolment::{Condition, unread};

/// anyExtendedKeyUsage (RFC 5280, 4.2.1.12).
const ANY: &str = "2.5.29.37.0";
/// id-kp-serverAuth (RFC 5280, 4.2.1.12).
pub(crate) const SERVER: &str = "1.3.6.1.5.5.7.3.1";
/// id-kp-OCSPSigning (RFC 6960, 4.2.2.2).
pub(crate) const STATUS: &str = "1.3.6.1.5.5.7.3.9";
/// szOID_ENROLLMENT_AGENT ([MS-WCCE], 3.2.2.6.2.1.4.5.7).
pub(crate) const AGENT: &str = "1.3.6.1.4.1.311.20.2.1";

/// Usages that log on to a domain: those of clients, of PKINIT (RFC 4556, 3.2.2), of smart cards.
const LOGON: &[(&str, &str)] = &[
    ("1.3.6.1.5.5.7.3.2", "client authentication"),
    ("1.3.6.1.5.2.3.4", "PKINIT client authentication"),
    ("1.3.6.1.4.1.311.20.2.2", "smart card logon"),
];

/// The version of its schema; an object that names none is of version 1 ([MS-CRTD], 2.16).
pub(crate) fn schema(template: &Template) -> u32 {
    template.schema_version.unwrap_or(1)
}

/// The lists of usages of its certificates. From version 2 of the schema on, an authority writes
/// application policies into an extension of their own, beside that for the extended key usage
/// ([MS-WCCE], 3.2.2.6.2.1.4.5.5). Windows reads the former, everything else the latter alone, and
/// so either counts.
fn lists(template: &Template) -> [&[String]; 2] {
    let policies: &[String] =
        if schema(template) >= 2 { &template.application_policies } else { &[] };
    [&template.extended_key_usage, policies]
}

/// Whether this usage is in either list.
pub(crate) fn has(template: &Template, usage: &str) -> bool {
    lists(template).into_iter().flatten().any(|found| found == usage)
}

/// Which list has it alone, where there are two and the other one has not.
fn by(template: &Template, usage: &str) -> &'static str {
    let [keys, policies] = lists(template);
    let is_in = |list: &[String]| list.iter().any(|found| found == usage);
    match (is_in(keys), is_in(policies)) {
        _ if keys.is_empty() || policies.is_empty() => "",
        (true, false) => " (by its extended key usage, not by its application policies)",
        (false, true) => " (by its application policies, not by its extended key usage)",
        _ => "",
    }
}

/// Whether its certificates are good for anything. No usage at all is that, unless the attributes
/// were not read: then no template of the forest has any, or this one lacks `pKIKeyUsage` too,
/// which every template has.
pub(crate) fn any_purpose(template: &Template, cx: &RuleContext<'_>) -> Condition {
    if has(template, ANY) {
        let by = by(template, ANY);
        return Condition::Holds(format!("for any purpose (anyExtendedKeyUsage){by}"));
    }
    if lists(template).into_iter().any(|list| !list.is_empty()) {
        return Condition::Absent;
    }
    let forest = View::forest_of(&template.dn);
    let mut others = cx.view.templates().map(|(_, other)| other).filter(|other| {
        !other.extended_key_usage.is_empty() || !other.application_policies.is_empty()
    });
    let is_read =
        !template.key_usage.is_empty() && others.any(|other| View::forest_of(&other.dn) == forest);
    match is_read {
        true => Condition::Holds("for any purpose, as the template names no usage".to_owned()),
        false => Condition::Unread(unread("pKIExtendedKeyUsage")),
    }
}

/// What its certificates log on by, if they do.
pub(crate) fn logon(template: &Template, cx: &RuleContext<'_>) -> Condition {
    let named = LOGON.iter().filter(|(usage, _)| has(template, usage));
    let named: Vec<String> =
        named.map(|(usage, name)| format!("{name}{}", by(template, usage))).collect();
    if named.is_empty() {
        return any_purpose(template, cx);
    }
    Condition::Holds(format!("for {}", named.join(", ")))
}

/// Whether its certificates stand for servers.
pub(crate) fn server(template: &Template, cx: &RuleContext<'_>) -> Condition {
    if has(template, SERVER) {
        return Condition::Holds(format!("for servers{}", by(template, SERVER)));
    }
    any_purpose(template, cx)
}

/// Whether the requester says whom the certificate is for ([MS-CRTD], 2.28).
pub(crate) fn names_itself(template: &Template) -> Condition {
    let Some(flags) = template.name_flags else {
        return Condition::Unread(unread("msPKI-Certificate-Name-Flag"));
    };
    if flags & name_flag::ENROLLEE_SUPPLIES_SUBJECT != 0 {
        return Condition::Holds(
            "the requester names the subject (ENROLLEE_SUPPLIES_SUBJECT)".to_owned(),
        );
    }
    if flags & name_flag::ENROLLEE_SUPPLIES_ALTERNATIVE_NAME != 0 {
        return Condition::Holds(
            "the requester names the alternative names (ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME, the \
             weaker variant: the subject comes from the directory)"
                .to_owned(),
        );
    }
    Condition::Absent
}

#[cfg(test)]
mod tests {
    use super::{SERVER, any_purpose, logon, names_itself, server};
    use crate::RuleContext;
    use crate::directory_fixtures::{CLIENT, template, used_for};
    use crate::enrolment::Condition;
    use crate::fixtures::{NOW, World, limits};

    use pki_inventory::Template;

    type Question = fn(&Template, &RuleContext<'_>) -> Condition;

    /// The clause, beside another template that names a usage; what was not read is an error.
    fn of(question: Question, template: &Template) -> Result<String, bool> {
        ask(question, template, World::default().template(crate::directory_fixtures::template("B")))
    }

    fn ask(question: Question, template: &Template, world: World) -> Result<String, bool> {
        world.template(template.clone()).viewed(|view| {
            match question(template, &RuleContext { as_of: NOW, view, limits: &limits() }) {
                Condition::Holds(clause) => Ok(clause),
                Condition::Absent => Err(false),
                Condition::Unread(_) => Err(true),
            }
        })
    }

    fn with(keys: &[&str], policies: &[&str], version: u32) -> Template {
        let list = |usages: &[&str]| usages.iter().map(|usage| (*usage).to_owned()).collect();
        Template {
            extended_key_usage: list(keys),
            application_policies: list(policies),
            schema_version: Some(version),
            ..template("T")
        }
    }

    #[test]
    fn either_list_counts_from_version_2_on_and_the_clause_says_which() {
        let mixed = with(&[SERVER], &[CLIENT], 2);
        let expected = "for servers (by its extended key usage, not by its application policies)";
        assert_eq!(of(server, &mixed).as_deref(), Ok(expected));
        let expected = "for client authentication (by its application policies, not by its \
                        extended key usage)";
        assert_eq!(of(logon, &mixed).as_deref(), Ok(expected));
        assert_eq!(of(logon, &with(&[SERVER], &[CLIENT], 1)), Err(false), "there are no policies");
        assert_eq!(of(logon, &with(&[], &[CLIENT], 2)).as_deref(), Ok("for client authentication"));
        assert_eq!(of(any_purpose, &with(&[], &[SERVER], 2)), Err(false));
    }

    #[test]
    fn what_is_for_anything_is_for_servers_and_logs_on() {
        for question in [any_purpose as Question, logon, server] {
            for one in [with(&[], &[], 2), with(&[], &[CLIENT], 1), with(&["2.5.29.37.0"], &[], 2)]
            {
                assert!(
                    of(question, &one).is_ok_and(|clause| clause.starts_with("for any purpose"))
                );
            }
        }
    }

    #[test]
    fn no_usage_is_not_read_where_no_template_has_any_or_this_one_has_no_key_usage() {
        let none = with(&[], &[], 2);
        assert_eq!(ask(any_purpose, &none, World::default()), Err(true));
        let mut foreign = template("B");
        foreign.dn = foreign.dn.replace("DC=corp", "DC=other");
        assert_eq!(ask(any_purpose, &none, World::default().template(foreign)), Err(true));
        let bare = Template { key_usage: Vec::new(), ..none.clone() };
        assert_eq!(of(any_purpose, &bare), Err(true));
        assert!(of(any_purpose, &none).is_ok());
    }

    #[test]
    fn each_usage_that_logs_on_is_one() {
        for usage in ["1.3.6.1.5.2.3.4", "1.3.6.1.4.1.311.20.2.2", "2.5.29.37.0"] {
            assert!(of(logon, &used_for(usage, template("T"))).is_ok(), "{usage}");
        }
    }

    #[test]
    fn names_come_from_the_requester_by_either_flag() {
        let of = |name_flags| names_itself(&Template { name_flags, ..template("T") });
        assert!(matches!(of(Some(1)), Condition::Holds(text) if text.contains("the subject (")));
        assert!(matches!(of(Some(0x1_0000)), Condition::Holds(text) if text.contains("weaker")));
        assert!(matches!(of(Some(0x0200_0000)), Condition::Absent));
        assert!(matches!(of(None), Condition::Unread(_)));
    }
}
