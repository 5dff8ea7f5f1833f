//! What a token says of itself, and what sloppy modules make of it.

use pki_inventory::{Login, Place, Time};
use pki_tokens::wire::{MechanismAnswer, Message, Octets, SlotAnswer, TokenAnswer};
use pki_tokens::{place, token, unpadded};

fn octets(text: &[u8]) -> Octets {
    Octets(text.to_vec())
}

fn slot(flags: u64) -> SlotAnswer {
    SlotAnswer {
        id: 42,
        description: octets(b"Slot   "),
        manufacturer: octets(b"Maker\0rubbish"),
        flags: 4,
        token: Some(TokenAnswer {
            label: octets(b"Root CA                         "),
            manufacturer: octets(b"Caf\xe9 \x1b[2J  "),
            model: octets(&[0; 16]),
            serial: octets(b"0001\0\0\0\0"),
            flags,
            sessions: u64::MAX,
            max_pin: 8,
            min_pin: 4,
            total_public: 100,
            free_public: u64::from(u32::MAX),
            total_private: 100,
            free_private: 0,
            hardware: (1, 0),
            firmware: (7, 13),
            clock: octets(b"2026112109081000"),
        }),
        mechanisms: None,
    }
}

fn library() -> Message {
    Message::Library {
        manufacturer: octets(b"Maker   "),
        description: octets(b"        "),
        version: (3, 40),
        interface: (3, 2),
    }
}

#[test]
fn texts_are_trimmed_and_shown_without_harm() {
    let token = token("/m.so", Some(&library()), &slot(0), Login::NotConfigured).expect("a token");
    assert_eq!(token.label.as_deref(), Some("Root CA"));
    assert_eq!(token.manufacturer.as_deref(), Some("Caf\u{fffd} \u{fffd}[2J"));
    assert_eq!((token.model, token.serial.as_deref()), (None, Some("0001")));
    assert_eq!(token.slot.description.as_deref(), Some("Slot"));
    assert_eq!(token.slot.manufacturer.as_deref(), Some("Maker"));
    assert_eq!(token.module.manufacturer.as_deref(), Some("Maker"));
    assert_eq!((token.module.description, token.module.path.as_str()), (None, "/m.so"));
    assert_eq!(token.module.version.as_deref(), Some("3.40"));
    assert_eq!(token.module.interface.as_deref(), Some("3.2"));
    assert_eq!(token.hardware_version.as_deref(), Some("1.0"));
    assert_eq!(token.firmware_version.as_deref(), Some("7.13"));
    assert!(token.slot.hardware && !token.slot.removable && token.slot.id == 42);
    assert_eq!(token.login, Login::NotConfigured);
}

#[test]
fn of_a_text_only_what_fills_it_up_is_cut() {
    for (told, expected) in [
        (&b"CA  "[..], &b"CA"[..]),
        (b"  CA \0\0", b"  CA"),
        (b"CA  \0rubbish ", b"CA"),
        (b"\0CA", b""),
        (b"    ", b""),
        (b"", b""),
        (b"CA\t\n  ", b"CA\t\n"),
        (b"C A\xff", b"C A\xff"),
    ] {
        assert_eq!(unpadded(&octets(told)), expected, "{}", told.escape_ascii());
        // Where it lies and what it is called are made of the same.
        let mut slot = slot(0);
        let named = slot.token.as_mut().expect("a token");
        named.label = octets(told);
        named.serial = octets(b"1");
        let place = place(&slot, false).expect("a place");
        assert_eq!(place, labelled(expected));
        let label = token("/m.so", None, &slot, Login::Done).expect("a token").label;
        assert_eq!(label.is_none(), expected.is_empty());
    }
}

/// The place of the token of these tests under this label.
fn labelled(label: &[u8]) -> Place {
    let others = [("manufacturer", &b"Caf\xe9 \x1b[2J"[..]), ("serial", b"1")];
    Place::token([("token", label)].into_iter().chain(others))
}

#[test]
fn what_is_not_available_is_absent() {
    let token = token("/m.so", None, &slot(0), Login::Done).expect("a token");
    assert_eq!((token.sessions, token.public_memory), (None, None));
    assert_eq!((token.private_memory, token.pin_lengths), (Some((0, 100)), Some((4, 8))));
    assert_eq!((token.module.version, token.module.interface), (None, None));
    assert_eq!((token.module.path.as_str(), token.module.manufacturer), ("/m.so", None));
    let other = pki_tokens::token("/m.so", Some(&Message::SlotsEnd), &slot(0), Login::Done);
    assert_eq!(other.expect("a token").module.version, None, "that is no library");
    assert_eq!((token.clock, token.mechanisms), (None, None), "a clock only with its flag");
    let mut empty = slot(0);
    empty.token = None;
    assert_eq!(place(&empty, true), None);
    assert_eq!(pki_tokens::token("/m.so", Some(&library()), &empty, Login::Done), None);
}

#[test]
fn flags_say_how_it_stands() {
    let with =
        |flags: u64| token("/m.so", Some(&library()), &slot(flags), Login::Done).expect("a token");
    let pins = |flags: u64| {
        let token = with(flags);
        [token.user_pin, token.so_pin]
            .map(|pin| (pin.count_low, pin.final_try, pin.locked, pin.to_be_changed))
    };
    let none = (false, false, false, false);
    for (flag, expected) in [
        (0x0001_0000, [(true, false, false, false), none]),
        (0x0002_0000, [(false, true, false, false), none]),
        (0x0004_0000, [(false, false, true, false), none]),
        (0x0008_0000, [(false, false, false, true), none]),
        (0x0010_0000, [none, (true, false, false, false)]),
        (0x0020_0000, [none, (false, true, false, false)]),
        (0x0040_0000, [none, (false, false, true, false)]),
        (0x0080_0000, [none, (false, false, false, true)]),
    ] {
        assert_eq!(pins(flag), expected, "{flag:x}");
    }
    let all = [
        (0x0000_0001, [true, false, false, false, false, false, false]),
        (0x0000_0002, [false, true, false, false, false, false, false]),
        (0x0000_0004, [false, false, true, false, false, false, false]),
        (0x0000_0008, [false, false, false, true, false, false, false]),
        (0x0000_0100, [false, false, false, false, true, false, false]),
        (0x0000_0400, [false, false, false, false, false, true, false]),
        (0x0100_0000, [false, false, false, false, false, false, true]),
    ];
    for (flag, expected) in all {
        let flags = with(flag).flags;
        let told = [
            flags.random,
            flags.write_protected,
            flags.login_required,
            flags.user_pin_initialized,
            flags.protected_authentication_path,
            flags.initialized,
            flags.error,
        ];
        assert_eq!(told, expected, "{flag:x}");
    }
    assert_eq!(with(0x40).clock, Some(Time(1_795_252_090)));
    assert_eq!(
        with(0x40).clock.map(|time| time.to_string()).as_deref(),
        Some("2026-11-21T09:08:10Z")
    );
    for wrong in [&b"2026139909081000"[..], b"20261121", b"                ", b"2026112124081000"] {
        let mut slot = slot(0x40);
        slot.token.as_mut().expect("a token").clock = octets(wrong);
        assert_eq!(
            token("/m.so", Some(&library()), &slot, Login::Done).expect("a token").clock,
            None
        );
    }
}

#[test]
fn a_place_tells_tokens_apart() {
    let mut slot = slot(0);
    let text = |slot: &SlotAnswer, with_slot| place(slot, with_slot).expect("a token").to_string();
    let without = "pkcs11:token=Root%20CA;manufacturer=Caf%E9%20%1B%5B2J;serial=0001";
    assert_eq!(text(&slot, false), without);
    assert_eq!(text(&slot, true), format!("{without};slot-id=42"));
    let token = slot.token.as_mut().expect("a token");
    for field in [&mut token.label, &mut token.manufacturer, &mut token.serial] {
        *field = octets(b"    ");
    }
    assert_eq!(text(&slot, false), "pkcs11:slot-id=42", "nothing else tells it");
}

#[test]
fn mechanisms_are_sorted_and_named() {
    let mut slot = slot(0);
    let mechanism = |number, info| MechanismAnswer { number, info };
    slot.mechanisms = Some(vec![
        mechanism(0x8000_0001, None),
        mechanism(0x1085, Some((16, 32, 0x0000_0301))),
        mechanism(0x0000, Some((1024, 0, 0x0001_0000))),
        mechanism(0x1085, Some((16, 32, 0x0000_0301))),
        mechanism(0x0250, Some((0, 0, 0x0000_0400))),
        mechanism(0x0001, Some((u64::MAX, u64::MAX, 0))),
    ]);
    let token = token("/m.so", Some(&library()), &slot, Login::Done).expect("a token");
    let told: Vec<String> = token
        .mechanisms
        .expect("mechanisms")
        .into_iter()
        .map(|one| {
            let name = one.name.unwrap_or_else(|| "-".to_owned());
            format!(
                "{name} {:?} {:?} {:?} {}",
                one.smallest,
                one.largest,
                one.hardware,
                one.uses.join(",")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "CKM_RSA_PKCS_KEY_PAIR_GEN Some(1024) None Some(false) generate-key-pair",
            "CKM_RSA_PKCS None None Some(false) ",
            "CKM_SHA256 None None Some(false) digest",
            "CKM_AES_CBC_PAD Some(16) Some(32) Some(true) encrypt,decrypt",
            "- None None None ",
        ]
    );
}
