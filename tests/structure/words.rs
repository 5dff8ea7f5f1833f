//! What may be said where: invariants of absence that a search of the sources can show.

use pki_maturity::{Model, VERSIONS};

use super::{code, files};

#[test]
fn rules_and_collectors_name_no_requirement() {
    let mut ids = Vec::new();
    for version in VERSIONS {
        let model = Model::built_in(version.id).unwrap();
        ids.extend(model.requirements().map(|requirement| requirement.id.clone()));
    }
    let sources =
        files("scorer/rules/src", ".rs").into_iter().chain(files("collectors/src", ".rs"));
    for path in sources {
        let code = code(&path);
        for id in ids.iter().filter(|id| id.contains('-')) {
            assert!(!code.contains(&format!("\"{id}\"")), "{} names {id}", path.display());
        }
    }
}

#[test]
fn only_the_agent_and_the_collectors_know_of_clocks_files_and_sockets() {
    let pure = ["model/inventory/src", "model/maturity/src", "config/src", "scorer"];
    for folder in pure {
        for path in files(folder, ".rs") {
            if path
                .components()
                .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "examples")
            {
                continue;
            }
            let code = code(&path);
            for word in [
                "SystemTime",
                "Instant::now",
                "Timestamp::now",
                "std::fs::",
                "std::net::Tcp",
                "std::process",
            ] {
                assert!(!code.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn the_verifier_that_trusts_nothing_and_records_all_is_used_in_one_place() {
    let mut users = Vec::new();
    for folder in ["agent", "collectors/src", "config/src", "model", "scorer"] {
        for path in files(folder, ".rs") {
            let code = code(&path);
            // One that asks the verifier of rustls and only takes note of what was shown trusts no
            // more than that one.
            let asks = code.contains("WebPkiServerVerifier");
            if !asks && (code.contains("ServerCertVerifier") || code.contains("dangerous()")) {
                users.push(path.strip_prefix(super::top()).unwrap().display().to_string());
            }
        }
    }
    assert!(users.iter().all(|user| user.starts_with("collectors/src/tls")), "{users:?}");
    assert!(!users.is_empty(), "the test would hold for nothing");
}

#[test]
fn no_source_file_has_grown_beyond_one_reason_to_be() {
    for folder in ["agent", "collectors", "config", "model", "scorer", "tests"] {
        for path in files(folder, ".rs") {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 600, "{} has {lines} lines", path.display());
        }
    }
}
