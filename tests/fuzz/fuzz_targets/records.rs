//! Exports of an authority's database, as CSV and as rows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_directory::records::Reader;
use pki_encodings::Collected;
use pki_inventory::Raw;

fuzz_target!(|octets: &[u8]| {
    let Ok(mut reader) = Reader::new(octets, None) else { return };
    let (mut found, mut count) = (Collected::default(), 0);
    while let Some(next) = reader.next_row().expect("memory does not fail") {
        count += 1;
        match next {
            Ok(row) => {
                let issuance = row.issuance;
                assert!(issuance.serial.is_some() || issuance.request.is_some(), "{issuance:?}");
                assert_eq!(issuance.certificate.is_some(), row.certificate.is_some());
                found.objects.push(Raw::Issuance(Box::new(issuance)).into());
                found.objects.extend(row.certificate.map(|der| Raw::Certificate(der).into()));
            }
            Err(damage) => assert!(damage.line > 0 && !damage.what.is_empty(), "{damage:?}"),
        }
    }
    assert!(count <= 2 * octets.len(), "each row takes octets");
    pkimm_fuzz::file(found);
});
