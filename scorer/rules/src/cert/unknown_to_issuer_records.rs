//! `cert.unknown-to-issuer-records`: a certificate in use is not in the records of its issuer.
//!
//! ## What it looks at
//! Certificates that a server presents, or whose private key lies here, of authorities whose
//! records were read. They are looked up by the common name of the issuer and the serial number.
//! ## Why it matters
//! What an authority does not know it can neither revoke nor renew. It was made with a copy of its
//! key, or its records were lost.
//! ## What it cannot see
//! Whether the export was a whole one: what was filtered out is missing in it. What was issued after
//! its last record is unknown.

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
    match cx.view.records_of_issuer(certificate) {
        None => Outcome::NotApplicable,
        Some(rows) if !rows.is_empty() => Outcome::Met,
        Some(_) => {
            let issuer = certificate.issuer.common_name.as_deref().unwrap_or_default();
            let serial = &certificate.serial;
            match cx.view.last_recorded(issuer) {
                Some(last) if last < certificate.not_before => Outcome::Unknown(format!(
                    "the records of {issuer} end on {}, before it was issued",
                    last.date()
                )),
                _ => Outcome::NotMet(format!(
                    "the records of {issuer} have no certificate with the serial number {serial}"
                )),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits};

    use pki_inventory::{Disposition, Issuance};

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
    fn not_met_where_only_others_are() {
        outcome(row("Test CA", "2"), "not-met");
    }

    #[test]
    fn unknown_where_it_was_issued_after_the_last_record() {
        let not_before = Some(NOW.plus_days(-51));
        outcome(Issuance { not_before, ..row("Test CA", "2") }, "unknown");
    }

    #[test]
    fn not_applicable_without_records_or_use() {
        outcome(row("Other CA", "1"), "not-applicable");
        let world = World::default().stored(leaf("a.example")).recorded(row("Test CA", "2"));
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
