//! Peers that no library of today speaks to, and plain answers of TLS 1.2, octet by octet.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::RawServer;
use super::stand_in::drain;
use crate::certificates::Issued;

/// `TLS_RSA_WITH_AES_128_GCM_SHA256`.
const AES: u16 = 0x009c;
/// `TLS_RSA_WITH_3DES_EDE_CBC_SHA`.
const TRIPLE_DES: u16 = 0x000a;
/// Handshake record, and alert record.
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// A server that speaks SSL 2.0 and closes on whoever speaks anything else.
#[must_use]
pub fn ssl2(issued: &Issued) -> RawServer {
    let certificate = issued.der();
    // SSL_CK_DES_192_EDE3_CBC_WITH_MD5, SSL_CK_RC4_128_WITH_MD5, SSL_CK_RC4_128_EXPORT40_WITH_MD5.
    let ciphers = [7, 0, 0xc0, 1, 0, 0x80, 2, 0, 0x80];
    let mut hello = vec![4, 0, 1, 0, 2];
    for length in [certificate.len(), ciphers.len(), 16] {
        hello.extend(u16::try_from(length).unwrap().to_be_bytes());
    }
    hello.extend(certificate);
    hello.extend(ciphers);
    hello.extend([7; 16]);
    let mut record = (0x8000 | u16::try_from(hello.len()).unwrap()).to_be_bytes().to_vec();
    record.extend(hello);
    RawServer::serving(None, move |mut connection| {
        let mut header = [0; 5];
        // Two octets of length, CLIENT-HELLO, version 0x0002.
        if connection.read_exact(&mut header).is_ok()
            && header[0] & 0x80 != 0
            && header[2..] == [1, 0, 2]
        {
            let rest = usize::from(u16::from_be_bytes([header[0] & 0x7f, header[1]])) - 3;
            if connection.read_exact(&mut vec![0; rest]).is_ok() {
                let _ = connection.write_all(&record);
                drain(&mut connection);
            }
        }
    })
}

/// A server that speaks SSL 3.0 and sends an alert to whoever offers anything newer.
#[must_use]
pub fn ssl3(issued: &Issued) -> RawServer {
    let flight = flight(3, 0, TRIPLE_DES, issued);
    RawServer::serving(None, move |mut connection| match read_hello(&mut connection) {
        Some((3, 0)) => {
            let _ = connection.write_all(&flight);
            drain(&mut connection);
        }
        // handshake_failure, fatal.
        Some(_) => {
            let _ = connection.write_all(&[ALERT, 3, 0, 0, 2, 2, 40]);
        }
        None => {}
    })
}

/// A server of TLS 1.2 with static RSA that answers after a while, by the octets it was given.
pub fn tls12(issued: &Issued, pause: Duration) -> impl Fn(TcpStream) + Send + Sync + Clone + use<> {
    let flight = flight(3, 3, AES, issued);
    move |mut connection| {
        if read_hello(&mut connection).is_some() {
            std::thread::sleep(pause);
            let _ = connection.write_all(&flight);
            drain(&mut connection);
        }
    }
}

/// ServerHello, Certificate and ServerHelloDone.
#[must_use]
pub fn flight(major: u8, minor: u8, suite: u16, issued: &Issued) -> Vec<u8> {
    [
        server_hello(major, minor, suite),
        record(major, minor, &certificates(&[issued.der()])),
        record(major, minor, &[14, 0, 0, 0]),
    ]
    .concat()
}

/// A ServerHello of TLS 1.2 with static RSA.
#[must_use]
pub fn hello12() -> Vec<u8> {
    server_hello(3, 3, AES)
}

fn server_hello(major: u8, minor: u8, suite: u16) -> Vec<u8> {
    let mut hello = vec![2, 0, 0, 38, major, minor];
    hello.extend([0x5a; 32]);
    // No session id, the suite, no compression, no extension.
    hello.push(0);
    hello.extend(suite.to_be_bytes());
    hello.push(0);
    record(major, minor, &hello)
}

/// A Certificate message before TLS 1.3.
#[must_use]
pub fn certificates(chain: &[Vec<u8>]) -> Vec<u8> {
    let mut list = Vec::new();
    for certificate in chain {
        list.extend(three(certificate.len()));
        list.extend(certificate);
    }
    let mut message = vec![11];
    message.extend(three(list.len() + 3));
    message.extend(three(list.len()));
    message.extend(list);
    message
}

/// One record of a handshake.
#[must_use]
pub fn record(major: u8, minor: u8, content: &[u8]) -> Vec<u8> {
    let mut record = vec![HANDSHAKE, major, minor];
    record.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    record.extend(content);
    record
}

fn three(length: usize) -> [u8; 3] {
    let [.., a, b, c] = length.to_be_bytes();
    [a, b, c]
}

/// Reads a ClientHello and gives the version in it. What is no record of a handshake is no hello.
#[must_use]
pub fn read_hello(from: &mut TcpStream) -> Option<(u8, u8)> {
    let mut header = [0; 5];
    from.read_exact(&mut header).ok()?;
    if header[0] != HANDSHAKE {
        return None;
    }
    let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    from.read_exact(&mut hello).ok()?;
    Some((*hello.get(4)?, *hello.get(5)?))
}
