//! Reference pages are made from the words in the code; a stale one fails.
//! `UPDATE_REFERENCE=1` writes them anew.

use std::fmt::Write as _;

use pki_maturity::{Entry, Map, Model};
use pki_rules::{Check, RULES};

#[test]
fn the_page_of_rules_is_made_from_the_rules() {
    let model = Model::built_in(pki_maturity::DEFAULT_VERSION).unwrap();
    let map = Map::for_model(&model).unwrap();
    let mut page = String::from(
        "# Rules\n\nMade from the rules themselves by `tests/structure/reference.rs`; do not edit.\n",
    );
    for rule in RULES {
        let (subject, condition) = rule.id.split_once('.').unwrap();
        let (subject, condition) = (subject.replace('-', "_"), condition.replace('-', "_"));
        let path = format!("scorer/rules/src/{subject}/{condition}.rs");
        let source = std::fs::read_to_string(super::top().join(path)).unwrap();
        let doc = source.lines().take_while(|line| line.starts_with("//!"));
        let doc: Vec<&str> = doc.map(|line| line.trim_start_matches("//!").trim_start()).collect();
        write!(page, "\n## {}\n\n{}.\n\n", rule.id, rule.title).unwrap();
        let over = match rule.check {
            Check::Authority(_) => "authorities that a directory registers",
            Check::Certificate(_) => "certificates",
            Check::Key(_) => "keys outside certificates",
            Check::CertifiedKey(_) => "certified keys",
            Check::Keystore(_) => "keystores",
            Check::TrustStore(_) => "trust stores",
            Check::Configuration(_) => "configurations",
            Check::DirectoryObject(_) => "other objects of a directory",
            Check::RevocationList(_) => "revocation lists",
            Check::Template(_) => "certificate templates",
            Check::Token(_) => "cryptographic tokens",
            Check::TokenKey(_) => "private and symmetric keys on tokens",
            Check::Encoded(_) => "everything with an encoding of its own",
            Check::Endpoint(_) => "endpoints",
            Check::Scope(_) => "scopes",
        };
        let cites: Vec<String> = rule.cites.iter().map(ToString::to_string).collect();
        writeln!(page, "- Runs over: {over}; fed by: {}", rule.fed_by.join(", ")).unwrap();
        writeln!(page, "- Cites: {}", cites.join("; ")).unwrap();
        let bears: Vec<String> = map
            .entries()
            .filter_map(|(id, entry)| {
                let Entry::Judged { rules, .. } = entry else { return None };
                let bearing = rules.iter().find(|bearing| bearing.rule == rule.id)?;
                Some(format!("`{id}` ({})", bearing.scale))
            })
            .collect();
        let unmapped = super::rules::UNMAPPED.iter().find(|(id, _)| *id == rule.id);
        let bears = match unmapped {
            Some((_, reason)) => format!("nothing: {reason}"),
            None => bears.join(", "),
        };
        writeln!(page, "- Bears on (model {}): {bears}\n", model.version).unwrap();
        let mut text = doc.join("\n");
        for heading in ["What it looks at", "Why it matters", "What it cannot see"] {
            // Markdown of the module keeps headings close; on a page they need air.
            text = text.replace(&format!("\n## {heading}\n"), &format!("\n**{heading}.** "));
            text = text.replace(&format!("\n**{heading}"), &format!("\n\n**{heading}"));
        }
        let text = text.replace("\n\n\n", "\n\n");
        writeln!(page, "{}", text.trim()).unwrap();
    }
    compare("docs/reference/rules.md", &page);
}

#[test]
fn the_page_of_ports_is_made_from_the_tables() {
    use pki_config::{KNOWN_PORTS, PortProfile, StartTls};
    let mut page = String::from(
        "# Ports and protocols\n\nMade from the tables of `config` by `tests/structure/reference.rs`; \
         do not edit.\n\nA profile stands where a port may stand: `192.0.2.0/24:mail`. Services that \
         begin in the clear are led to TLS by the protocol that is usual on their port; \
         `smtp+tls://host:port` says it for any other, `tls://host:port` says that there is none.\n",
    );
    for profile in PortProfile::ALL.iter().filter(|profile| **profile != PortProfile::AllKnown) {
        ports(&mut page, profile.name(), &|known| known.profile == *profile);
    }
    ports(&mut page, "all-known, besides those above", &|known| {
        known.profile == PortProfile::AllKnown
    });
    page.push_str("\n## Protocols\n\n| Scheme | Usual ports |\n|---|---|\n");
    for protocol in StartTls::ALL {
        let usual: Vec<String> = protocol.ports().map(|port| port.to_string()).collect();
        writeln!(page, "| `{protocol}+tls://` | {} |", usual.join(", ")).unwrap();
    }
    compare("docs/reference/ports.md", &page);

    fn ports(page: &mut String, title: &str, of: &dyn Fn(&pki_config::KnownPort) -> bool) {
        write!(page, "\n## {title}\n\n| Port | Service |\n|---|---|\n").unwrap();
        for known in KNOWN_PORTS.iter().filter(|known| of(known)) {
            writeln!(page, "| {} | {} |", known.port, known.service).unwrap();
        }
    }
}

fn compare(path: &str, made: &str) {
    let path = super::top().join(path);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{} is stale; UPDATE_REFERENCE=1 writes it anew", path.display());
}
