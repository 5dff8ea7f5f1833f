//! `key.readable-by-others`: an unencrypted private key may be read by more than its owner.
//!
//! ## What it looks at
//! Unencrypted private keys in files, by the permission bits of the file. Groups that the policy
//! names may read; the group `root` always may. A folder above that only its owner may enter hides
//! the file whatever its own bits say. Keys whose private half is published are left out, and so is
//! the one of Debian's placeholder certificate.
//! ## Why it matters
//! Every account that can read a key can be the server it belongs to.
//! ## What it cannot see
//! What an access control list says: with one the outcome is unknown unless every user may read.
//! Who is a member of a group.

use pki_inventory::{Asset, Encryption, FileFacts, Key};

use crate::key::{is_no_secret, private_sightings};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.readable-by-others",
    title: "A private key is readable beyond its owner",
    cites: &[
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
        Cite { document: "IEEE Std 1003.1-2017", section: "4.5" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem"],
    reach: Reach::Whole,
    check: Check::Key(check),
};

fn check(asset: &Asset, key: &Key, cx: &RuleContext<'_>) -> Outcome {
    let clear: Vec<&FileFacts> = private_sightings(asset, key, cx)
        .into_iter()
        .filter(|(_, form)| form.encryption == Encryption::None)
        .filter_map(|(sighting, _)| sighting.circumstances.file.as_ref())
        .collect();
    if clear.is_empty() {
        return Outcome::NotApplicable;
    }
    if let Some(what) = is_no_secret(asset, key) {
        return Outcome::NotApplicableBecause(what);
    }
    let lets = |file: &FileFacts| {
        // With an access control list the bits of the group are a mask, and name no group: acl(5).
        let group = || file.group.clone().unwrap_or_else(|| file.gid.to_string());
        let who = if file.readable_by_others() {
            "every user".to_owned()
        } else if group_may_not(file, cx) && !file.access_list {
            format!("the group {}", group())
        } else {
            return None;
        };
        Some(format!("mode {:04o} lets {who} read it", file.mode))
    };
    let (hidden, open): (Vec<&FileFacts>, Vec<&FileFacts>) =
        clear.into_iter().partition(|file| file.behind.is_some());
    if let Some(what) = open.iter().find_map(|file| lets(file)) {
        return Outcome::NotMet(what);
    }
    if open.iter().any(|file| file.access_list) {
        return Outcome::Unknown(
            "an access control list says more than the mode about who may read it".to_owned(),
        );
    }
    let behind = |file: &&FileFacts| Some((lets(file)?, file.behind.clone()?));
    match hidden.iter().find_map(behind) {
        None => Outcome::Met,
        Some((what, folder)) => Outcome::MetBecause(format!(
            "{what}, but only its owner may enter {folder}, the folder above"
        )),
    }
}

fn group_may_not(file: &FileFacts, cx: &RuleContext<'_>) -> bool {
    let allowed = |group: &String| cx.limits.key_reader_groups.contains(group);
    file.readable_by_group() && file.gid != 0 && !file.group.as_ref().is_some_and(allowed)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, clear, limits, test_key};

    use pki_inventory::{Digest, Encryption, FileFacts};

    use crate::Limits;

    fn file(change: impl FnOnce(&mut FileFacts)) -> World {
        let mut circumstances = clear(0o640);
        change(circumstances.file.as_mut().unwrap());
        World::default().key_at(Digest::of(b"k"), "file:///k.pem", circumstances)
    }

    #[test]
    fn met_behind_a_folder_that_only_its_owner_may_enter() {
        let world = file(|file| {
            (file.mode, file.behind) = (0o644, Some("/etc/ssl/private".to_owned()));
        });
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn unknown_with_an_access_control_list_unless_every_user_may_read() {
        let world = |mode| file(move |file| (file.mode, file.access_list) = (mode, true));
        check(&RULE, &world(0o640), &limits(), "unknown");
        check(&RULE, &world(0o644), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_published_key() {
        let spki = Some(test_key());
        let world = World::default().private_key(spki, None, Encryption::None, 0o644);
        check(&RULE, &world, &limits(), "not-applicable");
    }

    fn mode(mode: u32) -> World {
        World::default().private_key(Some(Digest::of(b"k")), None, Encryption::None, mode)
    }

    #[test]
    fn met_for_the_owner_alone_or_a_named_group() {
        check(&RULE, &mode(0o600), &limits(), "met");
        let named = Limits { key_reader_groups: vec!["keys".to_owned()], ..limits() };
        check(&RULE, &mode(0o640), &named, "met");
    }

    #[test]
    fn not_met_for_others_or_another_group() {
        check(&RULE, &mode(0o604), &limits(), "not-met");
        check(&RULE, &mode(0o640), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_an_encrypted_one() {
        let encryption = Encryption::Passphrase { kdf: None, cipher: None, iterations: None };
        let world = World::default().private_key(None, None, encryption, 0o644);
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_key_on_a_token() {
        let world = World::default().on_token(crate::token_fixtures::private());
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
