//! What every format must hold: its golden, every verdict and basis, and no harm from hostile
//! names.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod sample;

use std::collections::BTreeSet;
use std::path::Path;

use pki_inventory::{Asset, View};
use pki_report::{Document, FORMATS, Format};
use pki_scoring::{Basis, Suggestion, Verdict};

fn render(format: &Format, document: &Document<'_>) -> String {
    let mut out = Vec::new();
    (format.render)(document, &mut out).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(out).unwrap_or_else(|error| panic!("{error}"))
}

fn named(name: &str) -> &'static Format {
    let format = FORMATS.iter().find(|format| format.name == name);
    format.unwrap_or_else(|| panic!("no format {name}"))
}

/// Formats that show the whole assessment; `terminal` is a summary.
const WHOLE: &[&str] = &["answers-yaml", "html", "json"];

#[test]
fn each_format_renders_its_golden() {
    let sample = sample::sample();
    for format in FORMATS {
        let suffix = match format.name {
            "answers-yaml" | "pkimm-web" => "yaml",
            "prometheus" => "prom",
            "terminal" => "txt",
            other => other,
        };
        let path = format!("{}/tests/golden/{}.{suffix}", env!("CARGO_MANIFEST_DIR"), format.name);
        let text = render(format, &sample.document());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = golden.lines().zip(text.lines()).position(|(golden, now)| golden != now);
        assert!(
            golden == text,
            "{path} differs from line {:?} on; look at it, then UPDATE_GOLDEN=1",
            differs.map(|line| line + 1)
        );
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (first, second) = (sample::sample(), sample::sample());
    for format in FORMATS {
        let (first, second) = (first.document(), second.document());
        assert_eq!(render(format, &first), render(format, &second), "{}", format.name);
    }
}

#[test]
fn the_list_is_sorted_and_whole() {
    assert!(FORMATS.is_sorted_by_key(|format| format.name));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(source).unwrap_or_else(|error| panic!("{error}")) {
        let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if text.contains("const FORMAT: Format") {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().replace('_', "-"));
            files.extend(stem);
        }
    }
    let listed: BTreeSet<String> = FORMATS.iter().map(|format| format.name.to_owned()).collect();
    assert_eq!(files, listed, "the files of formats and FORMATS");
}

#[test]
fn the_samples_hold_every_verdict_and_basis() {
    let (full, empty) = (sample::sample(), sample::empty());
    let all = full.assessment.requirements.iter().chain(&empty.assessment.requirements);
    let (mut verdicts, mut bases) = (BTreeSet::new(), BTreeSet::new());
    for requirement in all {
        verdicts.insert(requirement.verdict.name());
        bases.insert(match &requirement.basis {
            Basis::Manual { .. } => "manual",
            Basis::Judged { suggestion: Suggestion::Level { .. }, .. } => "suggestion",
            Basis::Judged { bound: None, .. } => "nothing seen",
            Basis::Judged { .. } => "thin",
        });
    }
    assert_eq!(verdicts.len(), 7, "{verdicts:?}");
    assert_eq!(bases.len(), 4, "{bases:?}");
    let conflict = |verdict: &Verdict| matches!(verdict, Verdict::OutOfScope { seen_in_use: 1.. });
    assert!(full.assessment.requirements.iter().any(|r| conflict(&r.verdict)));
}

#[test]
fn each_format_shows_every_verdict_a_gap_and_every_basis() {
    let (full, empty) = (sample::sample(), sample::empty());
    for format in FORMATS {
        let text = render(format, &full.document());
        let both = format!("{text}{}", render(format, &empty.document()));
        let flat =
            both.split_whitespace().filter(|word| *word != "#").collect::<Vec<_>>().join(" ");
        if matches!(format.name, "html" | "json" | "terminal") {
            for requirement in &full.assessment.requirements {
                let name = requirement.verdict.name();
                let shown = text.contains(name) || text.contains(&name.replace('-', " "));
                assert!(shown, "{}: {name}", format.name);
            }
            assert!(text.contains("tls://192.0.2.13:443"), "{}: a gap", format.name);
        }
        if WHOLE.contains(&format.name) {
            for (what, sentence) in [
                ("manual", "leave no mark on a host or a wire"),
                ("suggestion", "evidence suggests 2 Foundational, limited by what the rules found"),
                ("thin", "only 1 judged, and fewer than 5 suggest nothing"),
                ("nothing seen", "nothing that the rules are about was seen"),
            ] {
                assert!(flat.contains(sentence), "{}: {what}", format.name);
            }
            for requirement in &full.assessment.requirements {
                assert!(text.contains(&requirement.id), "{}: {}", format.name, requirement.id);
            }
        }
    }
}

#[test]
fn hostile_names_are_harmless() {
    let sample = sample::sample();
    for format in FORMATS {
        let text = render(format, &sample.document());
        assert!(!text.contains('\u{1b}'), "{}: an escape sequence", format.name);
        assert!(!text.contains('\u{202e}'), "{}: text direction is turned", format.name);
        let forged = text.lines().any(|line| line.trim_start().starts_with("Overall: 5"));
        assert!(!forged || format.name == "html", "{}: a forged line", format.name);
        let controls = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(controls), "{}: a control character", format.name);
    }
    let html = render(named("html"), &sample.document());
    assert!(html.contains("&#60;script&#62;alert(1)"), "it is there, escaped");
    assert!(!html.contains("<script"), "a script");
    assert!(html.contains("default-src 'none'"), "the content security policy");
    for outside in ["http-equiv=\"refresh\"", "src=\"", "url(", "@import", "<link", "javascript:"] {
        assert!(!html.contains(outside), "{outside}");
    }
    for (at, _) in html.match_indices("href=\"") {
        assert_eq!(html.as_bytes().get(at + 6), Some(&b'#'), "a link leads out of the page");
    }
}

#[test]
fn links_of_the_page_lead_somewhere() {
    for sample in [sample::sample(), sample::empty(), sample::older_model()] {
        let html = render(named("html"), &sample.document());
        let mut ids = BTreeSet::new();
        for part in html.split(" id=\"").skip(1) {
            let id = part.split('"').next().unwrap_or_default();
            assert!(ids.insert(id), "#{id} is there twice");
        }
        for part in html.split(" href=\"#").skip(1) {
            let id = part.split('"').next().unwrap_or_default();
            assert!(ids.contains(id), "#{id} is nowhere");
        }
    }
}

#[test]
fn the_terminal_summary_fits_and_says_what_is_not_assessed() {
    for sample in [sample::sample(), sample::empty(), sample::older_model()] {
        let text = render(named("terminal"), &sample.document());
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
    let text = render(named("terminal"), &sample::empty().document());
    assert!(text.contains("not assessed: nobody has answered"), "{text}");
    assert!(text.contains("0 (0.00) to 5 Optimized (5.00)"), "{text}");
}

#[test]
fn the_metrics_are_samples_of_families_each_once() {
    for sample in [sample::sample(), sample::empty()] {
        let text = render(named("prometheus"), &sample.document());
        let mut family = "";
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# HELP ").or(line.strip_prefix("# TYPE ")) {
                family = head.split(' ').next().unwrap_or_default();
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            assert_eq!(series.split('{').next(), Some(family), "{line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            assert!(seen.insert(series), "twice: {series}");
        }
    }
}

#[test]
fn the_metrics_leave_out_what_is_not_known() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    let text = render(named("prometheus"), &sample.document());
    let certificates: Vec<_> =
        sample.inventory.assets().filter(|asset| asset.certificate().is_some()).collect();
    let told = |asset: &&&Asset| text.contains(&format!("{{sha256=\"{}\"", asset.id.sha256));
    assert!(certificates.iter().any(|asset| view.is_anchor(asset.id)), "the sample has anchors");
    for asset in &certificates {
        assert_eq!(told(&asset), !view.is_anchor(asset.id), "{}", asset.id);
    }
    let told = certificates.iter().filter(told).count();
    assert_eq!(text.matches("\nx509_cert_not_after{").count(), told);
    let nobody = render(named("prometheus"), &sample::empty().document());
    assert!(!nobody.contains("score=\"confirmed\""), "nobody has answered");
    assert!(nobody.contains("pkimm_score{model=\"2.0.0\",score=\"lowest\",module=\"all\"} 0\n"));
}
