//! Keys of OpenSSH, PuTTY, OpenPGP, GnuPG, JOSE, WireGuard and age.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_encodings::Collected;
use pki_encodings::pem::Scanner;
use pki_key_files::{Binary, Text, binary, block, is_worth_a_look, recognise};

fuzz_target!(|octets: &[u8]| {
    let mut found = Collected::default();
    Scanner::new().feed(octets, true, &mut |one| {
        block(&one, &mut found);
    });
    let before = found.objects.len();
    Text::new().feed(octets, true, &mut found);
    assert!(found.objects.len() == before || is_worth_a_look(octets), "passed over");
    match recognise(&octets[..octets.len().min(4096)]) {
        Some(form) => binary(form, octets, true, &mut found),
        None => {
            for form in [Binary::Keyring, Binary::Keybox, Binary::AgentKey] {
                binary(form, octets, true, &mut found);
            }
        }
    }
    pkimm_fuzz::file(found);
});
