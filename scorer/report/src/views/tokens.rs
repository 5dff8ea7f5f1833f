//! The tokens.

use pki_inventory::{Asset, KeptIn, Token, View};

use super::{COLUMN, row};
use crate::plain::Plain;
use crate::{token, words};

/// Every token that a PKCS #11 module showed. No line is wider than 100 columns, but for places
/// that are longer by themselves.
#[must_use]
pub fn tokens(view: &View<'_>) -> String {
    let mut plain = Plain::fitting();
    let all = all(view);
    let hardware = all.iter().filter(|(_, body)| body.kept_in() == KeptIn::Hardware).count();
    plain
        .heading(&format!("Tokens: {}, of them hardware by their own word: {hardware}", all.len()));
    let widths = [16, 20, 14, 16, 9, 12];
    if all.is_empty() {
        plain.line(2, "No PKCS #11 module that was read shows one.");
    } else {
        plain.line(2, &row(["Id", "Label", "Model", "Serial", "Kept in", "Login"], widths));
    }
    for (asset, body) in all {
        let serial = token::serial(body);
        let none = if serial.odd.is_some() { "not its own" } else { "-" };
        let cells = [
            &asset.id.sha256.short(),
            &token::name(body),
            body.model.as_deref().unwrap_or("-"),
            serial.number.unwrap_or(none),
            token::kept_in(body),
            token::login_word(body.login),
        ];
        plain.line(2, &row(cells, widths));
        under(&mut plain, asset, body, view);
    }
    let gaps: Vec<_> = token::all_gaps(view).collect();
    if !gaps.is_empty() {
        let places = words::count(gaps.len(), "place", "places");
        plain.heading(&format!("Asked for on tokens and not read: {places}"));
    }
    for gap in gaps {
        plain.whole(2, &gap.place.to_string());
        plain.line(6, &format!("{}: {}", gap.reason, gap.detail));
    }
    plain.finish()
}

/// The tokens by name, each once.
pub(super) fn all<'a>(view: &View<'a>) -> Vec<(&'a Asset, &'a Token)> {
    let mut all: Vec<(&Asset, &Token)> = view.tokens().collect();
    all.sort_by_cached_key(|(asset, body)| (token::name(body).to_lowercase(), asset.id));
    // A token that was seen at two places is one.
    all.dedup_by_key(|(asset, _)| asset.id);
    all
}

fn under(plain: &mut Plain, asset: &Asset, body: &Token, view: &View<'_>) {
    let mut field = |label: &str, lines: Vec<String>| {
        for (at, line) in lines.iter().enumerate() {
            plain.field(6, COLUMN, if at == 0 { label } else { "" }, line);
        }
    };
    let version = |what: &str, version: &Option<String>| {
        version.as_ref().map(|version| format!("{what} {version}"))
    };
    let versions =
        [version("hardware", &body.hardware_version), version("firmware", &body.firmware_version)];
    let made = body.manufacturer.iter().cloned().chain(versions.into_iter().flatten());
    let made: Vec<String> = made.collect();
    if !made.is_empty() {
        field("vendor", vec![made.join(", ")]);
    }
    let said = token::module(&body.module);
    let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
    field("module", vec![format!("{}{said}", body.module.path)]);
    field("slot", vec![token::slot(&body.slot)]);
    let objects = token::objects(body);
    let none = || "none was seen".to_owned();
    field("objects", vec![if objects.is_empty() { none() } else { objects.join(", ") }]);
    let stated = body.validations.iter();
    let stated =
        stated.map(|one| format!("{}; {}", token::validation(one), token::UNVERIFIED)).collect();
    field("certified", stated);
    let flags = token::flags(body);
    field("flags", vec![if flags.is_empty() { "none".to_owned() } else { flags.join("; ") }]);
    field("PINs", token::pins(body));
    field("PIN length", body.pin_lengths.map(token::pin_lengths).into_iter().collect());
    let gaps = asset.places().flat_map(|place| token::gaps(place, view));
    field("not read", gaps.map(|gap| format!("{}: {}", gap.reason, gap.detail)).collect());
    field("known as odd", token::odd(body).map(token::quirk).collect());
}
