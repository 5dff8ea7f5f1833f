//! `key.stored-unencrypted`: a private key lies in a file in the clear.
//!
//! ## What it looks at
//! Private keys, and symmetric ones, seen in files; but none whose private half is published, and
//! not the one that Debian's package ssl-cert makes for its placeholder.
//! ## Why it matters
//! Whoever reads the file, a backup of it or a disk thrown away, has the key. Encryption, a token
//! or an HSM makes a copy worthless by itself.
//! ## What it cannot see
//! Encryption below the file, such as an encrypted disk; passphrases that lie beside the key.

use pki_inventory::{Asset, Encryption, Key};

use crate::key::{is_no_secret, private_sightings};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.stored-unencrypted",
    title: "A private key is stored unencrypted",
    cites: &[
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
        Cite { document: "RFC 5958", section: "3" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem"],
    reach: Reach::Whole,
    check: Check::Key(check),
};

fn check(asset: &Asset, key: &Key, cx: &RuleContext<'_>) -> Outcome {
    let mut files = private_sightings(asset, key, cx);
    files.retain(|(sighting, _)| sighting.circumstances.file.is_some());
    if files.is_empty() {
        return Outcome::NotApplicable;
    }
    if let Some(what) = is_no_secret(asset, key) {
        return Outcome::NotApplicableBecause(what);
    }
    match files.iter().find(|(_, form)| form.encryption == Encryption::None) {
        None => Outcome::Met,
        Some((_, form)) => Outcome::NotMet(format!("lies in the clear as {}", form.encoding)),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, clear, limits, test_key};

    use pki_inventory::{Digest, Encryption};

    #[test]
    fn met_when_encrypted() {
        let encryption = Encryption::Passphrase { kdf: None, cipher: None, iterations: None };
        let world = World::default().private_key(None, None, encryption, 0o600);
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_in_the_clear() {
        let spki = Some(Digest::of(b"k"));
        let world = World::default().private_key(spki, None, Encryption::None, 0o600);
        check(&RULE, &world, &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_public_key_or_one_that_comes_with_software() {
        let world = World::default().public_key(Digest::of(b"k"));
        check(&RULE, &world, &limits(), "not-applicable");
        let world = World::default().private_key(None, None, Encryption::None, 0o600);
        let shipped = crate::Limits { shipped: vec!["file:///k.*".to_owned()], ..limits() };
        check(&RULE, &world, &shipped, "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_published_key_or_the_key_of_a_placeholder() {
        let spki = Some(test_key());
        let world = World::default().private_key(spki, None, Encryption::None, 0o600);
        check(&RULE, &world, &limits(), "not-applicable");
        let place = "file:///etc/ssl/private/ssl-cert-snakeoil.key#1";
        let world = World::default().key_at(Digest::of(b"k"), place, clear(0o640));
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_where_an_image_or_package_ships_it() {
        let shipped = crate::Limits { shipped: vec!["file:///usr/*".to_owned()], ..limits() };
        let place = |inner: &str| format!("file:///srv/app.tar!/{inner}#1");
        let inside = |inner| World::default().key_at(Digest::of(b"k"), &place(inner), clear(0o600));
        check(&RULE, &inside("usr/share/doc/test.pem"), &shipped, "not-applicable");
        check(&RULE, &inside("etc/app/key.pem"), &shipped, "not-met");
    }

    #[test]
    fn not_applicable_to_a_key_on_a_token() {
        let world = World::default().on_token(crate::token_fixtures::private());
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
