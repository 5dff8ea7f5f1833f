//! Certificates spelled out octet by octet: what they say is chosen, nothing is random.

use pki_inventory::Time;

/// What a certificate is to say; its signature is made up.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub serial: u64,
    pub common_name: &'a str,
    pub dns: &'a [&'a str],
    pub authority: bool,
    pub not_after: Time,
    /// Octets of the signature, to choose how long the encoding gets.
    pub signature: usize,
}

impl<'a> Wanted<'a> {
    /// An end-entity certificate for one host.
    pub fn host(serial: u64, dns: &'a [&'a str], not_after: Time) -> Self {
        let common_name = dns.first().copied().unwrap_or("");
        Self { serial, common_name, dns, authority: false, not_after, signature: 64 }
    }

    /// The encoding.
    pub fn der(self) -> Vec<u8> {
        let ecdsa_sha256 = sequence(&[oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])]);
        let key_algorithm = sequence(&[
            oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
            oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
        ]);
        let mut point = vec![0, 4];
        (0..8).for_each(|_| point.extend(self.serial.to_be_bytes()));
        let san: Vec<Vec<u8>> = self.dns.iter().map(|name| tlv(0x82, name.as_bytes())).collect();
        let mut extensions = Vec::new();
        if !san.is_empty() {
            extensions.push(sequence(&[oid(&[0x55, 0x1d, 0x11]), tlv(0x04, &sequence(&san))]));
        }
        if self.authority {
            let constraints = sequence(&[tlv(0x01, &[0xff])]);
            extensions.push(sequence(&[oid(&[0x55, 0x1d, 0x13]), tlv(0x04, &constraints)]));
        }
        let mut tbs = vec![
            tlv(0xa0, &tlv(0x02, &[2])),
            tlv(0x02, &[&[1], &self.serial.to_be_bytes()[..]].concat()),
            ecdsa_sha256.clone(),
            name("The CA of the tests"),
            sequence(&[time(Time(self.not_after.0 - 90 * Time::DAY)), time(self.not_after)]),
            name(self.common_name),
            sequence(&[key_algorithm, tlv(0x03, &point)]),
        ];
        if !extensions.is_empty() {
            tbs.push(tlv(0xa3, &sequence(&extensions)));
        }
        let signature = tlv(0x03, &vec![0; self.signature + 1]);
        sequence(&[sequence(&tbs), ecdsa_sha256, signature])
    }
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = sequence(&[oid(&[0x55, 0x04, 0x03]), tlv(0x0c, common_name.as_bytes())]);
    sequence(&[tlv(0x31, &attribute)])
}

fn time(at: Time) -> Vec<u8> {
    let digits: String = at.to_string().chars().filter(char::is_ascii_digit).collect();
    tlv(0x18, format!("{digits}Z").as_bytes())
}

fn oid(octets: &[u8]) -> Vec<u8> {
    tlv(0x06, octets)
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("test certificates are short").to_be_bytes();
    let mut encoded = vec![tag];
    match length {
        [0, short @ 0..=0x7f] => encoded.push(short),
        [0, short] => encoded.extend([0x81, short]),
        [high, low] => encoded.extend([0x82, high, low]),
    }
    encoded.extend(content);
    encoded
}
