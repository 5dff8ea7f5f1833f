//! The keystores of Bouncy Castle: BKS, UBER and BCFKS.
//!
//! BKS lies open like JKS, except for its keys. UBER is encrypted as a whole, and so is BCFKS: of
//! these only how is told.

use pki_encodings::Report;
use pki_encodings::private_key;
use pki_encodings::tlv::{OBJECT_IDENTIFIER, SEQUENCE};
use pki_inventory::{AssetId, Encryption, Holds, KeyForm, Lock, StoreEntry};

use crate::ber::Node;
use crate::contents::{Contents, MOST_CHAIN, certified_key, from_millis, hidden, private};
use crate::derivation::{Hash, Purpose};
use crate::java::octets::{Octets, text};
use crate::passwords::{Budget, Candidate, none_fits, too_dear};
use crate::scheme::{Pbkdf2, Scheme};
use crate::{Format, Passwords};

/// An HMAC-SHA1 ends a BKS store.
const MAC: usize = 20;

/// Version, salt and iterations, with which BKS and UBER begin.
struct Header<'a> {
    version: u32,
    salt: &'a [u8],
    iterations: u32,
}

impl<'a> Header<'a> {
    /// Bouncy Castle writes salts of 20 octets and 1024 to 2047 iterations, which is as good as a
    /// magic number.
    fn read(rest: &mut Octets<'a>) -> Option<Self> {
        let version = rest.u32().filter(|version| *version <= 2)?;
        let salt = rest.block().filter(|salt| salt.len() == 20)?;
        let iterations = rest.u32().filter(|count| (1024..2048).contains(count))?;
        Some(Self { version, salt, iterations })
    }
}

pub(crate) fn recognise(prefix: &[u8]) -> Option<Format> {
    let mut rest = Octets(prefix);
    if Header::read(&mut rest).is_some() {
        return Some(if is_clear(rest) { Format::Bks } else { Format::Uber });
    }
    // `ObjectStore`: an encrypted key would have its scheme one level further out.
    let mut store = Node::first(prefix).filter(|store| store.tag == SEQUENCE)?.inside();
    let algorithm = store.take(SEQUENCE)?.inside().take(SEQUENCE)?;
    let oid = algorithm.inside().take(OBJECT_IDENTIFIER)?.oid()?;
    (oid == "1.2.840.113549.1.5.13").then_some(Format::Bcfks)
}

/// Whether an entry begins here, or the end of a store without any.
fn is_clear(mut rest: Octets<'_>) -> bool {
    // 2100-01-01 in milliseconds.
    const LATEST: i64 = 4_102_444_800_000;
    let empty = rest.0.len() == 1 + MAC && rest.0.first() == Some(&0);
    let mut entry = || {
        let kind = rest.u8()?;
        rest.utf()?;
        let date = rest.i64()?;
        Some((1..=4).contains(&kind) && (0..LATEST).contains(&date))
    };
    empty || entry().unwrap_or(false)
}

pub(crate) fn read(
    format: Format,
    octets: &[u8],
    passwords: Passwords<'_>,
    report: &mut dyn Report,
) -> usize {
    match format {
        Format::Bks => bks(octets, passwords, report),
        Format::Uber => {
            uber(octets, report);
            0
        }
        _ => bcfks(octets, report),
    }
}

fn bks(octets: &[u8], passwords: Passwords<'_>, report: &mut dyn Report) -> usize {
    let mut contents = Contents::of("BKS");
    let mut rest = Octets(octets);
    let Some(header) = Header::read(&mut rest) else {
        contents.damaged("its beginning is not readable");
        contents.report(octets, Lock::Closed("it is damaged".to_owned()), report);
        return 0;
    };
    contents.integrity = Some(format!("HMAC-SHA1, {} iterations", header.iterations));
    contents.countable();
    let content = rest.0;
    let mut locked = false;
    let whole = std::iter::from_fn(|| match rest.u8() {
        Some(0) => None,
        kind => Some(kind.and_then(|kind| bks_entry(kind, &mut rest, &mut contents, &mut locked))),
    })
    .try_for_each(|read| read);
    let content = &content[..content.len() - rest.0.len()];
    let lock = match (whole, rest.take(MAC)) {
        (Some(()), Some(mac)) => {
            let candidates = Candidate::all(passwords);
            let found = fitting(&header, content, mac, passwords, &candidates);
            if !matches!(found, Ok(Some(_))) && !rest.0.is_empty() {
                contents.damaged("something follows its end, or its end is not where it should be");
            }
            match found {
                Ok(Some(candidate)) => candidate.lock(),
                Ok(None) if locked => Lock::Closed(none_fits(&candidates)),
                Err(reason) if locked => Lock::Closed(reason),
                _ => Lock::None,
            }
        }
        _ => {
            contents.damaged(
                "it ends too early or holds what cannot be read; what came before was read",
            );
            Lock::Closed(
                "its end is missing or not readable, so no password could be checked".to_owned(),
            )
        }
    };
    let used = octets.len() - rest.0.len();
    // Where a damaged one ends nobody knows.
    let own = if contents.is_damaged() { octets } else { &octets[..used] };
    contents.report(own, lock, report);
    used
}

fn fitting<'a>(
    header: &Header<'_>,
    content: &[u8],
    mac: &[u8],
    passwords: Passwords<'_>,
    candidates: &[Candidate<'a>],
) -> Result<Option<Candidate<'a>>, String> {
    // Before version 2 a mistake of bits for octets left two octets of the key.
    let length = if header.version < 2 { 2 } else { MAC };
    let mut budget = Budget::of(passwords);
    for (at, candidate) in candidates.iter().enumerate() {
        if let Err(why) = budget.spend(u64::from(header.iterations) + content.len() as u64 / 128) {
            return Err(too_dear(why, &candidates[..at], candidates));
        }
        let password = candidate.bmp();
        let key =
            Hash::Sha1.pkcs12(Purpose::Mac, &password, header.salt, header.iterations, length);
        if Hash::Sha1.hmac(&key, content) == mac {
            return Ok(Some(*candidate));
        }
    }
    Ok(None)
}

/// One entry behind its kind; `None` when it breaks off.
fn bks_entry(
    kind: u8,
    rest: &mut Octets<'_>,
    contents: &mut Contents,
    locked: &mut bool,
) -> Option<()> {
    let alias = text(rest.utf()?);
    let created = Some(from_millis(rest.i64()?));
    let mut chain = Vec::new();
    for _ in 0..rest.u32().filter(|count| *count <= MOST_CHAIN)? {
        chain.extend(certificate(rest)?);
    }
    let label = Some(alias.as_str());
    let (holds, key): (Holds, Option<AssetId>) = match kind {
        1 => {
            chain.splice(..0, certificate(rest)?);
            (Holds::Certificate, None)
        }
        2 => clear_key(rest, contents, label)?,
        3 => {
            rest.block()?;
            (Holds::SecretKey, None)
        }
        4 => {
            *locked = true;
            contents.secret();
            let octets = rest.block()?;
            let encryption = sealed(octets);
            contents.protected(&encryption);
            match chain.first() {
                // Without a certificate nothing tells a private key from another one.
                None => (Holds::Unknown, None),
                Some(own) => {
                    let known = certified_key(own).unwrap_or_else(|| hidden(octets));
                    (
                        Holds::PrivateKey,
                        Some(contents.key(known, private("BKS", encryption), label)),
                    )
                }
            }
        }
        _ => return None,
    };
    let mut assets: Vec<_> =
        chain.iter().map(|octets| contents.certificate(octets, label)).collect();
    assets.splice(assets.len().min(1)..assets.len().min(1), key);
    contents.entry(StoreEntry { alias: Some(alias), holds, assets, created });
    Some(())
}

/// The inner `None` is a certificate of another type than X.509.
fn certificate<'a>(rest: &mut Octets<'a>) -> Option<Option<&'a [u8]>> {
    let kind = rest.utf()?;
    let octets = rest.block()?;
    Some((matches!(kind, b"X.509" | b"X509") && !octets.is_empty()).then_some(octets))
}

/// A key that is not sealed: kind, format, algorithm, octets.
fn clear_key(
    rest: &mut Octets<'_>,
    contents: &mut Contents,
    label: Option<&str>,
) -> Option<(Holds, Option<AssetId>)> {
    let kind = rest.u8()?;
    rest.utf()?;
    rest.utf()?;
    let octets = rest.block()?;
    match kind {
        0 => {
            contents.secret();
            let found = private_key::read(private_key::Format::Pkcs8, octets).ok();
            let key = found.map(|found| {
                let form = KeyForm { encoding: "BKS".to_owned(), ..found.form };
                contents.key((found.id, found.key), form, label)
            });
            Some((Holds::PrivateKey, key))
        }
        1 => {
            let found = private_key::read_public(octets, false).ok();
            let key = found.map(|found| {
                let form = KeyForm { encoding: "BKS".to_owned(), ..found.form };
                contents.key((found.id, found.key), form, label)
            });
            Some((Holds::Unknown, key))
        }
        2 => Some((Holds::SecretKey, None)),
        _ => None,
    }
}

/// How a sealed key is encrypted: salt and iterations stand before it.
fn sealed(octets: &[u8]) -> Encryption {
    let mut rest = Octets(octets);
    let iterations = rest.block().and_then(|_| rest.u32());
    passphrase("PKCS12-SHA1", "DES-EDE3-CBC", iterations)
}

fn passphrase(kdf: &str, cipher: &str, iterations: Option<u32>) -> Encryption {
    Encryption::Passphrase {
        kdf: Some(kdf.to_owned()),
        cipher: Some(cipher.to_owned()),
        iterations,
    }
}

fn uber(octets: &[u8], report: &mut dyn Report) {
    let mut contents = Contents::of("UBER");
    contents.secret();
    if let Some(header) = Header::read(&mut Octets(octets)) {
        contents.protected(&passphrase("PKCS12-SHA1", "TWOFISH-256-CBC", Some(header.iterations)));
    }
    let reason = "all of it is encrypted, and this format is not opened here";
    contents.report(octets, Lock::Closed(reason.to_owned()), report);
}

/// `ObjectStore` of Bouncy Castle: the encrypted content, then how it is kept from being changed.
fn bcfks(octets: &[u8], report: &mut dyn Report) -> usize {
    let mut contents = Contents::of("BCFKS");
    contents.secret();
    let store = Node::first(octets).filter(|store| store.complete);
    let whole = store.map_or(octets, |store| store.whole);
    match store {
        None => contents.damaged("its end is missing"),
        Some(store) => {
            let mut fields = store.inside();
            let scheme = fields.take(SEQUENCE).and_then(|data| data.inside().take(SEQUENCE));
            if let Some(scheme) = scheme {
                contents.protected(&with_ccm(Scheme::read(scheme).encryption));
            }
            contents.integrity = fields.take(SEQUENCE).and_then(integrity);
        }
    }
    let reason = "all of it is encrypted, and this format is not opened here";
    contents.report(whole, Lock::Closed(reason.to_owned()), report);
    whole.len()
}

/// The one cipher that Bouncy Castle takes by itself and PKCS#8 hardly ever has.
fn with_ccm(mut encryption: Encryption) -> Encryption {
    if let Encryption::Passphrase { cipher: Some(cipher), .. } = &mut encryption
        && cipher == "2.16.840.1.101.3.4.1.47"
    {
        *cipher = "AES-256-CCM".to_owned();
    }
    encryption
}

/// `PbkdMacIntegrityCheck`: MAC, derivation, value.
fn integrity(check: Node<'_>) -> Option<String> {
    let mut fields = check.inside();
    let mac = fields.take(SEQUENCE)?.inside().take(OBJECT_IDENTIFIER)?.oid()?;
    let mac = Hash::by_hmac(&mac).map_or(mac, |hash| format!("HMAC-{}", hash.name()));
    let derivation = fields.take(SEQUENCE)?;
    Some(match Pbkdf2::read(derivation) {
        Some(Pbkdf2 { function, iterations, .. }) => {
            format!("{mac}, PBKDF2-HMAC-{}, {iterations} iterations", function.name())
        }
        None => mac,
    })
}
