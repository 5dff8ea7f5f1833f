//! What certificates of a template are for, and whom they name.

use pki_inventory::{Template, name_flag};

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

/// The usages that certificates of a template have: from version 2 of the schema on the application
/// policies, where there are any ([MS-CRTD], 2.25).
fn usages(template: &Template) -> &[String] {
    if schema(template) >= 2 && !template.application_policies.is_empty() {
        return &template.application_policies;
    }
    &template.extended_key_usage
}

/// The version of its schema; an object that names none is of version 1 ([MS-CRTD], 2.16).
pub(crate) fn schema(template: &Template) -> u32 {
    template.schema_version.unwrap_or(1)
}

/// Whether this usage is among them.
pub(crate) fn has(template: &Template, usage: &str) -> bool {
    usages(template).iter().any(|found| found == usage)
}

/// Why its certificates are good for anything, if they are.
pub(crate) fn any_purpose(template: &Template) -> Option<&'static str> {
    if usages(template).is_empty() {
        return Some("for any purpose, as the template names no usage");
    }
    has(template, ANY).then_some("for any purpose (anyExtendedKeyUsage)")
}

/// What its certificates log on by, if they do.
pub(crate) fn logon(template: &Template) -> Option<String> {
    let named: Vec<&str> =
        LOGON.iter().filter(|(usage, _)| has(template, usage)).map(|(_, name)| *name).collect();
    if named.is_empty() {
        return any_purpose(template).map(str::to_owned);
    }
    Some(format!("for {}", named.join(", ")))
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
    use super::{any_purpose, logon, names_itself};
    use crate::directory_fixtures::{template, used_for};
    use crate::enrolment::Condition;

    use pki_inventory::Template;

    #[test]
    fn application_policies_stand_before_usages_from_version_2_on() {
        let mut one = used_for(super::SERVER, template("T"));
        assert_eq!(logon(&one), None, "the usage says client, the policy does not");
        one.schema_version = None;
        assert_eq!(logon(&one).as_deref(), Some("for client authentication"));
        one.extended_key_usage.clear();
        assert!(any_purpose(&one).is_some_and(|why| why.contains("names no usage")));
        one.schema_version = Some(2);
        assert_eq!(any_purpose(&one), None);
    }

    #[test]
    fn each_usage_that_logs_on_is_one() {
        for usage in ["1.3.6.1.5.2.3.4", "1.3.6.1.4.1.311.20.2.2", "2.5.29.37.0"] {
            assert!(logon(&used_for(usage, template("T"))).is_some(), "{usage}");
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
