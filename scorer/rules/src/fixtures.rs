//! Small inventories for the tests of rules, written by hand.

use std::collections::BTreeMap;

use pki_inventory::{
    AlternativeName, Asset, AssetId, Automation, AutomationRole, Body, Certificate,
    CertificateStatus, Circumstances, ClientCertificate, Configuration, Coverage, Digest,
    DistinguishedName, Encryption, Endpoint, Fact, Fate, FileFacts, Gap, GapReason, Half,
    Handshake, Inventory, IssuerHashes, Key, KeyAlgorithm, KeyForm, Keystore, Kind, Layer, Listens,
    Place, Posture, RevocationStatus, Session, Sighting, SignatureAlgorithm, Staple, StapleContent,
    Time, TrustStore, Unparsed, VersionFacts, View,
};

use crate::{KeyLimit, LifetimeLimit, Limits, Rule, RuleContext, judge};

/// The instant of every test: 2026-11-21T00:00:00Z.
pub(crate) const NOW: Time = Time(1_795_219_200);

/// An end-entity certificate for one host, valid from 50 days ago for 40 more.
pub(crate) fn leaf(host: &str) -> Certificate {
    Certificate {
        der: host.as_bytes().to_vec(),
        version: 3,
        serial: "01".to_owned(),
        subject: name(host),
        issuer: name("Test CA"),
        not_before: NOW.plus_days(-50),
        not_after: NOW.plus_days(40),
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
        policies: Vec::new(),
        sct_logs: Vec::new(),
        broken_extensions: Vec::new(),
    }
}

/// The same with an encoding that holds these numbers of an RSA key, big-endian.
pub(crate) fn rsa_leaf(host: &str, modulus: &[u8], exponent: &[u8]) -> Certificate {
    let key = der(0x30, &[der(0x02, &[&[0], modulus].concat()), der(0x02, exponent)].concat());
    // rsaEncryption and sha256WithRSAEncryption (RFC 8017, A.1 and A.2.4), each without parameters.
    let named = |last: u8| {
        let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last];
        der(0x30, &[der(0x06, &oid), der(0x05, &[])].concat())
    };
    let spki = der(0x30, &[named(1), der(0x03, &[&[0], &key[..]].concat())].concat());
    let day = |year: &str| der(0x17, format!("{year}0101000000Z").as_bytes());
    let validity = der(0x30, &[day("20"), day("30")].concat());
    let (name, serial) = (der(0x30, &[]), der(0x02, &[1]));
    let tbs = [serial, named(11), name.clone(), validity, name, spki].concat();
    let signature = der(0x03, &[0, 0]);
    let all = der(0x30, &[der(0x30, &tbs), named(11), signature].concat());
    Certificate { der: all, ..leaf(host) }
}

/// One element (X.690, 8.1), shorter than 65,536 octets.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap_or_default().to_be_bytes();
    let length = match (high, low) {
        (0, 0..0x80) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag], &length[..], content].concat()
}

/// A CA certificate that is its own issuer.
pub(crate) fn authority(common_name: &str) -> Certificate {
    Certificate {
        issuer: name(common_name),
        is_ca: Some(true),
        names: Vec::new(),
        extended_key_usage: Vec::new(),
        ..leaf(common_name)
    }
}

/// A handshake in which these were sent.
pub(crate) fn presenting(chain: &[&Certificate]) -> Handshake {
    let chain = chain.iter().map(|certificate| certificate.digest()).collect();
    Handshake::Shown(Session { chain, ..session() })
}

/// A name with one common name.
pub(crate) fn name(common_name: &str) -> DistinguishedName {
    DistinguishedName {
        text: format!("CN={common_name}"),
        sha256: Digest::of(common_name.as_bytes()),
        common_name: Some(common_name.to_owned()),
        organisation: Some("Test".to_owned()),
    }
}

/// The limits of every test; a test changes what it is about.
pub(crate) fn limits() -> Limits {
    let sized = |name: &str, bits| KeyLimit { name: name.to_owned(), min_bits: bits };
    Limits {
        renewal_days: 30,
        unattended_days: 7,
        renewal_grace_days: 2,
        pbkdf2_iterations: 10_000,
        scrypt_cost: 16_384,
        lifetimes: vec![
            LifetimeLimit { from: Time(1_598_918_400), days: 398 },
            LifetimeLimit { from: Time(1_773_532_800), days: 200 },
        ],
        keys: vec![sized("RSA", Some(2048)), sized("P-256", None)],
        signatures: vec!["sha256WithRSAEncryption".to_owned()],
        protocols: vec!["TLSv1.3".to_owned()],
        cipher_suites: vec!["TLS_AES_*".to_owned()],
        quantum_safe_groups: vec!["X25519MLKEM768".to_owned()],
        min_dhe_bits: 2048,
        max_gap_share: 0.02,
        ..Limits::default()
    }
}

/// A session that agreed on everything of today.
pub(crate) fn session() -> Session {
    Session {
        version: Some("TLSv1.3".to_owned()),
        cipher_suite: Some("TLS_AES_128_GCM_SHA256".to_owned()),
        group: Some("X25519MLKEM768".to_owned()),
        offered_groups: vec!["X25519MLKEM768".to_owned(), "x25519".to_owned()],
        alpn: None,
        staple: None,
        sct_logs: Vec::new(),
        client_certificate: ClientCertificate::NotAsked,
        accepted_authorities: Vec::new(),
        chain: Vec::new(),
        ended: None,
    }
}

/// A stapled status of yesterday, good for six more days, about this serial number.
pub(crate) fn staple(serial: &str) -> Staple {
    let status = CertificateStatus {
        serial: serial.to_owned(),
        issuer: IssuerHashes {
            algorithm: "SHA-256".to_owned(),
            name: name("Test CA").sha256.to_string(),
            key: Digest::of(b"key of Test CA").to_string(),
        },
        status: RevocationStatus::Good,
        this_update: NOW.plus_days(-1),
        next_update: Some(NOW.plus_days(6)),
        produced_at: NOW.plus_days(-1),
        responder: "CN=Test Status".to_owned(),
        sct_logs: Vec::new(),
    };
    Staple { length: 471, sha256: Digest::of(b"staple"), content: StapleContent::Status(status) }
}

/// What a server that speaks TLS 1.2 and 1.3 as it should shows to many handshakes. A fact that a
/// test is about is changed by the test.
pub(crate) fn posture() -> Posture {
    let version = |spoken: bool, suite: Option<&str>| VersionFacts {
        offered: Fact::from(spoken),
        preferred_suite: suite.map(str::to_owned),
        suites: None,
    };
    let suite = "TLS_AES_128_GCM_SHA256";
    let versions = [
        ("SSLv2", version(false, None)),
        ("SSLv3", version(false, None)),
        ("TLSv1.0", version(false, None)),
        ("TLSv1.1", version(false, None)),
        ("TLSv1.2", version(true, Some(suite))),
        ("TLSv1.3", version(true, Some(suite))),
    ];
    Posture {
        versions: versions.map(|(name, facts)| (name.to_owned(), facts)).into(),
        groups: BTreeMap::new(),
        alpn: BTreeMap::new(),
        deployments: BTreeMap::new(),
        resumption_id: Fact::No,
        resumption_ticket: Fact::Yes,
        early_data: Fact::No,
        secure_renegotiation: Fact::Yes,
        extended_master_secret: Fact::Yes,
        compression: Fact::No,
        fallback_scsv: Fact::Yes,
        client_refusal: None,
    }
}

/// The posture of a server that speaks TLS 1.3 and nothing else.
pub(crate) fn newest_only() -> Posture {
    let mut posture = posture();
    if let Some(older) = posture.versions.get_mut("TLSv1.2") {
        *older = VersionFacts { offered: Fact::No, preferred_suite: None, suites: None };
    }
    posture
}

/// The SPKI of a key whose private half is published: a test key of RFC 9500 or of some software.
pub(crate) fn test_key() -> Digest {
    // The first line of the list in `pki-inventory`.
    "0032872cfd7e5c84dcee024d756bdfdfe0e11ee4fff2bd6d3013799f10703b0f"
        .parse()
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The circumstances of a private key in a file of this mode, group `keys`, unencrypted.
pub(crate) fn clear(mode: u32) -> Circumstances {
    let encoding = "PKCS#8".to_owned();
    let form = KeyForm { half: Half::Private, encoding, encryption: Encryption::None };
    let names = (Some("root".to_owned()), Some("keys".to_owned()));
    let file = FileFacts { owner: names.0, group: names.1, ..FileFacts::of(mode, 0, 7, NOW) };
    Circumstances { file: Some(file), key: Some(form), ..Circumstances::default() }
}

/// The same in the second of three layers of a container image.
pub(crate) fn layered(fate: Fate) -> Circumstances {
    let layer = Layer { digest: "sha256:2b".to_owned(), number: 2, of: 3, fate };
    Circumstances { layer: Some(layer), ..clear(0o600) }
}

/// Settings of a web server that listens with TLS on port 443.
pub(crate) fn settings() -> Configuration {
    let listens = Listens { address: None, port: 443, starttls: None };
    Configuration { listens: vec![listens], ..Configuration::of("nginx", None, 1) }
}

/// The settings of one certificate of certbot, which lies in this folder.
pub(crate) fn lineage(folder: &str) -> Automation {
    let manages = vec![folder.to_owned()];
    Automation { manages, ..Automation::of("certbot", AutomationRole::Lineage) }
}

/// A timer that starts certbot, or does not.
pub(crate) fn timer(active: bool) -> Automation {
    let schedule = Automation::of("certbot", AutomationRole::Schedule);
    Automation { active: Some(active), ..schedule }
}

/// An inventory under construction.
#[derive(Default)]
pub(crate) struct World {
    inventory: Inventory,
}

impl World {
    /// A certificate that a server presents at this position of its list.
    pub(crate) fn presented(self, certificate: Certificate, place: &str, position: u16) -> Self {
        let circumstances =
            Circumstances { chain_position: Some(position), ..Circumstances::default() };
        self.certificate(certificate, place, "tls", circumstances)
    }

    /// A certificate that a server presents as its own.
    pub(crate) fn served(self, certificate: Certificate) -> Self {
        self.presented(certificate, "tls://192.0.2.1:443", 0)
    }

    /// A certificate that lies in a file.
    pub(crate) fn stored(self, certificate: Certificate) -> Self {
        self.certificate(certificate, "file:///c.pem", "filesystem", Circumstances::default())
    }

    /// A certificate, seen by this collector like this.
    pub(crate) fn certificate(
        mut self,
        certificate: Certificate,
        place: &str,
        collector: &str,
        circumstances: Circumstances,
    ) -> Self {
        let id = AssetId::new(Kind::Certificate, certificate.digest());
        self.add(id, Body::Certificate(Box::new(certificate)), place, collector, circumstances);
        self
    }

    /// The private half of a key, in a file of this mode, group `keys`.
    pub(crate) fn private_key(
        mut self,
        spki: Option<Digest>,
        algorithm: Option<KeyAlgorithm>,
        encryption: Encryption,
        mode: u32,
    ) -> Self {
        let mut circumstances = clear(mode);
        if let Some(form) = &mut circumstances.key {
            form.encryption = encryption;
        }
        let id = AssetId::new(Kind::Key, spki.unwrap_or_else(|| Digest::of(b"encrypted")));
        self.add(
            id,
            Body::Key(Key { spki, algorithm }),
            "file:///k.pem",
            "filesystem",
            circumstances,
        );
        self
    }

    /// The private key of this certificate, unencrypted, for its owner only.
    pub(crate) fn key_of(self, certificate: &Certificate) -> Self {
        let (spki, key) = (certificate.spki, certificate.key.clone());
        self.private_key(Some(spki), Some(key), Encryption::None, 0o600)
    }

    /// A key of which nothing but the SPKI is known, seen like this.
    pub(crate) fn key_at(mut self, spki: Digest, place: &str, seen: Circumstances) -> Self {
        let body = Body::Key(Key { spki: Some(spki), algorithm: None });
        self.add(AssetId::new(Kind::Key, spki), body, place, "filesystem", seen);
        self
    }

    /// A certificate in this file.
    pub(crate) fn stored_at(self, certificate: Certificate, place: &str) -> Self {
        self.certificate(certificate, place, "filesystem", Circumstances::default())
    }

    /// A keystore.
    pub(crate) fn keystore(mut self, keystore: Keystore) -> Self {
        let id = AssetId::new(Kind::Keystore, Digest::of(b"store"));
        let body = Body::Keystore(keystore);
        self.add(id, body, "file:///s.p12", "filesystem", Circumstances::default());
        self
    }

    /// These certificates as the members of one trust store.
    pub(crate) fn trusting(mut self, members: &[Certificate]) -> Self {
        for member in members {
            self = self.stored_at(member.clone(), "file:///roots.pem");
        }
        self.trust_store(TrustStore { members: members.iter().map(Certificate::digest).collect() })
    }

    /// A trust store whose members are as they may be.
    pub(crate) fn trust_store(mut self, store: TrustStore) -> Self {
        let id = AssetId::new(Kind::TrustStore, store.digest());
        let body = Body::TrustStore(store);
        self.add(id, body, "file:///roots.pem", "filesystem", Circumstances::default());
        self
    }

    /// Settings in this file.
    pub(crate) fn configured(mut self, configuration: Configuration, place: &str) -> Self {
        let id = AssetId::new(Kind::Configuration, Digest::of(place.as_bytes()));
        let body = Body::Configuration(Box::new(configuration));
        self.add(id, body, place, "filesystem", Circumstances::default());
        self
    }

    /// A trace of automation in this file.
    pub(crate) fn automated(mut self, automation: Automation, place: &str) -> Self {
        let id = AssetId::new(Kind::Automation, Digest::of(place.as_bytes()));
        let body = Body::Automation(Box::new(automation));
        self.add(id, body, place, "filesystem", Circumstances::default());
        self
    }

    /// Something that could not be parsed, in this file.
    pub(crate) fn unparsed(mut self, place: &str) -> Self {
        let id = AssetId::new(Kind::Unparsed, Digest::of(place.as_bytes()));
        let (claimed, error) = ("certificate".to_owned(), "it ends too early".to_owned());
        let body = Body::Unparsed(Unparsed { claimed, length: 7, error });
        self.add(id, body, place, "filesystem", Circumstances::default());
        self
    }

    /// A file that could not be read.
    pub(crate) fn gap(self, place: &str, reason: GapReason) -> Self {
        self.missed(place, reason, "filesystem")
    }

    /// A place that this collector could not read.
    pub(crate) fn missed(mut self, place: &str, reason: GapReason, collector: &str) -> Self {
        self.inventory.add_gap(Gap {
            place: place.parse().unwrap_or_else(|error| panic!("{error}")),
            collector: collector.to_owned(),
            reason,
            detail: "not read".to_owned(),
            first_seen: NOW,
            last_seen: NOW,
        });
        self
    }

    /// A scope on disk that was read as a whole.
    pub(crate) fn read(mut self, scope: &str) -> Self {
        let (asked, octets) = (10, 0);
        let coverage =
            Coverage { finished: NOW, asked, read: asked, not_read: 0, octets, unchanged: 0 };
        self.inventory.add_coverage("filesystem".to_owned(), scope.to_owned(), coverage);
        self
    }

    /// The public half of a key, in a file.
    pub(crate) fn public_key(mut self, spki: Digest) -> Self {
        let form = KeyForm {
            half: Half::Public,
            encoding: "SPKI".to_owned(),
            encryption: Encryption::None,
        };
        let circumstances = Circumstances { key: Some(form), ..Circumstances::default() };
        let key = Key { spki: Some(spki), algorithm: None };
        let id = AssetId::new(Kind::Key, spki);
        self.add(id, Body::Key(key), "file:///p.pem", "filesystem", circumstances);
        self
    }

    /// A service that answered like this.
    pub(crate) fn endpoint(self, handshake: Handshake) -> Self {
        self.answering(Endpoint::new(NOW, handshake))
    }

    /// A service that was asked in many ways.
    pub(crate) fn asked(self, session: Session, posture: Posture) -> Self {
        let endpoint = Endpoint::new(NOW, Handshake::Shown(session));
        self.answering(Endpoint { posture: Some(Box::new(posture)), ..endpoint })
    }

    /// A service of which this is known.
    pub(crate) fn answering(self, endpoint: Endpoint) -> Self {
        self.answering_at(endpoint, "tls://192.0.2.1:443")
    }

    /// The same at this place.
    pub(crate) fn answering_at(mut self, endpoint: Endpoint, place: &str) -> Self {
        let id = AssetId::new(Kind::Endpoint, Digest::of(place.as_bytes()));
        self.add(id, Body::Endpoint(endpoint), place, "tls", Circumstances::default());
        self
    }

    /// A scope of which this much was read.
    pub(crate) fn scope(mut self, asked: u64, not_read: u64) -> Self {
        let read = asked - not_read;
        let coverage = Coverage { finished: NOW, asked, read, not_read, octets: 0, unchanged: 0 };
        self.inventory.add_coverage("filesystem".to_owned(), "/srv".to_owned(), coverage);
        self
    }

    /// Anything.
    pub(crate) fn add(
        &mut self,
        id: AssetId,
        body: Body,
        place: &str,
        collector: &str,
        circumstances: Circumstances,
    ) {
        let place: Place = place.parse().unwrap_or_else(|error| panic!("{error}"));
        let mut asset = Asset::new(id, body);
        asset.see(Sighting { circumstances, ..Sighting::at(place, collector, NOW) });
        self.inventory.add(asset);
    }

    /// How many certificates there are.
    pub(crate) fn certificates(&self) -> usize {
        self.inventory.assets().filter(|asset| asset.id.kind == Kind::Certificate).count()
    }

    /// Hands out the joins.
    pub(crate) fn viewed<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        look(&View::of(&self.inventory))
    }

    /// What the rule says of each item that it has a sentence for, under these limits.
    pub(crate) fn sentences(&self, rule: &'static Rule, limits: &Limits) -> Vec<String> {
        let view = View::of(&self.inventory);
        let mut all = Vec::new();
        judge(&[rule], &RuleContext { as_of: NOW, view: &view, limits }, &mut |finding| {
            all.extend(finding.outcome.sentence().map(str::to_owned));
        });
        all
    }

    /// How often the rule came to each outcome, under these limits.
    pub(crate) fn outcomes(
        &self,
        rule: &'static Rule,
        limits: &Limits,
    ) -> BTreeMap<&'static str, usize> {
        let view = View::of(&self.inventory);
        let mut counts = BTreeMap::new();
        judge(&[rule], &RuleContext { as_of: NOW, view: &view, limits }, &mut |finding| {
            if let Some(sentence) = finding.outcome.sentence() {
                assert!(sentence.len() > 10, "{}: {sentence:?} is no sentence", rule.id);
            }
            *counts.entry(finding.outcome.name()).or_default() += 1;
        });
        counts
    }
}

/// Asserts the one outcome of a rule over a world with one item of its population.
pub(crate) fn check(rule: &'static Rule, world: &World, limits: &Limits, expected: &'static str) {
    assert_eq!(world.outcomes(rule, limits), BTreeMap::from([(expected, 1)]), "{}", rule.id);
}
