//! Small inventories to join.

use std::time::Duration;

use pki_inventory::{
    Asset, AssetId, Automation, AutomationRole, Circumstances, ClientCertificate, Configuration,
    Digest, Encryption, Endpoint, Half, Handshake, Inventory, Key, KeyForm, Listens, Observation,
    Raw, Session, Sighting, Time,
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, SerialNumber,
};

/// The instant everything is seen at.
pub const NOW: Time = Time(1_790_000_000);

/// How a certificate is made.
pub struct Made {
    /// Organisation of its issuer; self-signed without one.
    pub issuer: Option<&'static str>,
    /// Common name.
    pub name: Option<&'static str>,
    /// DNS names.
    pub hosts: Vec<&'static str>,
    /// URIs.
    pub uris: Vec<&'static str>,
    /// Days of validity, both ends counted.
    pub days: i64,
    /// Days before now at which validity begins.
    pub age: i64,
    /// Serial number.
    pub serial: Vec<u8>,
    /// Organisation of the subject.
    pub organisation: Option<&'static str>,
    /// An authority.
    pub authority: bool,
}

/// A leaf of a nameless band of validity, without any sign.
pub fn plain(host: &'static str) -> Made {
    Made {
        issuer: Some("Example"),
        name: None,
        hosts: vec![host],
        uris: Vec::new(),
        days: 200,
        age: 10,
        serial: vec![0x5a; 16],
        organisation: None,
        authority: false,
    }
}

impl Made {
    /// Its encoding.
    pub fn der(&self) -> Vec<u8> {
        self.der_with(&KeyPair::generate().unwrap())
    }

    /// Its encoding for this key.
    pub fn der_with(&self, key: &KeyPair) -> Vec<u8> {
        let hosts: Vec<String> = self.hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        for uri in &self.uris {
            params.subject_alt_names.push(SanType::URI((*uri).try_into().unwrap()));
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, text) in
            [(DnType::CommonName, self.name), (DnType::OrganizationName, self.organisation)]
        {
            if let Some(text) = text {
                params.distinguished_name.push(kind, text);
            }
        }
        let begin = NOW.0 - self.age * Time::DAY;
        let end = begin + self.days * Time::DAY - 1;
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let instant = |seconds: i64| epoch + Duration::from_secs(seconds.try_into().unwrap());
        (params.not_before, params.not_after) = (instant(begin), instant(end));
        params.serial_number = Some(SerialNumber::from_slice(&self.serial));
        if self.authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        match self.issuer {
            None => params.self_signed(key).unwrap().der().to_vec(),
            Some(organisation) => {
                let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
                authority.distinguished_name = rcgen::DistinguishedName::new();
                authority.distinguished_name.push(DnType::OrganizationName, organisation);
                let its_key = KeyPair::generate().unwrap();
                let issuer = Issuer::from_params(&authority, &its_key);
                params.signed_by(key, &issuer).unwrap().der().to_vec()
            }
        }
    }
}

/// An inventory in the making.
#[derive(Default)]
pub struct World(pub Inventory);

impl World {
    /// Something seen at a place.
    pub fn see(&mut self, raw: Raw, place: &str) -> AssetId {
        let seen = Sighting::at(place.parse().unwrap(), "test", NOW);
        self.0.absorb(Observation::found(raw, seen)).unwrap()
    }

    /// A certificate in a file.
    pub fn certificate(&mut self, der: &[u8], place: &str) -> AssetId {
        self.see(Raw::Certificate(der.to_vec()), place)
    }

    /// A private key in the clear.
    pub fn private_key(&mut self, spki: Digest, place: &str, label: Option<&str>) -> AssetId {
        let form = KeyForm {
            half: Half::Private,
            encoding: "PKCS#8".to_owned(),
            encryption: Encryption::None,
        };
        let circumstances = Circumstances {
            key: Some(form),
            label: label.map(str::to_owned),
            ..Circumstances::default()
        };
        let seen = Sighting { circumstances, ..Sighting::at(place.parse().unwrap(), "test", NOW) };
        let raw = Raw::Key { id: spki, key: Key { spki: Some(spki), algorithm: None } };
        self.0.absorb(Observation::found(raw, seen)).unwrap()
    }

    /// A trace of automation.
    pub fn automation(&mut self, automation: Automation, place: &str) -> AssetId {
        self.see(Raw::Automation(Box::new(automation)), place)
    }

    /// Settings.
    pub fn configuration(&mut self, configuration: Configuration, place: &str) -> AssetId {
        self.see(Raw::Configuration(Box::new(configuration)), place)
    }

    /// An endpoint that showed a chain in one handshake of TLS 1.2.
    pub fn endpoint(&mut self, place: &str, chain: &[&[u8]]) -> AssetId {
        self.asked(place, session(chain))
    }

    /// An endpoint with a session.
    pub fn asked(&mut self, place: &str, session: Session) -> AssetId {
        self.see(Raw::Endpoint(Endpoint::new(NOW, Handshake::Shown(session))), place)
    }

    /// An asset.
    pub fn get(&self, id: AssetId) -> &Asset {
        self.0.get(id).unwrap()
    }
}

/// A session of TLS 1.2.
pub fn session(chain: &[&[u8]]) -> Session {
    Session {
        version: Some("TLSv1.2".to_owned()),
        cipher_suite: Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()),
        group: None,
        offered_groups: Vec::new(),
        alpn: None,
        staple: None,
        sct_logs: Vec::new(),
        client_certificate: ClientCertificate::NotAsked,
        accepted_authorities: Vec::new(),
        chain: chain.iter().map(|der| Digest::of(der)).collect(),
        ended: None,
    }
}

/// What a key is known by.
pub fn spki(key: &KeyPair) -> Digest {
    use rcgen::PublicKeyData as _;
    Digest::of(&key.subject_public_key_info())
}

/// A trace of certbot that manages these paths.
pub fn certbot(manages: &[&str]) -> Automation {
    Automation {
        manages: manages.iter().map(|&path| path.to_owned()).collect(),
        ..Automation::of("certbot", AutomationRole::Lineage)
    }
}

/// A server of nginx that listens on all addresses.
pub fn nginx(port: u16, names: &[&str], certificates: &[&str]) -> Configuration {
    Configuration {
        listens: vec![Listens { address: None, port, starttls: None }],
        server_names: names.iter().map(|&name| name.to_owned()).collect(),
        certificates: certificates.iter().map(|&path| path.to_owned()).collect(),
        ..Configuration::of("nginx", None, 1)
    }
}

/// The ids of assets, sorted.
pub fn ids(assets: &[&Asset]) -> Vec<AssetId> {
    let mut ids: Vec<AssetId> = assets.iter().map(|asset| asset.id).collect();
    ids.sort();
    ids
}
