//! Servers on loopback, each on an address of its own, ended when the value goes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::agent::Running;
use crate::certificates::{Issued, path};

/// A server may take this long until it listens.
const START: Duration = Duration::from_secs(20);

/// A real TLS server.
pub struct TlsServer {
    running: Running,
    address: SocketAddr,
    /// Configuration and log.
    folder: tempfile::TempDir,
}

/// Something that listens and speaks no TLS.
pub struct RawServer {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

/// What such a thing does with a connection.
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

/// An address of 127.0.0.0/8 that nobody else in these tests uses.
#[must_use]
pub fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = number.to_be_bytes();
    let [.., process] = std::process::id().to_be_bytes();
    // From 127.64 on, and no last octet of 0 or 255.
    Ipv4Addr::new(127, 64 + process % 128, high.wrapping_mul(2) + low / 200, 1 + low % 200)
}

/// A port of this address on which nothing listens.
#[must_use]
pub fn free_port(address: Ipv4Addr) -> SocketAddr {
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
}

impl TlsServer {
    /// `openssl s_server` with a certificate and more options.
    #[must_use]
    pub fn openssl(issued: &Issued, options: &[&str]) -> Self {
        Self::openssl_at(free_port(own_address()), issued, options)
    }

    /// The same at an address.
    #[must_use]
    pub fn openssl_at(address: SocketAddr, issued: &Issued, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accept = address.to_string();
        let mut command = Command::new("openssl");
        // Without -www it ends as soon as standard input does.
        command.args(["s_server", "-www", "-accept", &accept, "-cert"]).arg(&issued.certificate);
        command.arg("-key").arg(&issued.key);
        if !issued.chain.is_empty() {
            let chain = folder.path().join("chain.pem");
            let texts: Vec<String> =
                issued.chain.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
            fs::write(&chain, texts.concat()).unwrap();
            command.arg("-cert_chain").arg(chain);
        }
        command.args(options);
        Self::start(command, address, folder)
    }

    /// nginx with one site a name, on one socket; the first serves whoever sends no name.
    #[must_use]
    pub fn nginx(address: SocketAddr, sites: &[(&str, &Issued)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = nginx();
        let built = Command::new(&program).arg("-V").output().unwrap_or_else(|error| {
            panic!("nginx could not be started ({error}); tests/run installs it")
        });
        let built = String::from_utf8_lossy(&built.stderr).into_owned();
        let mut text = "daemon off;\nmaster_process off;\nerror_log stderr;\nevents {}\nhttp {\n\
                        access_log off;\n"
            .to_owned();
        // Its own places are not everybody's to write to.
        for module in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            if !built.contains(&format!("--without-http_{module}_module")) {
                let place = folder.path().join(module);
                text += &format!("{module}_temp_path {};\n", path(&place));
            }
        }
        for (name, issued) in sites {
            text += &format!(
                "server {{ listen {address} ssl; server_name {name}; ssl_certificate {}; \
                 ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3; return 204; }}\n",
                path(&issued.certificate),
                path(&issued.key)
            );
        }
        text += "}\n";
        let configuration = folder.path().join("nginx.conf");
        let pid = format!("pid {};", path(&folder.path().join("pid")));
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(configuration).args(["-g", &pid]);
        Self::start(command, address, folder)
    }

    fn start(mut command: Command, address: SocketAddr, folder: tempfile::TempDir) -> Self {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Self { running: Running::start(&mut command), address, folder };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = server.running.child().try_wait().unwrap();
            assert!(
                ended.is_none() && begin.elapsed() < START,
                "{command:?} does not listen at {address}:\n{}",
                server.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// `127.0.0.1:4433`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The place as the inventory writes it.
    #[must_use]
    pub fn place(&self) -> String {
        format!("tls://{}", self.address)
    }

    /// What it printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl RawServer {
    /// Listens on an address of its own.
    #[must_use]
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((own_address(), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(connection) = connection {
                    // One connection must not keep the next one waiting.
                    thread::spawn(move || manner.serve(connection));
                }
            }
        });
        Self { address, over }
    }

    /// `127.0.0.1:4433`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The place as the inventory writes it.
    #[must_use]
    pub fn place(&self) -> String {
        format!("tls://{}", self.address)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(self.address);
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
        while said.is_ok() && matches!(connection.read(&mut buffer), Ok(1..)) {}
    }
}

/// Debian has it where not every user looks.
fn nginx() -> PathBuf {
    let usual = PathBuf::from("/usr/sbin/nginx");
    if usual.exists() { usual } else { PathBuf::from("nginx") }
}
