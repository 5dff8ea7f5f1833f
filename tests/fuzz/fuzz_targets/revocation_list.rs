//! DER of a revocation list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_inventory::RevocationList;

fuzz_target!(|der: &[u8]| {
    let _ = RevocationList::parse(der.to_vec());
});
