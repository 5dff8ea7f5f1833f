//! DER of a certificate, and of the name in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_inventory::{Certificate, DistinguishedName};

fuzz_target!(|der: &[u8]| {
    let _ = Certificate::parse(der.to_vec());
    let _ = DistinguishedName::parse(der);
});
