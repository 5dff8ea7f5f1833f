//! Rules about keys.

pub(crate) mod algorithm_not_approved;
pub(crate) mod readable_by_others;
pub(crate) mod shared_between_names;
pub(crate) mod stored_unencrypted;

use pki_inventory::{Asset, Half, KeyForm, Sighting};

/// The sightings of the private half, each with the form it had there.
fn private_sightings(asset: &Asset) -> impl Iterator<Item = (&Sighting, &KeyForm)> {
    asset.sightings().filter_map(|sighting| {
        let form = sighting.circumstances.key.as_ref()?;
        (form.half == Half::Private).then_some((sighting, form))
    })
}
