//! One JSON object a line, for exports that stream.
//!
//! An inventory of millions of assets is not collected into one document first; whoever exports it
//! asks for one line at a time.

use pki_inventory::{Asset, Gap, Time, View};
use pki_rules::Finding;
use serde::Serialize;
use serde_json::Value;

use crate::facts;

#[derive(Serialize)]
struct AssetLine {
    kind: &'static str,
    id: String,
    sha256: String,
    places: Vec<String>,
    first_seen: Option<String>,
    last_seen: Option<String>,
    facts: Value,
}

#[derive(Serialize)]
pub(crate) struct FindingLine<'a> {
    rule: &'a str,
    asset: String,
    outcome: &'static str,
    sentence: Option<&'a str>,
    places: Vec<String>,
    /// Why the policy accepts it. Absent for findings that count.
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'a str>,
}

#[derive(Serialize)]
pub(crate) struct GapLine<'a> {
    kind: &'static str,
    place: String,
    collector: &'a str,
    reason: String,
    detail: &'a str,
    first_seen: String,
    last_seen: String,
}

/// An asset: `kind`, `id`, `sha256`, `places`, `first_seen`, `last_seen` and `facts`, which hold
/// every field of its body and, under `sightings`, what each place told. What the day decides is as
/// of `last_seen`.
#[must_use]
pub fn inventory_jsonl(asset: &Asset, view: &View<'_>) -> Value {
    facts::value(&AssetLine {
        kind: asset.id.kind.name(),
        id: asset.id.to_string(),
        sha256: asset.id.sha256.to_string(),
        places: asset.places().map(ToString::to_string).collect(),
        first_seen: asset.first_seen().map(|time| time.to_string()),
        last_seen: asset.last_seen().map(|time| time.to_string()),
        facts: facts::of(asset, view, asset.last_seen().unwrap_or(Time(0))),
    })
}

/// A finding: `rule`, `asset`, `outcome`, `sentence`, `places` and, where the policy accepts it,
/// the reason as `exception`. The asset of a rule about scopes is `scope:collector:scope`.
#[must_use]
pub fn finding_line(finding: &Finding, exception: Option<&str>) -> Value {
    facts::value(&FindingLine::of(finding, exception))
}

/// A gap: `kind` (always `gap`), `place`, `collector`, `reason`, `detail`, `first_seen`,
/// `last_seen`.
#[must_use]
pub fn gap_line(gap: &Gap) -> Value {
    facts::value(&GapLine::of(gap))
}

impl<'a> FindingLine<'a> {
    pub(crate) fn of(finding: &'a Finding, exception: Option<&'a str>) -> Self {
        Self {
            rule: finding.rule,
            asset: finding.subject.to_string(),
            outcome: finding.outcome.name(),
            sentence: finding.outcome.sentence(),
            places: finding.places.iter().map(ToString::to_string).collect(),
            exception,
        }
    }
}

impl<'a> GapLine<'a> {
    pub(crate) fn of(gap: &'a Gap) -> Self {
        Self {
            kind: "gap",
            place: gap.place.to_string(),
            collector: &gap.collector,
            reason: gap.reason.to_string(),
            detail: &gap.detail,
            first_seen: gap.first_seen.to_string(),
            last_seen: gap.last_seen.to_string(),
        }
    }
}
