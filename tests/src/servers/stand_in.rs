//! Servers of our own: what no package offers, and what counts its visitors.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{Door, own_address};

/// Something that listens and does with each connection what it was told. It remembers when each
/// of them came.
pub struct RawServer {
    door: Door,
    over: Arc<AtomicBool>,
    visits: Arc<Mutex<Vec<Instant>>>,
}

/// What such a thing does with a connection, in simple cases.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// Takes what comes and says nothing.
    Silent,
    /// Says these octets at once, reads until the other side is done.
    Says(&'static [u8]),
    /// Says these octets after it has heard something, as HTTP servers do.
    Answers(&'static [u8]),
    /// Closes at once.
    Closes,
}

/// A line that a client says, by how it begins, and what is said to it.
pub type Line = (&'static str, &'static str);

/// NNTP with STARTTLS (RFC 4642): the greeting and the answers.
pub const NNTP: (&str, &[Line]) = (
    "200 news.lab.test ready\r\n",
    &[
        ("CAPABILITIES", "101 they are\r\nVERSION 2\r\nREADER\r\nSTARTTLS\r\n.\r\n"),
        ("MODE READER", "200 posting allowed\r\n"),
        ("STARTTLS", "382 go on with TLS\r\n"),
        ("QUIT", "205 bye\r\n"),
    ],
);
/// NNTP without STARTTLS.
pub const NNTP_IN_THE_CLEAR: (&str, &[Line]) = (
    "200 news.lab.test ready\r\n",
    &[
        ("CAPABILITIES", "101 they are\r\nVERSION 2\r\nREADER\r\n.\r\n"),
        ("MODE READER", "200 posting allowed\r\n"),
        ("STARTTLS", "500 no such command\r\n"),
        ("QUIT", "205 bye\r\n"),
    ],
);

impl RawServer {
    /// Listens on an address of its own.
    #[must_use]
    pub fn start(manner: Manner) -> Self {
        Self::serving(None, move |connection| manner.serve(connection))
    }

    /// Does with each connection what a function does; every one has a thread of its own.
    #[must_use]
    pub fn serving(
        opening: Option<&'static str>,
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> Self {
        Self::serving_at((own_address(), 0).into(), opening, serve)
    }

    /// The same at an address.
    #[must_use]
    pub fn serving_at(
        address: SocketAddr,
        opening: Option<&'static str>,
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let door = Door { opening, address: listener.local_addr().unwrap() };
        let over = Arc::new(AtomicBool::new(false));
        let visits = Arc::new(Mutex::new(Vec::new()));
        let (told, seen, serve) = (Arc::clone(&over), Arc::clone(&visits), Arc::new(serve));
        thread::spawn(move || {
            for connection in listener.incoming() {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(connection) = connection {
                    seen.lock().unwrap().push(Instant::now());
                    let serve = Arc::clone(&serve);
                    // One connection must not keep the next one waiting.
                    thread::spawn(move || serve(connection));
                }
            }
        });
        Self { door, over, visits }
    }

    /// Passes every connection on to a server, which it thereby counts.
    #[must_use]
    pub fn before(behind: &Door) -> Self {
        let address = behind.address;
        Self::serving(behind.opening, move |connection| {
            if let Ok(server) = TcpStream::connect(address) {
                pass(connection, server);
            }
        })
    }

    /// Talks lines until the client asks for STARTTLS and is told to go on, then passes the
    /// connection on to a TLS server.
    #[must_use]
    pub fn talking(
        opening: &'static str,
        words: (&'static str, &'static [Line]),
        behind: Option<SocketAddr>,
    ) -> Self {
        Self::talking_at((own_address(), 0).into(), opening, words, behind)
    }

    /// The same at an address.
    #[must_use]
    pub fn talking_at(
        address: SocketAddr,
        opening: &'static str,
        (greeting, lines): (&'static str, &'static [Line]),
        behind: Option<SocketAddr>,
    ) -> Self {
        Self::serving_at(address, Some(opening), move |mut connection| {
            if connection.write_all(greeting.as_bytes()).is_err() {
                return;
            }
            while let Some(said) = read_line(&mut connection) {
                let known = lines.iter().find(|(begin, _)| said.starts_with(begin));
                let (begin, answer) = known.unwrap_or(&("", "500 what?\r\n"));
                if connection.write_all(answer.as_bytes()).is_err() {
                    return;
                }
                if *begin == "STARTTLS"
                    && let Some(server) = behind.and_then(|at| TcpStream::connect(at).ok())
                {
                    return pass(connection, server);
                }
            }
        })
    }

    /// A database server that speaks TDS: PRELOGIN, then TLS inside of its packets (MS-TDS,
    /// 2.2.6.5), from the TLS server behind it; without one it says that it does not encrypt.
    #[must_use]
    pub fn mssql(behind: Option<SocketAddr>) -> Self {
        Self::serving(Some("mssql"), move |mut client| {
            let Some(asked) = read_tds(&mut client) else { return };
            // VERSION at 11 for 6 octets, ENCRYPTION at 17 for 1, end of the list.
            let encryption = if behind.is_some() { 1 } else { 2 };
            let mut answer = vec![0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff];
            answer.extend([16, 0, 0x10, 0x44, 0, 0, encryption]);
            let told = asked.0 == 0x12 && write_tds(&mut client, 0x04, &answer).is_ok();
            let Some(mut server) =
                behind.filter(|_| told).and_then(|at| TcpStream::connect(at).ok())
            else {
                let _ = client.read(&mut [0; 4096]);
                return;
            };
            let (mut to_client, mut from_server) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            let back = thread::spawn(move || {
                let mut buffer = [0; 4000];
                while let Ok(length @ 1..) = from_server.read(&mut buffer) {
                    if write_tds(&mut to_client, 0x12, &buffer[..length]).is_err() {
                        break;
                    }
                }
                let _ = to_client.shutdown(Shutdown::Both);
            });
            while let Some((0x12, payload)) = read_tds(&mut client) {
                if server.write_all(&payload).is_err() {
                    break;
                }
            }
            let _ = server.shutdown(Shutdown::Both);
            let _ = back.join();
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// `127.0.0.1:4433`.
    #[must_use]
    pub fn address(&self) -> String {
        self.door.address.to_string()
    }

    /// The place as the inventory writes it.
    #[must_use]
    pub fn place(&self) -> String {
        self.door.place()
    }

    /// When each connection came.
    #[must_use]
    pub fn visits(&self) -> Vec<Instant> {
        self.visits.lock().unwrap().clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect_timeout(&self.door.address, Duration::from_millis(100));
    }
}

impl Manner {
    /// The other side may go at any time.
    fn serve(self, mut connection: TcpStream) {
        let mut buffer = [0; 4096];
        let said = match self {
            Self::Closes => return,
            Self::Silent => Ok(()),
            Self::Says(octets) => connection.write_all(octets),
            Self::Answers(octets) => match connection.read(&mut buffer) {
                Ok(1..) => {
                    let _ = connection.write_all(octets);
                    return;
                }
                _ => return,
            },
        };
        if said.is_ok() {
            drain(&mut connection);
        }
    }
}

/// Reads until the other side is done.
pub(super) fn drain(connection: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(connection.read(&mut buffer), Ok(1..)) {}
}

/// Passes octets in both directions until one side is done.
fn pass(client: TcpStream, server: TcpStream) {
    let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
    let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
    let there = thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = there.join();
}

/// A line without its end. Octet by octet: what follows STARTTLS is not ours to read.
fn read_line(from: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    let mut octet = [0];
    while line.len() < 1000 {
        from.read_exact(&mut octet).ok()?;
        if octet == *b"\n" {
            return Some(String::from_utf8_lossy(&line).trim_end().to_ascii_uppercase());
        }
        line.push(octet[0]);
    }
    None
}

/// One packet of TDS: its type and what is in it (MS-TDS, 2.2.3.1).
fn read_tds(from: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 8];
    from.read_exact(&mut header).ok()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let mut payload = vec![0; length.checked_sub(8)?];
    from.read_exact(&mut payload).ok()?;
    Some((header[0], payload))
}

fn write_tds(to: &mut TcpStream, kind: u8, payload: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(payload.len() + 8).unwrap().to_be_bytes();
    let mut packet = vec![kind, 1, length[0], length[1], 0, 0, 1, 0];
    packet.extend(payload);
    to.write_all(&packet)
}

/// Many servers on one port of one network, each on its own address, from `.1` on.
#[must_use]
pub fn fleet(
    network: impl Fn(u8) -> Ipv4Addr,
    count: u8,
    port: u16,
    serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static,
) -> Vec<RawServer> {
    (1..=count)
        .map(|last| RawServer::serving_at((network(last), port).into(), None, serve.clone()))
        .collect()
}
