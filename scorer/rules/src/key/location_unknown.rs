//! `key.location-unknown`: nobody knows where the private key of a certificate in service lies.
//!
//! ## What it looks at
//! Certificates that a server presents as its own. Not met are those that a server on this very
//! host presents, whose files were read, while the key was seen nowhere: no file or token has it.
//! ## Why it matters
//! A key that is in no inventory is protected, replaced and destroyed by nobody.
//! ## What it cannot see
//! Keys of servers on other hosts, in places that were not read, on tokens that let no one log in,
//! in closed keystores and in encodings that show no public half without a passphrase: unknown.
//! Tokens of modules that no setting names: a key on one of them shows as seen nowhere.

use pki_inventory::{Asset, Certificate, GapReason};

use crate::key::locked;
use crate::population::{is_loopback, is_served};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.location-unknown",
    title: "The private key of a certificate in service was seen nowhere",
    cites: &[
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.8.24" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "pkcs11", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

/// The collector that reads disks.
const DISK: &str = "filesystem";
/// The collector that reads tokens.
const TOKENS: &str = "pkcs11";

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_served(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    if let Some((_, seen)) = cx.view.private_places(certificate.spki).first() {
        return Outcome::MetBecause(format!("its private key lies at {}", seen.place));
    }
    if !asset.places().any(is_loopback) {
        return Outcome::Unknown(
            "its private key was not seen, and whether the host's files were read is not known"
                .to_owned(),
        );
    }
    why_open(cx).map_or_else(
        || {
            Outcome::NotMet(
                "a server on this host presents it, and its private key is in no file and on no \
                 token that was read"
                    .to_owned(),
            )
        },
        Outcome::Unknown,
    )
}

/// Why the key may lie on this host although it was not seen; `None` when it may not.
fn why_open(cx: &RuleContext<'_>) -> Option<String> {
    let inventory = cx.view.inventory();
    let scopes: Vec<&str> = inventory
        .coverage()
        .filter(|(collector, _, coverage)| *collector == DISK && coverage.read > 0)
        .map(|(_, scope, _)| scope)
        .collect();
    // Servers keep their keys where they like.
    if !scopes.contains(&"/") {
        let read = if scopes.is_empty() { "nothing".to_owned() } else { scopes.join(", ") };
        return Some(format!(
            "its private key was not seen, but of the host's files {read} was read"
        ));
    }
    let unread = |reason| {
        matches!(
            reason,
            GapReason::CollectorFailed
                | GapReason::LimitReached
                | GapReason::OtherFilesystem
                | GapReason::PermissionDenied
                | GapReason::ReadFailed
                | GapReason::RunEnded
        )
    };
    let mut gaps = inventory.gaps();
    let gap = gaps.find(|gap| match gap.collector.as_str() {
        DISK => unread(gap.reason),
        TOKENS => true,
        _ => false,
    });
    if let Some(gap) = gap {
        return Some(format!("its private key was not seen, but {} was not read", gap.place));
    }
    let place = locked(inventory)?;
    Some(format!("its private key was not seen, but it may be the one that is locked in {place}"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};
    use crate::token_fixtures::{TOKEN, private, token};

    use pki_inventory::{Certificate, Encryption, GapReason, Keystore, Lock, Login, Token};

    fn here() -> World {
        World::default().presented(leaf("a.example"), "tls://127.0.0.1:443", 0)
    }

    fn one() -> Certificate {
        leaf("a.example")
    }

    #[test]
    fn met_where_the_key_was_seen() {
        check(&RULE, &World::default().served(one()).key_of(&one()), &limits(), "met");
        let world = World::default().served(one());
        let world = world.key_on(one().spki, private(), &format!("{TOKEN};object=k"));
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_where_the_host_was_read_without_a_trace_of_it() {
        check(&RULE, &here().read("/"), &limits(), "not-met");
        let six = World::default().presented(one(), "tls://[::1]:443", 0);
        check(&RULE, &six.read("/"), &limits(), "not-met");
        check(&RULE, &here().read("/").token(token()), &limits(), "not-met");
    }

    #[test]
    fn unknown_on_another_host_or_one_that_was_read_in_part() {
        check(&RULE, &World::default().served(one()).read("/"), &limits(), "unknown");
        check(&RULE, &here().read("/srv"), &limits(), "unknown");
        check(&RULE, &here(), &limits(), "unknown");
        let world = here().read("/").gap("file:///etc/ssl/private", GapReason::PermissionDenied);
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn unknown_while_a_token_was_not_read() {
        for login in [Login::NotConfigured, Login::NotTried, Login::Refused] {
            let world = here().read("/").token(Token { login, ..token() });
            check(&RULE, &world, &limits(), "unknown");
        }
        let world = here().read("/").token_gap(TOKEN, GapReason::ModuleFailed);
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn unknown_while_something_stays_locked() {
        let store = Keystore {
            format: "PKCS#12".to_owned(),
            lock: Lock::Closed("none of the 9 passwords that were tried fits".to_owned()),
            integrity: None,
            protection: Vec::new(),
            count: None,
            entries: Vec::new(),
        };
        check(&RULE, &here().read("/").keystore(store), &limits(), "unknown");
        let encryption = Encryption::Passphrase { kdf: None, cipher: None, iterations: None };
        let world = here().read("/").private_key(None, None, encryption, 0o600);
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_a_file() {
        check(&RULE, &World::default().stored(one()), &limits(), "not-applicable");
    }
}
