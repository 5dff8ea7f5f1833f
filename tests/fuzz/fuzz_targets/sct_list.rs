//! Lists of signed certificate timestamps.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|list: &[u8]| {
    let ids = pki_inventory::sct_log_ids(list);
    assert!(ids.len() * 47 <= list.len(), "more timestamps than there is room for");
});
