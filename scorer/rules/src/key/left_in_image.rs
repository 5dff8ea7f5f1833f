//! `key.left-in-image`: a private key was deleted from a container image, and is in it all the
//! same.
//!
//! ## What it looks at
//! Private keys, and symmetric ones, in the layers of container images, each layer by itself. Not
//! met are those in a file that an upper layer deletes or replaces.
//! ## Why it matters
//! Deleting a file in a later step of the build only hides it. Whoever has the image has all of its
//! layers, and with them the key, while its owner believes that it is gone.
//! ## What it cannot see
//! Whether the key was replaced by another one since; images that were not read.

use pki_inventory::{Asset, Encryption, Fate, Key};

use crate::key::{is_no_secret, private_sightings};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.left-in-image",
    title: "A private key that was deleted from an image is still in one of its layers",
    cites: &[
        Cite { document: "NIST SP 800-190", section: "3.1.4 and 4.1.4" },
        Cite { document: "OCI Image Format Specification", section: "Whiteouts" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem"],
    reach: Reach::WhereShown,
    check: Check::Key(check),
};

fn check(asset: &Asset, key: &Key, cx: &RuleContext<'_>) -> Outcome {
    let mut layered = private_sightings(asset, key, cx)
        .into_iter()
        .filter_map(|(sighting, form)| Some((sighting.circumstances.layer.as_ref()?, form)))
        .peekable();
    if layered.peek().is_none() {
        return Outcome::NotApplicable;
    }
    if let Some(what) = is_no_secret(asset, key) {
        return Outcome::NotApplicableBecause(what);
    }
    let left = layered.find_map(|(layer, form)| match layer.fate {
        Fate::Kept => None,
        Fate::DeletedIn(above) => Some((layer, form, "deletes", above)),
        Fate::ReplacedIn(above) => Some((layer, form, "replaces", above)),
    });
    let Some((layer, form, does, above)) = left else { return Outcome::Met };
    let how = if form.encryption == Encryption::None { "in the clear" } else { "encrypted" };
    Outcome::NotMet(format!(
        "layer {} of {} ({}) has it {how}; layer {above} {does} the file, but whoever has the \
         image has the key",
        layer.number, layer.of, layer.digest
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, clear, layered, limits, test_key};

    use pki_inventory::{Digest, Fate};

    const PLACE: &str = "file:///srv/app.tar!/etc/app/key.pem#1";

    fn meeting(fate: Fate) -> World {
        World::default().key_at(Digest::of(b"k"), PLACE, layered(fate))
    }

    #[test]
    fn met_where_the_container_has_it_too() {
        check(&RULE, &meeting(Fate::Kept), &limits(), "met");
    }

    #[test]
    fn not_met_where_an_upper_layer_deletes_or_replaces_it() {
        check(&RULE, &meeting(Fate::DeletedIn(3)), &limits(), "not-met");
        check(&RULE, &meeting(Fate::ReplacedIn(3)), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_outside_of_images_or_to_a_published_key() {
        let world = World::default().key_at(Digest::of(b"k"), "file:///k.pem", clear(0o600));
        check(&RULE, &world, &limits(), "not-applicable");
        let world = World::default().key_at(test_key(), PLACE, layered(Fate::DeletedIn(3)));
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_key_on_a_token() {
        let world = World::default().on_token(crate::token_fixtures::private());
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
