//! Keystores of all formats.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_encodings::Collected;
use pki_keystores::{Format, Passwords, Purse, read, recognise};
use zeroize::Zeroizing;

// A few bits of the last octet say what is tried: it is behind what most formats read.
fuzz_target!(|octets: &[u8]| {
    let Some(last) = octets.last() else { return };
    let configured = [Zeroizing::new("fuzzed".to_owned())];
    let configured = if last & 1 == 0 { &configured[..] } else { &[] };
    let purse = Purse::default();
    let passwords = Passwords { configured, well_known: last & 2 == 0, purse: &purse };
    let format = recognise(&octets[..octets.len().min(64 << 10)]);
    // Now and then a format that it is not.
    let format = format.or_else(|| Format::ALL.get(usize::from(last >> 2)).copied());
    if let Some(format) = format {
        let mut found = Collected::default();
        let used = read(format, octets, passwords, &mut found);
        assert!(used <= octets.len(), "{used} octets of {}", octets.len());
        pkimm_fuzz::file(found);
    }
});
