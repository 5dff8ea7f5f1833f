//! The shared assessment: small, written by hand, with every verdict, a gap, an exception, unknown
//! evidence and a certificate whose name attacks whoever prints it.

pub mod directory;
mod disk;
mod tls;
pub mod token;

use std::collections::BTreeSet;

use pki_config::Policy;
use pki_inventory::{
    AlternativeName, Asset, AssetId, Body, Certificate, Circumstances, ClientCertificate, Coverage,
    Digest, DistinguishedName, Encryption, Endpoint, FileFacts, Gap, GapReason, Half, Handshake,
    Inventory, Key, KeyAlgorithm, KeyForm, Kind, Place, RevocationList, RevocationStatus, Sighting,
    SignatureAlgorithm, SigningRequest, Time, TrustStore, Unparsed,
};
use pki_maturity::{Level, Map, Model};
use pki_report::{Changes, Document};
use pki_scoring::{Answer, Answers, Assessment, History, Inputs, Rating, assess};

/// The instant of the assessment: 2026-11-21T00:00:00Z.
pub const NOW: Time = Time(1_795_219_200);

/// A name that would run in a browser, colour a terminal, forge a line and turn a sentence.
pub const HOSTILE: &str =
    "<script>alert(1)</script>'\"&\u{1b}[31mred\n  Overall: 5 Optimized\u{202e}gpj.exe: # - x";

const POLICY: &str = r#"
[issuers]
approved = ["CN=Example Issuing CA 1"]

[[owners]]
owner = "Web team"
names = ["*.example.org"]

[[exceptions]]
rule = "key.readable-by-others"
match = "file:///opt/legacy/*"
reason = "Appliance cannot be changed before its replacement, ticket PKI-12"
expires = 2027-03-31

[[exceptions]]
rule = "cert.lifetime-over-limit"
match = "nothing.example.org"
reason = "Left over from a migration"
expires = 2026-06-30
"#;

/// Everything a document borrows.
pub struct Sample {
    pub model: Model,
    pub map: Map,
    pub policy: Policy,
    pub inventory: Inventory,
    pub answers: Answers,
    pub assessment: Assessment,
    pub changes: Option<Changes>,
    pub scope: Vec<String>,
}

impl Sample {
    pub fn document(&self) -> Document<'_> {
        Document {
            model: &self.model,
            map: &self.map,
            rules: pki_rules::RULES,
            assessment: &self.assessment,
            inventory: &self.inventory,
            changes: self.changes.as_ref(),
            agent_version: "0.1.0",
            policy_name: "policy.toml",
            policy_digest: Digest::of(POLICY.as_bytes()),
            scope: &self.scope,
        }
    }

    fn new(
        version: &str,
        inventory: Inventory,
        answers: Answers,
        changes: Option<Changes>,
    ) -> Self {
        let model = Model::built_in(version).unwrap_or_else(|error| panic!("{error}"));
        let map = Map::for_model(&model).unwrap_or_else(|error| panic!("{error}"));
        let policy = Policy::parse("policy.toml", POLICY, &rules())
            .unwrap_or_else(|error| panic!("{error:?}"));
        let assessment = assess(&Inputs {
            model: &model,
            map: &map,
            policy: &policy,
            rules: pki_rules::RULES,
            inventory: &inventory,
            answers: &answers,
            history: History { runs: 2, days: 14 },
            as_of: NOW,
        });
        let scope = vec![
            "The file tree /srv and the file tree /opt/legacy.".to_owned(),
            "TLS on 192.0.2.0/28, ports 25, 443 and 8443.".to_owned(),
        ];
        Self { model, map, policy, inventory, answers, assessment, changes, scope }
    }
}

/// The shared assessment.
pub fn sample() -> Sample {
    let world = World::full();
    let changes = world.changes();
    Sample::new("2.0.0", world.inventory, answers(), Some(changes))
}

/// A first run that found nothing and that nobody has answered.
#[allow(dead_code, reason = "the example shows the full one only")]
pub fn empty() -> Sample {
    let mut inventory = Inventory::default();
    for (collector, scope) in [("filesystem", "/srv"), ("tls", "192.0.2.0/28:443")] {
        let coverage =
            Coverage { finished: NOW, asked: 9, read: 9, not_read: 0, octets: 0, unchanged: 0 };
        inventory.add_coverage(collector.to_owned(), scope.to_owned(), coverage);
    }
    Sample::new("2.0.0", inventory, Answers::default(), None)
}

/// The same evidence against an older model, whose keys are numbers.
#[allow(dead_code, reason = "the example shows the full one only")]
pub fn older_model() -> Sample {
    Sample::new("1.0.0", World::full().inventory, Answers::default(), None)
}

fn answers() -> Answers {
    let mut answers = Answers::default();
    let mut add = |id: &str, rating: Rating, why: &str, review: Option<Time>| {
        let answer = Answer {
            rating,
            by: "J. Doe, PKI lead".to_owned(),
            when: NOW.plus_days(-30),
            why: why.to_owned(),
            evidence: vec!["https://wiki.example.org/pki".to_owned()],
            review,
            line: 1,
        };
        answers.insert(id, answer);
    };
    let level = |number: i64| {
        Rating::Level(Level::try_from(number).unwrap_or_else(|error| panic!("{error}")))
    };
    let past = Some(NOW.plus_days(-3));
    add("G.strategy-and-vision.sponsor-support", level(3), "The CIO signed the budget", past);
    add("G.strategy-and-vision.responsible-leadership", level(2), "Appointed last year", None);
    add("G.cryptography.crypto-protocols", level(4), "Reviewed every quarter", None);
    add("M.certificate-management.cert-lifecycle", level(4), "All renewals are automated", None);
    add("M.certificate-management.pki-governance", level(4), "The PKI board meets monthly", None);
    add("M.certificate-management.cert-profiles", level(1), "Profiles are informal", None);
    add("M.key-management.key-inventory", Rating::OutOfScope, "The keys are the customers'", None);
    add("R.sourcing.resource-availability", Rating::OutOfScope, "Nothing is bought", None);
    add("G.compliance.compliance-policies", level(2), HOSTILE, Some(NOW.plus_days(180)));
    answers
}

struct World {
    inventory: Inventory,
    leaves: Vec<AssetId>,
}

impl World {
    fn full() -> Self {
        let mut world = Self { inventory: Inventory::default(), leaves: Vec::new() };
        let mut issuing = leaf("Example Issuing CA 1");
        issuing.issuer = name("Example Root CA");
        issuing.is_ca = Some(true);
        issuing.names = Vec::new();
        issuing.extended_key_usage = Vec::new();
        issuing.not_before = NOW.plus_days(-900);
        issuing.not_after = NOW.plus_days(2_700);
        let mut root = issuing.clone();
        root.der = b"Example Root CA".to_vec();
        root.subject = name("Example Root CA");
        root.spki = Digest::of(b"key of Example Root CA");
        root.not_after = NOW.plus_days(5_400);
        world.certificate(root.clone(), "file:///srv/ca/root.pem", "filesystem", None);
        for (at, host) in [
            "www", "shop", "mail", "api", "vpn", "intranet", "portal", "login", "wiki", "files",
            "build", "chat",
        ]
        .iter()
        .enumerate()
        {
            let mut certificate = leaf(&format!("{host}.example.org"));
            match *host {
                "shop" => certificate.not_after = NOW.plus_days(-12),
                "mail" => certificate.not_after = NOW.plus_days(6),
                "vpn" => {
                    certificate.signature.name = "1.3.6.1.4.1.99999.1".to_owned();
                    certificate.signature.hash = None;
                }
                "intranet" => certificate.not_after = certificate.not_before.plus_days(824),
                "files" => {
                    certificate.key = KeyAlgorithm::rsa(1024);
                    certificate.signature = SignatureAlgorithm {
                        name: "sha1WithRSAEncryption".to_owned(),
                        hash: Some("SHA-1".to_owned()),
                    };
                    certificate.broken_extensions = vec!["2.5.29.31: invalid DER".to_owned()];
                }
                _ => {
                    certificate.sct_logs = vec![tls::log("a"), tls::log("b")];
                    certificate.key = KeyAlgorithm::elliptic(Some("1.2.840.10045.3.1.7"));
                    certificate.crl_urls = vec!["http://crl.example.org/1.crl".to_owned()];
                }
            }
            let place = format!("tls://192.0.2.{}:443?sni={host}.example.org", at + 1);
            let chain = [&certificate, &issuing];
            let mut session = tls::session(&chain, at % 3 == 0);
            let endpoint = match *host {
                "www" => tls::asked(session, 31, tls::modern(&chain)),
                "api" => {
                    let at = NOW.plus_days(-2);
                    let reason = Some("keyCompromise".to_owned());
                    let revoked = RevocationStatus::Revoked { at, reason };
                    session.staple =
                        Some(tls::staple(&certificate.serial, &certificate.issuer, revoked));
                    tls::shown(session)
                }
                "vpn" => {
                    session.client_certificate = ClientCertificate::Required;
                    session.accepted_authorities = vec![name("Example Clients").text];
                    session.ended = Some("it wants a certificate of ours".to_owned());
                    tls::shown(session)
                }
                "chat" => {
                    session.chain.insert(1, root.digest());
                    tls::shown(session)
                }
                _ => tls::shown(session),
            };
            world.endpoint(&place, endpoint);
            if *host == "mail" {
                let mut inside = tls::session(&[&certificate], false);
                inside.version = Some("TLSv1.2".to_owned());
                inside.cipher_suite = Some("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".to_owned());
                inside.client_certificate = ClientCertificate::Optional;
                inside.alpn = None;
                let place = "smtp+tls://192.0.2.3:25?sni=mail.example.org";
                world.endpoint(place, tls::shown(inside));
                world.certificate(certificate.clone(), place, "tls", Some(0));
            }
            let id = world.certificate(certificate.clone(), &place, "tls", Some(0));
            world.leaves.push(id);
            world.certificate(issuing.clone(), &place, "tls", Some(1));
            if at < 6 {
                let (path, mode) = match at {
                    0 => ("/srv/www/key.pem", 0o644),
                    4 => ("/opt/legacy/vpn.key", 0o644),
                    _ => (["/srv/a.key", "/srv/b.key", "/srv/c.key", "/srv/d.key"][at % 4], 0o600),
                };
                let (spki, key) = (certificate.spki, certificate.key.clone());
                world.key(Some(spki), Some(key), Encryption::None, path, mode);
            }
        }
        world.others();
        disk::add(&mut world);
        directory::add(&mut world);
        token::add(&mut world);
        world.read();
        world
    }

    fn others(&mut self) {
        let declined = Handshake::Declined {
            alert: "protocol_version".to_owned(),
            offered: vec!["TLSv1.3".to_owned(), "TLSv1.2".to_owned()],
        };
        self.endpoint("tls://192.0.2.14:8443", Endpoint::new(NOW, declined));
        let old = leaf("old.example.org");
        let place = "tls://192.0.2.12:8443?sni=old.example.org";
        let mut session = tls::session(&[&old], false);
        session.version = Some("TLSv1.0".to_owned());
        session.cipher_suite = Some("TLS_RSA_WITH_RC4_128_SHA".to_owned());
        session.group = None;
        session.alpn = None;
        self.endpoint(place, tls::asked(session, 38, tls::legacy()));
        self.certificate(old, place, "tls", Some(0));
        let plain = Handshake::NoTls { reason: "the first octets read SSH-2.0".to_owned() };
        self.endpoint("tls://192.0.2.15:8443", Endpoint::new(NOW, plain));

        let hostile = leaf(HOSTILE);
        let spki = hostile.spki;
        self.certificate(hostile, "file:///srv/upload/h.pem#1", "filesystem", None);
        let algorithm = Some(KeyAlgorithm::rsa(2048));
        self.key(Some(spki), algorithm, Encryption::None, "/srv/upload/h.pem", 0o600);
        let wrapped = Encryption::Passphrase {
            kdf: Some("PBKDF2-HMAC-SHA256".to_owned()),
            cipher: Some("AES-256-CBC".to_owned()),
            iterations: Some(600_000),
        };
        self.key(None, None, wrapped, "/srv/backup/offline.p8", 0o600);

        let mut members = BTreeSet::new();
        for number in 1..=20 {
            let mut root = leaf(&format!("Public Root {number:02}"));
            root.issuer = root.subject.clone();
            root.is_ca = Some(true);
            root.names = Vec::new();
            root.not_after = NOW.plus_days(365 * number);
            match number {
                1 => root.not_after = NOW.plus_days(-40),
                2 => root.key = KeyAlgorithm::rsa(1024),
                3 => root.spki = disk::DIGINOTAR.parse().unwrap_or_else(|e| panic!("{e}")),
                _ => {}
            }
            let place = format!("file:///etc/ssl/certs/bundle.pem#{number}");
            members.insert(self.certificate(root, &place, "filesystem", None).sha256);
        }
        let store = TrustStore { members };
        let id = AssetId::new(Kind::TrustStore, store.digest());
        let bundle = "file:///etc/ssl/certs/bundle.pem";
        self.add(id, Body::TrustStore(store), bundle, "filesystem", Circumstances::default());

        let list = RevocationList {
            der: b"list".to_vec(),
            issuer: name("Example Issuing CA 1"),
            this_update: NOW.plus_days(-2),
            next_update: Some(NOW.plus_days(5)),
            is_delta: false,
            authority_key_id: None,
            entries: 3,
            signature: leaf("x").signature,
        };
        let id = AssetId::new(Kind::RevocationList, Digest::of(&list.der));
        let place = "file:///srv/crl/1.crl";
        let body = Body::RevocationList(Box::new(list));
        self.add(id, body, place, "filesystem", Circumstances::default());

        let request = SigningRequest {
            der: b"request".to_vec(),
            subject: name("new.example.org"),
            key: KeyAlgorithm::rsa(3072),
            spki: Digest::of(b"key of new"),
        };
        let id = AssetId::new(Kind::SigningRequest, Digest::of(&request.der));
        let body = Body::SigningRequest(Box::new(request));
        self.add(id, body, "file:///srv/new.csr", "filesystem", Circumstances::default());

        let broken = Unparsed {
            claimed: "certificate".to_owned(),
            length: 311,
            error: "truncated after 311 octets".to_owned(),
        };
        let id = AssetId::new(Kind::Unparsed, Digest::of(b"broken"));
        let body = Body::Unparsed(broken);
        self.add(id, body, "file:///srv/broken.der", "filesystem", Circumstances::default());
    }

    fn read(&mut self) {
        let coverage = |asked, not_read| Coverage {
            finished: NOW,
            asked,
            read: asked - not_read,
            not_read,
            octets: 1_048_576,
            unchanged: 0,
        };
        for (collector, scope, asked, not_read, unchanged) in [
            ("filesystem", "/srv", 480, 2, 451),
            ("filesystem", "/opt/legacy", 20, 5, 0),
            ("tls", "192.0.2.0/28", 48, 2, 0),
            ("directory", "corp.example", 14, 1, 0),
            ("pkcs11", token::MODULE, 1, 0, 0),
            ("pkcs11", "/usr/lib/softhsm/libsofthsm2.so", 1, 1, 0),
        ] {
            let (collector, scope) = (collector.to_owned(), scope.to_owned());
            let coverage = Coverage { unchanged, ..coverage(asked, not_read) };
            self.inventory.add_coverage(collector, scope, coverage);
        }
        for (place, collector, reason, detail) in [
            (
                "file:///srv/private/a",
                "filesystem",
                GapReason::PermissionDenied,
                "the owner is root; let the agent's user read it",
            ),
            (
                "file:///opt/legacy/x",
                "filesystem",
                GapReason::PermissionDenied,
                "the owner is root; let the agent's user read it",
            ),
            ("file:///srv/big.p12", "filesystem", GapReason::TooLarge, HOSTILE),
            ("tls://192.0.2.13:443", "tls", GapReason::TimedOut, "no answer within 5 s"),
            (
                "ldap://corp.example/CN=KRA,CN=Public%20Key%20Services,CN=Services",
                "directory",
                GapReason::PermissionDenied,
                "the directory did not show it to this account",
            ),
            ("tls://gone.example.org:443", "tls", GapReason::NameNotResolved, "no such name"),
        ] {
            self.inventory.add_gap(Gap {
                place: place.parse().unwrap_or_else(|error| panic!("{error}")),
                collector: collector.to_owned(),
                reason,
                detail: detail.to_owned(),
                first_seen: NOW.plus_days(-14),
                last_seen: NOW,
            });
        }
    }

    fn changes(&self) -> Changes {
        let id = |number: usize| self.leaves[number];
        let mut gone = self.inventory.get(id(1)).unwrap_or_else(|| panic!("a leaf")).clone();
        gone.id = AssetId::new(Kind::Certificate, Digest::of(b"gone"));
        let mut before = Inventory::default();
        before.add(gone.clone());
        Changes {
            since: NOW.plus_days(-7),
            new: vec![id(9), id(10)],
            gone: vec![gone.id],
            renewed: vec![(AssetId::new(Kind::Certificate, Digest::of(b"old api")), id(3))],
            not_looked_at: vec![id(11)],
            before,
        }
    }

    fn certificate(
        &mut self,
        certificate: Certificate,
        place: &str,
        collector: &str,
        chain_position: Option<u16>,
    ) -> AssetId {
        let id = AssetId::new(Kind::Certificate, certificate.digest());
        let circumstances = Circumstances { chain_position, ..Circumstances::default() };
        self.add(id, Body::Certificate(Box::new(certificate)), place, collector, circumstances);
        id
    }

    fn key(
        &mut self,
        spki: Option<Digest>,
        algorithm: Option<KeyAlgorithm>,
        encryption: Encryption,
        path: &str,
        mode: u32,
    ) {
        let file = FileFacts {
            mode,
            uid: 0,
            gid: 0,
            owner: Some("root".to_owned()),
            group: Some("root".to_owned()),
            modified: NOW.plus_days(-90),
            filesystem: None,
            access_list: false,
            behind: None,
        };
        let form = KeyForm { half: Half::Private, encoding: "PKCS#8".to_owned(), encryption };
        let circumstances =
            Circumstances { file: Some(file), key: Some(form), ..Circumstances::default() };
        let id = AssetId::new(Kind::Key, spki.unwrap_or_else(|| Digest::of(path.as_bytes())));
        let place = format!("file://{path}#1");
        self.add(id, Body::Key(Key { spki, algorithm }), &place, "filesystem", circumstances);
    }

    fn endpoint(&mut self, place: &str, endpoint: Endpoint) {
        let id = AssetId::new(Kind::Endpoint, Digest::of(place.as_bytes()));
        self.add(id, Body::Endpoint(endpoint), place, "tls", Circumstances::default());
    }

    fn add(
        &mut self,
        id: AssetId,
        body: Body,
        place: &str,
        collector: &str,
        circumstances: Circumstances,
    ) {
        let place: Place = place.parse().unwrap_or_else(|error| panic!("{error}"));
        let mut asset = Asset::new(id, body);
        let first = Sighting::at(place, collector, NOW.plus_days(-14));
        asset.see(Sighting { circumstances, last_seen: NOW, ..first });
        self.inventory.add(asset);
    }
}

/// An end-entity certificate for one host, valid from 50 days ago for 120 more.
fn leaf(host: &str) -> Certificate {
    Certificate {
        der: host.as_bytes().to_vec(),
        version: 3,
        serial: "0f3a".to_owned(),
        subject: name(host),
        issuer: name("Example Issuing CA 1"),
        not_before: NOW.plus_days(-50),
        not_after: NOW.plus_days(120),
        names: vec![AlternativeName::Dns(host.to_owned())],
        key: KeyAlgorithm::rsa(2048),
        spki: Digest::of(format!("key of {host}").as_bytes()),
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
        policies: vec!["2.23.140.1.2.2".to_owned()],
        sct_logs: Vec::new(),
        broken_extensions: Vec::new(),
    }
}

fn name(common_name: &str) -> DistinguishedName {
    DistinguishedName {
        text: format!("C=XX, O=Example, CN={common_name}"),
        sha256: Digest::of(common_name.as_bytes()),
        common_name: Some(common_name.to_owned()),
        organisation: Some("Example".to_owned()),
    }
}

fn rules() -> Vec<&'static str> {
    pki_rules::RULES.iter().map(|rule| rule.id).collect()
}
