//! `key.in-image`: a private key is part of a container image.
//!
//! ## What it looks at
//! Private keys, and symmetric ones, seen in files. Not met are those that lie in a layer of an
//! image and are there in a running container.
//! ## Why it matters
//! An image is copied to registries, hosts and caches, and everybody who may pull it has the key.
//! All containers made from it share one key, and a new key takes a new image.
//! ## What it cannot see
//! Who may pull the image; images in registries and in the stores of container engines that were
//! not read. That no image was read shows in the scope, not here.

use pki_inventory::{Asset, Encryption, Fate, Key};

use crate::key::{is_no_secret, private_sightings};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.in-image",
    title: "A private key is part of a container image",
    cites: &[
        Cite { document: "NIST SP 800-190", section: "3.1.4 and 4.1.4" },
        Cite {
            document: "OCI Image Format Specification",
            section: "Image Layer Filesystem Changeset",
        },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem"],
    reach: Reach::Whole,
    check: Check::Key(check),
};

fn check(asset: &Asset, key: &Key, cx: &RuleContext<'_>) -> Outcome {
    let seen = private_sightings(asset, key, cx);
    if seen.is_empty() {
        return Outcome::NotApplicable;
    }
    if let Some(what) = is_no_secret(asset, key) {
        return Outcome::NotApplicableBecause(what);
    }
    let kept = seen.iter().find_map(|(sighting, form)| {
        let layer = sighting.circumstances.layer.as_ref();
        layer.filter(|layer| layer.fate == Fate::Kept).map(|layer| (layer, form))
    });
    let Some((layer, form)) = kept else { return Outcome::Met };
    let how = if form.encryption == Encryption::None { "in the clear" } else { "encrypted" };
    Outcome::NotMet(format!(
        "lies {how} in layer {} of {} of an image ({})",
        layer.number, layer.of, layer.digest
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, clear, layered, limits, test_key};

    use pki_inventory::{Circumstances, Digest, Fate};

    const PLACE: &str = "file:///srv/app.tar!/etc/app/key.pem#1";

    fn seen(place: &str, circumstances: Circumstances) -> World {
        World::default().key_at(Digest::of(b"k"), place, circumstances)
    }

    #[test]
    fn met_on_a_disk_and_where_an_upper_layer_deletes_it() {
        check(&RULE, &seen("file:///etc/app/key.pem", clear(0o600)), &limits(), "met");
        check(&RULE, &seen(PLACE, layered(Fate::DeletedIn(3))), &limits(), "met");
    }

    #[test]
    fn not_met_where_a_container_has_it() {
        check(&RULE, &seen(PLACE, layered(Fate::Kept)), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_published_or_a_public_key() {
        let world = World::default().key_at(test_key(), PLACE, layered(Fate::Kept));
        check(&RULE, &world, &limits(), "not-applicable");
        let world = World::default().public_key(Digest::of(b"k"));
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_key_on_a_token() {
        let world = World::default().on_token(crate::token_fixtures::private());
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
