//! `cert.unknown-to-issuer-records`: a certificate in use is not in the records of its issuer.
//!
//! ## What it looks at
//! Certificates that a server presents, or whose private key lies here, of authorities whose
//! records were read. They are looked up by the common name of the issuer and the serial number.
//! ## Why it matters
//! What an authority does not know it can neither revoke nor renew. It was made with a copy of its
//! key, or its records were lost.
//! ## What it cannot see
//! Whether the export was a whole one: what was filtered out is missing in it. What was issued
//! before its first record or after its last one is unknown.

use pki_inventory::{Asset, Certificate};

use crate::population::{is_own_leaf, is_presented};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.unknown-to-issuer-records",
    title: "A certificate in use is not in the records of its issuer",
    cites: &[
        Cite { document: "[MS-CSRA]", section: "3.1.1.1" },
        Cite { document: "RFC 3647", section: "4.5.4" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory", "filesystem", "tls"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_own_leaf(asset, certificate, cx) && !is_presented(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let Some(rows) = cx.view.records_of_issuer(certificate) else { return Outcome::NotApplicable };
    let issuer = certificate.issuer.common_name.as_deref().unwrap_or_default();
    if !rows.is_empty() {
        // Of two authorities with one common name, the certificate in the row tells which it is.
        let certificates = rows.iter().map(|row| cx.view.certificate(row.certificate?));
        let mut names = certificates.map(|found| found.map(|(_, one)| one.issuer.sha256));
        let is_own = names.any(|name| name.is_none_or(|name| name == certificate.issuer.sha256));
        return match is_own {
            true => Outcome::Met,
            false => Outcome::Unknown(format!(
                "the records are those of another authority with the common name {issuer}"
            )),
        };
    }
    let start = certificate.not_before;
    match (cx.view.first_recorded(issuer), cx.view.last_recorded(issuer)) {
        (Some(first), _) if start < first => Outcome::Unknown(format!(
            "the records of {issuer} begin on {}, after it was issued",
            first.date()
        )),
        (_, Some(last)) if last < start => Outcome::Unknown(format!(
            "the records of {issuer} end on {}, before it was issued",
            last.date()
        )),
        (Some(_), Some(_)) => Outcome::NotMet(format!(
            "the records of {issuer} have no certificate with the serial number {}",
            certificate.serial
        )),
        _ => Outcome::Unknown(format!(
            "the records of {issuer} do not have it, and do not say which days they are of"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits};

    use pki_inventory::{Certificate, Disposition, DistinguishedName, Issuance};

    fn row(authority: &str, serial: &str) -> Issuance {
        Issuance {
            authority: Some(authority.to_owned()),
            request: Some(7),
            disposition: Disposition::Issued,
            serial: Some(serial.to_owned()),
            requester: None,
            template: None,
            common_name: None,
            not_before: Some(NOW.plus_days(-50)),
            not_after: None,
            revoked: None,
            revocation_reason: None,
            certificate: None,
        }
    }

    fn outcome(row: Issuance, expected: &'static str) {
        let world = World::default().served(leaf("a.example")).recorded(row);
        check(&RULE, &world, &limits(), expected);
    }

    #[test]
    fn met_where_the_serial_number_is_there() {
        outcome(row("test ca", "1"), "met");
    }

    #[test]
    fn unknown_where_the_row_is_of_another_authority_of_that_name() {
        let other = leaf("b.example");
        let other = Certificate {
            issuer: DistinguishedName { sha256: other.spki, ..other.issuer },
            ..other
        };
        let row = Issuance { certificate: Some(other.digest()), ..row("Test CA", "1") };
        let world = World::default().served(leaf("a.example")).stored(other).recorded(row);
        let expected = [("not-applicable", 1), ("unknown", 1)].into();
        assert_eq!(world.outcomes(&RULE, &limits()), expected);
    }

    fn starting(days: Option<i64>) -> Issuance {
        Issuance { not_before: days.map(|days| NOW.plus_days(days)), ..row("Test CA", "2") }
    }

    #[test]
    fn not_met_where_only_others_are() {
        outcome(starting(Some(-50)), "not-met");
        let later = Issuance { serial: Some("3".to_owned()), ..starting(Some(-9)) };
        let world = World::default().served(leaf("a.example")).recorded(starting(Some(-60)));
        check(&RULE, &world.recorded(later), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_it_was_issued_outside_of_the_records_or_they_have_no_dates() {
        for days in [Some(-51), Some(-49), None] {
            outcome(starting(days), "unknown");
        }
    }

    #[test]
    fn not_applicable_without_records_or_use() {
        outcome(row("Other CA", "1"), "not-applicable");
        let world = World::default().stored(leaf("a.example")).recorded(row("Test CA", "2"));
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
