//! Servers on loopback, each on an address of its own, ended when the value goes.
//!
//! The real ones come from Debian packages and are named after their programs. What no package
//! offers stands in for itself: see [`stand_in`], [`old`] and [`hostile`].

mod chat;
mod databases;
mod desktop;
mod directory;
mod files;
pub mod hostile;
mod mail;
mod nginx;
pub mod old;
mod openssl;
mod rustls;
pub mod samba;
pub mod stand_in;
mod started;
pub mod tokens;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use directory::Entries;
pub use openssl::OpenSsl;
pub use stand_in::{Manner, RawServer};
pub use started::TlsServer;

/// Where a server listens, and what comes before TLS there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The protocol inside of which TLS is asked for, as targets write it.
    pub opening: Option<&'static str>,
    /// Address and port.
    pub address: SocketAddr,
}

impl Door {
    /// A free port of an address.
    #[must_use]
    pub fn free(address: Ipv4Addr, opening: Option<&'static str>) -> Self {
        Self { opening, address: free_port(address) }
    }

    /// The target, told in full: `smtp+tls://127.64.0.1:2525`.
    #[must_use]
    pub fn target(&self) -> String {
        match self.opening {
            Some(opening) => format!("{opening}+tls://{}", self.address),
            None => self.address.to_string(),
        }
    }

    /// The place as the inventory writes it.
    #[must_use]
    pub fn place(&self) -> String {
        match self.opening {
            Some(opening) => format!("{opening}+tls://{}", self.address),
            None => format!("tls://{}", self.address),
        }
    }

    /// The same with a server name.
    #[must_use]
    pub fn place_of(&self, server_name: &str) -> String {
        format!("{}?sni={server_name}", self.place())
    }
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

/// An address of a /24 of 127.0.0.0/8 that nobody else in these tests uses.
pub fn own_network() -> impl Fn(u8) -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let [.., number] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let [.., process] = std::process::id().to_be_bytes();
    // Above those of `own_address`.
    move |last| Ipv4Addr::new(127, 192 + process % 63, number, last)
}

/// Some tests count who comes, and one asks everything that listens on this machine.
static VISITORS: RwLock<()> = RwLock::new(());

/// Held by a test as long as it counts visits: nobody else's agent comes.
pub fn undisturbed() -> RwLockReadGuard<'static, ()> {
    VISITORS.read().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a test as long as it visits everybody.
pub fn disturbing() -> RwLockWriteGuard<'static, ()> {
    VISITORS.write().unwrap_or_else(PoisonError::into_inner)
}

/// A port of this address on which nothing listens.
#[must_use]
pub fn free_port(address: Ipv4Addr) -> SocketAddr {
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
}
