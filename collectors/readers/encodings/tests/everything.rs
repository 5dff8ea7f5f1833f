//! Whatever the octets are, reading them ends, and quietly.

#![allow(clippy::unwrap_used)]

mod support;

use pki_encodings::{Collected, everything, pem::Scanner, pkcs7};
use proptest::prelude::*;
use support::{Folder, encoded, found, labels};

/// Pieces that the readers look for, so that arbitrary octets get somewhere.
const PIECES: &[&[u8]] = &[
    b"-----BEGIN CERTIFICATE-----",
    b"-----BEGIN PRIVATE KEY-----\\n",
    b"-----END CERTIFICATE-----",
    b"---- BEGIN SSH2 PUBLIC KEY ----\n",
    b"---- END SSH2 PUBLIC KEY ----",
    b"\n",
    b"\\n",
    b"\\",
    b"\\u002",
    b"MIIBCgIBATANBgkqhkiG9w0B",
    b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
    b"\"x5c\": [\"MII",
    b"kind: Secret\nmetadata:\n  name: a\n",
    b"Comment: a\\\n",
    b"AgEAMB",
    b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01",
    b"\x30\x80",
    b"\x24\x80\x04\x02aa",
    b"\0\0",
    b"\x30\x84\xff\xff\xff\xff",
    b"\xff\xfe",
    b"\xfe\xff",
];

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => proptest::sample::select(PIECES).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn all(octets: &[u8]) {
    everything(octets, &mut Collected::default());
    pkcs7(octets, &mut Collected::default());
    // In two windows, cut in the middle.
    let (mut scanner, middle) = (Scanner::new(), octets.len() / 2);
    let done = scanner.feed(&octets[..middle], false, &mut |_| {});
    assert!(done <= middle);
    scanner.feed(&octets[done..], true, &mut |_| {});
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        all(&octets);
    }

    #[test]
    fn no_pieces_make_it_panic(octets in pieces()) {
        all(&octets);
    }
}

#[test]
fn material_with_a_flipped_bit_is_read_quietly() {
    let made = Folder::new();
    made.identity("a", "");
    let text = made.text("a.crt") + &made.text("a.key");
    let octets = format!("{text}a: {}\n", encoded(&text)).into_bytes();
    assert_eq!(found(&octets).objects.len(), 4);
    for at in 0..octets.len() {
        let mut broken = octets.clone();
        broken[at] ^= 0x10;
        found(broken);
    }
}

#[test]
fn text_in_utf16_is_read_like_any_other() {
    let made = Folder::new();
    made.identity("a", "");
    let text = made.text("a.crt") + &made.text("a.key");
    for mark in ["", "\u{feff}"] {
        let text = format!("{mark}{text}").replace('\n', "\r\n");
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for octets in [little, big] {
            assert_eq!(labels(&found(octets)), ["certificate None", "key None"]);
        }
    }
}

#[test]
fn blocks_within_one_line_are_objects_only_when_flawless() {
    let made = Folder::new();
    made.identity("a", "");
    let text = made.text("a.key");
    for line_end in ["\\n", "\\r\\n", "\\\\n", " ", ""] {
        let line = text.trim_end().replace('\n', line_end);
        assert_eq!(
            labels(&found(format!("{{\"key\": \"{line}\"}}"))),
            ["key None"],
            "{line_end:?}"
        );
        assert_eq!(labels(&found(&line)), ["key None"], "{line_end:?}");
        // One string for each line, as in C, in Java and in JavaScript.
        for next in ["\"\n    \"", "\" +\r\n \""] {
            if line_end == "\\n" {
                let lines = text.trim_end().replace('\n', &format!("\\n{next}"));
                let source = format!("key = \"{lines}\\n\";");
                assert_eq!(labels(&found(&source)), ["key None"], "{source}");
                for end in 1..source.len() {
                    let (mut scanner, mut blocks) = (Scanner::new(), Vec::new());
                    let window = &source.as_bytes()[..end];
                    let done = scanner.feed(window, false, &mut |block| blocks.push(block.fault));
                    let rest = &source.as_bytes()[done..];
                    scanner.feed(rest, true, &mut |block| blocks.push(block.fault));
                    assert_eq!(blocks, [None], "{end}: {source}");
                }
            }
        }
        // A digit less, and another end.
        let at = line.len() / 2;
        let shorter = format!("\"{}{}\"", &line[..at], &line[at + 1..]);
        assert_eq!(labels(&found(shorter)), [""; 0], "{line_end:?}");
        assert_eq!(labels(&found(line.replace("END PRIVATE", "END PUBLIC"))), [""; 0]);
    }
}

/// Markers over markers, and candidates over candidates: the time stays in proportion.
#[test]
fn no_text_is_looked_through_again_and_again() {
    let begun = std::time::Instant::now();
    for piece in [
        &b"-----BEGIN A-----\\n"[..],
        b"-----BEGIN A----- AAAA",
        b"\"MIIB",
        b": MIIBAAAA",
        b"LS0tLS1CRUdJTi",
        b"a: LS0tLS1CRUdJTi\n",
        b"\x30\x80",
        b"---- BEGIN SSH2 A ----\n",
        b"apiVersion:\n",
        b"\"AgEAMB",
        b"=MIIBAAAA",
        b":/u3+7QAAAA",
        b"=/u3+7QAAAA=",
        b"-----BEGIN A-----\r",
        b"-----BEGIN A-----\\n\" ",
    ] {
        found(piece.repeat(4_000_000 / piece.len()));
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
