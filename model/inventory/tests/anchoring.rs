//! How a presented chain stands to trust stores.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use pki_inventory::{
    AnchorPath, Asset, AssetId, Body, ClientCertificate, Digest, Endpoint, Handshake, Inventory,
    Kind, Observation, Place, Raw, Session, Sighting, Time, TrustStore, View, anchorings,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// Root, intermediate and leaf; the intermediate ends at the end of this year.
struct World {
    root: Vec<u8>,
    intermediate: Vec<u8>,
    leaf: Vec<u8>,
}

fn authority(name: &str, until: i32) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 12, 31);
    (params, KeyPair::generate().unwrap())
}

impl World {
    fn new() -> Self {
        let (root, root_key) = authority("Root", 2040);
        let (middle, middle_key) = authority("Middle", 2030);
        let mut leaf = CertificateParams::new(vec!["www.example.org".to_owned()]).unwrap();
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(2039, 1, 1);
        let by_root = Issuer::from_params(&root, &root_key);
        let by_middle = Issuer::from_params(&middle, &middle_key);
        Self {
            root: root.self_signed(&root_key).unwrap().der().to_vec(),
            intermediate: middle.signed_by(&middle_key, &by_root).unwrap().der().to_vec(),
            leaf: leaf.signed_by(&KeyPair::generate().unwrap(), &by_middle).unwrap().der().to_vec(),
        }
    }

    /// The only verdict about a chain that was sent in this year, with one trust store of these
    /// members, while all three certificates are known.
    fn path(&self, sent: &[&Vec<u8>], members: &[&Vec<u8>], year: i64) -> AnchorPath {
        let observed = Time((year - 1970) * 31_556_952);
        let mut inventory = Inventory::default();
        let seen = |place: &str| Sighting::at(place.parse::<Place>().unwrap(), "test", observed);
        for der in [&self.root, &self.intermediate, &self.leaf] {
            let raw = Raw::Certificate(der.clone());
            inventory.absorb(Observation::found(raw, seen("file:///known.pem")));
        }
        let digests = |all: &[&Vec<u8>]| all.iter().map(|der| Digest::of(der)).collect::<Vec<_>>();
        let store = TrustStore { members: digests(members).into_iter().collect() };
        let id = AssetId::new(Kind::TrustStore, store.digest());
        let mut asset = Asset::new(id, Body::TrustStore(store));
        asset.see(seen("file:///store.pem"));
        inventory.add(asset);
        let session = Session {
            version: None,
            cipher_suite: None,
            group: None,
            offered_groups: Vec::new(),
            alpn: None,
            staple: None,
            sct_logs: Vec::new(),
            client_certificate: ClientCertificate::NotAsked,
            accepted_authorities: Vec::new(),
            chain: digests(sent),
            ended: None,
        };
        let endpoint = Endpoint::new(observed, Handshake::Shown(session));
        let all = anchorings(&endpoint, &View::of(&inventory));
        assert_eq!((all.len(), all[0].store), (1, id));
        all[0].path.clone()
    }
}

#[test]
fn a_chain_leads_to_a_store_that_holds_its_root() {
    let world = World::new();
    let World { root, intermediate, leaf } = &world;
    assert_eq!(world.path(&[leaf, intermediate], &[root], 2026), AnchorPath::Found);
    assert_eq!(world.path(&[leaf, intermediate, root], &[root], 2026), AnchorPath::Found);
    assert_eq!(world.path(&[leaf], &[intermediate], 2026), AnchorPath::Found);
}

#[test]
fn what_stands_in_the_way_is_named() {
    let world = World::new();
    let World { root, intermediate, leaf } = &world;
    assert_eq!(
        world.path(&[leaf], &[root], 2026),
        AnchorPath::Missing(vec![Digest::of(intermediate)])
    );
    assert_eq!(
        world.path(&[leaf, intermediate], &[root], 2035),
        AnchorPath::Expired(Digest::of(intermediate))
    );
    let other = World::new();
    assert_eq!(world.path(&[leaf, intermediate], &[&other.root], 2026), AnchorPath::UnknownAnchor);
}

#[test]
fn a_leaf_that_cannot_be_read_leads_nowhere_that_could_be_told() {
    let world = World::new();
    let broken = vec![0x30, 0x00];
    let path = world.path(&[&broken, &world.intermediate], &[&world.root], 2026);
    assert_eq!(path.name(), "not-observed");
}
