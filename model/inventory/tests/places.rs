//! Places are read back as they were printed, and what is no place is refused.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use pki_inventory::Place;

#[test]
fn every_form_of_a_tls_place_reads_back_as_it_prints() {
    for text in [
        "tls://192.0.2.7:443",
        "tls://192.0.2.7:443?sni=www.example.org",
        "smtp+tls://192.0.2.7:25?sni=mx.example.org",
        "pop3+tls://[2001:db8::7]:110",
        "xmpp-server+tls://192.0.2.7:5269?sni=example.org",
    ] {
        let place: Place = text.parse().unwrap();
        assert_eq!(place.to_string(), text);
        assert!(place.is_network(), "{text}");
    }
}

#[test]
fn the_parts_of_a_place_inside_of_a_protocol_are_told_apart() {
    let place: Place = "smtp+tls://192.0.2.7:25?sni=mx.example.org".parse().unwrap();
    let address = ([192, 0, 2, 7], 25).into();
    assert_eq!(place, Place::tls(address, Some("mx.example.org")).inside(Some("smtp")));
    assert_ne!(
        place,
        Place::tls(address, Some("mx.example.org")),
        "another way in is another place"
    );
    assert_eq!(place.inside(None), Place::tls(address, Some("mx.example.org")));
}

#[test]
fn nonsense_schemes_are_refused() {
    for text in [
        "+tls://192.0.2.7:25",
        "SMTP+tls://192.0.2.7:25",
        "xtls://192.0.2.7:25",
        "smtptls://192.0.2.7:25",
        "smtp+TLS://192.0.2.7:25",
        "smtp+smtp+tls://192.0.2.7:25",
        "3pop+tls://192.0.2.7:25",
        "-smtp+tls://192.0.2.7:25",
        "sm tp+tls://192.0.2.7:25",
        "smtp://192.0.2.7:25",
        "://192.0.2.7:25",
        "192.0.2.7:25",
        "smtp+tls://192.0.2.7",
        "smtp+tls://192.0.2.7:70000",
    ] {
        assert!(text.parse::<Place>().is_err(), "{text}");
    }
}

#[test]
fn files_and_scopes_are_not_on_the_network() {
    let address = ([192, 0, 2, 7], 25).into();
    assert!(!Place::file("/etc/ssl/x.pem").is_network());
    assert!(!Place::Scope("tls://192.0.2.0/24".to_owned()).is_network());
    let file = Place::file("/etc/ssl/x.pem");
    assert_eq!(file.clone().inside(Some("smtp")), file, "only TLS is spoken inside of a protocol");
    assert!(Place::tls(address, None).inside(Some("smtp")).is_network());
}
