//! The bags of a PKCS#12 store (RFC 7292, 4.1 and 4.2).

use std::collections::BTreeMap;

use crate::ber::{Content, Node, Nodes};
use crate::contents::{Contents, Known, LONGEST_NAME, certified_key, from_millis, hidden, private};
use crate::pkcs12::{DATA, ENCRYPTED_DATA, ENVELOPED_DATA, Locksmith};
use crate::scheme::Scheme;
use pki_encodings::private_key::{self, Format};
use pki_encodings::tlv::{Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use pki_inventory::{AssetId, Digest, Holds, KeyForm, Raw, StoreEntry, Time};

/// Safes inside of safes (RFC 7292, 4.2.6).
const MOST_DEPTH: usize = 4;

/// Bags of one store. A bag takes at least 20 octets; no real store has a tenth of these.
const MOST_BAGS: usize = 50_000;

/// Everything that was in the bags, in order.
#[derive(Default)]
pub(super) struct Bags(Vec<Bag>);

struct Bag {
    alias: Option<String>,
    /// What a key and its certificate have in common.
    local_id: Option<Vec<u8>>,
    what: What,
}

enum What {
    Certificate { octets: Vec<u8>, key: Option<Known> },
    RevocationList(Vec<u8>),
    Key { known: Known, form: KeyForm },
    Secret,
    Other,
}

impl Bags {
    /// `AuthenticatedSafe`: parts in the clear, or encrypted each on its own.
    pub(super) fn authenticated_safe(
        &mut self,
        mut safe: Nodes<'_>,
        keys: &mut Locksmith<'_>,
        contents: &mut Contents,
    ) {
        if safe.0.is_empty() {
            return;
        }
        let Some(parts) = safe.take(SEQUENCE) else {
            return contents.damaged("its content is no list of parts");
        };
        let mut rest = parts.inside();
        let mut ended = parts.complete;
        while let Some(part) = rest.any() {
            ended &= part.complete;
            self.part(part, keys, contents);
        }
        if !ended || !rest.0.is_empty() {
            contents.damaged("a part of it is cut off or not readable");
        }
    }

    fn part(&mut self, part: Node<'_>, keys: &mut Locksmith<'_>, contents: &mut Contents) {
        let mut fields = part.inside();
        let oid = fields.take(OBJECT_IDENTIFIER).and_then(Node::oid).unwrap_or_default();
        let inside = fields.take(0xa0).map_or(Nodes(&[]), Node::inside);
        match oid.as_str() {
            DATA => {
                let mut inside = inside;
                let octets = inside.any().map(Node::octets).unwrap_or_default();
                self.safe(Nodes(&octets), keys, contents, 0);
            }
            ENCRYPTED_DATA => {
                let Some((scheme, octets)) = encrypted(inside) else {
                    return contents.damaged("an encrypted part of it is not readable");
                };
                contents.protected(&scheme.encryption);
                let well_formed = |plain: &[u8]| {
                    Node::first(plain).is_some_and(|node| {
                        node.tag == SEQUENCE && node.complete && node.whole.len() == plain.len()
                    })
                };
                match keys.open(&scheme, &octets, well_formed) {
                    Some(plain) => self.safe(Nodes(&plain), keys, contents, 0),
                    // Whatever it is, it may be a key.
                    None => contents.secret(),
                }
            }
            ENVELOPED_DATA => {
                keys.barred("a part of it is encrypted to a public key, not under a password");
                contents.secret();
            }
            _ => contents.damaged("a part of it is of a kind that the format does not have"),
        }
    }

    /// `SafeContents`.
    fn safe(
        &mut self,
        mut safe: Nodes<'_>,
        keys: &mut Locksmith<'_>,
        contents: &mut Contents,
        depth: usize,
    ) {
        contents.countable();
        let Some(bags) = safe.take(SEQUENCE) else {
            return contents.damaged("a part of it holds no bags");
        };
        let mut rest = bags.inside();
        while let Some(bag) = rest.any() {
            if self.0.len() == MOST_BAGS {
                return contents.damaged("it has more bags than are read");
            }
            if self.bag(bag, keys, contents, depth).is_none() {
                contents.damaged("a bag of it is not readable");
            }
        }
        if !rest.0.is_empty() || !bags.complete {
            contents.damaged("its bags are cut off");
        }
    }

    fn bag(
        &mut self,
        bag: Node<'_>,
        keys: &mut Locksmith<'_>,
        contents: &mut Contents,
        depth: usize,
    ) -> Option<()> {
        let mut fields = bag.inside();
        let oid = fields.take(OBJECT_IDENTIFIER)?.oid()?;
        let value = fields.take(0xa0)?;
        let kind = oid.strip_prefix("1.2.840.113549.1.12.10.1.");
        let what = match kind {
            Some("1") => key_in_the_clear(value)?,
            Some("2") => shrouded(value, keys, contents)?,
            Some("3") => certificate(value)?,
            Some("4") => What::RevocationList(typed(value, "1.2.840.113549.1.9.23.1")??),
            Some("5") => What::Secret,
            Some("6") if depth < MOST_DEPTH => {
                self.safe(value.inside(), keys, contents, depth + 1);
                return Some(());
            }
            _ => What::Other,
        };
        let (alias, local_id) = attributes(fields);
        self.0.push(Bag { alias, local_id, what });
        Some(())
    }

    /// Keys find their certificates, and everything is told in its order.
    pub(super) fn finish(self, contents: &mut Contents) {
        let Self(mut bags) = self;
        let certificates = OwnCertificates::of(&bags);
        let mut taken = vec![false; bags.len()];
        let mut own = vec![None; bags.len()];
        for (at, bag) in bags.iter_mut().enumerate() {
            let What::Key { known, .. } = &mut bag.what else { continue };
            let Some((certificate, certified)) = certificates.find(bag.local_id.as_ref(), known)
            else {
                continue;
            };
            own[at] = Some(certificate);
            taken[certificate] = true;
            // What stayed closed has the public half of its certificate.
            if known.1.spki.is_none()
                && let Some(certified) = certified
            {
                *known = certified;
            }
        }
        let mut entries = Vec::new();
        let mut ids: Vec<Option<AssetId>> = vec![None; bags.len()];
        for (at, bag) in bags.into_iter().enumerate() {
            let label = bag.alias.as_deref();
            let (holds, id) = match bag.what {
                What::Certificate { octets, .. } => {
                    (Holds::Certificate, Some(contents.certificate(&octets, label)))
                }
                What::RevocationList(octets) => {
                    contents.object(Raw::RevocationList(octets), None, label);
                    (Holds::Unknown, None)
                }
                What::Key { known, form } => {
                    (Holds::PrivateKey, Some(contents.key(known, form, label)))
                }
                What::Secret => (Holds::SecretKey, None),
                What::Other => (Holds::Unknown, None),
            };
            ids[at] = id;
            if !taken[at] {
                entries.push((at, bag.alias, holds, created(bag.local_id.as_deref())));
            }
        }
        for (at, alias, holds, created) in entries {
            let assets = own[at].and_then(|own| ids[own]).into_iter().chain(ids[at]).collect();
            contents.entry(StoreEntry { alias, holds, assets, created });
        }
    }
}

/// The certificates of a store, by what they share with keys.
struct OwnCertificates {
    by_local_id: BTreeMap<Vec<u8>, (usize, Option<Known>)>,
    by_key: BTreeMap<Digest, (usize, Option<Known>)>,
}

impl OwnCertificates {
    fn of(bags: &[Bag]) -> Self {
        let (mut by_local_id, mut by_key) = (BTreeMap::new(), BTreeMap::new());
        for (at, bag) in bags.iter().enumerate() {
            let What::Certificate { key, .. } = &bag.what else { continue };
            let found = (at, key.clone());
            if let Some(id) = &bag.local_id {
                by_local_id.entry(id.clone()).or_insert_with(|| found.clone());
            }
            if let Some((id, _)) = key {
                by_key.entry(*id).or_insert(found);
            }
        }
        Self { by_local_id, by_key }
    }

    /// By the key itself where that is known, otherwise by the identifier that the two share.
    fn find(&self, local_id: Option<&Vec<u8>>, known: &Known) -> Option<(usize, Option<Known>)> {
        match known.1.spki {
            Some(spki) => self.by_key.get(&spki),
            None => self.by_local_id.get(local_id?),
        }
        .cloned()
    }
}

/// `EncryptedData` (RFC 5652, 8).
fn encrypted(mut inside: Nodes<'_>) -> Option<(Scheme, Content<'_>)> {
    let mut fields = inside.take(SEQUENCE)?.inside();
    fields.take(INTEGER)?;
    let mut fields = fields.take(SEQUENCE)?.inside();
    fields.take(OBJECT_IDENTIFIER)?;
    let scheme = Scheme::read(fields.take(SEQUENCE)?);
    Some((scheme, fields.any().filter(|node| node.tag & !0x20 == 0x80)?.octets()))
}

/// `KeyBag`: PKCS#8 as it is.
fn key_in_the_clear(value: Node<'_>) -> Option<What> {
    let octets = Element::first(value.value)?.whole;
    let found = private_key::read(Format::Pkcs8, octets).ok()?;
    let form = KeyForm { encoding: "PKCS#12".to_owned(), ..found.form };
    Some(What::Key { known: (found.id, found.key), form })
}

/// `PKCS8ShroudedKeyBag`.
fn shrouded(value: Node<'_>, keys: &mut Locksmith<'_>, contents: &mut Contents) -> Option<What> {
    let whole = value.inside().take(SEQUENCE)?;
    let mut fields = whole.inside();
    let scheme = Scheme::read(fields.take(SEQUENCE)?);
    let octets = fields.take(OCTET_STRING).or_else(|| fields.take(OCTET_STRING | 0x20))?.octets();
    contents.protected(&scheme.encryption);
    let read = |plain: &[u8]| private_key::read(Format::Pkcs8, plain).ok();
    let plain = keys.open(&scheme, &octets, |plain| read(plain).is_some());
    let known = plain.and_then(|plain| read(&plain)).map(|found| (found.id, found.key));
    let known = known.unwrap_or_else(|| hidden(whole.whole));
    Some(What::Key { known, form: private("PKCS#12", scheme.encryption) })
}

fn certificate(value: Node<'_>) -> Option<What> {
    // A certificate of SDSI (RFC 7292, 4.2.3) is none that is looked for.
    Some(match typed(value, "1.2.840.113549.1.9.22.1")? {
        Some(octets) => {
            let key = certified_key(&octets);
            What::Certificate { octets, key }
        }
        None => What::Other,
    })
}

/// `CertBag` and `CRLBag`: what type it is of, then the octets. The outer `None` is damage, the inner
/// one another type.
fn typed(value: Node<'_>, wanted: &str) -> Option<Option<Vec<u8>>> {
    let mut fields = value.inside().take(SEQUENCE)?.inside();
    let oid = fields.take(OBJECT_IDENTIFIER)?.oid()?;
    let octets = fields.take(0xa0)?.inside().any()?.octets();
    let whole = Element::first(&octets).filter(|whole| whole.tag == SEQUENCE)?.whole;
    Some((oid == wanted).then(|| whole.to_vec()))
}

/// The name people see, and what a key and its certificate share (RFC 7292, 4.2; RFC 2985, 5.5).
fn attributes(mut fields: Nodes<'_>) -> (Option<String>, Option<Vec<u8>>) {
    let (mut alias, mut local_id) = (None, None);
    let mut attributes = fields.take(0x31).map_or(Nodes(&[]), Node::inside);
    while let Some(attribute) = attributes.any() {
        let mut fields = attribute.inside();
        let oid = fields.take(OBJECT_IDENTIFIER).and_then(Node::oid).unwrap_or_default();
        let Some(value) = fields.take(0x31).and_then(|values| values.inside().any()) else {
            continue;
        };
        match oid.as_str() {
            "1.2.840.113549.1.9.20" => {
                let units: Vec<u16> = value
                    .value
                    .chunks_exact(2)
                    // One character may take two; what is beyond the limit is cut later.
                    .take(2 * LONGEST_NAME + 2)
                    .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                    .collect();
                alias = Some(String::from_utf16_lossy(&units));
            }
            "1.2.840.113549.1.9.21" => local_id = Some(value.octets().to_vec()),
            _ => {}
        }
    }
    (alias, local_id)
}

/// Java writes the time of creation where others write an identifier: `Time 1700000000000`.
fn created(local_id: Option<&[u8]>) -> Option<Time> {
    let text = std::str::from_utf8(local_id?).ok()?;
    text.strip_prefix("Time ")?.parse().ok().map(from_millis)
}
