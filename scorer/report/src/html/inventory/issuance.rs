//! Records of authorities.

use pki_inventory::{Asset, Issuance};

use super::super::Context;
use super::super::table::Cell;
use super::{told, when, with_id};
use crate::directory;

pub(super) const HEAD: &[&str] =
    &["Record", "Authority", "Template and requester", "Came to", "Valid", "Places and when seen"];

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Issuance) -> Vec<Cell> {
    let view = &context.view;
    let name = body.common_name.clone().unwrap_or_else(|| "no common name".to_owned());
    let serial = body.serial.clone().unwrap_or_default();
    let request = body.request.map(|number| format!("request {number}"));
    let certificate = body.certificate.map(|digest| directory::certificate(digest, view, None));
    let revoked = body.revoked.map(|at| format!("on {}", at.date()));
    let came = Cell::text(body.disposition.name().to_owned()).small(revoked.unwrap_or_default());
    let template = told(context, Cell::default(), directory::asked_for(body, view));
    let valid = body.not_before.map_or_else(Cell::default, |at| Cell::date(at.date()));
    let until = body.not_after.map(|at| format!("to {}", at.date()));
    vec![
        with_id(Cell::text(name).classed(serial, "small code"), asset),
        told(context, Cell::default(), directory::recording(body, view))
            .small(request.unwrap_or_default()),
        template.small(body.requester.clone().unwrap_or_default()),
        told(
            context,
            came.small(body.revocation_reason.clone().unwrap_or_default()),
            certificate.into_iter().collect(),
        ),
        valid.classed(until.unwrap_or_default(), "nowrap"),
        Cell::places(asset.places()).classed(when(asset), "small nowrap"),
    ]
}
