//! What is new, gone, renewed, and what nobody can tell.

use pki_inventory::{
    AssetId, Automation, AutomationRole, Configuration, Digest, GapReason, Inventory, Keystore,
    Kind, Lock, Observation, Place, Raw, Sighting,
};
use pki_store::{Batch, Changes, Renewal, RunEnd, Store};

use super::{absorbed, certificate, covered, endpoint, file, gap, later, open, served, start, tls};
use crate::certificate::Wanted;

const WWW: &str = "www.example.org";
const MAIL: &str = "mail.example.org";

/// Both collectors looked at everything.
fn looked(observations: Vec<Observation>) -> Inventory {
    let scopes =
        [covered("filesystem", "/etc", later(1)), covered("tls", "192.0.2.0/24", later(1))];
    absorbed(observations.into_iter().chain(scopes))
}

fn cert(serial: u64, host: &str, days: i64, sighting: Sighting) -> Observation {
    Observation::found(certificate(serial, host, later(24 * days)), sighting)
}

fn id(serial: u64, host: &str, days: i64) -> AssetId {
    let Raw::Certificate(der) = certificate(serial, host, later(24 * days)) else {
        panic!("a certificate")
    };
    AssetId::new(Kind::Certificate, Digest::of(&der))
}

fn at(path: &str) -> Sighting {
    file(path, later(0))
}

fn web(position: u16) -> Sighting {
    served("192.0.2.7:443", position, later(0))
}

fn sorted(mut ids: Vec<AssetId>) -> Vec<AssetId> {
    ids.sort();
    ids
}

fn check(before: Vec<Observation>, after: Vec<Observation>, expected: &Changes) {
    check_inventories(&looked(before), &looked(after), expected);
}

fn check_inventories(before: &Inventory, after: &Inventory, expected: &Changes) {
    assert_eq!(&Changes::between(before, after, &|_| false), expected);
    // The same through the store.
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let runs = [before, after].map(|seen| {
        let run = store.begin_run(&start(0)).expect("begins");
        store.record(run, &Batch::from(seen)).expect("records");
        store.end_run(run, later(1), RunEnd::Completed).expect("ends");
        run
    });
    assert_eq!(&store.changes(runs[0], runs[1], &|_| false).expect("compares"), expected);
}

#[test]
fn the_same_again_is_no_change() {
    let same = || vec![cert(1, WWW, 30, web(0)), cert(2, MAIL, 30, at("/etc/a.pem"))];
    check(same(), same(), &Changes::default());
}

#[test]
fn what_appears_is_new_and_what_left_a_place_that_was_looked_at_is_gone() {
    check(
        vec![cert(1, WWW, 30, at("/etc/ssl/a.pem"))],
        vec![cert(2, MAIL, 30, at("/etc/ssl/b.pem"))],
        &Changes { new: vec![id(2, MAIL, 30)], gone: vec![id(1, WWW, 30)], ..Changes::default() },
    );
}

#[test]
fn a_server_that_presents_a_longer_valid_certificate_was_renewed_whatever_its_names() {
    let renewal = Renewal { old: id(1, WWW, 30), new: id(2, MAIL, 90) };
    check(
        vec![cert(1, WWW, 30, web(0))],
        vec![cert(2, MAIL, 90, web(0))],
        &Changes { renewed: vec![renewal], ..Changes::default() },
    );
}

#[test]
fn a_certificate_with_an_earlier_end_is_no_renewal() {
    check(
        vec![cert(1, WWW, 90, web(0))],
        vec![cert(2, WWW, 30, web(0))],
        &Changes { new: vec![id(2, WWW, 30)], gone: vec![id(1, WWW, 90)], ..Changes::default() },
    );
}

#[test]
fn what_a_server_sends_besides_its_own_certificate_is_not_paired_by_place() {
    check(
        vec![cert(1, WWW, 30, web(1))],
        vec![cert(2, MAIL, 90, web(1))],
        &Changes { new: vec![id(2, MAIL, 90)], gone: vec![id(1, WWW, 30)], ..Changes::default() },
    );
}

#[test]
fn a_certificate_for_the_same_names_elsewhere_is_a_renewal_when_the_old_one_is_gone() {
    let renewal = Renewal { old: id(1, WWW, 30), new: id(2, WWW, 90) };
    check(
        vec![cert(1, WWW, 30, at("/etc/2025/a.pem"))],
        vec![cert(2, WWW, 90, at("/etc/2026/a.pem"))],
        &Changes { renewed: vec![renewal], ..Changes::default() },
    );
    // While the old one is still there, the new one is an addition.
    check(
        vec![cert(1, WWW, 30, at("/etc/2025/a.pem"))],
        vec![cert(1, WWW, 30, at("/etc/2025/a.pem")), cert(2, WWW, 90, at("/etc/2026/a.pem"))],
        &Changes { new: vec![id(2, WWW, 90)], ..Changes::default() },
    );
}

#[test]
fn an_archived_certificate_was_renewed_where_it_was_in_use() {
    let renewal = Renewal { old: id(1, WWW, 30), new: id(2, WWW, 90) };
    check(
        vec![cert(1, WWW, 30, at("/etc/live.pem")), cert(1, WWW, 30, at("/etc/archive/1.pem"))],
        vec![cert(2, WWW, 90, at("/etc/live.pem")), cert(1, WWW, 30, at("/etc/archive/1.pem"))],
        &Changes { renewed: vec![renewal], ..Changes::default() },
    );
}

#[test]
fn objects_of_a_file_that_move_up_are_not_renewed() {
    let object = |n| at("/etc/all.pem").place.object(n);
    let numbered = |n| Sighting { place: object(n), ..at("/etc/all.pem") };
    check(
        vec![cert(1, WWW, 30, numbered(1)), cert(2, MAIL, 40, numbered(2))],
        vec![
            cert(3, "new.example.org", 90, numbered(1)),
            cert(1, WWW, 30, numbered(2)),
            cert(2, MAIL, 40, numbered(3)),
        ],
        &Changes { new: vec![id(3, "new.example.org", 90)], ..Changes::default() },
    );
}

#[test]
fn authorities_are_paired_by_name_and_not_by_place() {
    let root = |serial, name, days: i64| {
        let wanted = Wanted::host(serial, &[], later(24 * days));
        Wanted { common_name: name, authority: true, ..wanted }.der()
    };
    let ids = |der: &Vec<u8>| AssetId::new(Kind::Certificate, Digest::of(der));
    let (a, b, renewed) = (root(1, "Root A", 30), root(2, "Root B", 90), root(3, "Root A", 90));
    let see = |der: &Vec<u8>| {
        vec![Observation::found(Raw::Certificate(der.clone()), at("/etc/root.pem"))]
    };
    let other = Changes { new: vec![ids(&b)], gone: vec![ids(&a)], ..Changes::default() };
    check(see(&a), see(&b), &other);
    let renewal = Renewal { old: ids(&a), new: ids(&renewed) };
    check(see(&a), see(&renewed), &Changes { renewed: vec![renewal], ..Changes::default() });
}

#[test]
fn many_old_ones_of_a_name_can_have_one_successor_and_pairs_are_matched_in_order() {
    let two = |n| Renewal { old: id(n, WWW, 30), new: id(9, WWW, 90) };
    let mut renewed = vec![two(1), two(2)];
    renewed.sort();
    check(
        vec![cert(1, WWW, 30, at("/etc/1.pem")), cert(2, WWW, 30, at("/etc/2.pem"))],
        vec![cert(9, WWW, 90, at("/etc/9.pem"))],
        &Changes { renewed, ..Changes::default() },
    );
    let mut renewed = vec![
        Renewal { old: id(1, WWW, 30), new: id(3, WWW, 90) },
        Renewal { old: id(2, WWW, 40), new: id(4, WWW, 95) },
    ];
    renewed.sort();
    check(
        vec![cert(1, WWW, 30, at("/etc/1.pem")), cert(2, WWW, 40, at("/etc/2.pem"))],
        vec![cert(3, WWW, 90, at("/etc/3.pem")), cert(4, WWW, 95, at("/etc/4.pem"))],
        &Changes { renewed, ..Changes::default() },
    );
}

#[test]
fn what_lies_in_a_gap_is_unknown_and_not_gone() {
    let unknown = || Changes { not_looked_at: vec![id(1, WWW, 30)], ..Changes::default() };
    let missed = |place, collector, reason| {
        vec![Observation::Missed(gap(place, collector, reason, later(1)))]
    };
    let before = || vec![cert(1, WWW, 30, at("/etc/ssl/a.pem"))];
    for path in ["/etc/ssl/a.pem", "/etc/ssl", "/etc"] {
        let after = missed(Place::file(path), "filesystem", GapReason::PermissionDenied);
        check(before(), after, &unknown());
    }
    let elsewhere = missed(Place::file("/etc/ss"), "filesystem", GapReason::PermissionDenied);
    let gone = || Changes { gone: vec![id(1, WWW, 30)], ..Changes::default() };
    check(before(), elsewhere, &gone());
    let scope = Place::Scope("filesystem".to_owned());
    check(before(), missed(scope, "filesystem", GapReason::CollectorFailed), &unknown());

    let named = tls("192.0.2.7:443", Some(WWW), later(0));
    let before = || vec![cert(1, WWW, 30, named.clone())];
    let address = "192.0.2.7:443".parse().expect("an address");
    for place in [
        Place::tls(address, Some(WWW)),
        Place::tls(address, None),
        Place::Tls {
            host: WWW.to_owned(),
            port: 443,
            server_name: Some(WWW.to_owned()),
            starttls: None,
        },
    ] {
        check(before(), missed(place, "tls", GapReason::TimedOut), &unknown());
    }
    check(before(), missed(Place::tls(address, Some(MAIL)), "tls", GapReason::TimedOut), &gone());
}

#[test]
fn one_place_that_was_not_looked_at_is_enough_to_doubt() {
    let before = vec![cert(1, WWW, 30, at("/etc/a.pem")), cert(1, WWW, 30, at("/etc/b.pem"))];
    let missed = gap(Place::file("/etc/b.pem"), "filesystem", GapReason::ReadFailed, later(1));
    let expected = Changes { not_looked_at: vec![id(1, WWW, 30)], ..Changes::default() };
    check(before, vec![Observation::Missed(missed)], &expected);
}

#[test]
fn a_collector_or_a_scope_that_was_left_out_makes_nothing_gone() {
    let before = || looked(vec![cert(1, WWW, 30, at("/etc/a.pem")), cert(2, MAIL, 30, web(0))]);
    let (in_file, on_server) = (id(1, WWW, 30), id(2, MAIL, 30));
    let check = |after: Vec<Observation>, gone: Vec<AssetId>, unknown: Vec<AssetId>| {
        let (gone, not_looked_at) = (sorted(gone), sorted(unknown));
        let expected = Changes { gone, not_looked_at, ..Changes::default() };
        check_inventories(&before(), &absorbed(after), &expected);
    };
    let files = |scope| covered("filesystem", scope, later(1));
    let network = |scope| covered("tls", scope, later(1));
    check(vec![], vec![], vec![in_file, on_server]);
    check(vec![files("/etc")], vec![in_file], vec![on_server]);
    check(vec![files("/etc/")], vec![in_file], vec![on_server]);
    check(vec![files("file:///etc/a.pem")], vec![in_file], vec![on_server]);
    check(vec![files("/et")], vec![], vec![in_file, on_server]);
    check(vec![network("192.0.2.0/24")], vec![on_server], vec![in_file]);
    check(vec![network("192.0.2.0/24"), network("[::1]:443")], vec![on_server], vec![in_file]);
    check(vec![network("198.51.100.1:443")], vec![], vec![in_file, on_server]);
}

#[test]
fn what_was_left_out_on_purpose_was_not_looked_at() {
    let before = looked(vec![
        cert(1, WWW, 30, at("/etc/a.pem")),
        cert(2, MAIL, 30, web(0)),
        cert(3, "gone.example.org", 30, at("/etc/b.pem")),
    ]);
    let left_out = |place: &Place| {
        place.is_network() || place.file_path().is_some_and(|path| path.ends_with("a.pem"))
    };
    let changes = Changes::between(&before, &looked(vec![]), &left_out);
    assert_eq!(changes.gone, [id(3, "gone.example.org", 30)]);
    assert_eq!(changes.not_looked_at, sorted(vec![id(1, WWW, 30), id(2, MAIL, 30)]));
}

#[test]
fn a_server_that_answered_was_looked_at_whatever_the_scopes_say() {
    let before = looked(vec![cert(1, WWW, 30, web(0))]);
    let answered =
        Observation::found(endpoint(later(1), "HTTP"), tls("192.0.2.7:443", None, later(1)));
    let after = absorbed([answered, covered("tls", "192.0.2.7:443", later(1))]);
    let changes = Changes::between(&before, &after, &|_| false);
    assert_eq!(changes.gone, [id(1, WWW, 30)]);
    assert_eq!(changes.new.len(), 1, "the endpoint itself");
}

#[test]
fn certificates_without_any_name_are_not_of_one_lineage() {
    let nameless = |serial, days: i64| {
        let wanted = Wanted::host(serial, &[], later(24 * days));
        vec![Observation::found(Raw::Certificate(wanted.der()), at(&format!("/etc/{serial}.pem")))]
    };
    let changes = Changes::between(&looked(nameless(1, 30)), &looked(nameless(2, 90)), &|_| false);
    assert_eq!((changes.new.len(), changes.gone.len(), changes.renewed.len()), (1, 1, 0));
}

#[test]
fn what_its_place_identifies_is_the_same_after_a_change_and_a_keystore_is_its_octets() {
    let trace = |renewals| {
        let mut trace = Automation::of("certbot", AutomationRole::Lineage);
        trace.renewals = Some(renewals);
        Observation::found(Raw::Automation(Box::new(trace)), at("/etc/letsencrypt/www.conf"))
    };
    let settings = |line, path| {
        let settings = Configuration::of("nginx", None, line);
        Observation::found(Raw::Configuration(Box::new(settings)), at(path))
    };
    let keystore = |octets: &[u8]| {
        let keystore = Keystore {
            format: "JKS".to_owned(),
            lock: Lock::Closed("no password is known".to_owned()),
            integrity: None,
            protection: Vec::new(),
            count: None,
            entries: Vec::new(),
        };
        Observation::found(Raw::Keystore { id: Digest::of(octets), keystore }, at("/etc/a.jks"))
    };
    let by_octets = |octets: &[u8]| AssetId::new(Kind::Keystore, Digest::of(octets));
    let by_place = |path: &str| AssetId::at(Kind::Configuration, &Place::file(path));
    check(
        vec![trace(2), settings(1, "/etc/nginx.conf"), settings(1, "/etc/x"), keystore(b"one")],
        vec![trace(3), settings(9, "/etc/nginx.conf"), settings(1, "/etc/y"), keystore(b"two")],
        &Changes {
            new: sorted(vec![by_place("/etc/y"), by_octets(b"two")]),
            gone: sorted(vec![by_place("/etc/x"), by_octets(b"one")]),
            ..Changes::default()
        },
    );
}

/// In a directory of these bases.
fn read_below(bases: &[&str], observations: Vec<Observation>) -> Inventory {
    let scopes = bases
        .iter()
        .map(|base| covered("directory", &format!("ldap://corp.example/{base}"), later(1)));
    absorbed(observations.into_iter().chain(scopes))
}

fn entry(dn: &str) -> Sighting {
    Sighting::at(Place::directory("corp.example", dn).object(1), "directory", later(0))
}

fn not_read(dn: &str) -> Observation {
    let place = Place::directory("corp.example", dn);
    Observation::Missed(gap(place, "directory", GapReason::ReadFailed, later(0)))
}

#[test]
fn an_entry_is_gone_where_its_base_was_read_without_a_gap_at_it_or_above() {
    const ANN: &str = "CN=Ann\\, A,OU=Staff,DC=corp,DC=example";
    let whole = "DC=corp,DC=example";
    let before = read_below(&[whole], vec![cert(1, WWW, 30, entry(ANN))]);
    let gone = Changes { gone: vec![id(1, WWW, 30)], ..Changes::default() };
    let unknown = Changes { not_looked_at: vec![id(1, WWW, 30)], ..Changes::default() };
    for (bases, gap, expected) in [
        (&[whole][..], None, &gone),
        (&["dc=CORP, dc=example"], None, &gone),
        (&["OU=Staff,DC=corp,DC=example", "DC=x"], None, &gone),
        (&[""], None, &gone),
        (&[whole], Some("CN=Bob,OU=Staff,DC=corp,DC=example"), &gone),
        (&[whole], Some("A,OU=Staff,DC=corp,DC=example"), &gone),
        (&[whole], Some("OU=taff,DC=corp,DC=example"), &gone),
        (&[], None, &unknown),
        (&["OU=Other,DC=corp,DC=example"], None, &unknown),
        (&["P,DC=example"], None, &unknown),
        (&[whole], Some(ANN), &unknown),
        (&[whole], Some("ou=staff,dc=corp,dc=example"), &unknown),
        (&[whole], Some(whole), &unknown),
        (&[whole], Some(""), &unknown),
    ] {
        let after = read_below(bases, gap.map(not_read).into_iter().collect());
        check_inventories(&before, &after, expected);
    }
    // The same base of another server says nothing.
    let elsewhere = covered("directory", "ldap://other.example/DC=corp,DC=example", later(1));
    check_inventories(&before, &absorbed([elsewhere]), &unknown);
    // More gaps than were named.
    let more = |base: &str| {
        let place = Place::Scope(format!("ldap://corp.example/{base}"));
        let more = gap(place, "directory", GapReason::LimitReached, later(0));
        read_below(&[whole], vec![Observation::Missed(more)])
    };
    check_inventories(&before, &more(whole), &unknown);
    check_inventories(&before, &more("CN=Configuration,DC=corp,DC=example"), &gone);
    // An address with brackets, a name with a space.
    let odd = Place::directory("[2001:db8::1]:1636", "CN=a b,OU=Pü b,DC=x");
    let before = absorbed([cert(1, WWW, 30, Sighting::at(odd, "directory", later(0)))]);
    let base = covered("directory", "ldap://[2001:db8::1]:1636/OU=Pü b,DC=x", later(1));
    check_inventories(&before, &absorbed([base]), &gone);
    let before = read_below(&[whole], vec![cert(1, WWW, 30, entry(ANN))]);
    // A collector that broke down.
    let failed =
        gap(Place::Scope("directory".into()), "directory", GapReason::CollectorFailed, later(0));
    check_inventories(&before, &read_below(&[whole], vec![Observation::Missed(failed)]), &unknown);
}

#[test]
fn the_certificate_of_an_account_is_renewed_in_its_entry() {
    const ANN: &str = "CN=Ann,DC=corp,DC=example";
    let whole = ["DC=corp,DC=example"];
    let before = read_below(&whole, vec![cert(1, WWW, 30, entry(ANN))]);
    let renewed = read_below(&whole, vec![cert(2, MAIL, 90, entry(ANN))]);
    let renewal = Renewal { old: id(1, WWW, 30), new: id(2, MAIL, 90) };
    check_inventories(&before, &renewed, &Changes { renewed: vec![renewal], ..Changes::default() });
    // The old one has moved to the second place of its attribute.
    let mut second = entry(ANN);
    second.place = second.place.object(2);
    let both = vec![cert(2, MAIL, 90, entry(ANN)), cert(1, WWW, 30, second)];
    let added = Changes { new: vec![id(2, MAIL, 90)], ..Changes::default() };
    check_inventories(&before, &read_below(&whole, both), &added);
}

#[test]
fn what_a_dump_held_is_gone_when_the_dump_was_read_again() {
    let place = Place::file("/srv/corp.ldif").within(b"CN=Ann,DC=corp").object(1);
    let sighting = Sighting::at(place, "directory", later(0));
    let dump = || covered("directory", "/srv/corp.ldif", later(1));
    let before = absorbed([cert(1, WWW, 30, sighting), dump()]);
    let gone = Changes { gone: vec![id(1, WWW, 30)], ..Changes::default() };
    let unknown = Changes { not_looked_at: vec![id(1, WWW, 30)], ..Changes::default() };
    check_inventories(&before, &absorbed([dump()]), &gone);
    let other = covered("directory", "/srv/other.ldif", later(1));
    check_inventories(&before, &absorbed([other]), &unknown);
    let damaged = gap(Place::file("/srv/corp.ldif"), "directory", GapReason::Damaged, later(0));
    check_inventories(&before, &absorbed([dump(), Observation::Missed(damaged)]), &unknown);
}
