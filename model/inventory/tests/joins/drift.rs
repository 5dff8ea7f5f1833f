//! What an endpoint shows beside what its settings ask for.

use std::collections::BTreeMap;

use pki_inventory::{
    AssetId, Comparison, Configuration, Digest, Drift, Endpoint, Fact, Handshake, Posture, Raw,
    Session, Suites, Time, VersionFacts, View, compared, drifts,
};

use crate::world::{NOW, World, nginx, plain, session};

const LOCAL: &str = "tls://127.0.0.1:443";

fn posture(versions: &[(&str, Fact, &[&str])]) -> Posture {
    let facts = |(name, offered, suites): &(&str, Fact, &[&str])| {
        let accepted = suites.iter().map(|&suite| suite.to_owned()).collect();
        let suites = Suites { accepted, complete: Fact::Yes, server_order: Fact::No };
        let offered = offered.clone();
        let facts = VersionFacts { offered, preferred_suite: None, suites: Some(suites) };
        ((*name).to_owned(), facts)
    };
    let unknown = || Fact::NotObserved("not asked".to_owned());
    Posture {
        versions: versions.iter().map(facts).collect(),
        groups: BTreeMap::new(),
        alpn: BTreeMap::new(),
        deployments: BTreeMap::new(),
        resumption_id: unknown(),
        resumption_ticket: unknown(),
        early_data: unknown(),
        secure_renegotiation: unknown(),
        extended_master_secret: unknown(),
        compression: unknown(),
        fallback_scsv: unknown(),
        client_refusal: None,
    }
}

const GCM: &str = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
const CBC: &str = "TLS_RSA_WITH_AES_128_CBC_SHA";

/// Everything asked for: TLS 1.2 and 1.3, nothing older, these suites with 1.2.
fn full(suites: &[&str]) -> Posture {
    let no = |version| (version, Fact::No, &[][..]);
    posture(&[
        no("SSLv2"),
        no("SSLv3"),
        no("TLSv1.0"),
        no("TLSv1.1"),
        ("TLSv1.2", Fact::Yes, suites),
        ("TLSv1.3", Fact::Yes, &["TLS_AES_128_GCM_SHA256"]),
    ])
}

fn endpoint(world: &mut World, session: Session, posture: Option<Posture>) -> AssetId {
    let posture = posture.map(Box::new);
    let endpoint = Endpoint { posture, ..Endpoint::new(NOW, Handshake::Shown(session)) };
    world.see(Raw::Endpoint(endpoint), LOCAL)
}

fn with(versions: &[&str], suites: Option<&str>) -> Configuration {
    Configuration {
        versions: Some(versions.iter().map(|&version| version.to_owned()).collect()),
        suites: suites.map(str::to_owned),
        ..nginx(443, &[], &[])
    }
}

/// An endpoint of this posture beside these configurations.
fn beside(posture: Option<Posture>, configurations: &[Configuration]) -> Comparison {
    let mut world = World::default();
    for (number, configuration) in configurations.iter().enumerate() {
        world.configuration(configuration.clone(), &format!("file:///n.conf#{}", number + 1));
    }
    let endpoint = endpoint(&mut world, session(&[]), posture);
    let view = View::of(&world.0);
    let comparison = compared(world.get(endpoint), &view).unwrap();
    assert_eq!(comparison.drifts, drifts(world.get(endpoint), &view));
    assert_eq!(comparison.configurations.len(), configurations.len());
    comparison
}

#[test]
fn versions_that_agree_are_no_drift() {
    let found = beside(Some(full(&[GCM])), &[with(&["TLSv1.2", "TLSv1.3"], None)]);
    assert_eq!((found.versions, found.drifts), (Fact::Yes, vec![]));
}

#[test]
fn versions_drift_in_both_directions() {
    let found = beside(Some(full(&[GCM])), &[with(&["TLSv1.1", "TLSv1.2"], None)]);
    assert_eq!(found.versions, Fact::No);
    let declined = Drift::VersionDeclined("TLSv1.1".to_owned());
    let offered = Drift::VersionOffered("TLSv1.3".to_owned());
    assert_eq!(found.drifts, [declined, offered]);
}

#[test]
fn what_was_not_observed_is_no_drift() {
    // One handshake, of TLS 1.2.
    let one = beside(None, &[with(&["TLSv1.2", "TLSv1.3"], None)]);
    assert_eq!((one.versions.name(), one.drifts.len()), ("not-observed", 0));
    let other = beside(None, &[with(&["TLSv1.3"], None)]);
    assert_eq!(other.drifts, [Drift::VersionOffered("TLSv1.2".to_owned())], "seen all the same");
    let left = Configuration { versions: None, ..with(&[], None) };
    let left = beside(Some(full(&[GCM])), &[left]);
    assert_eq!((left.versions.name(), left.drifts.len()), ("not-observed", 0));
    assert!(left.versions.why().unwrap().contains("nginx"));
}

#[test]
fn of_several_configurations_only_what_holds_for_each_is_a_drift() {
    let both = [with(&["TLSv1.2"], None), with(&["TLSv1.1", "TLSv1.2", "TLSv1.3"], None)];
    let found = beside(Some(full(&[GCM])), &both);
    assert_eq!((found.versions, found.drifts), (Fact::Yes, vec![]));
    let both = [with(&["TLSv1.1", "TLSv1.2"], None), with(&["TLSv1.1"], None)];
    let found = beside(Some(full(&[GCM])), &both);
    assert_eq!(found.drifts.len(), 2, "1.1 is enabled in both, 1.3 in none");
}

#[test]
fn suites_are_compared_where_all_are_named() {
    let versions = &["TLSv1.2", "TLSv1.3"];
    let list = "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256";
    let found = beside(Some(full(&[GCM])), &[with(versions, Some(list))]);
    assert_eq!((found.suites, found.drifts), (Fact::Yes, vec![]));
    let found = beside(Some(full(&[GCM, CBC])), &[with(versions, Some(list))]);
    let suite = CBC.to_owned();
    assert_eq!(found.drifts, [Drift::SuiteAccepted { version: "TLSv1.2".to_owned(), suite }]);
    assert_eq!(found.suites, Fact::No);
    for list in ["HIGH:!aNULL", "ECDHE-RSA-AES128-GCM-SHA256:!RC4", "NORMAL"] {
        let found = beside(Some(full(&[GCM, CBC])), &[with(versions, Some(list))]);
        assert_eq!((found.suites.name(), found.drifts.len()), ("not-observed", 0), "{list}");
    }
    // OpenSSL's list for 1.2 says nothing about 1.3.
    let older = with(versions, Some("ECDHE-RSA-AES128-GCM-SHA256"));
    let found = beside(Some(full(&[GCM])), &[older]);
    assert_eq!((found.suites.name(), found.drifts.len()), ("not-observed", 0));
}

/// The endpoint presents the first of these; the file holds the second. Ages are in days.
fn certificates(served: (&'static str, i64), on_disk: (&'static str, i64)) -> Comparison {
    let made = |(host, age)| {
        let mut made = plain(host);
        made.age = age;
        made.der()
    };
    let (served, on_disk) = (made(served), made(on_disk));
    let mut world = World::default();
    world.certificate(&served, LOCAL);
    world.certificate(&on_disk, "file:///a.pem#1");
    world.configuration(nginx(443, &[], &["/a.pem"]), "file:///n.conf");
    let endpoint = endpoint(&mut world, session(&[&served]), None);
    let view = View::of(&world.0);
    let comparison = compared(world.get(endpoint), &view).unwrap();
    if let [Drift::Certificate { served: named, configured, newer_on_disk }] =
        &comparison.drifts[..]
    {
        assert_eq!((*named, &configured[..]), (Digest::of(&served), &[Digest::of(&on_disk)][..]));
        assert!(newer_on_disk.is_none_or(|newer| newer == Digest::of(&on_disk)));
        let text = comparison.drifts[0].to_string();
        for digest in [Digest::of(&served), Digest::of(&on_disk)] {
            assert!(text.contains(&digest.short()), "{text}");
        }
        assert_eq!(text.contains("newer on disk"), newer_on_disk.is_some());
    }
    comparison
}

fn newer(comparison: &Comparison) -> Option<bool> {
    match &comparison.drifts[..] {
        [Drift::Certificate { newer_on_disk, .. }] => Some(newer_on_disk.is_some()),
        _ => None,
    }
}

#[test]
fn a_renewed_certificate_that_is_not_in_use_is_told_from_another_one() {
    let renewed = certificates(("a.example", 60), ("a.example", 5));
    assert_eq!((newer(&renewed), renewed.certificates), (Some(true), Fact::No));
    assert_eq!(newer(&certificates(("a.example", 5), ("a.example", 60))), Some(false));
    assert_eq!(newer(&certificates(("a.example", 60), ("b.example", 5))), Some(false));
    let after = certificates(("a.example", 60), ("a.example", -1));
    assert_eq!((after.certificates.name(), after.drifts.len()), ("not-observed", 0));
}

#[test]
fn the_certificate_of_the_file_is_no_drift_and_an_unread_file_is_none() {
    let der = plain("a.example").der();
    let mut world = World::default();
    world.certificate(&der, "file:///a.pem#1");
    world.configuration(nginx(443, &[], &["/a.pem"]), "file:///n.conf#1");
    let id = endpoint(&mut world, session(&[&der]), None);
    let found = compared(world.get(id), &View::of(&world.0)).unwrap();
    assert_eq!((found.certificates, found.drifts.len()), (Fact::Yes, 0));
    // The one it presents might lie in the file that was not read.
    let mut world = World::default();
    let other = plain("a.example").der();
    world.certificate(&other, "file:///a.pem#1");
    world.configuration(nginx(443, &[], &["/a.pem", "/unread.pem"]), "file:///n.conf#1");
    let id = endpoint(&mut world, session(&[&der]), None);
    let found = compared(world.get(id), &View::of(&world.0)).unwrap();
    assert_eq!((found.certificates.name(), found.drifts.len()), ("not-observed", 0));
}

#[test]
fn without_settings_there_is_nothing_to_compare() {
    let mut world = World::default();
    let id = endpoint(&mut world, session(&[]), None);
    let settings = world.configuration(nginx(8443, &[], &[]), "file:///n.conf");
    let view = View::of(&world.0);
    assert_eq!(compared(world.get(id), &view), None);
    assert_eq!(compared(world.get(settings), &view), None);
    let declined = Handshake::Declined { alert: "protocol_version".to_owned(), offered: vec![] };
    let raw = Raw::Endpoint(Endpoint::new(Time(NOW.0 + 1), declined));
    let id = world.see(raw, "tls://127.0.0.1:8443");
    let view = View::of(&world.0);
    let found = compared(world.get(id), &view).unwrap();
    assert_eq!((found.suites.name(), found.drifts.len()), ("not-observed", 0));
    assert_eq!(found.certificates.why(), Some("it showed no certificate"));
}

#[test]
fn an_endpoint_elsewhere_drifts_only_from_settings_for_its_very_address() {
    let key = rcgen::KeyPair::generate().unwrap();
    let der = plain("a.example").der_with(&key);
    let listening = |address: Option<&str>| {
        let mut world = World::default();
        world.certificate(&der, "file:///a.pem#1");
        let mut settings = nginx(443, &[], &["/a.pem"]);
        settings.listens[0].address = address.map(str::to_owned);
        settings.versions = Some(vec!["TLSv1.3".to_owned()]);
        world.configuration(settings, "file:///n.conf");
        let session = session(&[&der]);
        let raw = Raw::Endpoint(Endpoint::new(NOW, Handshake::Shown(session)));
        let id = world.see(raw, "tls://192.0.2.2:443");
        compared(world.get(id), &View::of(&world.0))
    };
    assert_eq!(listening(Some("192.0.2.2")).unwrap().drifts.len(), 1);
    assert_eq!(listening(Some("10.9.9.9")), None);
    let doubt = listening(None).unwrap();
    assert!(doubt.drifts.is_empty());
    for fact in [&doubt.versions, &doubt.suites, &doubt.certificates] {
        assert!(fact.why().unwrap().contains("may be another host"), "{fact:?}");
    }
}

/// An endpoint of now that presents one certificate beside a newer one in a file written then, by
/// settings written then, seconds from now.
fn written(begins: i64, file: Option<i64>, settings: i64) -> Comparison {
    use pki_inventory::{Circumstances, FileFacts, Observation, Sighting};
    let at = |place: &str, when: Option<i64>| {
        let file = when.map(|when| FileFacts::of(0o600, 0, 0, Time(NOW.0 + when)));
        let circumstances = Circumstances { file, ..Circumstances::default() };
        Sighting { circumstances, ..Sighting::at(place.parse().unwrap(), "test", NOW) }
    };
    let mut old = plain("a.example");
    old.age = 60;
    let old = old.der();
    let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let instant = std::time::Duration::from_secs((NOW.0 + begins).try_into().unwrap());
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + instant;
    let new = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let mut world = World::default();
    world.certificate(&old, LOCAL);
    let live = "file:///le/archive/a/cert2.pem#1";
    world.0.absorb(Observation::found(Raw::Certificate(new), at(live, file)));
    let configuration = nginx(443, &[], &["/le/live/a/cert.pem"]);
    let raw = Raw::Configuration(Box::new(configuration));
    world.0.absorb(Observation::found(raw, at("file:///n.conf", Some(settings))));
    let id = endpoint(&mut world, session(&[&old]), None);
    compared(world.get(id), &View::of(&world.0)).unwrap()
}

#[test]
fn what_was_written_after_the_endpoint_was_asked_is_no_drift() {
    // Dated back by an hour: between the part of a run that asks and the part that reads.
    assert!(written(-3_500, None, -9).drifts.is_empty());
    assert!(written(-3_500, Some(5), -9).drifts.is_empty());
    assert!(written(-9_000, Some(5), -9).drifts.is_empty());
    assert_eq!(newer(&written(-3_500, Some(-5), -9)), Some(true));
    assert_eq!(newer(&written(-9_000, None, -9)), Some(true));
    let changed = written(-9_000, None, 9);
    assert!(changed.drifts.is_empty());
    assert!(changed.certificates.why().unwrap().contains("settings were changed"));
}

#[test]
fn with_more_settings_than_can_be_told_apart_nothing_is_compared() {
    let one = with(&["TLSv1.3"], None);
    assert_eq!(beside(None, &vec![one.clone(); 99]).drifts.len(), 1);
    let found = beside(None, &vec![one; 100]);
    assert!(found.drifts.is_empty() && found.versions.why().is_some());
}
