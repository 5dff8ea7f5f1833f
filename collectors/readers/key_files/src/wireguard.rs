//! WireGuard's settings (wg(8), CONFIGURATION FILE FORMAT) and those of systemd
//! (systemd.netdev(5), `[WireGuard]` and `[WireGuardPeer]`).

use pki_encodings::Report;
use pki_inventory::Encryption;
use zeroize::Zeroizing;

use crate::found;
use crate::spki::{self, Plain};
use crate::text::{Reader, Window};

pub const SIGNS: [&[u8]; 3] = [b"[Interface]", b"[Peer]", b"[WireGuard"];

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    Interface,
    Peer,
    #[default]
    Other,
}

/// Reads settings, line by line.
#[derive(Default)]
pub struct Settings {
    section: Section,
    peer: Peer,
}

impl Reader for Settings {
    fn read(&mut self, window: Window<'_>, report: &mut dyn Report) -> usize {
        let (text, end) = (window.text, window.lines_end());
        let mut from = window.from;
        // What is left of a line that was too long to wait for.
        if !window.starts_line(from) {
            from = memchr::memchr(b'\n', &text[from..end]).map_or(end, |line| from + line + 1);
        }
        let lines = &text[from..end];
        let sign = |sign: &&[u8]| memchr::memmem::find(lines, sign).is_some();
        if self.section != Section::Other || SIGNS.iter().any(sign) {
            found::lines(lines).for_each(|line| self.line(line.trim_ascii(), report));
        }
        if window.last {
            self.peer.report(report);
        }
        if window.is_enough(end) { text.len() } else { end }
    }
}

impl Settings {
    fn line(&mut self, line: &[u8], report: &mut dyn Report) {
        if line.starts_with(b"[") {
            self.peer.report(report);
            self.section = match line {
                b"[Interface]" | b"[WireGuard]" => Section::Interface,
                b"[Peer]" | b"[WireGuardPeer]" => Section::Peer,
                _ => Section::Other,
            };
            return;
        }
        if self.section == Section::Other {
            return;
        }
        let Some(equals) = memchr::memchr(b'=', line) else { return };
        let (name, value) = (line[..equals].trim_ascii(), &line[equals + 1..]);
        let value = value.split(|octet| *octet == b'#').next().unwrap_or_default().trim_ascii();
        let peer = &mut self.peer;
        match (self.section, name.to_ascii_lowercase().as_slice()) {
            (Section::Interface, b"privatekey") => interface(value, report),
            (Section::Peer, b"publickey") => peer.key = key(value).map(|key| key.to_vec()),
            (Section::Peer, b"endpoint") => peer.endpoint = found::label(value),
            (Section::Peer, b"presharedkey") if key(value).is_some() => {
                report.secret();
                report.known();
            }
            _ => {}
        }
    }
}

/// A peer is told when its section ends, because its address may follow its key.
#[derive(Default)]
struct Peer {
    key: Option<Vec<u8>>,
    endpoint: Option<String>,
}

impl Peer {
    fn report(&mut self, report: &mut dyn Report) {
        let Self { key, endpoint } = std::mem::take(self);
        if let Some(spki) = key.and_then(|key| spki::plain(Plain::X25519, &key)) {
            found::report_key(&spki, found::public("WireGuard"), endpoint, report);
        }
    }
}

fn interface(value: &[u8], report: &mut dyn Report) {
    let Some(secret) = key(value) else { return };
    report.secret();
    if let Some(spki) = spki::of_x25519_secret(&secret) {
        let form = found::private("WireGuard", Encryption::None);
        found::report_key(&spki, form, None, report);
    }
}

/// A key is 32 octets, which are 44 characters with their padding.
fn key(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if value.len() != 44 {
        return None;
    }
    found::decoded(value, 32).filter(|key| key.len() == 32)
}
