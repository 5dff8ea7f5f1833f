//! Certificate statuses from a handshake.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_inventory::Staple;

fuzz_target!(|der: &[u8]| {
    assert_eq!(Staple::of(der).length, der.len());
});
