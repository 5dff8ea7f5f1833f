//! Keys outside of certificates.

use pki_inventory::{Asset, Key, Sighting};

use super::super::Context;
use super::super::table::Cell;
use super::{named, seen, sightings, with_id};
use crate::{sighting, titles};

pub(super) const HEAD: &[&str] =
    &["Key", "Algorithm", "Certified by", "Places and protection", "Seen"];

pub(super) fn row(context: &Context<'_>, asset: &Asset, key: &Key) -> Vec<Cell> {
    let view = &context.view;
    let certified = key.spki.map_or(&[][..], |spki| view.certificates_of(spki));
    let certified = certified.iter().fold(Cell::default(), |cell, other| {
        cell.linked(titles::asset(other), context.href(other.id).unwrap_or_default())
    });
    // The same key may lie elsewhere under another id: where its public half does not show.
    let others = key.spki.map(|spki| view.private_places(spki)).unwrap_or_default();
    let others = others.into_iter().filter(|(holder, _)| holder.id != asset.id);
    let held: Vec<&Sighting> = asset.sightings().chain(others.map(|(_, at)| at)).collect();
    let places = named(context, Cell::default(), "in", view.keystores_of(asset.id));
    let algorithm = key.algorithm.as_ref();
    vec![
        with_id(Cell::text(titles::by_id(asset.id, view)).small(titles::known(asset)), asset),
        Cell::text(algorithm.map_or_else(|| "not visible".to_owned(), |a| a.label())),
        certified,
        sightings(places, &held, |sighting| sighting::circumstances(sighting, view)),
        seen(asset),
    ]
}
