//! DER, PEM, UTF-16 and base64 in text, in one file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_encodings::{Collected, everything};

fuzz_target!(|octets: &[u8]| {
    let mut found = Collected::default();
    everything(octets, &mut found);
    pkimm_fuzz::file(found);
});
