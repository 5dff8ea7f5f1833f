//! The databases of NSS since 3.12: `cert9.db` and `key4.db`, both of SQLite.
//!
//! SQLite reads a copy of the octets in memory and opens nothing. A file that a stranger made can
//! hold views, triggers and virtual tables: only plain tables are asked, by columns that exist, and
//! for a limited number of steps.

mod database;
mod locks;

use memchr::memmem;
use pki_encodings::public_key;
use pki_encodings::tlv::{self, Element, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use pki_encodings::{Report, private_key};
use pki_inventory::{Encryption, GapReason, Half, Holds, KeyForm, StoreEntry};
use zeroize::Zeroizing;

use crate::ber::Node;
use crate::contents::{Contents, Known, hidden, private};
use crate::scheme::Scheme;
use crate::{Format, Passwords};

use database::{Database, Row, Table};
use locks::Locks;

/// Classes of objects (PKCS#11 3.0, 4.3 and 4.6; `pkcs11n.h` of NSS for trust).
const CERTIFICATE: u32 = 1;
const PUBLIC_KEY: u32 = 2;
const PRIVATE_KEY: u32 = 3;
const SECRET_KEY: u32 = 4;

/// Types of keys (PKCS#11 3.0, 4.7).
const RSA: u32 = 0;
const EC: u32 = 3;

pub(crate) fn recognise(prefix: &[u8]) -> Option<Format> {
    let rest = prefix.strip_prefix(b"SQLite format 3\0")?;
    // The tables of a small schema stand on the first page (SQLite file format, 1.3 and 2.6). When
    // all of that page is here and is the whole schema, it tells; otherwise this may be one.
    let size = rest.first_chunk().map(|size| u16::from_be_bytes(*size))?;
    let size = if size == 1 { 65_536 } else { usize::from(size) };
    const LEAF: u8 = 0x0d;
    match prefix.get(..size.max(512)) {
        Some(page) if page.get(100) == Some(&LEAF) => holds_tables(page).then_some(Format::Sqlite),
        _ => Some(Format::Sqlite),
    }
}

fn holds_tables(octets: &[u8]) -> bool {
    [&b"nssPublic"[..], b"nssPrivate"].iter().any(|name| memmem::find(octets, name).is_some())
}

pub(crate) fn read(octets: &[u8], passwords: Passwords<'_>, report: &mut dyn Report) -> usize {
    if !holds_tables(octets) {
        return 0;
    }
    let damaged = |report: &mut dyn Report, detail: String| {
        report.gap(GapReason::Damaged, format!("NSS database: {detail}"));
    };
    let database = match Database::open(octets) {
        Ok(database) => database,
        Err(error) => {
            damaged(report, error);
            return 0;
        }
    };
    let (public, private) = (database.has(Table::Public), database.has(Table::Private));
    if !public && !private {
        // Its octets mention the names, and that is all.
        return 0;
    }
    let mut contents = Contents::of(if private { "NSS key4.db" } else { "NSS cert9.db" });
    contents.countable();
    let mut locks = Locks::of(&database, passwords, &mut contents);
    for table in [Table::Public, Table::Private] {
        let read = database.rows(table, &mut |row| object(&row, &mut locks, &mut contents));
        match read {
            Err(error) => contents.damaged(&error),
            Ok((rows, true)) => {
                contents.limited(&format!("objects beyond the first {rows} were not read"));
            }
            Ok(_) => {}
        }
    }
    let lock = locks.lock(&mut contents);
    let used = length(octets);
    contents.report(&octets[..used], lock, report);
    used
}

/// The length of the database in its file, as far as its header says it: pages of a size, and their
/// number, which counts only where two counters of changes are the same (SQLite file format, 1.3).
fn length(octets: &[u8]) -> usize {
    let number = |at: usize| octets.get(at..)?.first_chunk().map(|it| u32::from_be_bytes(*it));
    let size =
        octets.get(16..18).map_or(0, |size| usize::from(size[0]) << 8 | usize::from(size[1]));
    let size = if size == 1 { 65_536 } else { size };
    let pages = number(28).filter(|_| number(24) == number(92)).unwrap_or(0);
    let length = usize::try_from(pages).ok().and_then(|pages| pages.checked_mul(size));
    length.filter(|length| (1..=octets.len()).contains(length)).unwrap_or(octets.len())
}

fn object(row: &Row, locks: &mut Locks<'_>, contents: &mut Contents) {
    let label = row.label.as_deref();
    let (holds, assets) = match row.class {
        CERTIFICATE => {
            let Some(octets) = &row.value else { return };
            (Holds::Certificate, vec![contents.certificate(octets, label)])
        }
        PUBLIC_KEY => {
            // Every private key has one here; it is the key that counts, not the entry.
            if let Some(known) = row.public_half() {
                let form = KeyForm {
                    half: Half::Public,
                    encoding: "NSS".to_owned(),
                    encryption: Encryption::None,
                };
                contents.key(known, form, label);
            }
            return;
        }
        PRIVATE_KEY => {
            contents.secret();
            (Holds::PrivateKey, private_half(row, locks, contents).into_iter().collect())
        }
        SECRET_KEY => (Holds::SecretKey, Vec::new()),
        // What is said about the trust in a certificate, about modules and revocation.
        _ => return,
    };
    contents.entry(StoreEntry { alias: row.label.clone(), holds, assets, created: None });
}

/// The public half stands beside an RSA key; of others it is computed when the lock opens.
fn private_half(
    row: &Row,
    locks: &mut Locks<'_>,
    contents: &mut Contents,
) -> Option<pki_inventory::AssetId> {
    let secret = row.value.as_deref().or(row.exponent_of_private.as_deref());
    let scheme = secret.and_then(scheme).map(|(scheme, _)| scheme);
    let encryption = scheme.map_or(locks.encryption(), |scheme| scheme.encryption);
    contents.protected(&encryption);
    let known = row.public_half().or_else(|| computed(row, locks));
    let known = known.or_else(|| secret.map(hidden))?;
    Some(contents.key(known, private("NSS", encryption), row.label.as_deref()))
}

/// The public half of an elliptic key whose scalar can be decrypted.
fn computed(row: &Row, locks: &mut Locks<'_>) -> Option<Known> {
    if row.key_type != Some(EC) {
        return None;
    }
    let (parameters, value) = (row.parameters.as_deref()?, row.value.as_deref()?);
    let (scheme, octets) = scheme(value)?;
    let scalar = locks.decrypt(&scheme, octets)?;
    let scalar = Zeroizing::new(tlv::element(OCTET_STRING, &[&scalar]));
    let key = Zeroizing::new(tlv::element(SEQUENCE, &[&[tlv::INTEGER, 1, 1], &scalar]));
    let key = Zeroizing::new(tlv::element(OCTET_STRING, &[&key]));
    // 1.2.840.10045.2.1
    let oid = tlv::element(OBJECT_IDENTIFIER, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]]);
    let algorithm = tlv::element(SEQUENCE, &[&oid, parameters]);
    let version: &[u8] = &[tlv::INTEGER, 1, 0];
    let pkcs8 = Zeroizing::new(tlv::element(SEQUENCE, &[version, &algorithm, &key]));
    let found = private_key::read(private_key::Format::Pkcs8, &pkcs8).ok()?;
    found.key.spki.is_some().then_some((found.id, found.key))
}

/// What NSS encrypts: a scheme, then the octets.
fn scheme(encrypted: &[u8]) -> Option<(Scheme, &[u8])> {
    let mut fields = Node::first(encrypted).filter(|whole| whole.tag == SEQUENCE)?.inside();
    let scheme = Scheme::read(fields.take(SEQUENCE)?);
    Some((scheme, fields.take(OCTET_STRING)?.value))
}

impl Row {
    fn public_half(&self) -> Option<Known> {
        let spki = match self.key_type? {
            RSA => public_key::rsa(self.modulus.as_deref()?, self.exponent.as_deref()?),
            EC => {
                let point = self.point.as_deref()?;
                // PKCS#11 3.0, 6.3.3: the point is wrapped in an octet string; older ones are not.
                let wrapped = Element::first(point)
                    .filter(|whole| whole.tag == OCTET_STRING && whole.whole.len() == point.len());
                public_key::elliptic(
                    self.parameters.as_deref()?,
                    wrapped.map_or(point, |whole| whole.value),
                )
            }
            _ => return None,
        };
        public_key::read(&spki)
    }
}
