//! JKS and JCEKS: Java's keystores before PKCS#12.
//!
//! Aliases, dates and certificates lie there in the clear; only private and secret keys are
//! encrypted. A digest over the password and everything else tells whether a password is right.

mod serialized;

pub(crate) mod octets;

use pki_encodings::Report;
use pki_encodings::tlv::{Element, INTEGER, OCTET_STRING, SEQUENCE};
use pki_inventory::{AssetId, Encryption, Holds, Lock, StoreEntry};
use sha1::Digest as _;

use crate::contents::{Contents, MOST_CHAIN, certified_key, from_millis, hidden, private};
use crate::passwords::{Budget, Candidate, none_fits, too_dear, utf16};
use crate::{Format, Passwords};

use octets::{Octets, text};

/// A SHA-1 digest ends the store.
const DIGEST: usize = 20;

/// Java's own addition to the password.
const WHITENER: &[u8] = b"Mighty Aphrodite";

pub(crate) fn recognise(prefix: &[u8]) -> Option<Format> {
    match prefix {
        [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 1 | 2, ..] => Some(Format::Jks),
        [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 1 | 2, ..] => Some(Format::Jceks),
        _ => None,
    }
}

pub(crate) fn read(
    format: Format,
    octets: &[u8],
    passwords: Passwords<'_>,
    report: &mut dyn Report,
) -> usize {
    let name = if format == Format::Jks { "JKS" } else { "JCEKS" };
    let mut contents = Contents::of(name);
    contents.integrity = Some("SHA-1 over the password and the content".to_owned());
    let mut rest = Octets(octets);
    let mut store = Store { name, version: 0, locked: false };
    let whole = store.entries(&mut rest, &mut contents);
    let content = &octets[..octets.len() - rest.0.len()];
    let lock = match (whole, rest.take(DIGEST)) {
        (Some(()), Some(digest)) => {
            let candidates = Candidate::texts(passwords);
            let found = fitting(content, digest, passwords, &candidates);
            if !matches!(found, Ok(Some(_))) && !rest.0.is_empty() {
                contents.damaged("something follows its end, or its number of entries is wrong");
            }
            match found {
                Ok(Some(candidate)) => candidate.lock(),
                Ok(None) if store.locked => Lock::Closed(none_fits(&candidates)),
                Err(reason) if store.locked => Lock::Closed(reason),
                // Certificates only: the password keeps nobody from reading them.
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
    content: &[u8],
    digest: &[u8],
    passwords: Passwords<'_>,
    candidates: &[Candidate<'a>],
) -> Result<Option<Candidate<'a>>, String> {
    let mut budget = Budget::of(passwords);
    for (at, candidate) in candidates.iter().enumerate() {
        // An iteration of HMAC takes two blocks of 64 octets.
        if let Err(why) = budget.spend(content.len() as u64 / 128 + 1) {
            return Err(too_dear(why, &candidates[..at], candidates));
        }
        if digest_of(candidate.text(), content) == digest {
            return Ok(Some(*candidate));
        }
    }
    Ok(None)
}

fn digest_of(password: &str, content: &[u8]) -> Vec<u8> {
    let mut hash = sha1::Sha1::new();
    hash.update(&*utf16(password));
    hash.update(WHITENER);
    hash.update(content);
    hash.finalize().to_vec()
}

struct Store {
    name: &'static str,
    version: u32,
    /// Whether something in it is encrypted.
    locked: bool,
}

impl Store {
    /// Reads everything but the digest; `None` when it breaks off.
    fn entries(&mut self, rest: &mut Octets<'_>, contents: &mut Contents) -> Option<()> {
        rest.u32()?;
        self.version = rest.u32()?;
        contents.countable();
        // The number is not believed: entries are read as long as there are any.
        for _ in 0..rest.u32()? {
            let tag = rest.u32()?;
            let alias = text(rest.utf()?);
            let created = Some(from_millis(rest.i64()?));
            let mut entry = StoreEntry {
                alias: Some(alias.clone()),
                holds: Holds::Unknown,
                assets: Vec::new(),
                created,
            };
            let read = match tag {
                1 => {
                    entry.holds = Holds::PrivateKey;
                    self.private_key(rest, contents, &alias, &mut entry.assets)
                }
                2 => {
                    entry.holds = Holds::Certificate;
                    let certificate = self.certificate(rest);
                    entry.assets.extend(
                        certificate
                            .flatten()
                            .map(|octets| contents.certificate(octets, Some(&alias))),
                    );
                    certificate.map(|_| ())
                }
                3 if self.name == "JCEKS" => {
                    self.locked = true;
                    contents.secret();
                    entry.holds = Holds::SecretKey;
                    serialized::skip(rest)
                }
                _ => return None,
            };
            contents.entry(entry);
            read?;
        }
        Some(())
    }

    /// The key is encrypted, its chain is not.
    fn private_key(
        &mut self,
        rest: &mut Octets<'_>,
        contents: &mut Contents,
        alias: &str,
        assets: &mut Vec<AssetId>,
    ) -> Option<()> {
        self.locked = true;
        contents.secret();
        let encrypted = rest.block()?;
        let encryption = self.encryption(encrypted);
        contents.protected(&encryption);
        let mut chain = Vec::new();
        let mut read = || {
            for _ in 0..rest.u32().filter(|count| *count <= MOST_CHAIN)? {
                chain.extend(self.certificate(rest)?);
            }
            Some(())
        };
        let whole = read();
        let known = chain.first().and_then(|own| certified_key(own));
        let known = known.unwrap_or_else(|| hidden(encrypted));
        let key = contents.key(known, private(self.name, encryption), Some(alias));
        assets.extend(chain.iter().map(|octets| contents.certificate(octets, Some(alias))));
        assets.insert(assets.len().min(1), key);
        whole
    }

    /// The inner `None` is a certificate of another type than X.509.
    fn certificate<'a>(&self, rest: &mut Octets<'a>) -> Option<Option<&'a [u8]>> {
        // Version 1 knew only one type.
        let kind = if self.version == 1 { &b"X.509"[..] } else { rest.utf()? };
        let octets = rest.block()?;
        Some((matches!(kind, b"X.509" | b"X509") && !octets.is_empty()).then_some(octets))
    }

    /// Java's own schemes in the form of `EncryptedPrivateKeyInfo`.
    fn encryption(&self, encrypted: &[u8]) -> Encryption {
        let read = || {
            let mut outer = Element::first(encrypted)?.inside();
            let (oid, mut parameters) = outer.algorithm()?;
            Some(match oid.as_str() {
                "1.3.6.1.4.1.42.2.17.1.1" => Encryption::Passphrase {
                    kdf: Some("JKS SHA-1 keystream".to_owned()),
                    cipher: None,
                    iterations: Some(1),
                },
                "1.3.6.1.4.1.42.2.19.1" => {
                    let mut fields = parameters.take(SEQUENCE)?.inside();
                    fields.take(OCTET_STRING)?;
                    Encryption::Passphrase {
                        kdf: Some("JCEKS MD5".to_owned()),
                        cipher: Some("DES-EDE3-CBC".to_owned()),
                        iterations: fields.take(INTEGER).and_then(Element::number),
                    }
                }
                _ => return None,
            })
        };
        let unknown = Encryption::Passphrase { kdf: None, cipher: None, iterations: None };
        read().unwrap_or(unknown)
    }
}
