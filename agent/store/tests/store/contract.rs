//! What every back end holds, through the trait alone.

use pki_inventory::{
    Access, Asset, AssetId, Authority, Automation, AutomationRole, Configuration, Digest,
    DirectoryObject, DirectoryRole, Disposition, Encryption, FileFacts, GapReason, Grant, Half,
    Holds, Inventory, Issuance, Key, KeyAlgorithm, KeyForm, Keystore, Kind, LinkedGroup, Listens,
    Lock, Login, Mapping, MappingForm, Mechanism, Module, Observation, Ordinary, PinState, Place,
    Raw, Right, SecretKey, Sighting, Slot, Standing, StoreEntry, Template, Time, Token, TokenFlags,
    Trustee, Unparsed,
};
use pki_store::{
    Assessment, AssessmentId, Batch, Outcome, RunEnd, RunId, Selection, Store, StoreError,
};

use super::{
    absorbed, certificate, covered, endpoint, file, gap, later, open, served, start, tls,
    with_history,
};
use crate::certificate::Wanted;

#[test]
fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    contract(&mut open(folder.path()));
}

#[test]
fn sqlite_follows_the_inventory_through_many_runs() {
    for seed in 0..12 {
        let folder = tempfile::tempdir().expect("a folder");
        follows_the_inventory(&mut open(folder.path()), seed);
    }
}

/// Every promise of the trait, on a store that is empty.
fn contract(store: &mut dyn Store) {
    an_empty_store_says_so(store);
    let (one, first) = a_run_is_loaded_as_it_was_absorbed(store);
    let (two, second) = a_later_run_leaves_the_earlier_one_as_it_was(store, one, &first);
    latest_is_the_latest_completed(store, two);
    an_ended_run_takes_nothing_more(store, two);
    a_batch_with_a_wrong_id_is_refused_as_a_whole(store);
    a_run_without_end_is_interrupted_by_the_next(store);
    the_chain_holds(store);
    answers_are_a_history(store);
    assessments_are_kept(store, two);
    assert_eq!(store.inventory(Selection::Run(one)).expect("loads"), first);
    assert_eq!(store.inventory(Selection::Run(two)).expect("loads"), second);
}

fn an_empty_store_says_so(store: &mut dyn Store) {
    assert_eq!(store.runs().expect("lists"), []);
    assert_eq!(store.verify_chain().expect("verifies"), []);
    assert_eq!(store.inventory(Selection::All).expect("loads"), Inventory::default());
    assert!(matches!(store.inventory(Selection::Latest), Err(StoreError::NoRuns { .. })));
    let seven = RunId(7);
    let unknown = |result| matches!(result, Err(StoreError::UnknownRun { run }) if run == seven);
    assert!(unknown(store.inventory(Selection::Run(seven)).map(|_| ())));
    assert!(unknown(store.coverage(seven).map(|_| ())));
    assert!(unknown(store.scope(seven).map(|_| ())));
    assert!(unknown(store.record(seven, &Batch::default())));
    assert!(unknown(store.end_run(seven, later(0), RunEnd::Completed).map(|_| ())));
    assert!(unknown(store.changes(seven, seven, &|_| false).map(|_| ())));
    assert_eq!(store.latest_answers().expect("loads"), None);
    assert_eq!(store.assessments().expect("lists"), []);
}

/// One of every kind, with all there is to say about it.
fn of_every_kind(at: Time) -> Inventory {
    let mut seen: Vec<Observation> = Vec::new();
    let mut found = |raw, sighting| seen.push(Observation::found(raw, sighting));
    found(certificate(1, "www.example.org", later(900)), served("192.0.2.7:443", 0, at));
    found(certificate(1, "www.example.org", later(900)), file("/etc/ssl/ü #1.pem", at));
    found(endpoint(at, "SSH-2.0"), tls("[2001:db8::1]:443", Some("www.example.org"), at));
    found(Raw::Certificate(vec![0x30, 0x00]), file("/etc/ssl/broken.pem", at));
    let mut key = file("/etc/ssl/key.pem", at);
    key.circumstances.key = Some(KeyForm {
        half: Half::Private,
        encoding: "PKCS#8".to_owned(),
        encryption: Encryption::Passphrase { kdf: None, cipher: None, iterations: Some(2048) },
    });
    key.circumstances.file = Some(FileFacts {
        mode: 0o640,
        uid: 0,
        gid: 7,
        owner: Some("root".to_owned()),
        group: None,
        modified: Time(-1),
        filesystem: None,
        access_list: false,
        behind: None,
    });
    let algorithm = KeyAlgorithm { name: "EC".to_owned(), bits: Some(256), curve: None };
    let id = Digest::of(b"public half");
    found(Raw::Key { id, key: Key { spki: Some(id), algorithm: Some(algorithm) } }, key);
    let mut trace = Automation::of("certbot", AutomationRole::Lineage);
    (trace.next_renewal, trace.renewals) = (Some(later(7)), Some(3));
    let trace = Raw::Automation(Box::new(trace));
    found(trace, file("/etc/letsencrypt/renewal/www.conf", at));
    let mut settings = Configuration::of("nginx", Some("server www".to_owned()), 7);
    settings.listens.push(Listens { address: None, port: 443, starttls: None });
    settings.settings.insert("ssl_ecdh_curve".to_owned(), "X25519".to_owned());
    found(Raw::Configuration(Box::new(settings)), file("/etc/nginx/nginx.conf", at));
    let entry = StoreEntry {
        alias: Some("ü".to_owned()),
        holds: Holds::PrivateKey,
        assets: vec![AssetId::new(Kind::Key, id)],
        created: Some(Time(-1)),
    };
    let keystore = Keystore {
        format: "JKS".to_owned(),
        lock: Lock::WellKnown("changeit".to_owned()),
        integrity: None,
        protection: vec![Encryption::None],
        count: Some(1),
        entries: vec![entry],
    };
    found(Raw::Keystore { id: Digest::of(b"store"), keystore }, file("/etc/ssl/a.jks", at));
    for (raw, sighting) in of_a_directory(at) {
        found(raw, sighting);
    }
    for (raw, sighting) in of_a_token(at) {
        found(raw, sighting);
    }
    let unparsed = Unparsed { claimed: "key".to_owned(), length: 3, error: "\"'; --".to_owned() };
    found(Raw::Unparsed { id: Digest::of(b"odd"), unparsed }, file("/etc/ssl/odd.key", at));
    let mut members = Vec::new();
    for serial in 100..125 {
        let name = format!("Root {serial}");
        let not_after = later(9000);
        let wanted = Wanted::host(serial, &[], not_after);
        let der = Wanted { common_name: &name, authority: true, ..wanted }.der();
        members.push(Digest::of(&der));
        found(Raw::Certificate(der), file("/etc/ssl/roots.pem", at));
    }
    found(Raw::Bundle(members), file("/etc/ssl/roots.pem", at));
    let mut closed =
        gap(Place::file("/etc/ssl/private"), "filesystem", GapReason::PermissionDenied, at);
    closed.detail = "run it as a user who may read it".to_owned();
    seen.push(Observation::Missed(closed));
    seen.push(covered("filesystem", "/etc/ssl", at));
    seen.push(covered("tls", "192.0.2.0/28", at));
    let inventory = absorbed(seen);
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| inventory.assets().any(|asset| asset.id.kind == *kind))
        .collect();
    let only_by_encoding = [Kind::RevocationList, Kind::SigningRequest];
    assert!(Kind::ALL.iter().all(|kind| kinds.contains(kind) || only_by_encoding.contains(kind)));
    inventory
}

/// What a directory, a dump of it and an authority's records hold. Names in it may hold anything.
fn of_a_directory(at: Time) -> Vec<(Raw, Sighting)> {
    const BASE: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";
    let seen = |place| Sighting::at(place, "directory", at);
    let entry = |dn: &str| Place::directory("[2001:db8::1]:1636", dn);
    let access = Access {
        owner: Some(Trustee {
            sid: "S-1-5-21-1-2-3-519".to_owned(),
            name: None,
            standing: Standing::Privileged,
            through: Vec::new(),
            members: None,
        }),
        grants: vec![Grant {
            right: Right::WriteProperty("altSecurityIdentities".to_owned()),
            trustee: Trustee {
                sid: "S-1-5-21-1-2-3-1105".to_owned(),
                name: Some("CORP\\Ü \"x\"".to_owned()),
                standing: Standing::Particular,
                through: vec!["CORP\\Outer".to_owned()],
                members: Some(7),
            },
            reaches: vec![Ordinary::User, Ordinary::Anonymous],
        }],
        denied: Vec::new(),
        unresolved: Some("a group was not read".to_owned()),
        not_evaluated: Some("an entry has a condition".to_owned()),
    };
    let dn = format!("CN=We/b #1!/\\, ü%41?\0,CN=Certificate Templates,{BASE}");
    let template = Template {
        name: "Web".to_owned(),
        dn: dn.clone(),
        revision: Some((100, 3)),
        validity_secs: Some(-1),
        key_usage: vec![0xa0, 0x00],
        name_flags: Some(u32::MAX),
        algorithms: vec![("msPKI-Asymmetric-Algorithm".to_owned(), "RSA".to_owned())],
        access: Some(access.clone()),
        ..Template::default()
    };
    let services = format!("CN=One,CN=Enrollment Services,{BASE}");
    let authority = Authority {
        name: "One".to_owned(),
        dn: services.clone(),
        certificates: vec![Digest::of(b"one")],
        templates: vec!["Web".to_owned()],
        access: Some(Access::default()),
        ..Authority::default()
    };
    let account = "CN=Ann,CN=Users,DC=corp,DC=example";
    let mut object = DirectoryObject::of(DirectoryRole::Account, "ann", account);
    object.group = Some(LinkedGroup { dn: "CN=G".to_owned(), name: None, privileged: Some(true) });
    object.mappings =
        vec![Mapping { form: MappingForm::Mail, text: "X509:<RFC822>a@b".to_owned() }];
    let issuance = Issuance {
        authority: Some("One".to_owned()),
        request: Some(u64::from(u32::MAX)),
        disposition: Disposition::Other("odd \"one\"".to_owned()),
        serial: None,
        requester: Some("CORP\\ann".to_owned()),
        template: None,
        common_name: None,
        not_before: Some(Time(-1)),
        not_after: None,
        revoked: None,
        revocation_reason: None,
        certificate: Some(Digest::of(b"one")),
    };
    let dumped = Place::file("/srv/dump.ldif").within(account.as_bytes());
    vec![
        (Raw::Template(Box::new(template)), seen(entry(&dn))),
        (Raw::Authority(Box::new(authority)), seen(entry(&services))),
        (certificate(9, "ca.example.org", later(900)), seen(entry(&services).object(1))),
        (Raw::DirectoryObject(Box::new(object)), seen(dumped)),
        (Raw::Issuance(Box::new(issuance)), seen(Place::file("/srv/ca.csv").object(70_000))),
    ]
}

/// A token and what lies on it.
fn of_a_token(at: Time) -> Vec<(Raw, Sighting)> {
    let place = Place::token([("token", &b"CA; \"one\""[..]), ("serial", b"7")]);
    let seen = |place| Sighting::at(place, "pkcs11", at);
    let mechanism = Mechanism {
        number: u64::MAX,
        name: None,
        smallest: Some(1024),
        largest: None,
        hardware: Some(true),
        uses: vec!["sign".to_owned()],
    };
    let token = Token {
        label: Some("CA; \"one\"".to_owned()),
        manufacturer: None,
        model: None,
        serial: Some("7".to_owned()),
        hardware_version: None,
        firmware_version: Some("5.43".to_owned()),
        module: Module {
            path: "/usr/lib/one.so".to_owned(),
            manufacturer: None,
            description: None,
            version: None,
            interface: Some("2.40".to_owned()),
        },
        slot: Slot {
            id: 3,
            description: None,
            manufacturer: None,
            hardware: true,
            removable: false,
        },
        flags: TokenFlags { initialized: true, ..TokenFlags::default() },
        user_pin: PinState { count_low: true, ..PinState::default() },
        so_pin: PinState::default(),
        pin_lengths: Some((4, 255)),
        sessions: None,
        public_memory: None,
        private_memory: Some((1, u64::from(u32::MAX))),
        clock: Some(Time(-1)),
        mechanisms: Some(vec![mechanism]),
        login: Login::Refused,
        objects: vec![("private".to_owned(), 2)],
        validations: Vec::new(),
    };
    let algorithm = KeyAlgorithm { name: "AES".to_owned(), bits: Some(256), curve: None };
    let object = place.on_token([("object", &b"wrapping"[..]), ("id", &[0xff])]);
    vec![
        (Raw::Token(Box::new(token)), seen(place)),
        (Raw::SecretKey(SecretKey { algorithm }), seen(object)),
    ]
}

fn a_run_is_loaded_as_it_was_absorbed(store: &mut dyn Store) -> (RunId, Inventory) {
    let seen = of_every_kind(later(0));
    let run = store.begin_run(&start(0)).expect("begins");
    assert_eq!(store.runs().expect("lists")[0].outcome, Outcome::Running);
    let batch = Batch::from(&seen);
    store.record(run, &batch).expect("records");
    assert_eq!(store.inventory(Selection::Run(run)).expect("loads"), seen);
    assert_eq!(store.coverage(run).expect("loads"), Batch::from(&seen).coverage);

    store.record(run, &batch).expect("records again");
    assert_eq!(store.inventory(Selection::Run(run)).expect("loads"), seen, "twice is once");
    let counts = store.runs().expect("lists")[0].counts;

    let digest = store.end_run(run, later(1), RunEnd::Completed).expect("ends");
    assert_eq!(store.inventory(Selection::Run(run)).expect("loads"), seen);
    assert_eq!(store.inventory(Selection::Latest).expect("loads"), seen);
    assert_eq!(store.inventory(Selection::All).expect("loads"), seen);
    let record = store.runs().expect("lists").remove(0);
    let begun = start(0);
    assert_eq!((record.id, record.started, record.ended), (run, begun.started, Some(later(1))));
    assert_eq!(
        (record.config_digest, &record.agent_version),
        (begun.config_digest, &begun.agent_version)
    );
    assert_eq!((record.scope, record.continues), (Digest::of(begun.scope.as_bytes()), None));
    assert_eq!(store.scope(run).expect("loads"), begun.scope);
    assert_eq!((record.outcome, record.counts), (Outcome::Completed, counts));
    assert_eq!((record.previous, record.digest), (None, Some(digest)));
    assert_eq!((counts.assets, counts.sightings, counts.gaps), (41, 42, 1));
    (run, seen)
}

fn a_later_run_leaves_the_earlier_one_as_it_was(
    store: &mut dyn Store,
    one: RunId,
    first: &Inventory,
) -> (RunId, Inventory) {
    let at = later(24);
    let mut moved = served("192.0.2.7:443", 1, at);
    moved.last_seen = later(25);
    let mut closed =
        gap(Place::file("/etc/ssl/private"), "filesystem", GapReason::PermissionDenied, at);
    closed.detail = "still closed".to_owned();
    let seen = absorbed([
        Observation::found(certificate(1, "www.example.org", later(900)), moved),
        Observation::found(
            certificate(2, "mail.example.org", later(900)),
            file("/etc/ssl/2.pem", at),
        ),
        Observation::found(
            endpoint(at, "HTTP/1.1 400"),
            tls("[2001:db8::1]:443", Some("www.example.org"), at),
        ),
        Observation::Missed(closed),
        Observation::Missed(gap(
            Place::tls("192.0.2.9:443".parse().expect("an address"), None),
            "tls",
            GapReason::TimedOut,
            at,
        )),
        covered("tls", "192.0.2.0/28", at),
    ]);
    let two = store.begin_run(&start(24)).expect("begins");
    store.record(two, &Batch::from(&seen)).expect("records");
    store.end_run(two, later(26), RunEnd::Completed).expect("ends");

    let loaded = store.inventory(Selection::Run(two)).expect("loads");
    assert_eq!(loaded, with_history(&seen, first));
    let served = |a: &&Asset| a.certificate().is_some() && a.places().all(Place::is_network);
    let certificate = loaded.assets().find(served).expect("there is one");
    assert_eq!(certificate.first_seen(), Some(later(0)), "seen by the first run");
    assert_eq!(certificate.last_seen(), Some(later(25)));

    let before = store.inventory(Selection::Run(one)).expect("loads");
    assert_eq!(&before, first, "the past is not rewritten");
    assert!(before.assets().all(|asset| asset.last_seen() <= Some(later(1))));
    assert_eq!(store.inventory(Selection::Latest).expect("loads"), loaded);
    let mut all = first.clone();
    all.merge(seen);
    assert_eq!(store.inventory(Selection::All).expect("loads"), all);
    (two, loaded)
}

fn latest_is_the_latest_completed(store: &mut dyn Store, two: RunId) {
    for end in [RunEnd::Cancelled, RunEnd::Failed("the disk was full".to_owned())] {
        let run = store.begin_run(&start(30)).expect("begins");
        store.end_run(run, later(31), end.clone()).expect("ends");
        let record = store.runs().expect("lists").pop().expect("there is one");
        assert_eq!(record.outcome, Outcome::from(end));
    }
    let of = |selection| store.inventory(selection).expect("loads");
    assert_eq!(of(Selection::Latest), of(Selection::Run(two)));
}

fn an_ended_run_takes_nothing_more(store: &mut dyn Store, run: RunId) {
    let ended = |result| matches!(result, Err(StoreError::RunEnded { run: r }) if r == run);
    let batch = Batch::from(&of_every_kind(later(32)));
    assert!(ended(store.record(run, &batch)));
    assert!(ended(store.end_run(run, later(33), RunEnd::Cancelled).map(|_| ())));
}

fn a_batch_with_a_wrong_id_is_refused_as_a_whole(store: &mut dyn Store) {
    let run = store.begin_run(&start(34)).expect("begins");
    let good = absorbed([Observation::found(
        certificate(3, "three.example.org", later(900)),
        file("/etc/ssl/3.pem", later(34)),
    )]);
    let asset = good.assets().next().expect("there is one");
    for id in [
        AssetId::new(Kind::Certificate, Digest::of(b"something else")),
        AssetId::new(Kind::Unparsed, asset.id.sha256),
    ] {
        let mut batch = Batch::from(&good);
        batch.assets.push(Asset::new(id, asset.body.clone()));
        let refused = store.record(run, &batch);
        assert!(matches!(refused, Err(StoreError::WrongId { asset }) if asset == id));
        assert_eq!(store.inventory(Selection::Run(run)).expect("loads"), Inventory::default());
    }
    store.record(run, &Batch::from(&good)).expect("the store goes on");
    assert_eq!(store.inventory(Selection::Run(run)).expect("loads"), good);
    store.end_run(run, later(35), RunEnd::Completed).expect("ends");
}

fn a_run_without_end_is_interrupted_by_the_next(store: &mut dyn Store) {
    let killed = store.begin_run(&start(40)).expect("begins");
    let seen = absorbed([Observation::found(
        certificate(4, "four.example.org", later(900)),
        file("/etc/ssl/4.pem", later(40)),
    )]);
    store.record(killed, &Batch::from(&seen)).expect("records");
    assert_eq!(store.verify_chain().expect("verifies"), [], "an open run breaks nothing");
    let next = store.begin_run(&start(41)).expect("begins");
    let runs = store.runs().expect("lists");
    let record = runs.iter().find(|run| run.id == killed).expect("kept");
    assert_eq!((&record.outcome, record.ended), (&Outcome::Interrupted, None));
    assert!(record.digest.is_some(), "an interrupted run is in the chain");
    assert_eq!(store.inventory(Selection::Run(killed)).expect("loads"), seen);
    let late = store.record(killed, &Batch::from(&seen));
    assert!(matches!(late, Err(StoreError::RunEnded { .. })));
    store.end_run(next, later(42), RunEnd::Cancelled).expect("ends");
}

fn the_chain_holds(store: &mut dyn Store) {
    assert_eq!(store.verify_chain().expect("verifies"), []);
    let runs = store.runs().expect("lists");
    assert!(runs.len() > 4 && runs.is_sorted_by_key(|run| run.id));
    assert!(runs.windows(2).all(|pair| pair[1].previous == pair[0].digest));
}

fn answers_are_a_history(store: &mut dyn Store) {
    let texts = ["a: 1\n", "a: 2\n", "a: 2\n", "a: 1\n"];
    for (hours, text) in (50..).zip(texts) {
        let digest = store.save_answers(later(hours), text).expect("saves");
        assert_eq!(digest, Digest::of(text.as_bytes()));
    }
    let all = store.answers().expect("loads");
    let kept: Vec<_> = all.iter().map(|answers| (answers.saved, answers.text.as_str())).collect();
    assert_eq!(
        kept,
        [(later(50), "a: 1\n"), (later(51), "a: 2\n"), (later(53), "a: 1\n")],
        "a text that did not change is not a new version"
    );
    assert_eq!(store.latest_answers().expect("loads").as_ref(), all.last());
}

fn assessments_are_kept(store: &mut dyn Store, run: RunId) {
    let assessment = Assessment {
        run,
        as_of: later(60),
        model_version: "2.0".to_owned(),
        policy_digest: Digest::of(b"policy"),
        json: r#"{"level":2}"#.to_owned(),
    };
    let one = store.save_assessment(&assessment).expect("saves");
    let two = store.save_assessment(&assessment).expect("saves");
    let listed = store.assessments().expect("lists");
    assert_eq!(listed.iter().map(|record| record.id).collect::<Vec<_>>(), [one, two]);
    assert_eq!(listed[0].policy_digest, assessment.policy_digest);
    assert_eq!(store.assessment(two).expect("loads"), assessment);
    let none = AssessmentId(two.0 + 1);
    assert!(
        matches!(store.assessment(none), Err(StoreError::UnknownAssessment { id }) if id == none)
    );
    let of_none = Assessment { run: RunId(999), ..assessment };
    assert!(matches!(store.save_assessment(&of_none), Err(StoreError::UnknownRun { .. })));
}

/// Runs of made-up batches, with sightings that repeat, tie and come out of order, must be loaded
/// as the inventory itself joins them.
fn follows_the_inventory(store: &mut dyn Store, seed: u64) {
    let mut dice = Dice(seed);
    let (mut past, mut runs) = (Inventory::default(), Vec::new());
    for number in 0..4 {
        let run = store.begin_run(&start(number)).expect("begins");
        let mut now = Inventory::default();
        for _ in 0..3 {
            let batch = absorbed((0..12).map(|_| observation(&mut dice, number)));
            for _ in 0..=dice.roll(2) {
                store.record(run, &Batch::from(&batch)).expect("records");
            }
            now.merge(batch);
        }
        store.end_run(run, later(number), RunEnd::Completed).expect("ends");
        let expected = with_history(&now, &past);
        past.merge(now);
        runs.push((run, expected));
    }
    for (run, expected) in runs {
        assert_eq!(store.inventory(Selection::Run(run)).expect("loads"), expected, "seed {seed}");
    }
    assert_eq!(store.inventory(Selection::All).expect("loads"), past, "seed {seed}");
    assert_eq!(store.verify_chain().expect("verifies"), [], "seed {seed}");
}

fn observation(dice: &mut Dice, run: i64) -> Observation {
    // Few instants, so that ties are common; some lie before those of the run before.
    let at = Time(later(run).0 + dice.number(3) * 1800 - 1800);
    let path = format!("/etc/ssl/{}.pem", dice.roll(2));
    let mut sighting: Sighting = file(&path, at);
    sighting.circumstances.chain_position = [None, Some(0), Some(1)][dice.roll(3)];
    match dice.roll(7) {
        0 | 1 => {
            let serial = 1 + dice.roll(3) as u64;
            Observation::found(certificate(serial, "www.example.org", later(900)), sighting)
        }
        2 => Observation::found(endpoint(at, ["SSH", "HTTP"][dice.roll(2)]), sighting),
        3 => {
            let id = Digest::of(b"key");
            let spki = [None, Some(id)][dice.roll(2)];
            Observation::found(Raw::Key { id, key: Key { spki, algorithm: None } }, sighting)
        }
        4 => {
            let reason = [GapReason::TimedOut, GapReason::Refused][dice.roll(2)];
            let mut missed = gap(sighting.place, "filesystem", reason, at);
            missed.detail = ["no answer", "a late answer"][dice.roll(2)].to_owned();
            Observation::Missed(missed)
        }
        5 => {
            let name = ["Web", "WEB"][dice.roll(2)];
            let mut template = Template { dn: format!("CN={name}"), ..Template::default() };
            template.schema_version = [None, Some(1), Some(4)][dice.roll(3)];
            sighting.place = Place::directory("corp.example", &template.dn);
            Observation::found(Raw::Template(Box::new(template)), sighting)
        }
        _ => covered("filesystem", ["/etc", "/srv"][dice.roll(2)], at),
    }
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn number(&mut self, sides: usize) -> i64 {
        self.roll(sides) as i64
    }
}
