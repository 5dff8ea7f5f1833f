//! Places as they are written, which come back from files of others.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_inventory::Place;

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = str::from_utf8(octets) else { return };
    let Ok(place) = text.parse::<Place>() else { return };
    assert_eq!(place.to_string().parse::<Place>().as_ref(), Ok(&place), "{text}");
    let inner = place.within(octets);
    assert_eq!(inner.to_string().parse::<Place>().as_ref(), Ok(&inner), "{text}");
    let _ = (place.inner(), place.outermost(), place.file_path(), place.is_network());
});
