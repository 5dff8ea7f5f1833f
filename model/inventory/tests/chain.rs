//! What a list of presented certificates is like: order, surplus, what was left out.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use pki_inventory::{
    Asset, ChainFacts, Digest, Endpoint, Fact, Handshake, Inventory, Observation, Place, Raw,
    Sighting, Time, View, chain_facts,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A name with a key; it certifies others and may be certified by several.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.use_authority_key_identifier_extension = true;
        Self { params, key: KeyPair::generate().unwrap() }
    }

    fn own(&self) -> Vec<u8> {
        self.params.self_signed(&self.key).unwrap().der().to_vec()
    }

    fn by(&self, issuer: &Self) -> Vec<u8> {
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        self.params.signed_by(&self.key, &issuer).unwrap().der().to_vec()
    }

    fn leaf(&self, host: &str) -> Vec<u8> {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = true;
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec()
    }
}

/// Root, two intermediates one above the other, and a server certificate of the lower one.
struct World {
    root: Authority,
    upper: Authority,
    lower: Authority,
    leaf: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let (root, upper) = (Authority::new("Root"), Authority::new("Upper"));
        let lower = Authority::new("Lower");
        let leaf = lower.leaf("www.example.org");
        Self { root, upper, lower, leaf }
    }

    /// Leaf, lower, upper, root, as they belong.
    fn chain(&self) -> [Vec<u8>; 4] {
        let (lower, upper) = (self.lower.by(&self.upper), self.upper.by(&self.root));
        [self.leaf.clone(), lower, upper, self.root.own()]
    }
}

/// The facts of these encodings as sent, where those lie in files; asked for `www.example.org`.
fn facts(sent: &[&Vec<u8>], files: &[&Vec<u8>]) -> ChainFacts {
    facts_asking(sent, files, Some("www.example.org"))
}

fn facts_asking(sent: &[&Vec<u8>], files: &[&Vec<u8>], name: Option<&str>) -> ChainFacts {
    let inventory = inventory(sent, files);
    ChainFacts::of(&digests(sent), name, &View::of(&inventory)).unwrap()
}

/// An inventory of certificates that were sent and of others that lie in a file.
fn inventory(sent: &[&Vec<u8>], files: &[&Vec<u8>]) -> Inventory {
    let mut inventory = Inventory::default();
    let network = Place::tls(([192, 0, 2, 1], 443).into(), None);
    for (place, encodings) in [(network, sent), (Place::file("/etc/ssl/known.pem"), files)] {
        for der in encodings {
            let seen = Sighting::at(place.clone(), "test", Time(0));
            inventory.absorb(Observation::found(Raw::Certificate(der.to_vec()), seen));
        }
    }
    inventory
}

fn digests(encodings: &[&Vec<u8>]) -> Vec<Digest> {
    encodings.iter().map(|der| Digest::of(der)).collect()
}

fn why(fact: &Fact) -> &str {
    fact.why().unwrap_or_else(|| panic!("{fact:?} was observed"))
}

#[test]
fn a_whole_chain_in_order_with_its_anchor() {
    let [leaf, lower, upper, root] = World::new().chain();
    let facts = facts(&[&leaf, &lower, &upper, &root], &[]);
    let expected = ChainFacts {
        names_server: Fact::Yes,
        ordered: Fact::Yes,
        extra: Vec::new(),
        anchor_sent: Fact::Yes,
        complete: Fact::Yes,
        missing: Vec::new(),
        unparsed: Vec::new(),
    };
    assert_eq!(facts, expected);
}

#[test]
fn the_anchor_need_not_be_sent_where_it_is_known() {
    let [leaf, lower, upper, root] = World::new().chain();
    let facts = facts(&[&leaf, &lower, &upper], &[&root]);
    assert_eq!((facts.anchor_sent, facts.complete), (Fact::No, Fact::Yes));
    assert_eq!((facts.ordered, facts.missing), (Fact::Yes, Vec::new()));
}

#[test]
fn swapped_certificates_are_out_of_order_and_still_a_path() {
    let [leaf, lower, upper, root] = World::new().chain();
    let facts = facts(&[&leaf, &upper, &lower], &[&root]);
    assert_eq!((facts.ordered, facts.complete), (Fact::No, Fact::Yes));
    assert_eq!(facts.extra, []);
}

#[test]
fn an_issuer_of_the_same_name_with_another_key_is_another() {
    let world = World::new();
    let [leaf, ..] = world.chain();
    let namesake = Authority::new("Lower").by(&world.upper);
    let facts = facts(&[&leaf, &namesake], &[]);
    assert_eq!(facts.ordered, Fact::No);
    assert_eq!(facts.extra, digests(&[&namesake]));
    assert_eq!(why(&facts.complete), "the issuer CN=Lower was seen nowhere");
}

#[test]
fn an_intermediate_known_from_a_file_was_left_out() {
    let [leaf, lower, upper, root] = World::new().chain();
    let one = facts(&[&leaf, &lower], &[&upper, &root]);
    assert_eq!((one.complete, one.missing), (Fact::No, digests(&[&upper])));
    let both = facts(&[&leaf], &[&upper, &root, &lower]);
    assert_eq!((both.complete, both.missing), (Fact::No, digests(&[&lower, &upper])));
    assert_eq!((both.ordered, both.anchor_sent), (Fact::Yes, Fact::No));
}

#[test]
fn where_no_anchor_is_known_above_it_what_was_not_sent_may_be_one() {
    let [leaf, lower, upper, _] = World::new().chain();
    let facts = facts(&[&leaf, &lower], &[&upper]);
    let expected = "CN=Upper was not sent, and no self-signed authority above it is known; it may \
                    be one itself in another form";
    assert_eq!((why(&facts.complete), facts.missing), (expected, Vec::new()));
}

#[test]
fn a_cross_certificate_is_not_missing_where_its_authority_is_an_anchor() {
    let (old, root) = (Authority::new("Old root"), Authority::new("Root"));
    let issuing = Authority::new("Issuing");
    let leaf = issuing.leaf("www.example.org");
    let (issuing, cross) = (issuing.by(&root), root.by(&old));
    let sent = [&leaf, &issuing];
    assert_eq!(facts(&sent, &[&cross, &old.own(), &root.own()]).complete, Fact::Yes);

    // The self-signed form has a key identifier of another make.
    let mut other_form = root.params.clone();
    other_form.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(vec![7; 20]);
    let other_form = other_form.self_signed(&root.key).unwrap().der().to_vec();
    assert_eq!(facts(&sent, &[&cross, &old.own(), &other_form]).complete, Fact::Yes);

    // Without it, the cross-certificate is the only way up that is known.
    let left_out = facts(&sent, &[&cross, &old.own()]);
    assert_eq!((left_out.complete, left_out.missing), (Fact::No, digests(&[&cross])));
    let open = facts(&sent, &[&cross]);
    assert!(why(&open.complete).starts_with("CN=Root was not sent"), "{open:?}");
}

#[test]
fn of_several_ways_up_the_shortest_to_an_anchor_is_named() {
    let world = World::new();
    let [leaf, lower, upper, root] = world.chain();
    let direct = world.lower.by(&world.root);
    let facts = facts(&[&leaf], &[&lower, &upper, &direct, &root]);
    assert_eq!((facts.complete, facts.missing), (Fact::No, digests(&[&direct])));
}

#[test]
fn an_issuer_seen_nowhere_leaves_it_open() {
    let [leaf, lower, ..] = World::new().chain();
    let facts = facts(&[&leaf, &lower], &[]);
    assert_eq!(why(&facts.complete), "the issuer CN=Upper was seen nowhere");
    assert_eq!((facts.ordered, facts.missing), (Fact::Yes, Vec::new()));
}

#[test]
fn a_certificate_that_is_no_authority_is_nobodys_issuer() {
    let [leaf, ..] = World::new().chain();
    let mut params = CertificateParams::new(vec!["x.example".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Lower");
    let namesake = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let facts = facts(&[&leaf], &[&namesake]);
    assert_eq!(why(&facts.complete), "the issuer CN=Lower was seen nowhere");
}

#[test]
fn an_unrelated_certificate_is_extra() {
    let [leaf, lower, upper, root] = World::new().chain();
    let (other, elsewhere) = (Authority::new("Other"), World::new().leaf);
    let other = other.own();
    let facts = facts(&[&leaf, &lower, &other, &upper, &elsewhere], &[&root]);
    assert_eq!(facts.extra, digests(&[&other, &elsewhere]));
    assert_eq!((facts.ordered, facts.complete), (Fact::No, Fact::Yes));
    assert_eq!(facts.anchor_sent, Fact::Yes, "an anchor of something else is one all the same");
}

#[test]
fn a_certificate_sent_twice_is_extra_once() {
    let [leaf, lower, upper, root] = World::new().chain();
    let twice = facts(&[&leaf, &lower, &upper, &root, &root], &[]);
    assert_eq!((twice.extra, twice.ordered), (digests(&[&root]), Fact::Yes));
    let first = facts(&[&leaf, &leaf, &lower], &[&upper, &root]);
    assert_eq!((first.extra, first.ordered), (digests(&[&leaf]), Fact::No));
}

#[test]
fn cross_signed_authorities_do_not_lead_round_for_ever() {
    let (one, other) = (Authority::new("One"), Authority::new("Other"));
    let leaf = one.leaf("www.example.org");
    let (one_by_other, other_by_one) = (one.by(&other), other.by(&one));
    let sent = facts(&[&leaf, &one_by_other, &other_by_one], &[]);
    assert_eq!(why(&sent.complete), "the certificates issue each other in a circle");
    assert_eq!((sent.extra, sent.ordered), (Vec::new(), Fact::Yes));
    let known = facts(&[&leaf], &[&one_by_other, &other_by_one]);
    assert!(why(&known.complete).starts_with("CN=One was not sent"), "{known:?}");
    assert_eq!(known.missing, Vec::new());
    let closed = facts(&[&leaf, &one_by_other, &other_by_one], &[&one.own()]);
    assert_eq!(closed.complete, Fact::Yes, "one of them is known as an anchor");
}

#[test]
fn a_ladder_is_climbed_so_far_and_no_further() {
    for (rungs, end) in [(64, Fact::No), (66, Fact::NotObserved(String::new()))] {
        let rungs: Vec<Authority> =
            (0..=rungs).map(|n| Authority::new(&format!("Rung {n}"))).collect();
        let mut known: Vec<Vec<u8>> = rungs.windows(2).map(|pair| pair[0].by(&pair[1])).collect();
        let missing = if end == Fact::No { known.clone() } else { Vec::new() };
        known.push(rungs[rungs.len() - 1].own());
        let leaf = rungs[0].leaf("www.example.org");
        let facts = facts(&[&leaf], &known.iter().collect::<Vec<_>>());
        assert_eq!(facts.missing, digests(&missing.iter().collect::<Vec<_>>()));
        match end {
            Fact::No => assert_eq!(facts.complete, Fact::No),
            _ => assert!(why(&facts.complete).starts_with("CN=Rung 0 was not sent"), "{facts:?}"),
        }
    }
}

#[test]
fn both_forms_of_a_cross_signed_authority_are_on_a_path() {
    let world = World::new();
    let [leaf, lower, upper, root] = world.chain();
    let cross = world.upper.by(&Authority::new("Old root"));
    let facts = facts(&[&leaf, &lower, &cross, &upper], &[&root]);
    assert_eq!((facts.extra, facts.complete), (Vec::new(), Fact::Yes));
}

#[test]
fn a_self_signed_server_certificate_is_a_whole_chain_without_an_anchor() {
    let names = vec!["www.example.org".to_owned()];
    let alone = rcgen::generate_simple_self_signed(names).unwrap().cert.der().to_vec();
    for sent in [vec![&alone], vec![&alone, &alone]] {
        let facts = facts(&sent, &[]);
        assert_eq!((facts.ordered, facts.complete), (Fact::Yes, Fact::Yes));
        assert_eq!((facts.anchor_sent, facts.names_server), (Fact::No, Fact::Yes));
        assert_eq!(facts.extra, digests(&sent[1..]));
    }
}

#[test]
fn the_name_is_that_of_the_first_certificate_and_of_the_question() {
    let [leaf, lower, ..] = World::new().chain();
    let asked = |sent: &[&Vec<u8>], name| facts_asking(sent, &[], name).names_server;
    assert_eq!(asked(&[&leaf], Some("WWW.example.org.")), Fact::Yes);
    assert_eq!(asked(&[&leaf], Some("mail.example.org")), Fact::No);
    assert_eq!(asked(&[&lower, &leaf], Some("www.example.org")), Fact::No);
    assert_eq!(why(&asked(&[&leaf], None)), "it was asked for without a name");
}

#[test]
fn a_certificate_that_did_not_parse_leaves_open_what_it_could_change() {
    let [leaf, lower, upper, root] = World::new().chain();
    let broken = lower[..40].to_vec();
    let sent = facts(&[&leaf, &broken, &upper], &[&root, &lower]);
    for fact in [&sent.ordered, &sent.anchor_sent, &sent.complete] {
        assert!(why(fact).starts_with("certificate 2 of the chain did not parse: "), "{fact:?}");
    }
    assert_eq!(sent.unparsed, digests(&[&broken]));
    assert_eq!((sent.names_server, sent.missing, sent.extra), (Fact::Yes, vec![], vec![]));

    let sent = facts(&[&leaf, &lower, &root, &broken, &root], &[]);
    assert_eq!(
        (&sent.ordered, &sent.anchor_sent),
        (&Fact::No, &Fact::Yes),
        "what was seen is seen"
    );
    assert_eq!(sent.extra, digests(&[&root]), "sent before");

    let sent = facts(&[&broken, &lower], &[]);
    for fact in [&sent.names_server, &sent.ordered, &sent.complete] {
        assert!(why(fact).starts_with("certificate 1 of the chain did not parse: "), "{fact:?}");
    }
    assert_eq!(sent.anchor_sent, Fact::No, "the first one does not count");
}

#[test]
fn a_certificate_that_is_not_in_the_inventory_is_not_observed() {
    let [leaf, ..] = World::new().chain();
    let empty = Inventory::default();
    let facts = ChainFacts::of(&digests(&[&leaf]), Some("x"), &View::of(&empty)).unwrap();
    assert_eq!(why(&facts.names_server), "certificate 1 of the chain is not in the inventory");
}

#[test]
fn an_endpoint_without_certificates_has_no_chain() {
    let inventory = Inventory::default();
    let view = View::of(&inventory);
    let spoke = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
    assert_eq!(chain_facts(&Endpoint::new(Time(0), spoke), None, &view), None);
    assert_eq!(ChainFacts::of(&[], Some("www.example.org"), &view), None);
}

#[test]
fn the_issuers_that_are_looked_up_are_those_that_are_named() {
    let world = World::new();
    let mut others = world.chain().to_vec();
    others.push(world.lower.by(&world.root));
    others.push(Authority::new("Lower").own());
    let inventory = inventory(&[], &others.iter().collect::<Vec<_>>());
    let view = View::of(&inventory);
    for certificate in inventory.assets().filter_map(Asset::certificate) {
        let mut found: Vec<_> = view.issuers(certificate).map(|asset| asset.id).collect();
        found.sort();
        let named = inventory.assets().filter(|asset| {
            let other = asset.certificate().unwrap();
            other.is_authority() && certificate.names_as_issuer(other)
        });
        assert_eq!(found, named.map(|asset| asset.id).collect::<Vec<_>>());
    }
}

#[test]
fn certificates_that_could_all_have_issued_each_other_are_on_a_path_once_each() {
    // Equal subject and issuer, no key identifiers: each could have issued each other one.
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Same");
    let key = KeyPair::generate().unwrap();
    let sent: Vec<Vec<u8>> =
        (0..500).map(|_| params.self_signed(&key).unwrap().der().to_vec()).collect();
    let facts = facts(&sent.iter().collect::<Vec<_>>(), &[]);
    assert_eq!((facts.extra.len(), facts.ordered), (0, Fact::Yes));
}
