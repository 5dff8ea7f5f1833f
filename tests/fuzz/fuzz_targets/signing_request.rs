//! DER of a certification request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_inventory::SigningRequest;

fuzz_target!(|der: &[u8]| {
    let _ = SigningRequest::parse(der.to_vec());
});
