//! What a search answers, as the readers take it; nothing is copied.

use ldap3::asn1::{PL, StructureTag};
use pki_directory::Entry;

/// An entry; `None` where it is none.
pub(super) fn entry(tag: StructureTag) -> Option<Entry> {
    let mut parts = inside(tag)?.into_iter();
    let dn = String::from_utf8(octets(parts.next()?)?).ok()?;
    let attributes = inside(parts.next()?)?.into_iter().map(|attribute| {
        let mut parts = inside(attribute)?.into_iter();
        let name = String::from_utf8(octets(parts.next()?)?).ok()?;
        let values = inside(parts.next()?)?.into_iter().map(octets).collect::<Option<_>>()?;
        Some((name, values))
    });
    let attributes = attributes.collect::<Option<_>>()?;
    Some(Entry { dn, attributes })
}

fn inside(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn octets(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(octets) => Some(octets),
        PL::C(_) => None,
    }
}

/// Octets of an entry's values.
pub(super) fn size(entry: &Entry) -> usize {
    entry.attributes.iter().flat_map(|(_, values)| values).map(Vec::len).sum()
}
