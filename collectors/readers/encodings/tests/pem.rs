//! Blocks are found in whatever surroundings they lie, and nothing else is.

use pki_encodings::pem::{Fault, Scanner};

/// Whole at once and cut into small windows: the result has to be the same.
fn check(text: &str, expected: &[(&str, &[u8], Option<Fault>)]) {
    for window in [usize::MAX, 600] {
        let mut blocks = Vec::new();
        let mut scanner = Scanner::new();
        let (mut rest, mut held) = (text.as_bytes(), Vec::new());
        loop {
            let take = rest.len().min(window);
            held.extend_from_slice(&rest[..take]);
            rest = &rest[take..];
            let done = scanner.feed(&held, rest.is_empty(), &mut |block| {
                blocks.push((block.label, block.octets.to_vec(), block.fault));
            });
            held.drain(..done);
            if rest.is_empty() {
                break;
            }
        }
        let blocks: Vec<_> = blocks
            .iter()
            .map(|(label, octets, fault)| (label.as_str(), octets.as_slice(), fault.clone()))
            .collect();
        assert_eq!(blocks, expected, "in windows of {window}: {text:?}");
    }
}

const FOO: &str = "-----BEGIN A-----\nZm9v\n-----END A-----\n";

#[test]
fn blocks_are_found_in_any_surroundings() {
    let foo: &[u8] = b"foo";
    check(FOO, &[("A", foo, None)]);
    check(FOO.trim_end(), &[("A", foo, None)]);
    for line_end in ["\r\n", "\r", "\r\r\n"] {
        check(&FOO.replace('\n', line_end), &[("A", foo, None)]);
        let both = format!("x\n{FOO}\n{}{FOO}", "y".repeat(575)).replace('\n', line_end);
        check(&both, &[("A", foo, None), ("A", foo, None)]);
        let folded = "-----BEGIN A-----\nA: b\n c\nDEK-Info: X,1\n\nZm9v\n-----END A-----";
        check(&folded.replace('\n', line_end), &[("A", foo, None)]);
    }
    check(&format!("\u{feff}{FOO}"), &[("A", foo, None)]);
    check(&format!("text before\n{FOO}between\n{FOO}after"), &[("A", foo, None), ("A", foo, None)]);
    check(
        &FOO.lines().map(|line| format!("    {line}\n")).collect::<String>(),
        &[("A", foo, None)],
    );
    check("-----BEGIN A-----\n\nZm\n\n9v\n\n-----END A-----", &[("A", foo, None)]);
    check(
        "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,1\n\nZm9v\n-----END A-----",
        &[("A", foo, None)],
    );
    check(&format!("{}{FOO}", "x".repeat(1000)), &[("A", foo, None)]);
}

#[test]
fn blocks_that_were_joined_without_a_line_end_are_all_found() {
    let foo: &[u8] = b"foo";
    let glued = FOO.trim_end().repeat(3);
    check(&glued, &[("A", foo, None), ("A", foo, None), ("A", foo, None)]);
    for filling in 500..620 {
        let long = format!("{}\n{glued}", "x".repeat(filling));
        check(&long, &[("A", foo, None), ("A", foo, None), ("A", foo, None)]);
    }
    let marked = format!("{}\u{feff}{FOO}", FOO.trim_end());
    check(&marked, &[("A", foo, None), ("A", foo, None)]);
    // The second one is where a line would begin, wherever a window ends.
    for end in 1..glued.len() {
        let (mut scanner, mut own_lines) = (Scanner::new(), Vec::new());
        let done = scanner
            .feed(&glued.as_bytes()[..end], false, &mut |block| own_lines.push(block.own_line));
        scanner.feed(&glued.as_bytes()[done..], true, &mut |block| own_lines.push(block.own_line));
        assert_eq!(own_lines, [true; 3], "{end}");
    }
}

#[test]
fn a_fault_ends_one_block_and_no_other() {
    let fo: &[u8] = b"foo";
    let broken = |fault| ("A", fo, Some(fault));
    let good = ("A", fo, None);
    check(&format!("-----BEGIN A-----\nZm9v\n{FOO}"), &[broken(Fault::NextBegins), good.clone()]);
    check(
        &format!("-----BEGIN A-----\nZm9v\n...\n{FOO}"),
        &[broken(Fault::NotBase64 { text: true }), good.clone()],
    );
    check(
        &format!("-----BEGIN A-----\nZm9v\n-----END B-----\n{FOO}"),
        &[broken(Fault::OtherEnd("B".into())), good],
    );
    check("-----BEGIN A-----\nZm9v\n", &[broken(Fault::NoEnd)]);
    check("-----BEGIN A-----\nZm9vZ\n-----END A-----", &[broken(Fault::HalfOctet)]);
    check("-----BEGIN A-----", &[("A", b"", Some(Fault::NoEnd))]);
}

#[test]
fn what_only_looks_like_a_marker_is_none() {
    for text in [
        "-----BEGIN CERTIFICATE",
        "-----BEGIN -----\nZm9v\n",
        "\"-----BEGIN CERTIFICATE-----\\n\"\nZm9v\n",
        "-----BEGIN %s-----\nZm9v\n",
        "-----BEGIN a b-----\nZm9v\n",
    ] {
        check(text, &[]);
    }
}

#[test]
fn a_marker_inside_a_line_is_told_from_one_at_its_start() {
    for (text, own_line) in [
        ("-----BEGIN A-----\nZm9v\n-----END A-----", true),
        ("x\n \t-----BEGIN A-----\nZm9v\n-----END A-----", true),
        ("key = \"-----BEGIN A-----\nZm9v\n-----END A-----", false),
    ] {
        let mut seen = None;
        Scanner::new().feed(text.as_bytes(), true, &mut |block| seen = Some(block.own_line));
        assert_eq!(seen, Some(own_line), "{text}");
    }
}

/// Forty octets that look like nothing.
const LONG: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJw==";

fn long() -> Vec<u8> {
    (0..40).collect()
}

#[test]
fn blocks_within_one_line_are_found() {
    let long = long();
    let expected = [("A", long.as_slice(), None)];
    let (first, second) = LONG.split_at(30);
    for line_end in ["\\n", "\\r\\n", "\\\\n", "\\\\r\\\\n", "\\u000a", " ", "", "\\n\n    "] {
        let one = format!(
            "-----BEGIN A-----{line_end}{first}{line_end}{second}{line_end}-----END A-----{line_end}"
        );
        for text in [
            format!("{{\"a\": \"{one}\", \"b\": 1}}\n"),
            format!("KEY=\"{one}\"\nOTHER=1\n"),
            format!("value: {one}\n"),
            one.clone(),
            format!("{}'{one}'{}", "x".repeat(700), "y".repeat(700)),
        ] {
            check(&text, &expected);
            check(&text.repeat(2), &[expected[0].clone(), expected[0].clone()]);
        }
    }
    let two = format!("-----BEGIN A-----\\n{LONG}\\n-----END A-----\\n").repeat(2);
    check(&format!("\"{two}\""), &[expected[0].clone(), expected[0].clone()]);
    let spared =
        format!("\"-----BEGIN A-----\\n{LONG}\\n-----END A-----\"").replace('=', "\\u003D");
    check(&spared, &expected);
    check(&spared.replace("\\u003D", "\\u003d"), &expected);
    let headed = format!(
        "\"-----BEGIN A-----\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-1,2\\n\\n{LONG}\\n-----END A-----\""
    );
    check(&headed, &expected);
    let mut cipher = None;
    Scanner::new().feed(headed.as_bytes(), true, &mut |block| {
        assert!(!block.own_line, "held to more than a block of its own lines");
        cipher = block.dek_info;
    });
    assert_eq!(cipher.as_deref(), Some("AES-1,2"));
}

#[test]
fn blocks_within_one_line_may_be_longer_than_a_window() {
    let octets = vec![7u8; 200_000];
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &octets);
    check(
        &format!("\"-----BEGIN A-----\\n{text}\\n-----END A-----\\n\""),
        &[("A", octets.as_slice(), None)],
    );
}

#[test]
fn markers_in_programs_and_prose_are_no_blocks() {
    for text in [
        "\"-----BEGIN CERTIFICATE-----\\n\" +\n\"MIIB\"",
        "between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- lies\n",
        "/-----BEGIN CERTIFICATE-----\\n[a-zA-Z]+-----END/",
        "\"-----BEGIN A-----\\n\\d+\\n-----END A-----\"",
        "-----BEGIN A-----\\",
        "-----BEGIN A-----\\u00",
        "---- BEGIN ----\nZm9v\n",
        "---- BEGIN A ----\nZm9v\n---- END A ----\n",
    ] {
        check(text, &[]);
    }
    // Nothing that is wrong is passed over: the next block is found.
    let long = long();
    let text =
        format!("\"-----BEGIN B-----\\n{LONG}!\"\n-----BEGIN A-----\n{LONG}\n-----END A-----");
    let fault = Some(Fault::NotBase64 { text: true });
    check(&text, &[("B", &long[..], fault), ("A", &long[..], None)]);
}

#[test]
fn keys_of_ssh2_and_openpgp_armour_are_found_with_their_headers() {
    let long = long();
    let ssh2 = format!(
        "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"2048-bit RSA, \\\nof somebody \\\nelse\"\nSubject: me\n{LONG}\n---- END SSH2 PUBLIC KEY ----\n"
    );
    check(&ssh2, &[("SSH2 PUBLIC KEY", &long, None)]);
    check(&ssh2.replace('\n', "\r\n"), &[("SSH2 PUBLIC KEY", &long, None)]);
    check(
        &format!("{}\n{ssh2}{ssh2}", "x".repeat(1000)),
        &[("SSH2 PUBLIC KEY", &long[..], None), ("SSH2 PUBLIC KEY", &long[..], None)],
    );
    let armour = format!(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: GnuPG v2\nComment: a: b\n\n{LONG}\n=njUN\n-----END PGP PUBLIC KEY BLOCK-----\n"
    );
    check(&armour, &[("PGP PUBLIC KEY BLOCK", &long, None)]);
    check(
        &armour.replace("Version: GnuPG v2\nComment: a: b\n", ""),
        &[("PGP PUBLIC KEY BLOCK", &long, None)],
    );
    for text in [&ssh2, &armour] {
        assert!(pki_encodings::pem::is_worth_a_look(text.as_bytes()));
    }
    assert!(!pki_encodings::pem::is_worth_a_look(b"BEGIN TRANSACTION; -- BEGIN WORK;"));
}
