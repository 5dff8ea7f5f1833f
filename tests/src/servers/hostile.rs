//! Peers that do what no honest server does. Each goes on until the other side has had enough.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

use super::old::{certificates, hello12, read_hello, record};
use super::stand_in::drain;
use super::{Manner, RawServer, free_port, own_address};
use crate::certificates::Issued;

/// What a hostile peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hostile {
    /// Sends one octet every ten seconds.
    Drips,
    /// Resets at once.
    Resets,
    /// Resets after our hello.
    ResetsAfterHello,
    /// Resets right after its Certificate.
    ResetsAfterCertificate,
    /// Sends octets that are no protocol.
    Garbage,
    /// Sends certificates without end.
    EndlessChain,
    /// Sends 16 MiB of records.
    SixteenMebibytes,
    /// Asks for renegotiation without end.
    HelloRequests,
    /// Warns without end.
    Warnings,
    /// Greets in one line after another, as SMTP servers may.
    EndlessBanner,
    /// Greets in one line of a mebibyte.
    LongLine,
    /// Sends a fatal alert, then more.
    AlertThenData,
}

impl Hostile {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Drips,
        Self::Resets,
        Self::ResetsAfterHello,
        Self::ResetsAfterCertificate,
        Self::Garbage,
        Self::EndlessChain,
        Self::SixteenMebibytes,
        Self::HelloRequests,
        Self::Warnings,
        Self::EndlessBanner,
        Self::LongLine,
        Self::AlertThenData,
    ];

    /// Lets it loose; the certificate is what it shows where it shows one.
    #[must_use]
    pub fn start(self, issued: &Issued) -> RawServer {
        let certificate = issued.der();
        let opening = matches!(self, Self::EndlessBanner | Self::LongLine).then_some("smtp");
        RawServer::serving(opening, move |connection| {
            // It ends when the other side goes, which is no failure of ours.
            let _ = self.serve(connection, &certificate);
        })
    }

    fn serve(self, mut connection: TcpStream, certificate: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Resets => return reset(connection),
            Self::Garbage => {
                connection.write_all(&[0xde, 0xad, 0xbe, 0xef].repeat(1000))?;
                drain(&mut connection);
                return Ok(());
            }
            Self::EndlessBanner => loop {
                connection.write_all(b"220-this is the lab, and there is more to say\r\n")?;
            },
            Self::LongLine => {
                connection.write_all(b"220 ")?;
                connection.write_all(&vec![b'x'; 1 << 20])?;
                drain(&mut connection);
                return Ok(());
            }
            _ => {}
        }
        if read_hello(&mut connection).is_none() {
            return Ok(());
        }
        match self {
            Self::ResetsAfterHello => return reset(connection),
            Self::AlertThenData => {
                connection.write_all(&[21, 3, 3, 0, 2, 2, 40])?;
                connection.write_all(&record(3, 3, &[0; 100]))?;
                connection.write_all(&[0xff; 1000])?;
                drain(&mut connection);
                return Ok(());
            }
            Self::Warnings => loop {
                // unrecognized_name, which some servers do send once.
                connection.write_all(&[21, 3, 3, 0, 2, 1, 112])?;
            },
            Self::Drips => {
                for octet in hello12() {
                    connection.write_all(&[octet])?;
                    thread::sleep(Duration::from_secs(10));
                }
                return Ok(());
            }
            _ => connection.write_all(&hello12())?,
        }
        match self {
            Self::ResetsAfterCertificate => {
                connection.write_all(&record(3, 3, &certificates(&[certificate.to_vec()])))?;
                // A reset overtakes what was not yet read.
                thread::sleep(Duration::from_millis(100));
                reset(connection)
            }
            Self::HelloRequests => loop {
                connection.write_all(&record(3, 3, &[0, 0, 0, 0]))?;
            },
            Self::SixteenMebibytes => {
                for _ in 0..1024 {
                    // Application data, which has no business here.
                    connection.write_all(&[23, 3, 3, 0x40, 0])?;
                    connection.write_all(&[0; 1 << 14])?;
                }
                drain(&mut connection);
                Ok(())
            }
            _ => loop {
                // The longest message that three octets of length allow, again and again.
                let entry = [&[0, 0x3f, 0xfd][..], &certificate.repeat(20)].concat();
                connection.write_all(&record(3, 3, &[11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc]))?;
                for _ in 0..1023 {
                    let mut content = entry.clone();
                    content.resize(1 << 14, 0);
                    connection.write_all(&record(3, 3, &content))?;
                }
            },
        }
    }
}

/// An address where connections are neither taken nor refused, as behind a firewall that drops.
pub struct BlackHole {
    address: SocketAddr,
    /// Its queue is full, for nobody takes from it.
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    /// Makes one.
    #[must_use]
    pub fn start() -> Self {
        let address = free_port(own_address());
        let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&listener, &address).unwrap();
        listen(&listener, 0).unwrap();
        let mut waiting = Vec::new();
        while let Ok(one) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(one);
            assert!(waiting.len() < 100, "the queue has no end");
        }
        Self { address, _listener: TcpListener::from(listener), _waiting: waiting }
    }

    /// `127.0.0.1:4433`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }
}

/// Peers that only listen badly: silent, and closing at once.
#[must_use]
pub fn rude() -> [RawServer; 2] {
    [Manner::Silent, Manner::Closes].map(RawServer::start)
}

/// Reads what is there, so that nothing is left to say, and closes with RST.
fn reset(mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_nonblocking(true)?;
    let _ = connection.read(&mut [0; 4096]);
    set_socket_linger(&connection, Some(Duration::ZERO))?;
    Ok(())
}
