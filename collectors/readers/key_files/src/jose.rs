//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037), alone, in sets, or anywhere in JSON.
//!
//! Secret members are stepped over, not read: of a symmetric key only the length of its text is
//! taken, for it has no public half that could name it.

use std::borrow::Cow;
use std::fmt;

use pki_encodings::Report;
use pki_inventory::{Digest, Encryption, GapReason, Key, KeyAlgorithm, Object, Raw};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, Visitor};

use crate::found;
use crate::spki::{self, Curve, Plain};
use crate::text::{Reader, Window};

pub const SIGN: &[u8] = b"\"kty\"";

/// The most octets of one key, with the chain it may carry.
const LARGEST: usize = 64 * 1024;
/// Objects that may stand inside of a key in front of its type, such as other primes (RFC 7518,
/// 6.3.2.7).
const MOST_OPENINGS: usize = 8;
/// Octets that are parsed in one window, all attempts together. A window has 4 MiB, and an honest
/// key is parsed once.
const BUDGET: usize = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct WebKey<'a> {
    #[serde(borrow)]
    kty: Cow<'a, str>,
    #[serde(borrow)]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    alg: Option<Cow<'a, str>>,
    #[serde(borrow)]
    crv: Option<Cow<'a, str>>,
    #[serde(borrow)]
    n: Option<Cow<'a, str>>,
    #[serde(borrow)]
    e: Option<Cow<'a, str>>,
    #[serde(borrow)]
    x: Option<Cow<'a, str>>,
    #[serde(borrow)]
    y: Option<Cow<'a, str>>,
    /// `AKP` keys, the form of ML-DSA.
    #[serde(borrow, rename = "pub")]
    public: Option<Cow<'a, str>>,
    d: Option<IgnoredAny>,
    #[serde(rename = "priv")]
    private: Option<IgnoredAny>,
    k: Option<Length>,
}

/// The length of a text that is not kept.
struct Length(usize);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Measure;
        impl Visitor<'_> for Measure {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Length, E> {
                let digit = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
                // RFC 7515, 2: base64 for addresses, without padding. The refusal quotes nothing.
                if text.is_empty() || text.len() % 4 == 1 || !text.bytes().all(digit) {
                    return Err(E::custom("not base64url"));
                }
                Ok(Length(text.len() / 4 * 3 + text.len() % 4 * 3 / 4))
            }
        }
        deserializer.deserialize_str(Measure)
    }
}

/// Symmetric keys without a name that are held until all keys were seen.
const MOST_NAMELESS: usize = 4096;

/// Reads the keys of a text.
#[derive(Default)]
pub struct Keys {
    /// Keys so far.
    count: usize,
    /// What is public of them.
    public: Option<Digest>,
    nameless: Vec<Nameless>,
    left_out: bool,
}

/// A symmetric key without a name: nothing tells it apart but where it stands among others.
struct Nameless {
    number: usize,
    algorithm: Option<String>,
    length: usize,
}

impl Reader for Keys {
    fn read(&mut self, window: Window<'_>, report: &mut dyn Report) -> usize {
        let limit = window.limit(&[SIGN]);
        let (mut done, mut left) = (0, BUDGET);
        for at in window.hits(SIGN, limit) {
            if at < done {
                continue;
            }
            if left == 0 {
                let detail = "JSON that looks like keys and is none, too much to try all of it";
                report.gap(GapReason::LimitReached, detail.to_owned());
                break;
            }
            if let Some((key, end)) = around(window.text, done, at, &mut left) {
                done = end;
                self.web_key(&key, report);
            }
        }
        if window.last {
            self.report_nameless(report);
        }
        done.max(limit)
    }
}

/// The smallest object that this member belongs to, and where it ends.
fn around<'a>(
    text: &'a [u8],
    from: usize,
    at: usize,
    left: &mut usize,
) -> Option<(WebKey<'a>, usize)> {
    let from = from.max(at.saturating_sub(LARGEST));
    let mut before = at;
    for _ in 0..MOST_OPENINGS {
        let open = memchr::memrchr(b'{', &text[from..before]).map(|open| from + open);
        // Searching is some times cheaper than parsing.
        *left = left.saturating_sub((before - open.unwrap_or(from)) / 16);
        let open = open?;
        before = open;
        let limited = &text[open..text.len().min(open + LARGEST)];
        let mut values = serde_json::Deserializer::from_slice(limited).into_iter::<WebKey<'a>>();
        let key = values.next();
        let end = values.byte_offset();
        *left = left.saturating_sub(match &key {
            Some(Err(error)) => offset(limited, error),
            _ => end,
        });
        if let Some(Ok(key)) = key
            && open + end > at
        {
            return Some((key, open + end));
        }
        if *left == 0 {
            return None;
        }
    }
    None
}

/// How far the parser came.
fn offset(text: &[u8], error: &serde_json::Error) -> usize {
    let before = error.line().saturating_sub(1);
    let line = before.checked_sub(1).and_then(|last| memchr::memchr_iter(b'\n', text).nth(last));
    line.unwrap_or(0) + error.column().max(1)
}

impl Keys {
    fn web_key(&mut self, key: &WebKey<'_>, report: &mut dyn Report) {
        let private = key.d.is_some() || key.private.is_some();
        if private || key.k.is_some() {
            report.secret();
        }
        let label = key.kid.as_ref().and_then(|kid| found::label(kid.as_bytes()));
        if key.kty == "oct" {
            if let Some(Length(length)) = key.k {
                self.symmetric(key, length, label, report);
            }
            return;
        }
        let Some(spki) = public_half(key) else { return };
        self.tell_apart(&spki);
        let form = match private {
            true => found::private("JWK", Encryption::None),
            false => found::public("JWK"),
        };
        found::report_key(&spki, form, label, report);
    }

    /// A symmetric key: what it is called and how long it is; its value makes no identity, because
    /// a short one could be searched for.
    fn symmetric(
        &mut self,
        key: &WebKey<'_>,
        length: usize,
        label: Option<String>,
        report: &mut dyn Report,
    ) {
        let algorithm = key.alg.as_deref().unwrap_or_default();
        match key.kid.as_deref() {
            Some(kid) if !kid.is_empty() => {
                let identity = format!("JWK oct\0{kid}\0{algorithm}\0{length}");
                self.tell_apart(identity.as_bytes());
                report_symmetric(&identity, length, label, report);
            }
            _ if self.nameless.len() < MOST_NAMELESS => {
                let (number, algorithm) = (self.count, found::label(algorithm.as_bytes()));
                self.tell_apart(b"");
                self.nameless.push(Nameless { number, algorithm, length });
            }
            _ => self.left_out = true,
        }
    }

    /// Takes what is public of a key into what tells its set apart from others.
    fn tell_apart(&mut self, public: &[u8]) {
        self.count += 1;
        let before = self.public.map(|digest| *digest.octets()).unwrap_or_default();
        let next = [before, *Digest::of(public).octets()].concat();
        self.public = Some(Digest::of(&next));
    }

    /// Keys without a name are known by their place in the set and by what is public of the set.
    fn report_nameless(&mut self, report: &mut dyn Report) {
        let nameless = std::mem::take(&mut self.nameless);
        let public = self.public.map(|digest| digest.to_string()).unwrap_or_default();
        let all = nameless.len();
        for (at, Nameless { number, algorithm, length }) in nameless.into_iter().enumerate() {
            let algorithm = algorithm.unwrap_or_default();
            let identity = format!("JWK oct {number} of {public}\0\0{algorithm}\0{length}");
            let label = (all > 1).then(|| format!("{} of {all} without a name", at + 1));
            report_symmetric(&identity, length, label, report);
        }
        if std::mem::take(&mut self.left_out) {
            let detail = format!("more than {MOST_NAMELESS} symmetric JSON Web Keys without names");
            report.gap(GapReason::LimitReached, detail);
        }
    }
}

fn report_symmetric(identity: &str, length: usize, label: Option<String>, report: &mut dyn Report) {
    let bits = u32::try_from(length * 8).ok();
    let algorithm = KeyAlgorithm { name: "symmetric".to_owned(), bits, curve: None };
    let raw = Raw::Key {
        id: Digest::of(identity.as_bytes()),
        key: Key { spki: None, algorithm: Some(algorithm) },
    };
    if !report.is_full() {
        let form = Some(found::private("JWK", Encryption::None));
        report.object(Object { key: form, label, ..Object::of(raw) });
    }
}

fn public_half(key: &WebKey<'_>) -> Option<Vec<u8>> {
    let member = |member: &Option<Cow<'_, str>>| decoded(member.as_deref()?);
    match (&*key.kty, key.crv.as_deref(), key.alg.as_deref()) {
        ("RSA", ..) => spki::rsa(&member(&key.n)?, &member(&key.e)?),
        ("EC", Some(name), _) => {
            let curve = match name {
                "P-256" => Curve::P256,
                "P-384" => Curve::P384,
                "P-521" => Curve::P521,
                "secp256k1" => Curve::Secp256k1,
                _ => return None,
            };
            let (x, y) = (member(&key.x)?, member(&key.y)?);
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            // RFC 7518, 6.2.1.2: each coordinate at its full length.
            (x.len() == y.len()).then(|| spki::elliptic(curve, &point)).flatten()
        }
        ("OKP", Some(name), _) => {
            let algorithm = match name {
                "Ed25519" => Plain::Ed25519,
                "Ed448" => Plain::Ed448,
                "X25519" => Plain::X25519,
                "X448" => Plain::X448,
                _ => return None,
            };
            spki::plain(algorithm, &member(&key.x)?)
        }
        ("AKP", _, Some(name)) => {
            let algorithm = match name {
                "ML-DSA-44" => Plain::MlDsa44,
                "ML-DSA-65" => Plain::MlDsa65,
                "ML-DSA-87" => Plain::MlDsa87,
                _ => return None,
            };
            spki::plain(algorithm, &member(&key.public)?)
        }
        _ => None,
    }
}

/// RFC 7515, 2: the alphabet for addresses, without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let standard: Option<Vec<u8>> = text
        .bytes()
        .map(|digit| match digit {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' | b'=' => None,
            other => Some(other),
        })
        .collect();
    found::decoded(&standard?, LARGEST).map(|octets| octets.to_vec())
}
