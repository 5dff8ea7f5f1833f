//! From findings to bounds, suggestions and scores: each test starts from a few hand-written assets.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use std::collections::BTreeMap;

use pki_config::Policy;
use pki_inventory::{
    AlternativeName, Asset, AssetId, Body, Certificate, Circumstances, ClientCertificate, Coverage,
    Digest, DistinguishedName, Encryption, Endpoint, Fact, FileFacts, Half, Handshake, Inventory,
    Key, KeyAlgorithm, KeyForm, Kind, Place, Posture, Session, Sighting, SignatureAlgorithm, Time,
    VersionFacts,
};
use pki_maturity::{Level, Map, Model};
use pki_scoring::{
    Answer, Answers, Assessment, Basis, History, Inputs, Rating, RequirementVerdict, RuleEvidence,
    Suggestion, Verdict, assess,
};

/// 2026-11-21T00:00:00Z.
const NOW: Time = Time(1_795_219_200);
const PROTOCOLS: &str = "G.cryptography.crypto-protocols";
const DISCOVERY: &str = "M.certificate-management.cert-discovery";
const VULNERABILITIES: &str = "M.infrastructure-management.vulnerability-management";
const SUITE: &str = "TLS_AES_128_GCM_SHA256";
const READABLE: &str = "key.readable-by-others";

fn level(number: i64) -> Level {
    number.try_into().unwrap()
}

/// What a scan of the posture says of a server that speaks this version and no other. Nothing else
/// was asked.
fn posture(spoken: &str) -> Posture {
    let version = |name: &str| VersionFacts {
        offered: Fact::from(name == spoken),
        preferred_suite: (name == spoken).then(|| SUITE.to_owned()),
        suites: None,
    };
    let versions = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    let open = || Fact::NotObserved("not asked".to_owned());
    Posture {
        versions: versions.map(|name| (name.to_owned(), version(name))).into(),
        groups: BTreeMap::new(),
        alpn: BTreeMap::new(),
        deployments: BTreeMap::new(),
        resumption_id: open(),
        resumption_ticket: open(),
        early_data: open(),
        secure_renegotiation: open(),
        extended_master_secret: open(),
        compression: open(),
        fallback_scsv: open(),
        client_refusal: None,
    }
}

/// Endpoints of which the first few speak TLS 1.1, in a scope with this many unread places. Of this
/// many, the last ones, only one handshake is known.
fn partly_asked(all: u64, old: u64, unread: u64, unasked: u64) -> Inventory {
    let mut inventory = Inventory::default();
    for number in 0..all {
        let version = if number < old { "TLSv1.1" } else { "TLSv1.3" };
        let session = Session {
            version: Some(version.to_owned()),
            cipher_suite: Some(SUITE.to_owned()),
            group: None,
            offered_groups: Vec::new(),
            alpn: None,
            staple: None,
            sct_logs: Vec::new(),
            client_certificate: ClientCertificate::NotAsked,
            accepted_authorities: Vec::new(),
            chain: Vec::new(),
            ended: None,
        };
        let place: Place = format!("tls://192.0.2.{number}:443").parse().unwrap();
        let id = AssetId::new(Kind::Endpoint, Digest::of(place.to_string().as_bytes()));
        let asked = number < all - unasked;
        let posture = asked.then(|| Box::new(posture(version)));
        let body = Endpoint { posture, ..Endpoint::new(NOW, Handshake::Shown(session)) };
        let mut asset = Asset::new(id, Body::Endpoint(body));
        asset.see(Sighting::at(place, "tls", NOW));
        inventory.add(asset);
    }
    covered(&mut inventory, "tls", "192.0.2.0/24:443", all + unread, unread);
    inventory
}

fn endpoints(all: u64, old: u64, unread: u64) -> Inventory {
    partly_asked(all, old, unread, 0)
}

fn covered(inventory: &mut Inventory, collector: &str, scope: &str, asked: u64, not_read: u64) {
    let read = asked - not_read;
    let coverage = Coverage { finished: NOW, asked, read, not_read, octets: 0, unchanged: 0 };
    inventory.add_coverage(collector.to_owned(), scope.to_owned(), coverage);
}

/// One unencrypted key that everybody may read, in these files.
fn key_in(files: &[&str]) -> Inventory {
    let spki = Digest::of(b"a key");
    let key = Key { spki: Some(spki), algorithm: Some(KeyAlgorithm::rsa(2048)) };
    let mut inventory = Inventory::default();
    inventory.add(private_key(spki, key, files));
    covered(&mut inventory, "filesystem", "/", 10, 0);
    inventory
}

fn private_key(spki: Digest, key: Key, files: &[&str]) -> Asset {
    let mut asset = Asset::new(AssetId::new(Kind::Key, spki), Body::Key(key));
    for path in files {
        let file = FileFacts::of(0o644, 0, 0, NOW);
        let encoding = "PKCS#8".to_owned();
        let form = KeyForm { half: Half::Private, encoding, encryption: Encryption::None };
        let circumstances =
            Circumstances { file: Some(file), key: Some(form), ..Circumstances::default() };
        let seen = Sighting::at(Place::file(path), "filesystem", NOW);
        asset.see(Sighting { circumstances, ..seen });
    }
    asset
}

fn judged(inventory: &Inventory, policy: &str, answers: &Answers, history: History) -> Assessment {
    let model = Model::built_in("2.0.0").unwrap();
    let rules: Vec<&str> = pki_rules::RULES.iter().map(|rule| rule.id).collect();
    assess(&Inputs {
        model: &model,
        map: &Map::for_model(&model).unwrap(),
        policy: &Policy::parse("p.toml", policy, &rules).unwrap(),
        rules: pki_rules::RULES,
        inventory,
        answers,
        history,
        as_of: NOW,
    })
}

fn plain(inventory: &Inventory) -> Assessment {
    judged(inventory, "", &Answers::default(), History::default())
}

fn of<'a>(assessment: &'a Assessment, id: &str) -> &'a RequirementVerdict {
    assessment.requirement(id).unwrap()
}

fn rule<'a>(requirement: &'a RequirementVerdict, id: &str) -> &'a RuleEvidence {
    requirement.rules().iter().find(|evidence| evidence.rule == id).unwrap()
}

fn answered(requirement: &str, number: i64) -> Answers {
    let mut answers = Answers::default();
    answers.insert(
        requirement,
        Answer {
            rating: Rating::Level(level(number)),
            by: "J. Doe".to_owned(),
            when: NOW,
            why: "because".to_owned(),
            evidence: Vec::new(),
            review: None,
            line: 1,
        },
    );
    answers
}

#[test]
fn the_share_not_met_bounds_and_what_evidence_can_support_caps() {
    for (old, bound, suggestion) in [(0, 5, 3), (1, 3, 3), (2, 2, 2), (5, 1, 1)] {
        let assessment = plain(&endpoints(20, old, 0));
        let requirement = of(&assessment, PROTOCOLS);
        assert_eq!(requirement.bound(), Some(level(bound)), "{old} of 20");
        assert_eq!(requirement.suggestion(), Some(level(suggestion)), "{old} of 20");
        let evidence = rule(requirement, "endpoint.protocol-not-approved");
        assert_eq!((evidence.measure.judged, evidence.measure.not_met), (20, old));
        assert!(evidence.origin.as_ref().unwrap().line > 1, "the line of the scale is known");
    }
}

#[test]
fn thin_evidence_contradicts_but_suggests_nothing() {
    for (inventory, why) in [
        (endpoints(3, 1, 0), "too few"),
        (endpoints(10, 3, 5), "a third of the scope was not read"),
    ] {
        let answers = answered(PROTOCOLS, 4);
        let assessment = judged(&inventory, "", &answers, History::default());
        let requirement = of(&assessment, PROTOCOLS);
        assert_eq!(requirement.suggestion(), None, "{why}");
        let contradicted = matches!(
            requirement.verdict,
            Verdict::Contradicted { counts, .. } if counts == level(1)
        );
        assert!(contradicted, "{why}: {:?}", requirement.verdict);
    }
}

#[test]
fn what_nobody_asked_for_bounds_nothing_and_suggests_nothing() {
    let answers = answered(PROTOCOLS, 5);
    let assessment = judged(&partly_asked(20, 0, 0, 20), "", &answers, History::default());
    for requirement in [PROTOCOLS, VULNERABILITIES] {
        let requirement = of(&assessment, requirement);
        assert_eq!((requirement.bound(), requirement.suggestion()), (None, None));
        for evidence in requirement.rules() {
            let measure = evidence.measure;
            // There are no settings and no directory of which anything could be unknown.
            let elsewhere = ["adcs.", "configuration."];
            let elsewhere = elsewhere.iter().any(|subject| evidence.rule.starts_with(subject));
            let unknown = if elsewhere { 0 } else { 20 };
            assert_eq!((measure.judged, measure.unknown), (0, unknown), "{}", evidence.rule);
            assert_eq!((evidence.level, evidence.supports), (None, None), "{}", evidence.rule);
        }
    }
    assert!(matches!(of(&assessment, PROTOCOLS).verdict, Verdict::Declared(_)));
    assert_eq!(of(&assessment, VULNERABILITIES).verdict, Verdict::Unrated);
}

#[test]
fn unknown_ones_lower_no_bound() {
    // One old server of twenty is level 3 of hygiene and 2 of never, however many were asked.
    for unasked in [0, 10, 19] {
        let assessment = plain(&partly_asked(20, 1, 0, unasked));
        for (requirement, bound) in [(PROTOCOLS, 3), (VULNERABILITIES, 2)] {
            let bounded = of(&assessment, requirement).bound();
            assert_eq!(bounded, Some(level(bound)), "{requirement}, {unasked} not asked");
        }
    }
    // One handshake that settled on an old version is enough to bound.
    let assessment = plain(&partly_asked(20, 1, 0, 20));
    let evidence = rule(of(&assessment, PROTOCOLS), "endpoint.protocol-not-approved");
    assert_eq!((evidence.measure.judged, evidence.measure.unknown), (1, 19));
    assert_eq!(evidence.level, Some(level(3)));
    assert!(evidence.threshold.starts_with("at least 1 of 20 not met, as 19 are unknown: "));
    // What they hide can keep a suggestion down: 1 of the 17 asked is more than a twentieth.
    let assessment = plain(&partly_asked(20, 1, 0, 3));
    let evidence = rule(of(&assessment, PROTOCOLS), "endpoint.protocol-not-approved");
    assert_eq!((evidence.level, evidence.supports), (Some(level(3)), Some(level(2))));
    assert_eq!(of(&assessment, PROTOCOLS).suggestion(), Some(level(2)));
}

#[test]
fn a_rule_that_reaches_only_what_was_shown_takes_no_suggestion_away() {
    let lifecycle = "M.certificate-management.cert-lifecycle";
    let mut inventory = held_leaves();
    covered(&mut inventory, "tls", "192.0.2.1:443", 10, 0);
    let serve = |asset: &Asset, at: usize| {
        let place: Place = format!("tls://192.0.2.1:{at}").parse().unwrap();
        let circumstances = Circumstances { chain_position: Some(0), ..Circumstances::default() };
        let mut asset = asset.clone();
        asset.see(Sighting { circumstances, ..Sighting::at(place, "tls", NOW) });
        asset
    };
    let leaves: Vec<Asset> =
        inventory.assets().filter(|asset| asset.certificate().is_some()).cloned().collect();
    for (at, leaf) in leaves.iter().enumerate() {
        inventory.add(serve(leaf, at + 1));
    }
    let assessment = plain(&inventory);
    let requirement = of(&assessment, lifecycle);
    let revoked = rule(requirement, "cert.revoked-in-service");
    assert_eq!((revoked.measure.judged, revoked.measure.unknown), (0, 6));
    assert_eq!(requirement.suggestion(), Some(level(3)), "nobody staples, and nothing is lost");
    // A rule that should reach everything does block: who issued is not known to be approved.
    let governance = of(&assessment, "M.certificate-management.pki-governance");
    assert!(rule(governance, "cert.self-signed-in-service").supports.is_some());
    let Basis::Judged { suggestion: Suggestion::None(reasons), .. } = &governance.basis else {
        panic!("{:?}", governance.basis)
    };
    assert!(reasons.iter().any(|why| why.starts_with("cert.issuer-not-approved: 100 %")));
}

/// Six sound server certificates in files, each with its key beside it.
fn held_leaves() -> Inventory {
    let mut inventory = Inventory::default();
    for number in 0..6 {
        let named = |name: &str| DistinguishedName {
            text: format!("CN={name}"),
            sha256: Digest::of(name.as_bytes()),
            common_name: Some(name.to_owned()),
            organisation: None,
        };
        let host = format!("host{number}.example");
        let spki = Digest::of(host.as_bytes());
        let certificate = Certificate {
            der: host.clone().into_bytes(),
            version: 3,
            serial: "01".to_owned(),
            subject: named(&host),
            issuer: named("Test CA"),
            not_before: NOW.plus_days(-10),
            not_after: NOW.plus_days(80),
            names: vec![AlternativeName::Dns(host.clone())],
            key: KeyAlgorithm::rsa(2048),
            spki,
            signature: SignatureAlgorithm {
                name: "sha256WithRSAEncryption".to_owned(),
                hash: Some("SHA-256".to_owned()),
            },
            is_ca: Some(false),
            extended_key_usage: vec!["serverAuth".to_owned()],
            subject_key_id: None,
            authority_key_id: None,
            crl_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            policies: Vec::new(),
            sct_logs: Vec::new(),
            broken_extensions: Vec::new(),
        };
        let id = AssetId::new(Kind::Certificate, certificate.digest());
        let mut asset = Asset::new(id, Body::Certificate(Box::new(certificate)));
        asset.see(Sighting::at(Place::file(format!("/srv/{host}.pem")), "filesystem", NOW));
        inventory.add(asset);
        let key = Key { spki: Some(spki), algorithm: Some(KeyAlgorithm::rsa(2048)) };
        inventory.add(private_key(spki, key, &[&format!("/srv/{host}.key")]));
    }
    covered(&mut inventory, "filesystem", "/srv", 100_000, 0);
    inventory
}

#[test]
fn a_scope_that_nobody_looked_at_suggests_nothing() {
    let lifecycle = "M.certificate-management.cert-lifecycle";
    let algorithms = "G.cryptography.crypto-algorithms";
    // Two of its rules are about served certificates, and no server was looked at.
    assert_eq!(of(&plain(&held_leaves()), lifecycle).suggestion(), None);
    // With servers looked at, and none found that serves one, the files are enough.
    let mut looked = held_leaves();
    covered(&mut looked, "tls", "192.0.2.1:443", 10, 0);
    assert_eq!(of(&plain(&looked), lifecycle).suggestion(), Some(level(3)));
    assert_eq!(of(&plain(&looked), algorithms).suggestion(), Some(level(3)));
    // Many files must not hide the servers that nobody reached.
    let mut unreached = held_leaves();
    covered(&mut unreached, "tls", "192.0.2.1:443", 10, 10);
    assert_eq!(of(&plain(&unreached), algorithms).suggestion(), None);
}

#[test]
fn level_four_is_suggested_only_after_a_history() {
    let mut inventory = Inventory::default();
    for number in 0..6 {
        covered(&mut inventory, "filesystem", &format!("/srv/{number}"), 10, 0);
    }
    covered(&mut inventory, "tls", "192.0.2.1:443", 1, 0);
    for (runs, days, expected) in [(1, 0, 3), (3, 29, 3), (2, 30, 3), (3, 30, 4)] {
        let history = History { runs, days };
        let assessment = judged(&inventory, "", &Answers::default(), history);
        assert_eq!(of(&assessment, DISCOVERY).suggestion(), Some(level(expected)), "{history:?}");
    }
}

#[test]
fn an_exception_by_place_has_to_cover_every_place_and_ends_with_its_last_day() {
    let exception = |pattern: &str, expires: &str| {
        format!(
            "[[exceptions]]\nrule = \"{READABLE}\"\nmatch = \"{pattern}\"\nreason = \"r\"\n\
             expires = {expires}\n"
        )
    };
    for (pattern, expires, excepted) in [
        ("file:///x1/*", "2027-01-01", 0),
        ("file:///x*", "2027-01-01", 1),
        ("key:*", "2027-01-01", 1),
        ("file:///x*", "2026-11-21", 1),
        ("file:///x*", "2026-11-20", 0),
        ("file:///elsewhere/*", "2027-01-01", 0),
    ] {
        let inventory = key_in(&["/x1/k.pem", "/x2/k.pem"]);
        let policy = exception(pattern, expires);
        let assessment = judged(&inventory, &policy, &Answers::default(), History::default());
        let measure = assessment.judgement.measures[READABLE];
        assert_eq!(measure.excepted, excepted, "{pattern} until {expires}");
        assert_eq!(measure.judged, 1 - excepted, "an accepted finding is in no other figure");
        assert_eq!(assessment.exceptions[0].accepted, excepted, "one that matches nothing shows");
        assert_eq!(assessment.exceptions[0].expired, expires == "2026-11-20");
    }
}

#[test]
fn what_comes_with_software_is_set_aside_and_counted() {
    for (files, aside) in [
        (&["/usr/share/doc/k.pem"][..], 1),
        (&["/usr/local/k.pem"][..], 0),
        (&["/usr/share/doc/k.pem", "/srv/k.pem"][..], 0),
    ] {
        let assessment = plain(&key_in(files));
        assert_eq!(assessment.judgement.set_aside, aside, "{files:?}");
        assert_eq!(assessment.judgement.measures[READABLE].judged, 1 - aside, "{files:?}");
    }
}

#[test]
fn the_scores_stand_in_their_range_and_suggestions_are_provisional_only() {
    let inventory = endpoints(20, 0, 0);
    let before = plain(&inventory);
    assert_eq!(before.scores.confirmed.overall.level, 0, "nobody has answered");
    assert!(before.scores.provisional.overall.level > 0, "evidence suggests");
    let after = judged(&inventory, "", &answered(PROTOCOLS, 2), History::default());
    let raw = |scores: &pki_scoring::official::Scores| scores.overall.raw.unwrap_or(0.0);
    let scores = &after.scores;
    assert!(raw(&scores.lowest) <= raw(&scores.confirmed));
    assert!(raw(&scores.confirmed) <= raw(&scores.highest));
    assert!(matches!(of(&after, PROTOCOLS).verdict, Verdict::Corroborated(_)));
    // Each weighs its share of its category; the categories weigh 52 in all.
    let model = Model::built_in("2.0.0").unwrap();
    let share = |id: &str| {
        let category = model.categories().find(|c| c.requirements.iter().any(|r| r.id == id));
        let weights = category.unwrap().requirements.iter().map(|r| f64::from(r.weight));
        let weight = f64::from(model.requirement(id).unwrap().weight);
        f64::from(category.unwrap().weight) * weight / weights.sum::<f64>() / 52.0
    };
    let resting = after.requirements.iter().filter(|r| r.verdict.rests_on_evidence()).count();
    assert_eq!(resting, 2, "nothing else was seen");
    let expected = share(PROTOCOLS) + share(VULNERABILITIES);
    assert!((scores.evidence_share.unwrap() - expected).abs() < 1e-12);
}
