//! Dumps of directories, entry by entry, and all that is read of an entry.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_descriptors::Principals;
use pki_directory::{adcs, certificates, ldif};
use pki_encodings::Collected;

fuzz_target!(|octets: &[u8]| {
    let mut reader = ldif::Reader::new(octets);
    let (mut entries, mut principals) = (Vec::new(), Principals::default());
    let mut damages = 0;
    while let Some(next) = reader.next_entry().expect("memory does not fail") {
        match next {
            Ok(entry) => entries.push(entry),
            Err(damage) => {
                assert!(damage.line > 0 && !damage.what.is_empty(), "{damage:?}");
                damages += 1;
            }
        }
    }
    assert!(entries.len() + damages <= octets.len(), "each takes at least an octet");
    entries.iter().filter_map(adcs::principal).for_each(|one| principals.add(one));
    let mut found = Collected::default();
    for entry in &entries {
        let before = found.objects.len();
        let _ = adcs::trustees(entry);
        adcs::read(entry, &principals, &["a".to_owned()], &mut found);
        assert!(adcs::is_known(entry) || !found.objects[before..].iter().any(is_of_adcs));
        certificates::read(entry, &mut found);
    }
    pkimm_fuzz::file(found);
});

fn is_of_adcs(object: &pki_inventory::Object) -> bool {
    use pki_inventory::Raw;
    matches!(object.raw, Raw::Authority(_) | Raw::Template(_) | Raw::DirectoryObject(_))
}
