//! Text, window by window: where each reader is in it, and what it still needs of it.

use pki_encodings::Report;

use crate::{age, gnupg, jose, putty, ssh_lines, ssh_private, wireguard};

/// What a reader may want to see of a key behind its sign. No reader looks further, so what has as
/// many octets behind it is read, and a key that is longer is given up.
pub const AHEAD: usize = 256 * 1024;

/// What a reader may want to see in front of a sign: the options before a key of SSH, the members
/// of a JSON Web Key before its type.
const BEFORE: usize = 64 * 1024;

/// More than the longest sign.
const LONGEST_SIGN: usize = 64;

/// Reads what lies in text outside of blocks of PEM: lines of OpenSSH (public keys, certificates,
/// `authorized_keys`, `known_hosts`), blocks of ssh.com, PuTTY key files, private keys of GnuPG,
/// JSON Web Keys, WireGuard settings, identities of age. It keeps its place between windows.
pub struct Text {
    readers: Vec<Placed>,
}

/// A reader, and how much of the window it is done with.
struct Placed {
    reader: Box<dyn Reader + Send>,
    at: usize,
}

/// One of the readers.
pub trait Reader {
    /// Reads what is there from `window.from` on and returns where it goes on. What may be cut by
    /// the end of the window waits, if the window is not the last one.
    fn read(&mut self, window: Window<'_>, report: &mut dyn Report) -> usize;

    /// The next window begins as many octets later.
    fn moved(&mut self, _octets: usize) {}
}

/// A part of a text. What is in front of `from` was read and is there to look back at.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    pub text: &'a [u8],
    pub from: usize,
    pub last: bool,
}

impl<'a> Window<'a> {
    /// Where the signs end that can be read: the others wait for what is behind them.
    pub fn limit(self, signs: &[&[u8]]) -> usize {
        let end = self.text.len();
        if self.last {
            return end;
        }
        let tail = end.saturating_sub(AHEAD).max(self.from);
        let near = &self.text[tail..];
        let first = signs.iter().filter_map(|sign| memchr::memmem::find(near, sign)).min();
        first.map_or(end.saturating_sub(LONGEST_SIGN).max(self.from), |first| tail + first)
    }

    /// Where this sign begins, before this limit.
    pub fn hits(self, sign: &'a [u8], limit: usize) -> impl Iterator<Item = usize> + 'a {
        let (from, end) = (self.from, self.text.len().min(limit + sign.len() - 1));
        let text = self.text.get(from..end).unwrap_or_default();
        memchr::memmem::find_iter(text, sign).map(move |hit| from + hit)
    }

    /// Where the lines end that are all there.
    pub fn lines_end(self) -> usize {
        let rest = &self.text[self.from..];
        if self.last {
            return self.text.len();
        }
        self.from + memchr::memrchr(b'\n', rest).map_or(0, |end| end + 1)
    }

    /// Whether more of the text than there is from this place on is not worth waiting for.
    pub fn is_enough(self, from: usize) -> bool {
        self.last || self.text.len() - from >= AHEAD
    }

    /// Whether a line begins at this place.
    pub fn starts_line(self, at: usize) -> bool {
        at == 0 || self.text[at - 1] == b'\n'
    }
}

/// A reader that remembers nothing.
struct Plain(fn(Window<'_>, &mut dyn Report) -> usize);

impl Reader for Plain {
    fn read(&mut self, window: Window<'_>, report: &mut dyn Report) -> usize {
        (self.0)(window, report)
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Text {
    /// At the start of a text.
    #[must_use]
    pub fn new() -> Self {
        let readers: [Box<dyn Reader + Send>; 7] = [
            Box::new(ssh_lines::Lines::default()),
            Box::new(Plain(ssh_private::ssh2)),
            Box::new(Plain(putty::read)),
            Box::new(gnupg::Keys::default()),
            Box::new(jose::Keys::default()),
            Box::new(wireguard::Settings::default()),
            Box::new(Plain(age::read)),
        ];
        Self { readers: readers.map(|reader| Placed { reader, at: 0 }).into() }
    }

    /// Looks through the next window and reports what ends in it. Returns how many octets are done
    /// with; the rest has to stand at the front of the next window, which may be cut anywhere and
    /// has to be larger than 320 KiB to get on. Some things are told when the last one was there.
    pub fn feed(&mut self, window: &[u8], last: bool, report: &mut dyn Report) -> usize {
        for placed in &mut self.readers {
            let from = placed.at.min(window.len());
            let at = placed.reader.read(Window { text: window, from, last }, report);
            placed.at = at.clamp(from, window.len());
        }
        let least = self.readers.iter().map(|placed| placed.at).min().unwrap_or(window.len());
        let done = if last { window.len() } else { least.saturating_sub(BEFORE) };
        for placed in &mut self.readers {
            placed.at = placed.at.saturating_sub(done);
            placed.reader.moved(done);
        }
        done
    }
}
