//! Rules about keys.

pub(crate) mod algorithm_not_approved;
pub(crate) mod readable_by_others;
pub(crate) mod shared_between_names;
pub(crate) mod stored_unencrypted;

use pki_inventory::{Asset, Half, Key, KeyForm, Sighting};

use crate::RuleContext;
use crate::population::{is_served, is_shipped_place};

/// The sightings of the private half, each with the form it had there. What lies where software
/// ships its own files is left out, unless a server here uses the key all the same.
fn private_sightings<'a>(
    asset: &'a Asset,
    key: &Key,
    cx: &RuleContext<'_>,
) -> Vec<(&'a Sighting, &'a KeyForm)> {
    let certificates = key.spki.map_or(&[][..], |spki| cx.view.certificates_of(spki));
    let served = certificates
        .iter()
        .any(|asset| asset.certificate().is_some_and(|c| is_served(asset, c, cx)));
    asset
        .sightings()
        .filter(|sighting| served || !is_shipped_place(&sighting.place, cx))
        .filter_map(|sighting| {
            let form = sighting.circumstances.key.as_ref()?;
            (form.half == Half::Private).then_some((sighting, form))
        })
        .collect()
}
