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

#[test]
fn names_in_archives_are_read_back_whatever_octets_they_have() {
    let archives: [&[u8]; 5] =
        [b"/srv/a.zip", b"/srv/a!/b.zip", b"/a#1.zip", b"/50%21.zip", b"/\xff\xfe"];
    let names: [&[u8]; 7] =
        [b"META-INF/A.RSA", b"a!/b", b"no#1", b"100%", b"%21", b"\xc3\x28\x80", b"what? \"\n\\"];
    for archive in archives {
        use std::os::unix::ffi::OsStrExt as _;
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(archive));
        let outer = Place::file(path);
        for name in names {
            let place = outer.within(name).within(b"inner.jar").object(3);
            assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
            assert_eq!(place.file_path().unwrap(), path, "the path of what is on disk");
            assert_eq!(place.outermost().unwrap(), outer);
            assert_eq!(place.inner(), Some("inner.jar"));
            // As a path of its own the name decodes to the octets it had.
            let inner = outer.within(name).inner().map(|inner| format!("file:///{inner}")).unwrap();
            let decoded = inner.parse::<Place>().unwrap().file_path().unwrap();
            assert_eq!(&decoded.as_os_str().as_bytes()[1..], name);
        }
    }
}

#[test]
fn different_names_are_different_places() {
    let archive = Place::file("/a.zip");
    assert_ne!(archive.within(b"b!/c"), archive.within(b"b").within(b"c"));
    assert_ne!(archive.within(b"b#2"), archive.within(b"b").object(2));
    assert_ne!(archive.within(b"%62"), archive.within(b"b"));
    assert_ne!(Place::file("/a.zip!/b"), archive.within(b"b"));
    assert_eq!(archive.within(b"//b"), archive.within(b"b"), "no name of an archive is absolute");
}

#[test]
fn only_what_is_in_an_archive_has_an_inner_path_and_only_files_lie_on_disk() {
    let file = Place::file("/etc/ssl/x.pem");
    assert_eq!((file.inner(), file.object(2).outermost()), (None, Some(file.clone())));
    for other in [Place::tls(([192, 0, 2, 7], 25).into(), None), Place::Scope("image".to_owned())] {
        assert_eq!((other.inner(), other.outermost()), (None, None));
        assert_eq!(other.within(b"a"), other, "nothing lies in it");
    }
}
