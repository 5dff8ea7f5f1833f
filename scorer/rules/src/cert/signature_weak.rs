//! `cert.signature-weak`: a certificate is signed with a hash function that collisions are known
//! for.
//!
//! ## What it looks at
//! Certificates that a server presents, and valid ones elsewhere. Self-signed ones are left out:
//! nobody relies on the signature of an anchor.
//! ## Why it matters
//! Whoever can make two certificates with one hash can have the harmless one signed and use the
//! other. MD5 fell so in 2008, SHA-1 in 2017.
//! ## What it cannot see
//! Signatures with algorithms that have no name here; those are unknown.

use pki_inventory::{Asset, Certificate};

use crate::population::is_current;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.signature-weak",
    title: "A certificate is signed with MD2, MD4, MD5 or SHA-1",
    cites: &[
        Cite { document: "RFC 6151", section: "2" },
        Cite { document: "RFC 9155", section: "2" },
        Cite { document: "NIST SP 800-131A r2", section: "9" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if certificate.is_self_signed() || !is_current(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    match certificate.signature.hash.as_deref() {
        Some(hash @ ("MD2" | "MD4" | "MD5" | "SHA-1")) => {
            Outcome::NotMet(format!("is signed with {} ({hash})", certificate.signature.name))
        }
        // A number instead of a name: an algorithm that is not known here.
        Some(hash) if hash.contains('.') => {
            Outcome::Unknown(format!("the hash function {hash} has no name here"))
        }
        Some(_) => Outcome::Met,
        None if certificate.signature.name == "rsassaPss" => Outcome::Unknown(
            "the parameters that say which hash was used cannot be read".to_owned(),
        ),
        None if certificate.signature.name.contains('.') => Outcome::Unknown(format!(
            "the signature algorithm {} has no name here, so its strength is not known",
            certificate.signature.name
        )),
        // Ed25519, ML-DSA and their like hash inside, with functions that hold.
        None => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits, name};

    use pki_inventory::{Certificate, SignatureAlgorithm};

    fn signed(name: &str, hash: Option<&str>) -> Certificate {
        let mut certificate = leaf("a.example");
        certificate.signature =
            SignatureAlgorithm { name: name.to_owned(), hash: hash.map(str::to_owned) };
        certificate
    }

    #[test]
    fn met_with_sha_256_and_with_ed25519() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
        check(&RULE, &World::default().served(signed("Ed25519", None)), &limits(), "met");
    }

    #[test]
    fn not_met_with_sha_1() {
        let weak = signed("sha1WithRSAEncryption", Some("SHA-1"));
        check(&RULE, &World::default().stored(weak), &limits(), "not-met");
    }

    #[test]
    fn unknown_with_an_unnamed_algorithm() {
        for (name, hash) in [("1.2.3.4", None), ("rsassaPss", None), ("rsassaPss", Some("1.2.3"))] {
            check(&RULE, &World::default().served(signed(name, hash)), &limits(), "unknown");
        }
    }

    #[test]
    fn not_applicable_to_a_self_signed_one() {
        let mut own = signed("sha1WithRSAEncryption", Some("SHA-1"));
        own.issuer = name("a.example");
        check(&RULE, &World::default().served(own), &limits(), "not-applicable");
    }
}
