//! The ClientHello, written by ourselves: no library of today offers what an old server needs, and
//! one hello that offers everything spares the server the connections in which to find out.

use super::names::{SSL3, TLS10, TLS11, TLS12, TLS13, group_code};
use super::shares::Keys;

/// What is offered in one hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hello {
    /// Newest first. With TLS 1.3 among them they are sent as `supported_versions` (RFC 8446,
    /// 4.2.1), else the first one is the version of the hello.
    pub(super) versions: Vec<u16>,
    pub(super) suites: Vec<u16>,
    pub(super) groups: Vec<u16>,
    /// Groups of TLS 1.3 that come with a key share, so that no second round is needed. Without
    /// any, the server names the group it would take and no more.
    pub(super) shares: Vec<u16>,
    pub(super) schemes: Vec<u16>,
    pub(super) alpn: Vec<&'static str>,
    pub(super) server_name: Option<String>,
    /// Offers compression (RFC 3749), which no server should take.
    pub(super) compression: bool,
    /// The cookie of a HelloRetryRequest (RFC 8446, 4.2.2).
    pub(super) cookie: Vec<u8>,
}

/// The random of every hello and its session id: what is not encrypted needs no secrecy, and the
/// same hello twice makes the same answer more likely.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nonces {
    pub(super) random: [u8; 32],
    pub(super) session_id: [u8; 32],
}

/// RFC 5746, 3.3: says that renegotiation is understood, also to SSL 3.0, which has no extensions.
pub(super) const EMPTY_RENEGOTIATION_INFO_SCSV: u16 = 0x00ff;
/// RFC 7507, 2.
pub(super) const FALLBACK_SCSV: u16 = 0x5600;

/// Suites of TLS 1.3 that we can read the answers of.
pub(super) const SUITES_OF_TLS13: &[u16] = &[0x1301, 0x1302, 0x1303, 0x1304, 0x1305];

/// The suites that nearly every server has one of; some do not read a hello with more than 64.
const USUAL: &[u16] = &[
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xc023, 0xc027, 0xc009, 0xc013,
    0xc024, 0xc028, 0xc00a, 0xc014, 0x0067, 0x006b, 0x0033, 0x0039, 0x009c, 0x009d, 0x003c, 0x003d,
    0x002f, 0x0035, 0xc012, 0x000a, 0x0005,
];

/// Suites without authentication.
const ANONYMOUS: &[u16] = &[0xc018, 0x0034, 0x006d, 0x0018];

/// Suites of the older versions, by how sound they are: forward secret and authenticated ones
/// first, what nobody should take last. Every kind of key exchange and authentication with a
/// certificate is among them, and the ciphers that servers are found with.
pub(super) const SUITES_BEFORE_TLS13: &[u16] = &[
    // ECDHE with AES-GCM and ChaCha20 (RFC 5289, RFC 7905)
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, //
    // DHE with the same (RFC 5288)
    0x009e, 0x009f, 0xccaa, 0x00a2, 0x00a3, //
    // ECDHE and DHE with CBC
    0xc023, 0xc027, 0xc009, 0xc013, 0xc024, 0xc028, 0xc00a, 0xc014, 0x0067, 0x006b, 0x0033, 0x0039,
    0x0040, 0x006a, 0x0032, 0x0038, //
    // CCM, ARIA and Camellia, of devices and of some countries
    0xc0ac, 0xc0ad, 0xc09e, 0xc09f, 0xc0ae, 0xc0af, 0xc05c, 0xc060, 0xc086, 0xc08a, 0x0045,
    0x0088, //
    // static RSA
    0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035, 0xc09c, 0xc09d, 0xc0a0, 0xc0a1, 0x0041, 0x0084,
    0x0096, //
    // static ECDH (RFC 8422 dropped it, servers have not)
    0xc02d, 0xc031, 0xc004, 0xc00e, //
    // 3DES
    0xc008, 0xc012, 0x0016, 0x0013, 0x000a, //
    // RC4, DES, export and no encryption at all
    0xc007, 0xc011, 0x0005, 0x0004, 0x0009, 0x0015, 0x0012, 0x0003, 0x0006, 0x0008, 0x0014, 0x0011,
    0xc006, 0xc010, 0x003b, 0x0002, 0x0001, //
    // no authentication: such a server has no certificate to show, but has to be seen
    0xc018, 0x0034, 0x006d, 0x0018,
];

/// The signature schemes that servers are found with, and those that may come; one whose only
/// certificate is signed otherwise may not show it at all (RFC 8446, 4.2.3).
pub(super) const SCHEMES: &[u16] = &[
    0x0403, 0x0503, 0x0603, // ECDSA
    0x0807, 0x0808, // EdDSA
    0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, // RSA-PSS
    0x0401, 0x0501, 0x0601, // RSA PKCS#1 v1.5
    0x0904, 0x0905, 0x0906, // ML-DSA
    0x0911, 0x0912, 0x0913, 0x0914, 0x0915, 0x0916, // SLH-DSA with SHA2
    0x0917, 0x0918, 0x0919, 0x091a, 0x091b, 0x091c, // SLH-DSA with SHAKE
    0x081a, 0x081b, 0x081c, // ECDSA with Brainpool curves (RFC 8734)
    0x0402, 0x0202, // DSA
    0x0303, 0x0301, 0x0203, 0x0201, 0x0101, // SHA-224, SHA-1, MD5
];

/// Schemes of one family of signatures.
pub(super) const RSA_SCHEMES: &[u16] =
    &[0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0201];
pub(super) const ECDSA_SCHEMES: &[u16] = &[0x0403, 0x0503, 0x0603, 0x081a, 0x081b, 0x081c, 0x0203];
pub(super) const EDDSA_SCHEMES: &[u16] = &[0x0807, 0x0808];
pub(super) const ML_DSA_SCHEMES: &[u16] = &[0x0904, 0x0905, 0x0906];

/// Curves of the older versions that servers are found with; none needs to be computed.
const CURVES: &[u16] = &[29, 23, 24, 25, 30, 26, 27, 28, 22, 21, 19, 14, 13, 10, 9];

/// Key exchange groups of the first hello. Finite fields are left out: a server of TLS 1.2 that
/// knows RFC 7919 would then do no other DHE than these.
const GROUPS: &[u16] = &[
    group_code::X25519_MLKEM768,
    group_code::X25519,
    group_code::SECP256R1,
    group_code::SECP384R1,
    group_code::SECP521R1,
    group_code::SECP256R1_MLKEM768,
    group_code::SECP384R1_MLKEM1024,
    group_code::MLKEM768,
    group_code::MLKEM1024,
    group_code::MLKEM512,
    30, // x448
    26, // brainpoolP256r1
    27,
    28,
    22, // secp256k1
];

impl Hello {
    /// Offers everything, from TLS 1.3 to 1.0 and, to whoever takes the version of the record for
    /// an offer, SSL 3.0.
    pub(super) fn everything(server_name: Option<&str>, alpn: &[&'static str]) -> Self {
        Self {
            versions: vec![TLS13, TLS12, TLS11, TLS10],
            suites: [SUITES_OF_TLS13, SUITES_BEFORE_TLS13].concat(),
            groups: GROUPS.to_vec(),
            shares: vec![group_code::X25519_MLKEM768, group_code::X25519],
            schemes: SCHEMES.to_vec(),
            alpn: alpn.to_vec(),
            server_name: server_name.map(str::to_owned),
            compression: false,
            cookie: Vec::new(),
        }
    }

    /// The same versions without what makes a hello large: there are middleboxes that drop one
    /// which does not fit into a packet.
    pub(super) fn small(server_name: Option<&str>, alpn: &[&'static str]) -> Self {
        let mut hello = Self::everything(server_name, alpn);
        hello.shares = vec![group_code::X25519];
        hello.suites = [SUITES_OF_TLS13, USUAL].concat();
        hello.groups.retain(|group| *group < group_code::MLKEM512);
        hello
    }

    /// One version before TLS 1.3, in a hello of the size that was usual then.
    pub(super) fn of_version(version: u16, server_name: Option<&str>) -> Self {
        Self {
            versions: vec![version],
            suites: SUITES_BEFORE_TLS13.to_vec(),
            groups: CURVES.to_vec(),
            shares: Vec::new(),
            alpn: Vec::new(),
            compression: true,
            ..Self::everything(server_name, &[])
        }
    }

    /// The same for who will not go without authentication.
    pub(super) fn authenticated(self) -> Self {
        let is_authenticated = |suite: &u16| !ANONYMOUS.contains(suite);
        Self { suites: self.suites.iter().copied().filter(is_authenticated).collect(), ..self }
    }

    /// Whether TLS 1.3 is offered.
    pub(super) fn offers_tls13(&self) -> bool {
        self.versions.contains(&TLS13)
    }

    /// The handshake message: type, length, body.
    pub(super) fn message(&self, keys: &Keys, nonces: &Nonces) -> Vec<u8> {
        let newest = self.versions.first().copied().unwrap_or(TLS12);
        let mut body = Vec::with_capacity(2048);
        body.extend(newest.min(TLS12).to_be_bytes());
        body.extend(nonces.random);
        // Middleboxes of the old kind let TLS 1.3 pass when it looks like a resumption (RFC 8446,
        // D.4); a hello of an older version must not look like one.
        let session_id: &[u8] = if self.offers_tls13() { &nonces.session_id } else { &[] };
        vector8(&mut body, |out| out.extend(session_id));
        vector16(&mut body, |out| {
            for suite in &self.suites {
                out.extend(suite.to_be_bytes());
            }
            if newest <= TLS12 && !self.suites.contains(&EMPTY_RENEGOTIATION_INFO_SCSV) {
                out.extend(EMPTY_RENEGOTIATION_INFO_SCSV.to_be_bytes());
            }
        });
        // null, and DEFLATE before it where it is offered.
        vector8(&mut body, |out| out.extend(if self.compression { &[1, 0][..] } else { &[0] }));
        if newest > SSL3 {
            vector16(&mut body, |out| self.extensions(out, keys));
        }
        pad(&mut body);
        let mut message = vec![1];
        vector24(&mut message, |out| out.extend(body));
        message
    }

    fn extensions(&self, out: &mut Vec<u8>, keys: &Keys) {
        let has_tls12 = self.versions.iter().any(|version| *version <= TLS12);
        if let Some(name) = &self.server_name {
            extension(out, 0, |out| {
                vector16(out, |out| {
                    out.push(0);
                    vector16(out, |out| out.extend(name.as_bytes()));
                });
            });
        }
        // status_request: OCSP, no particular responder, no extensions (RFC 6066, 8).
        extension(out, 5, |out| out.extend([1, 0, 0, 0, 0]));
        extension(out, 10, |out| numbers(out, &self.groups));
        if has_tls12 {
            extension(out, 11, |out| out.extend([1, 0]));
        }
        if self.versions.iter().any(|version| *version >= TLS12) {
            extension(out, 13, |out| numbers(out, &self.schemes));
            if self.schemes != SCHEMES {
                // signature_algorithms_cert (RFC 8446, 4.2.3): it is the server's own signature
                // that is asked about, and not those of its authorities.
                extension(out, 50, |out| numbers(out, SCHEMES));
            }
        }
        if !self.alpn.is_empty() {
            extension(out, 16, |out| {
                vector16(out, |out| {
                    for name in &self.alpn {
                        vector8(out, |out| out.extend(name.as_bytes()));
                    }
                });
            });
        }
        // signed_certificate_timestamp (RFC 6962, 3.3.1)
        extension(out, 18, |_| {});
        if has_tls12 {
            // extended_master_secret (RFC 7627) and session_ticket (RFC 5077)
            extension(out, 23, |_| {});
            extension(out, 35, |_| {});
            if self.offers_tls13() {
                // renegotiation_info (RFC 5746); hellos of older versions carry the SCSV.
                extension(out, 0xff01, |out| out.push(0));
            }
        }
        if !self.offers_tls13() {
            return;
        }
        extension(out, 43, |out| {
            vector8(out, |out| {
                self.versions.iter().for_each(|version| out.extend(version.to_be_bytes()));
            });
        });
        if !self.cookie.is_empty() {
            extension(out, 44, |out| vector16(out, |out| out.extend(&self.cookie)));
        }
        // psk_dhe_ke (RFC 8446, 4.2.9): without it no server gives a ticket.
        extension(out, 45, |out| out.extend([1, 1]));
        extension(out, 51, |out| {
            vector16(out, |out| {
                for group in &self.shares {
                    if let Some(share) = keys.share(*group) {
                        out.extend(group.to_be_bytes());
                        vector16(out, |out| out.extend(share));
                    }
                }
            });
        });
    }
}

/// A ClientHello of SSL 2.0 with every cipher kind: the answer lists those that the server has.
pub(super) fn ssl2(nonces: &Nonces) -> Vec<u8> {
    const KINDS: [[u8; 3]; 7] = [
        [1, 0, 0x80],
        [2, 0, 0x80],
        [3, 0, 0x80],
        [4, 0, 0x80],
        [5, 0, 0x80],
        [6, 0, 0x40],
        [7, 0, 0xc0],
    ];
    let mut body = vec![1];
    body.extend(super::names::SSL2.to_be_bytes());
    for length in [KINDS.len() * 3, 0, 16] {
        // None is larger than 21.
        body.extend([0, length as u8]);
    }
    body.extend(KINDS.concat());
    body.extend(&nonces.random[..16]);
    let mut record = vec![0x80, body.len() as u8];
    record.extend(body);
    record
}

/// Some load balancers hang on a hello whose message is of 256 to 511 octets; RFC 7685 is the way
/// around them.
fn pad(body: &mut Vec<u8>) {
    const HEADER: usize = 4;
    let length = body.len() + HEADER;
    let Some(extensions) = extensions_at(body) else { return };
    if !(256..512).contains(&length) {
        return;
    }
    let padding = 512_usize.saturating_sub(length + 4);
    extension(body, 21, |out| out.resize(out.len() + padding, 0));
    let size = body.len() - extensions - 2;
    body[extensions..extensions + 2].copy_from_slice(&length16(size));
}

/// Where the length of the extensions stands.
fn extensions_at(body: &[u8]) -> Option<usize> {
    let mut at = 34;
    at += 1 + usize::from(*body.get(at)?);
    at += 2 + usize::from(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    at += 1 + usize::from(*body.get(at)?);
    (at + 2 <= body.len()).then_some(at)
}

fn numbers(out: &mut Vec<u8>, numbers: &[u16]) {
    vector16(out, |out| numbers.iter().for_each(|number| out.extend(number.to_be_bytes())));
}

fn extension(out: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend(kind.to_be_bytes());
    vector16(out, content);
}

fn vector8(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    content(out);
    // Lengths of what we write ourselves: a name is at most 253 octets long.
    out[at] = u8::try_from(out.len() - at - 1).unwrap_or(u8::MAX);
}

fn vector16(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0, 0]);
    content(out);
    let length = length16(out.len() - at - 2);
    out[at..at + 2].copy_from_slice(&length);
}

fn vector24(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0, 0, 0]);
    content(out);
    let [.., high, middle, low] = (out.len() - at - 3).to_be_bytes();
    out[at..at + 3].copy_from_slice(&[high, middle, low]);
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use tls_parser::{TlsExtension, TlsMessage, TlsMessageHandshake};

    use super::*;

    const NONCES: Nonces = Nonces { random: [7; 32], session_id: [8; 32] };

    fn sent(hello: &Hello) -> (u16, Vec<u16>, Vec<TlsExtension<'static>>) {
        let message: &'static [u8] = hello.message(&Keys::new(), &NONCES).leak();
        let (rest, parsed) = tls_parser::parse_tls_message_handshake(message).expect("a hello");
        assert!(rest.is_empty());
        let TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) = parsed else {
            panic!("no ClientHello")
        };
        let (rest, extensions) = match hello.ext {
            Some(octets) => tls_parser::parse_tls_client_hello_extensions(octets).expect("them"),
            None => (&[][..], Vec::new()),
        };
        assert!(rest.is_empty());
        (hello.version.0, hello.ciphers.iter().map(|cipher| cipher.0).collect(), extensions)
    }

    #[test]
    fn one_hello_offers_every_version_that_has_extensions() {
        let (version, suites, extensions) = sent(&Hello::everything(Some("a.test"), &["h2"]));
        assert_eq!(version, TLS12);
        assert!(suites.starts_with(SUITES_OF_TLS13) && suites.contains(&0x000a));
        let versions = extensions.iter().find_map(|extension| match extension {
            TlsExtension::SupportedVersions(versions) => {
                Some(versions.iter().map(|version| version.0).collect::<Vec<_>>())
            }
            _ => None,
        });
        assert_eq!(versions, Some(vec![TLS13, TLS12, TLS11, TLS10]));
        assert!(extensions.iter().any(|e| matches!(e, TlsExtension::SNI(names)
            if names.iter().any(|(_, name)| *name == b"a.test"))));
    }

    #[test]
    fn ssl3_knows_no_extensions_and_old_hellos_offer_no_newer_version() {
        let (version, suites, extensions) = sent(&Hello::of_version(SSL3, Some("a.test")));
        assert_eq!(version, SSL3);
        assert!(suites.contains(&EMPTY_RENEGOTIATION_INFO_SCSV) && extensions.is_empty());
        let (version, suites, extensions) = sent(&Hello::of_version(TLS11, None));
        assert_eq!(version, TLS11);
        assert!(!suites.contains(&0x1301));
        let newer = |e: &TlsExtension<'_>| {
            matches!(e, TlsExtension::SupportedVersions(_) | TlsExtension::KeyShare(_))
        };
        assert!(!extensions.iter().any(newer));
    }

    #[test]
    fn no_hello_has_the_size_that_hangs_load_balancers() {
        for length in 0..250 {
            let name = format!("{}.test", "a".repeat(length % 60 + 1));
            for version in [TLS10, TLS11, TLS12] {
                let mut hello = Hello::of_version(version, Some(&name));
                hello.suites.truncate(length);
                let size = hello.message(&Keys::new(), &NONCES).len();
                assert!(!(256..512).contains(&size), "{size} octets");
                sent(&hello);
            }
        }
    }

    #[test]
    fn the_hello_of_ssl2_is_as_long_as_it_says() {
        let hello = ssl2(&NONCES);
        assert_eq!(usize::from(hello[1]) + 2, hello.len());
        assert_eq!(&hello[2..5], &[1, 0, 2]);
    }
}
