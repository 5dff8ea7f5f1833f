//! Which settings stand behind an endpoint.

use pki_inventory::{AssetId, Configuration, Listens, View};
use rcgen::KeyPair;

use crate::world::{World, ids, nginx, plain, spki};

const LOCAL: &str = "tls://127.0.0.1:443";

/// Whether a configuration in this file belongs to an endpoint at this place, asked from both sides.
fn belongs(configuration: Configuration, file: &str, place: &str) -> bool {
    let mut world = World::default();
    let settings = world.configuration(configuration, file);
    let endpoint = world.endpoint(place, &[]);
    let view = View::of(&world.0);
    let there = ids(&view.configurations_of(world.get(endpoint))) == [settings];
    let back = ids(&view.endpoints_of(world.get(settings))) == [endpoint];
    assert_eq!(there, back, "both sides agree");
    there
}

fn listening(address: Option<&str>, port: u16, starttls: Option<&str>) -> Configuration {
    let (address, starttls) = (address.map(str::to_owned), starttls.map(str::to_owned));
    Configuration { listens: vec![Listens { address, port, starttls }], ..nginx(0, &[], &[]) }
}

#[test]
fn on_the_host_itself_the_port_and_the_address_decide() {
    let at = |address, place| belongs(listening(address, 443, None), "file:///n.conf#1", place);
    for address in [None, Some("*"), Some("0.0.0.0"), Some("[::]"), Some("127.0.0.1")] {
        assert!(at(address, LOCAL), "{address:?}");
    }
    for address in [Some("127.0.0.2"), Some("192.0.2.1"), Some("[::1]"), Some("unix:/run/x")] {
        assert!(!at(address, LOCAL), "{address:?}");
    }
    assert!(at(Some("localhost"), "tls://127.0.0.1:443"));
    assert!(at(Some("::1"), "tls://[::1]:443"));
    assert!(!at(Some("0.0.0.0"), "tls://[::1]:443"), "IPv4 only");
    assert!(!at(None, "tls://127.0.0.1:444"));
    assert!(!at(None, "tls://192.0.2.1:443"), "another host has settings of its own");
    let mail = |starttls, place| belongs(listening(None, 25, starttls), "file:///m.cf", place);
    assert!(mail(Some("smtp"), "smtp+tls://127.0.0.1:25"));
    assert!(!mail(None, "smtp+tls://127.0.0.1:25"));
    assert!(!mail(Some("smtp"), "tls://127.0.0.1:25"));
}

#[test]
fn settings_in_an_image_are_not_those_of_the_host() {
    assert!(!belongs(nginx(443, &[], &[]), "file:///i.tar!/l.tar!/etc/nginx.conf", LOCAL));
}

#[test]
fn names_decide_where_the_endpoint_was_asked_by_one() {
    let named = |name: &str, asked: &str| {
        belongs(nginx(443, &[name], &[]), "file:///n.conf", &format!("{LOCAL}?sni={asked}"))
    };
    for (name, asked) in [
        ("www.example.org", "WWW.example.org"),
        ("*.example.org", "a.b.example.org"),
        (".example.org", "example.org"),
        (".example.org", "www.example.org"),
        ("www.example.*", "www.example.net"),
        ("_", "www.example.org"),
    ] {
        assert!(named(name, asked), "{name} {asked}");
    }
    for (name, asked) in [
        ("www.example.org", "example.org"),
        ("*.example.org", "example.org"),
        ("*.example.org", "badexample.org"),
        ("www.example.*", "www.examples.net"),
        ("~^www\\.", "www.example.org"),
    ] {
        assert!(!named(name, asked), "{name} {asked}");
    }
    assert!(belongs(nginx(443, &["www.example.org"], &[]), "file:///n.conf", LOCAL));
}

fn found(world: &World, endpoint: AssetId) -> Vec<AssetId> {
    ids(&View::of(&world.0).configurations_of(world.get(endpoint)))
}

#[test]
fn the_best_name_wins() {
    let mut world = World::default();
    let exact = world.configuration(nginx(443, &["www.example.org"], &[]), "file:///n.conf#1");
    let wild = world.configuration(nginx(443, &["*.example.org"], &[]), "file:///n.conf#2");
    let any = world.configuration(nginx(443, &[], &[]), "file:///n.conf#3");
    let ask = |world: &mut World, name: &str| world.endpoint(&format!("{LOCAL}?sni={name}"), &[]);
    let (one, two) = (ask(&mut world, "www.example.org"), ask(&mut world, "a.example.org"));
    let three = ask(&mut world, "other.example");
    assert_eq!(found(&world, one), [exact]);
    assert_eq!(found(&world, two), [wild]);
    assert_eq!(found(&world, three), [any]);
    let nameless = world.endpoint(LOCAL, &[]);
    assert_eq!(found(&world, nameless).len(), 3, "which one answered is not to be seen");
}

#[test]
fn elsewhere_the_key_decides_with_the_port() {
    let key = KeyPair::generate().unwrap();
    let served = plain("www.example.org").der_with(&key);
    let renewed = plain("www.example.org").der_with(&key);
    let mut world = World::default();
    world.certificate(&served, "tls://192.0.2.1:443");
    world.certificate(&renewed, "file:///etc/ssl/www%20x.pem#1");
    world.private_key(spki(&key), "file:///etc/ssl/www.key", None);
    let by_certificate = nginx(443, &[], &["/etc/ssl/www x.pem"]);
    let by_key =
        Configuration { keys: vec!["/etc/ssl/www.key".to_owned()], ..nginx(443, &[], &[]) };
    let one = world.configuration(by_certificate.clone(), "file:///n.conf#1");
    let two = world.configuration(by_key, "file:///n.conf#2");
    let port = Configuration { listens: nginx(8443, &[], &[]).listens, ..by_certificate.clone() };
    world.configuration(port, "file:///n.conf#3");
    let local = Configuration {
        listens: listening(Some("127.0.0.1"), 443, None).listens,
        ..by_certificate
    };
    world.configuration(local, "file:///n.conf#4");
    world.configuration(nginx(443, &[], &["/etc/ssl/other.pem"]), "file:///n.conf#5");
    let endpoint = world.endpoint("tls://192.0.2.1:443", &[&served]);
    let other = plain("www.example.org").der();
    world.certificate(&other, "tls://192.0.2.2:443");
    let stranger = world.endpoint("tls://192.0.2.2:443", &[&other]);
    let mut both = [one, two];
    both.sort();
    assert_eq!(found(&world, endpoint), both);
    assert!(found(&world, stranger).is_empty());
    let view = View::of(&world.0);
    assert_eq!(ids(&view.endpoints_of(world.get(one))), [endpoint]);
}

#[test]
fn another_address_with_the_same_key_may_be_another_host() {
    let key = KeyPair::generate().unwrap();
    let served = plain("www.example.org").der_with(&key);
    let twin = plain("www.example.org").der_with(&key);
    let on = |address: Option<&str>| Configuration {
        listens: listening(address, 443, None).listens,
        certificates: vec!["/www.pem".to_owned()],
        ..nginx(443, &[], &[])
    };
    // What a configuration that listens so belongs to, where this host presents `here` on loopback.
    let joined = |address, here: Option<&[u8]>| {
        let mut world = World::default();
        for der in [&served, &twin] {
            world.certificate(der, "file:///www.pem");
        }
        world.configuration(on(address), "file:///n.conf");
        let endpoint = world.endpoint("tls://192.0.2.2:443", &[&served]);
        if let Some(here) = here {
            world.endpoint("tls://127.0.0.1:443", &[here]);
        }
        !found(&world, endpoint).is_empty()
    };
    assert!(joined(Some("192.0.2.2"), None));
    assert!(!joined(Some("10.9.9.9"), None) && !joined(Some("localhost"), None));
    assert!(joined(None, None) && joined(Some("0.0.0.0"), Some(&served)));
    assert!(!joined(None, Some(&twin)), "this host presents another one");
    assert!(joined(Some("192.0.2.2"), Some(&twin)), "this address has settings of its own");
}

/// Both directions of the join at a size at which a search through all for each would not end.
#[test]
fn many_servers_with_one_key_are_joined_by_their_names() {
    const MANY: usize = 3_000;
    let key = KeyPair::generate().unwrap();
    let served = plain("*.example.org").der_with(&key);
    let mut world = World::default();
    world.certificate(&served, "file:///wild.pem");
    let (mut settings, mut endpoints) = (Vec::new(), Vec::new());
    for number in 0..MANY {
        let name = format!("n{number}.example.org");
        let one = nginx(443, &[&name], &["/wild.pem"]);
        settings.push(world.configuration(one, &format!("file:///n.conf#{}", number + 1)));
        endpoints.push(world.endpoint(&format!("{LOCAL}?sni={name}"), &[&served]));
    }
    let nameless = world.endpoint(LOCAL, &[&served]);
    let view = View::of(&world.0);
    for (one, endpoint) in settings.iter().zip(&endpoints) {
        assert_eq!(ids(&view.configurations_of(world.get(*endpoint))), [*one]);
        let back = view.endpoints_of(world.get(*one));
        assert!(back.iter().any(|asset| asset.id == *endpoint) && back.len() <= 2);
    }
    assert_eq!(view.configurations_of(world.get(nameless)).len(), 100, "no more than can matter");
}

#[test]
fn with_the_same_key_a_server_answers_to_names_it_does_not_know() {
    let key = KeyPair::generate().unwrap();
    let served = plain("*.example.org").der_with(&key);
    let mut world = World::default();
    world.certificate(&served, "file:///wild.pem");
    let one = nginx(443, &["a.example.org"], &["/wild.pem"]);
    let one = world.configuration(one, "file:///n.conf#1");
    let known = world.endpoint("tls://192.0.2.1:443?sni=a.example.org", &[&served]);
    let unknown = world.endpoint("tls://192.0.2.1:443?sni=b.example.org", &[&served]);
    assert_eq!(found(&world, unknown), [one], "the only one that could have answered");
    let two = nginx(443, &["b.example.org"], &["/wild.pem"]);
    let two = world.configuration(two, "file:///n.conf#2");
    assert_eq!((found(&world, known), found(&world, unknown)), (vec![one], vec![two]));
}

#[test]
fn the_path_of_a_live_lineage_leads_to_its_newest_file() {
    let mut world = World::default();
    let mut newest = None;
    for (number, age) in [(2, 90), (9, 60), (10, 30)] {
        let mut made = plain("a.example");
        made.age = age;
        let place = format!("file:///etc/letsencrypt/archive/a/fullchain{number}.pem#1");
        newest = Some(world.certificate(&made.der(), &place));
    }
    world.certificate(&plain("a.example").der(), "file:///etc/letsencrypt/archive/a/cert11.pem");
    let view = View::of(&world.0);
    let live = view.certificates_at("/etc/letsencrypt/live/a/fullchain.pem");
    assert_eq!(ids(&live), [newest.unwrap()]);
    assert!(view.certificates_at("/etc/letsencrypt/live/b/fullchain.pem").is_empty());
}

#[test]
fn of_a_file_with_a_chain_only_the_own_certificate_counts() {
    let mut world = World::default();
    let leaf = world.certificate(&plain("a.example").der(), "file:///chain.pem#1");
    let mut authority = plain("ca.example");
    authority.authority = true;
    let der = authority.der();
    let id = world.certificate(&der, "file:///chain.pem#2");
    world.certificate(&der, "file:///ca.pem#1");
    let view = View::of(&world.0);
    assert_eq!(ids(&view.certificates_at("/chain.pem")), [leaf]);
    assert_eq!(ids(&view.certificates_at("/ca.pem")), [id], "where there is no other");
}
