//! `key.readable-by-others`: an unencrypted private key may be read by more than its owner.
//!
//! ## What it looks at
//! Unencrypted private keys in files, by the permission bits of the file. Groups that the policy
//! names may read; the group `root` always may.
//! ## Why it matters
//! Every account that can read a key can be the server it belongs to.
//! ## What it cannot see
//! Access control lists, permissions of the folders above, and who is a member of a group.

use pki_inventory::{Asset, Encryption, FileFacts, Key};

use crate::key::private_sightings;
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
    match clear.iter().find(|file| file.readable_by_others() || group_may_not(file, cx)) {
        None => Outcome::Met,
        Some(file) => {
            let who = if file.readable_by_others() {
                "every user".to_owned()
            } else {
                format!("the group {}", file.group.clone().unwrap_or_else(|| file.gid.to_string()))
            };
            Outcome::NotMet(format!("mode {:04o} lets {who} read it", file.mode))
        }
    }
}

fn group_may_not(file: &FileFacts, cx: &RuleContext<'_>) -> bool {
    let allowed = |group: &String| cx.limits.key_reader_groups.contains(group);
    file.readable_by_group() && file.gid != 0 && !file.group.as_ref().is_some_and(allowed)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};

    use pki_inventory::{Digest, Encryption};

    use crate::Limits;

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
}
