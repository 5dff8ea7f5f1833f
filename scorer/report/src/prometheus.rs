//! `prometheus`: metrics in the text format of Prometheus (exposition format 0.0.4), for the
//! textfile collector of `node_exporter` or whatever else serves a file.
//!
//! What certificates and revocation lists have is named as other exporters of the field name it
//! (`x509_cert_not_after`). A time that is not known has no sample; names of hosts are no labels.

mod tokens;

use std::fmt::Write as _;
use std::io::{self, Write};

use pki_inventory::{Asset, Body, Time, View};
use pki_scoring::official::Score;

use crate::text::line;
use crate::{Document, Format};

pub(crate) const FORMAT: Format = Format {
    name: "prometheus",
    about: "metrics for the textfile collector of node_exporter",
    render,
};

fn render(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut metrics = Metrics::default();
    let view = View::of(document.inventory);
    certificates(&mut metrics, document, &view);
    revocation_lists(&mut metrics, document);
    tokens::add(&mut metrics, &view);
    sources(&mut metrics, document);
    rules(&mut metrics, document);
    scores(&mut metrics, document);
    out.write_all(metrics.text.as_bytes())
}

/// Trust anchors that are nothing else here are left to their stores: 150 roots of an operating
/// system are nobody's to renew.
fn certificates(text: &mut Metrics, document: &Document<'_>, view: &View<'_>) {
    let as_of = document.assessment.as_of;
    let certificates: Vec<_> = document
        .inventory
        .assets()
        .filter(|asset| !view.is_anchor(asset.id))
        .filter_map(|asset| {
            let body = asset.certificate()?;
            let labels = labels(&[
                ("sha256", asset.id.sha256.to_string()),
                ("subject_CN", body.subject.common_name.clone().unwrap_or_default()),
                ("issuer_CN", body.issuer.common_name.clone().unwrap_or_default()),
                ("serial_number", body.serial.clone()),
                ("place", place(asset)),
            ]);
            Some((labels, body))
        })
        .collect();
    text.family("x509_cert_not_before", "Start of validity, in seconds since 1970.");
    for (labels, body) in &certificates {
        text.sample(labels, body.not_before.0);
    }
    text.family("x509_cert_not_after", "End of validity, in seconds since 1970.");
    for (labels, body) in &certificates {
        text.sample(labels, body.not_after.0);
    }
    text.family("x509_cert_expired", "1 where the end of validity is past.");
    for (labels, body) in &certificates {
        text.sample(labels, u8::from(body.not_after < as_of));
    }
}

fn revocation_lists(text: &mut Metrics, document: &Document<'_>) {
    let lists: Vec<_> = document
        .inventory
        .assets()
        .filter_map(|asset| {
            let Body::RevocationList(body) = &asset.body else { return None };
            let labels = labels(&[
                ("sha256", asset.id.sha256.to_string()),
                ("issuer_CN", body.issuer.common_name.clone().unwrap_or_default()),
                ("place", place(asset)),
            ]);
            Some((labels, body))
        })
        .collect();
    text.family("x509_crl_this_update", "When the list was issued, in seconds since 1970.");
    for (labels, body) in &lists {
        text.sample(labels, body.this_update.0);
    }
    text.family("x509_crl_next_update", "When the next list is due, in seconds since 1970.");
    for (labels, body) in &lists {
        if let Some(Time(next)) = body.next_update {
            text.sample(labels, next);
        }
    }
    text.family("x509_crl_revoked_certificates", "Entries of the list.");
    for (labels, body) in &lists {
        text.sample(labels, body.entries);
    }
}

/// What was asked for, and what of it was not read.
fn sources(text: &mut Metrics, document: &Document<'_>) {
    let scopes: Vec<_> = document
        .inventory
        .coverage()
        .map(|(collector, scope, coverage)| {
            let of = [("collector", collector.to_owned()), ("scope", scope.to_owned())];
            (labels(&of), coverage)
        })
        .collect();
    text.family("x509_source_up", "1 where anything of the scope was read.");
    for (labels, coverage) in &scopes {
        text.sample(labels, u8::from(coverage.read > 0));
    }
    text.family(
        "pkimm_scope_places_not_read",
        "Places of the scope that were asked for and not read.",
    );
    for (labels, coverage) in &scopes {
        text.sample(labels, coverage.not_read);
    }
    text.family("pkimm_scope_finished", "When the scope was done with, in seconds since 1970.");
    for (labels, coverage) in &scopes {
        text.sample(labels, coverage.finished.0);
    }
}

fn rules(text: &mut Metrics, document: &Document<'_>) {
    text.family("pkimm_rule_assets", "Assets by rule and outcome.");
    for (rule, measure) in &document.assessment.judgement.measures {
        let met = measure.judged - measure.not_met;
        for (outcome, count) in
            [("met", met), ("not met", measure.not_met), ("unknown", measure.unknown)]
        {
            let of = [("rule", (*rule).to_owned()), ("outcome", outcome.to_owned())];
            text.sample(&labels(&of), count);
        }
    }
}

fn scores(text: &mut Metrics, document: &Document<'_>) {
    let totals = &document.assessment.scores;
    let scores = [
        ("confirmed", &totals.confirmed),
        ("provisional", &totals.provisional),
        ("lowest", &totals.lowest),
        ("highest", &totals.highest),
    ];
    let version = &document.model.version;
    let mut averages = Vec::new();
    let mut levels = Vec::new();
    for (name, score) in scores {
        // What nobody has assessed has no level: 0 would be a level.
        let mut add = |module: &str, score: &Score| {
            let Some(raw) = score.raw.filter(|_| score.assessed > 0 || name == "lowest") else {
                return;
            };
            let of = [
                ("model", version.clone()),
                ("score", name.to_owned()),
                ("module", module.to_owned()),
            ];
            averages.push((labels(&of), raw));
            levels.push((labels(&of), score.level));
        };
        add("all", &score.overall);
        for (module, score) in document.model.modules.iter().zip(&score.modules) {
            add(&module.id, &score.score);
        }
    }
    text.family("pkimm_score", "Weighted average of the levels.");
    for (labels, raw) in &averages {
        text.sample(labels, raw);
    }
    text.family("pkimm_level", "The average rounded down, as the official tools do.");
    for (labels, level) in &levels {
        text.sample(labels, level);
    }
    text.family(
        "pkimm_evidence_share",
        "Share of the weight in scope that rests on what was seen.",
    );
    if let Some(share) = totals.evidence_share {
        text.sample("", share);
    }
    text.family("pkimm_as_of", "The instant of judgement, in seconds since 1970.");
    text.sample("", document.assessment.as_of.0);
}

fn place(asset: &Asset) -> String {
    asset.places().next().map(ToString::to_string).unwrap_or_default()
}

/// `{name="value",…}`. Backslash, quote and line feed are escaped as the format wants it; other
/// characters that act are written out.
fn labels(of: &[(&str, String)]) -> String {
    let mut text = String::from("{");
    for (at, (name, value)) in of.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let value = line(value).replace('\\', "\\\\").replace('"', "\\\"");
        // Writing into a String cannot fail.
        let _ = write!(text, "{comma}{name}=\"{value}\"");
    }
    text + "}"
}

/// The text as it grows; samples follow the head of their family.
#[derive(Default)]
struct Metrics {
    text: String,
    family: &'static str,
}

impl Metrics {
    fn family(&mut self, name: &'static str, help: &str) {
        self.family = name;
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    fn sample(&mut self, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{}{labels} {value}", self.family);
    }
}
