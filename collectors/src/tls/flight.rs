//! What a server sends in answer to a hello, message by message.
//!
//! ServerHello is parsed with `tls-parser`; the rest is read with a cursor of our own, because what
//! is wanted is what can be read of a message that is broken or cut off, and not all or nothing.

use tls_parser::{TlsCipherKx, TlsCipherSuite};

use super::names::{self, TLS12, TLS13};

/// What a server has shown so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) version: Option<u16>,
    pub(super) suite: Option<u16>,
    /// Name of the key exchange group, or the size of a finite field that has no name.
    pub(super) group: Option<String>,
    pub(super) hello: Option<ServerHello>,
    pub(super) alpn: Option<String>,
    /// Encodings in the order they were sent.
    pub(super) chain: Vec<Vec<u8>>,
    /// The stapled certificate status; empty when there was none.
    pub(super) staple: Vec<u8>,
    /// Content of the extension `signed_certificate_timestamp`; empty when there was none.
    pub(super) timestamps: Vec<u8>,
    /// Encodings of the names of the authorities it accepts, when it asked for a certificate.
    pub(super) asked_for_certificate: Option<Vec<Vec<u8>>>,
    /// The part of the flight where it would have asked was read.
    pub(super) may_have_asked: bool,
    /// Certificates beyond those that are kept.
    pub(super) left_out: usize,
    /// The kinds of ciphers of an SSL 2.0 server.
    pub(super) ssl2_suites: Vec<String>,
}

/// What a ServerHello tells besides what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub(super) secure_renegotiation: bool,
    pub(super) extended_master_secret: bool,
    pub(super) compression: bool,
    /// It will give a ticket (RFC 5077, 3.2).
    pub(super) ticket: bool,
    /// The group that a HelloRetryRequest names.
    pub(super) retry: Option<u16>,
}

/// The answer to a hello.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) compression: u8,
    /// It is a HelloRetryRequest.
    pub(super) is_retry: bool,
    /// Group and share of the key exchange; no share in a HelloRetryRequest.
    pub(super) key_share: Option<(u16, Vec<u8>)>,
    pub(super) cookie: Vec<u8>,
    pub(super) alpn: Option<String>,
    pub(super) timestamps: Vec<u8>,
    pub(super) extensions: Vec<u16>,
}

/// RFC 8446, 4.1.3: the random of a ServerHello that is a HelloRetryRequest.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// More certificates than any server needs; what comes after is not kept.
const MOST_CERTIFICATES: usize = 256;

impl Hello {
    /// Reads the body of a ServerHello.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let (rest, hello) = tls_parser::parse_tls_handshake_server_hello(body).ok()?;
        let is_retry = hello.random == RETRY;
        let mut read = Self {
            version: hello.version.0,
            suite: hello.cipher.0,
            compression: hello.compression.0,
            is_retry,
            key_share: None,
            cookie: Vec::new(),
            alpn: None,
            timestamps: Vec::new(),
            extensions: Vec::new(),
        };
        // SSL 3.0 has no extensions, but answers the signal of RFC 5746 with one (3.6).
        let after = || Cursor(rest).vector16();
        let mut rest = Cursor(hello.ext.or_else(after).unwrap_or_default());
        while let Some((kind, content)) = rest.extension() {
            read.extensions.push(kind);
            let mut content = Cursor(content);
            match kind {
                16 => read.alpn = content.alpn(),
                18 => read.timestamps = content.0.to_vec(),
                43 => read.version = content.u16().unwrap_or(read.version),
                44 => read.cookie = content.vector16().unwrap_or_default().to_vec(),
                51 => {
                    read.key_share = content
                        .u16()
                        .map(|group| (group, content.vector16().unwrap_or_default().to_vec()));
                }
                _ => {}
            }
        }
        Some(read)
    }
}

impl Shown {
    /// Notes a ServerHello.
    pub(super) fn note(&mut self, hello: &Hello) {
        let has = |extension: u16| hello.extensions.contains(&extension);
        self.version = Some(hello.version);
        self.suite = Some(hello.suite);
        self.alpn = self.alpn.take().or_else(|| hello.alpn.clone());
        if !hello.timestamps.is_empty() {
            self.timestamps.clone_from(&hello.timestamps);
        }
        let named = hello.key_share.as_ref().map(|(group, _)| *group);
        if let (Some(group), false) = (named, hello.is_retry) {
            self.group = Some(names::group(group));
        }
        self.hello = Some(ServerHello {
            secure_renegotiation: has(0xff01),
            extended_master_secret: has(23),
            compression: hello.compression != 0,
            ticket: has(35),
            retry: named.filter(|_| hello.is_retry),
        });
    }

    /// Notes EncryptedExtensions (RFC 8446, 4.3.1).
    pub(super) fn note_encrypted_extensions(&mut self, body: &[u8]) {
        let mut rest = Cursor(Cursor(body).vector16().unwrap_or_default());
        while let Some((kind, content)) = rest.extension() {
            if kind == 16 {
                self.alpn = Cursor(content).alpn();
            }
        }
        // The request for a certificate comes after these, if at all.
        self.may_have_asked = true;
    }

    /// Notes a Certificate, whole or as much of it as there is.
    pub(super) fn note_certificate(&mut self, body: &[u8]) {
        let mut body = Cursor(body);
        let is_tls13 = self.version == Some(TLS13);
        if is_tls13 {
            // certificate_request_context: empty, as nothing was requested of us before.
            let _ = body.vector8();
        }
        let mut rest = Cursor(body.vector24_or_rest());
        self.chain.clear();
        while let Some(der) = rest.vector24() {
            if self.chain.len() < MOST_CERTIFICATES {
                self.chain.push(der.to_vec());
            } else {
                self.left_out += 1;
            }
            if !is_tls13 {
                continue;
            }
            let mut extensions = Cursor(rest.vector16().unwrap_or_default());
            while let Some((kind, content)) = extensions.extension() {
                // Only the first entry speaks of the server itself.
                match kind {
                    5 if self.chain.len() == 1 => self.note_status(content),
                    18 if self.chain.len() == 1 => self.timestamps = content.to_vec(),
                    _ => {}
                }
            }
        }
    }

    /// Notes a CertificateStatus (RFC 6066, 8).
    pub(super) fn note_status(&mut self, body: &[u8]) {
        let mut body = Cursor(body);
        if body.u8() == Some(1) {
            self.staple = body.vector24().unwrap_or_default().to_vec();
        }
    }

    /// Notes a ServerKeyExchange: the group, where the suite has one (RFC 8422, 5.4; RFC 5246,
    /// 7.4.3).
    pub(super) fn note_key_exchange(&mut self, body: &[u8]) {
        let mut body = Cursor(body);
        match self.suite.and_then(TlsCipherSuite::from_id).map(|suite| &suite.kx) {
            // named_curve (3)
            Some(TlsCipherKx::Ecdhe | TlsCipherKx::Aecdh) if body.u8() == Some(3) => {
                self.group = body.u16().map(names::group);
            }
            Some(TlsCipherKx::Dhe | TlsCipherKx::Dh) => {
                self.group = body.vector16().map(|prime| {
                    let zeros = prime.iter().take_while(|octet| **octet == 0).count();
                    let bits = (prime.len() - zeros) * 8
                        - prime.get(zeros).map_or(0, |octet| octet.leading_zeros() as usize);
                    // The primes of RFC 7919 begin alike, whatever their size.
                    const BEGINS: &[u8] = &[0xad, 0xf8, 0x54, 0x58, 0xa2, 0xbb, 0x4a, 0x9a];
                    let known = [2048, 3072, 4096, 6144, 8192].contains(&bits);
                    match prime.get(zeros + 8..zeros + 16) {
                        Some(BEGINS) if known => format!("ffdhe{bits}"),
                        _ => format!("DHE {bits} bit"),
                    }
                });
            }
            _ => {}
        }
    }

    /// Notes a CertificateRequest (RFC 5246, 7.4.4; RFC 8446, 4.3.2).
    pub(super) fn note_request(&mut self, body: &[u8]) {
        let mut body = Cursor(body);
        let names = if self.version == Some(TLS13) {
            let _ = body.vector8();
            let mut extensions = Cursor(body.vector16().unwrap_or_default());
            let mut names = &[][..];
            while let Some((kind, content)) = extensions.extension() {
                // certificate_authorities (RFC 8446, 4.2.4)
                if kind == 47 {
                    names = Cursor(content).vector16().unwrap_or_default();
                }
            }
            names
        } else {
            let _ = body.vector8();
            if self.version == Some(TLS12) {
                let _ = body.vector16();
            }
            body.vector16().unwrap_or_default()
        };
        let mut names = Cursor(names);
        let mut asked = Vec::new();
        while let Some(name) = names.vector16() {
            asked.push(name.to_vec());
        }
        self.asked_for_certificate = Some(asked);
        self.may_have_asked = true;
    }
}

/// Reads octets from the front; `None` where they end.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|octets| u16::from_be_bytes([octets[0], octets[1]]))
    }

    fn u24(&mut self) -> Option<usize> {
        self.take(3).map(|octets| u32::from_be_bytes([0, octets[0], octets[1], octets[2]]) as usize)
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    pub(super) fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    fn vector24(&mut self) -> Option<&'a [u8]> {
        let length = self.u24()?;
        self.take(length)
    }

    /// The vector, or what there is of it.
    pub(super) fn vector24_or_rest(&mut self) -> &'a [u8] {
        let length = self.u24().unwrap_or_default().min(self.0.len());
        self.take(length).unwrap_or_default()
    }

    fn extension(&mut self) -> Option<(u16, &'a [u8])> {
        Some((self.u16()?, self.vector16()?))
    }

    /// The one name that a server chose (RFC 7301, 3.1).
    fn alpn(&mut self) -> Option<String> {
        let names = self.vector16()?;
        Cursor(names).vector8().map(|name| String::from_utf8_lossy(name).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::names::TLS11;
    use super::*;

    const CERTIFICATES: [&[u8]; 2] = [b"first", b"the second"];

    fn shown(version: u16) -> Shown {
        Shown { version: Some(version), suite: Some(0xc02f), ..Shown::default() }
    }

    fn vector(length: usize, content: &[u8]) -> Vec<u8> {
        let count = (content.len() as u32).to_be_bytes();
        [&count[4 - length..], content].concat()
    }

    #[test]
    fn a_chain_is_read_in_both_forms_and_as_far_as_it_goes() {
        let old: Vec<u8> = CERTIFICATES.iter().flat_map(|der| vector(3, der)).collect();
        let old = vector(3, &old);
        // A stapled status at the first entry and timestamps at the second, which do not count.
        let status = [&[0, 5][..], &vector(2, &[&[1][..], &vector(3, b"ocsp")].concat())].concat();
        let timestamps = [&[0, 18][..], &vector(2, b"sct")].concat();
        let new: Vec<u8> = CERTIFICATES
            .iter()
            .zip([status, timestamps])
            .flat_map(|(der, more)| [vector(3, der), vector(2, &more)].concat())
            .collect();
        let new = [&[0][..], &vector(3, &new)].concat();
        for (version, message) in [(TLS12, old), (TLS13, new)] {
            let mut whole = shown(version);
            whole.note_certificate(&message);
            assert_eq!(whole.chain, CERTIFICATES.map(<[u8]>::to_vec));
            assert_eq!(whole.staple, if version == TLS13 { &b"ocsp"[..] } else { b"" });
            assert!(whole.timestamps.is_empty());
            for length in 0..message.len() {
                let mut part = shown(version);
                part.note_certificate(&message[..length]);
                assert!(
                    CERTIFICATES
                        .starts_with(&part.chain.iter().map(Vec::as_slice).collect::<Vec<_>>())
                );
            }
        }
    }

    #[test]
    fn a_request_names_the_authorities_in_each_version() {
        let names = vector(2, &[vector(2, b"one"), vector(2, b"two")].concat());
        let kinds = vector(1, &[1, 64]);
        let extension = [&[0, 47][..], &vector(2, &names)].concat();
        for (version, message) in [
            (TLS11, [kinds.clone(), names.clone()].concat()),
            (TLS12, [kinds, vector(2, &[4, 1]), names].concat()),
            (TLS13, [vector(1, b""), vector(2, &extension)].concat()),
        ] {
            let mut asked = shown(version);
            asked.note_request(&message);
            let expected = Some(vec![b"one".to_vec(), b"two".to_vec()]);
            assert_eq!(asked.asked_for_certificate, expected, "{version:#x}");
        }
    }

    #[test]
    fn the_size_of_a_finite_field_is_told() {
        for (prime, told) in [
            (&[0x80; 128][..], "DHE 1024 bit"),
            (&[0, 0, 1, 0xff], "DHE 9 bit"),
            (&[0, 0], "DHE 0 bit"),
        ] {
            let mut old = Shown { suite: Some(0x0033), ..shown(TLS12) };
            old.note_key_exchange(&vector(2, prime));
            assert_eq!(old.group.as_deref(), Some(told));
        }
        let mut modern = shown(TLS12);
        modern.note_key_exchange(&[3, 0, 29]);
        assert_eq!(modern.group.as_deref(), Some("x25519"));
    }

    proptest! {
        #[test]
        fn no_octets_break_a_reader(
            octets in proptest::collection::vec(any::<u8>(), 0..400),
            version in proptest::sample::select(vec![TLS11, TLS12, TLS13]),
            suite in any::<u16>(),
        ) {
            let mut any = Shown { suite: Some(suite), ..shown(version) };
            any.note_certificate(&octets);
            any.note_encrypted_extensions(&octets);
            any.note_key_exchange(&octets);
            any.note_request(&octets);
            any.note_status(&octets);
            if let Some(hello) = Hello::read(&octets) {
                any.note(&hello);
            }
            let mut hello = vec![3, 3];
            hello.extend([7; 32]);
            hello.extend([0, 0x13, 1, 0]);
            hello.extend(vector(2, &octets));
            prop_assert!(Hello::read(&hello).is_some());
        }
    }
}
