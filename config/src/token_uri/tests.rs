use std::path::Path;

use proptest::prelude::*;

use super::*;

fn uri(text: &str) -> TokenUri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> TokenUriError {
    text.parse::<TokenUri>().expect_err(text)
}

/// The token of the examples of RFC 7512, 3, behind a module.
fn token() -> TokenDescription {
    let text = str::to_owned;
    TokenDescription {
        token: text("The Software PKCS#11 Softtoken"),
        manufacturer: text("Snake Oil, Inc."),
        model: text("1.0"),
        serial: text("4C0FFEE"),
        slot_description: text("Sun Metaslot"),
        slot_manufacturer: text("Slots & Co"),
        slot_id: 327,
        library_description: text("Soft Token Library"),
        library_manufacturer: text("Snake Oil, Inc."),
        library_version: text("2.6"),
        module_path: "/usr/lib/libMyPKCS11.so.2".into(),
    }
}

#[test]
fn the_examples_of_the_standard_are_understood() {
    // RFC 7512, 3: those that choose tokens, slots and libraries.
    assert_eq!(uri("pkcs11:"), TokenUri::default());
    let named = uri("pkcs11:token=The%20Software%20PKCS%2311%20Softtoken");
    assert_eq!(named.token.as_deref(), Some("The Software PKCS#11 Softtoken"));
    let whole = uri(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;\
         model=1.0",
    );
    assert_eq!(whole.manufacturer.as_deref(), Some("Snake Oil, Inc."));
    assert_eq!(whole.model.as_deref(), Some("1.0"));
    let slot = uri("pkcs11:slot-description=Sun%20Metaslot");
    assert_eq!(slot.slot_description.as_deref(), Some("Sun Metaslot"));
    let library = uri("pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;\
         library-description=Soft%20Token%20Library;library-version=1.23");
    assert_eq!(library.library_version.as_deref(), Some("1.23"));
    let module = uri("pkcs11:token=Software%20PKCS%2311%20softtoken?module-path=/lib/p%2b.so");
    assert_eq!(module.module_path.as_deref(), Some(Path::new("/lib/p+.so")));
    // Those that choose objects, hold a PIN or have attributes of vendors.
    for text in [
        "pkcs11:object=my-pubkey;type=public",
        "pkcs11:token=a;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91",
    ] {
        assert_eq!(error(text), TokenUriError::Object);
    }
    for text in [
        "pkcs11:object=my-key;type=private?pin-source=file:/etc/token",
        "pkcs11:token=a?pin-source=|/usr/lib/pinomatic&module-name=mypkcs11",
        "pkcs11:object=my-sign-key;type=private?module-name=mypkcs11&pin-value=1234",
    ] {
        assert_eq!(error(text), TokenUriError::Pin);
    }
    let vendor = "pkcs11:token=my-token;x-vend-aaa=value-a?x-vend-bbb=value-b";
    assert_eq!(error(vendor), TokenUriError::Attribute("x-vend-aaa".to_owned()));
}

#[test]
fn a_token_is_meant_when_every_part_is_the_very_same() {
    let fits = |text: &str| uri(text).fits(&token());
    for text in [
        "pkcs11:",
        "PKCS11:serial=4C0FFEE",
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;\
         model=1.0;serial=4C0FFEE;slot-description=Sun%20Metaslot;slot-id=327;\
         slot-manufacturer=Slots%20&%20Co;library-description=Soft%20Token%20Library;\
         library-manufacturer=Snake%20Oil%2C%20Inc.;library-version=2.6?\
         module-name=mypkcs11&module-path=/usr/lib/libMyPKCS11.so.2",
        "pkcs11:library-version=02.06",
        "pkcs11:?module-name=MyPkcs11",
        "pkcs11:?module-name=libmypkcs11",
    ] {
        assert!(fits(text), "{text}");
    }
    for text in [
        "pkcs11:token=The%20Software%20PKCS%2311%20softtoken",
        "pkcs11:token=",
        "pkcs11:manufacturer=Snake%20Oil",
        "pkcs11:model=1",
        "pkcs11:serial=4c0ffee",
        "pkcs11:slot-description=Sun",
        "pkcs11:slot-manufacturer=Slots",
        "pkcs11:slot-id=328",
        "pkcs11:library-description=Soft",
        "pkcs11:library-manufacturer=Snake",
        "pkcs11:library-version=2",
        "pkcs11:library-version=2.60",
        "pkcs11:serial=4C0FFEE?module-name=pkcs11",
        "pkcs11:serial=4C0FFEE?module-path=/usr/lib/libMyPKCS11.so",
    ] {
        assert!(!fits(text), "{text}");
    }
    let empty = TokenDescription { token: String::new(), library_version: "2.0".into(), ..token() };
    assert!(uri("pkcs11:token=;library-version=2").fits(&empty));
    // What a module says of itself may be no version at all.
    let odd = TokenDescription { library_version: "two".into(), ..token() };
    assert!(uri("pkcs11:").fits(&odd) && !uri("pkcs11:library-version=2").fits(&odd));
}

#[test]
fn what_is_no_uri_of_a_token_is_refused() {
    for text in [
        "",
        "pkcs11",
        "file:/a",
        "CA keys",
        "pkcs11:CA",
        "pkcs11:token=a b",
        "pkcs11:token=a#b",
        "pkcs11:token=a/b",
        "pkcs11:token=ü",
        "pkcs11:token=%",
        "pkcs11:token=%2",
        "pkcs11:token=%+2",
        "pkcs11:token=%ZZ",
        "pkcs11:token=%00",
        "pkcs11:token=%FF",
        "pkcs11:token=a;",
        "pkcs11:;token=a",
        "pkcs11:slot-id=",
        "pkcs11:slot-id=+7",
        "pkcs11:slot-id=0x7",
        "pkcs11:slot-id=18446744073709551616",
        "pkcs11:library-version=",
        "pkcs11:library-version=2.",
        "pkcs11:library-version=.6",
        "pkcs11:library-version=2.6.1",
        "pkcs11:library-version=256",
        "pkcs11:?module-path=/a&",
        "pkcs11:token=a;1234=",
        &format!("pkcs11:token={}", "a".repeat(MAX_BYTES)),
    ] {
        assert_eq!(error(text), TokenUriError::NotOne, "{text}");
    }
    assert_eq!(error("pkcs11:token=a;token=a"), TokenUriError::Twice("token"));
    assert_eq!(error("pkcs11:slot-id=1;slot-id=1"), TokenUriError::Twice("slot-id"));
    let twice = "pkcs11:?module-path=/a&module-path=/b";
    assert_eq!(error(twice), TokenUriError::Twice("module-path"));
    // A part of the query in the path, and the other way round.
    let module = TokenUriError::Attribute("module-path".to_owned());
    assert_eq!(error("pkcs11:module-path=%2Fa"), module);
    assert_eq!(error("pkcs11:?token=a"), TokenUriError::Attribute("token".to_owned()));
    assert_eq!(error("pkcs11:Token=a"), TokenUriError::Attribute("Token".to_owned()));
}

#[test]
fn a_pin_is_refused_wherever_it_stands_and_not_told() {
    for text in [
        "pkcs11:token=a?pin-value=31337",
        "pkcs11:token=a?pin-value=31;337",
        "pkcs11:token=a;pin-value=31337",
        "pkcs11:token=a&pin-value=31337",
        "pkcs11:PIN-VALUE=31337",
        "pkcs11:pin-source=31337",
        "token=a?pin-value=31337",
        "pkcs11:object=x?pin-value=31337",
        "pkcs11:token=a b?pin-value=31337",
    ] {
        assert_eq!(error(text), TokenUriError::Pin, "{text}");
    }
    for text in ["pkcs11:31337", "pkcs11:token=a;31337=x", "31337", "pkcs11:token=a?31337"] {
        assert!(!error(text).to_string().contains("31337"), "{text}");
    }
    assert!("pkcs11:token=my-pin-value".parse::<TokenUri>().is_ok(), "a label that says so");
}

#[test]
fn two_that_ask_for_something_different_exclude_each_other() {
    let excludes = |one: &str, other: &str| uri(one).excludes(&uri(other));
    assert!(excludes("pkcs11:token=a", "pkcs11:token=b;serial=1"));
    assert!(excludes("pkcs11:slot-id=1", "pkcs11:slot-id=2"));
    assert!(excludes("pkcs11:?module-path=/a", "pkcs11:?module-path=/b"));
    assert!(!excludes("pkcs11:token=a", "pkcs11:serial=1"));
    assert!(!excludes("pkcs11:token=a", "pkcs11:token=a;serial=1"));
    assert!(!excludes("pkcs11:", "pkcs11:token=a"));
    for (text, tells) in [
        ("pkcs11:", false),
        ("pkcs11:model=a;manufacturer=b?module-path=/c", false),
        ("pkcs11:token=a", true),
        ("pkcs11:serial=a", true),
        ("pkcs11:slot-id=0", true),
    ] {
        assert_eq!(uri(text).tells_one(), tells, "{text}");
    }
}

proptest! {
    #[test]
    fn a_uri_is_read_back_as_it_was_written(
        texts in proptest::collection::vec(proptest::option::of("[^\0]{0,12}"), 8),
        slot_id in proptest::option::of(any::<u64>()),
        version in proptest::option::of(any::<(u8, u8)>()),
        path in proptest::option::of(proptest::collection::vec(1u8.., 0..12)),
        name in proptest::option::of("[a-z0-9 %&]{0,8}"),
    ) {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        let uri = TokenUri {
            token: next(),
            manufacturer: next(),
            model: next(),
            serial: next(),
            slot_description: next(),
            slot_manufacturer: next(),
            library_description: next(),
            library_manufacturer: next(),
            slot_id,
            library_version: version.map(|(major, minor)| format!("{major}.{minor}")),
            module_name: name,
            module_path: path.map(|path| OsString::from_vec(path).into()),
        };
        prop_assert_eq!(uri.to_string().parse::<TokenUri>(), Ok(uri));
    }

    #[test]
    fn no_text_breaks_it(text in "(pkcs11:)?[a-z%=;?&/0-9ü-]{0,40}") {
        let _ = text.parse::<TokenUri>();
    }
}
