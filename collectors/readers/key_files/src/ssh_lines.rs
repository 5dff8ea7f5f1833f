//! Lines of OpenSSH: public keys and certificates as `ssh-keygen` writes them, `authorized_keys`
//! (sshd(8), AUTHORIZED_KEYS FILE FORMAT) and `known_hosts` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
//!
//! Manuals and programs are full of lines that begin like one. A key counts when it has no fault,
//! wherever it stands; a fault counts where every line of the text is meant to be such a line.
//! There a comment is all that follows a key; elsewhere it is one word, for what follows may be the
//! rest of a command with a password in it.

use std::net::Ipv6Addr;

use pki_encodings::Report;
use pki_inventory::KeyForm;

use crate::found;
use crate::ssh_blob::{self, Blob, Problem};
use crate::text::{Reader, Window};

/// What a name of SSH and a key behind it have between them: the length of the name that the key
/// begins with has three octets of zero.
pub const SIGNS: [&[u8]; 2] = [b" AAAA", b"\tAAAA"];

/// How far back a line may begin: sshd reads no longer ones.
const LONGEST_PREFIX: usize = 16 * 1024;
const LONGEST_NAME: usize = 64;
const LONGEST_COMMENT: usize = 1024;
/// Fewer digits are a placeholder, not a broken key.
const LEAST_DIGITS: usize = 40;

/// Options of sshd(8); other words before a key are hosts.
const OPTIONS: &[&str] = &[
    "agent-forwarding",
    "cert-authority",
    "command",
    "environment",
    "expiry-time",
    "from",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "principals",
    "pty",
    "restrict",
    "touch-required",
    "tunnel",
    "user-rc",
    "verify-required",
    "x11-forwarding",
];

/// A line in its parts.
struct Line<'a> {
    /// Options or hosts, with the marker before them.
    before: &'a [u8],
    name: &'a [u8],
    /// The digits of the key.
    digits: &'a [u8],
    comment: &'a [u8],
}

/// Reads lines, as long as all of them are meant to be such lines, and then keys anywhere.
#[derive(Default)]
pub struct Lines {
    /// Another line was there.
    scattered: bool,
    /// Such lines so far.
    count: usize,
}

impl Reader for Lines {
    fn read(&mut self, mut window: Window<'_>, report: &mut dyn Report) -> usize {
        if !self.scattered {
            // One line tells too little about the others.
            if !window.is_enough(window.from) {
                return window.from;
            }
            let end = window.lines_end();
            let lines = &window.text[window.from..end];
            let meant = meant_lines(lines).filter(|count| self.count + count > 0);
            if let Some(count) = meant {
                self.count += count;
                for line in found::lines(lines).filter_map(parts) {
                    meant_line(&line, self.count, report);
                }
                if window.last || !window.is_enough(end) {
                    return end;
                }
                // The next line is longer than one of SSH.
                window.from = end;
            }
            self.scattered = true;
        }
        let limit = window.limit(&SIGNS);
        for sign in SIGNS {
            for at in window.hits(sign, limit) {
                scattered_key(window.text, at + 1, report);
            }
        }
        limit
    }
}

/// How many lines there are, if all but comments are meant to be such lines.
fn meant_lines(text: &[u8]) -> Option<usize> {
    let mut count = 0;
    for line in found::lines(text) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        parts(line).filter(|line| line.digits.len() >= LEAST_DIGITS)?;
        count += 1;
    }
    Some(count)
}

fn meant_line(line: &Line<'_>, count: usize, report: &mut dyn Report) {
    let octets = found::decoded(line.digits, ssh_blob::LARGEST);
    let named = |octets: &[u8]| octets.get(4..).is_some_and(|rest| rest.starts_with(line.name));
    let blob = match &octets {
        Some(octets) if named(octets) => ssh_blob::read(octets),
        _ => Err(Problem::Broken),
    };
    let name = String::from_utf8_lossy(line.name);
    let error = match blob {
        Ok(blob) => {
            let authorised = if count > 1 { "authorized_keys" } else { "OpenSSH" };
            return report_line(line, blob, Some(authorised), report);
        }
        Err(Problem::UnknownType(name)) => {
            format!("a key of the type `{name}`, which is not known here")
        }
        Err(Problem::Broken) => format!("a line of SSH whose key of the type `{name}` is broken"),
    };
    found::report_unparsed(octets.as_ref().map_or(line.digits, |octets| octets), error, report);
}

/// Reads a key whose digits begin here.
fn scattered_key(text: &[u8], at: usize, report: &mut dyn Report) {
    let floor = at.saturating_sub(LONGEST_PREFIX);
    let name_end = floor + text[floor..at].trim_ascii_end().len();
    let near = &text[name_end.saturating_sub(LONGEST_NAME)..name_end];
    let name_length = near.iter().rev().take_while(|octet| is_name(**octet)).count();
    let name = &near[near.len() - name_length..];
    if name.len() < 6 {
        return;
    }
    let digits = digits(&text[at..]);
    let Some(octets) = found::decoded(digits, ssh_blob::LARGEST) else { return };
    let stated = octets.get(4..4 + name.len());
    let (true, Ok(blob)) = (stated == Some(name), ssh_blob::read(&octets)) else { return };
    let behind = &text[at + digits.len()..];
    let behind = &behind[..behind.len().min(LONGEST_COMMENT)];
    let line_end = memchr::memchr(b'\n', behind).unwrap_or(behind.len());
    let start = floor + memchr::memrchr(b'\n', &text[floor..at]).map_or(0, |end| end + 1);
    let line = parts(&text[start..at + digits.len() + line_end]);
    match line.filter(|line| line.digits == digits && (start > floor || floor == 0)) {
        Some(line) if line.before.is_empty() || telling(line.before) => {
            let line = Line { comment: first_word(line.comment), ..line };
            report_line(&line, blob, None, report);
        }
        _ => {
            // A quotation ends where its marks do.
            let comment = &behind[..line_end];
            let end = memchr::memchr3(b'"', b'\'', b'\\', comment).unwrap_or(comment.len());
            let end = memchr::memchr3(b'<', b'`', b'>', &comment[..end]).unwrap_or(end);
            let comment = first_word(&comment[..end]);
            let line = Line { before: b"", name, digits, comment };
            report_line(&line, blob, None, report);
        }
    }
}

fn first_word(comment: &[u8]) -> &[u8] {
    let comment = comment.trim_ascii_start();
    comment.split(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// Whether this stands before keys of SSH and hardly before anything else.
fn telling(before: &[u8]) -> bool {
    options(before).is_some()
        || (before.iter().any(|octet| b"@.:|[*,".contains(octet)) && are_hosts(before))
}

/// Whether these are the hosts of a line of `known_hosts`, and no name with a password behind it.
fn are_hosts(before: &[u8]) -> bool {
    let hosts = match before.split_first() {
        Some((b'@', _)) => before[word(before).len()..].trim_ascii_start(),
        _ => before,
    };
    !hosts.is_empty() && hosts.split(|octet| *octet == b',').all(is_host)
}

/// A name, an address or a pattern of them, with a port or without, perhaps hashed.
fn is_host(host: &[u8]) -> bool {
    let host = host.strip_prefix(b"!").unwrap_or(host);
    let port = |port: &[u8]| (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    let named = |octet: &u8| octet.is_ascii_alphanumeric() || b".-_*?".contains(octet);
    let plain = |name: &[u8]| {
        let address = std::str::from_utf8(name).ok();
        let address = address.and_then(|text| text.split('%').next()?.parse::<Ipv6Addr>().ok());
        let zone = |octet: &u8| named(octet) || b":%".contains(octet);
        !name.is_empty() && (name.iter().all(named) || (address.is_some() && name.iter().all(zone)))
    };
    if let Some(hashed) = host.strip_prefix(b"|1|") {
        let digit = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=|".contains(octet);
        return hashed.iter().all(digit);
    }
    if let Some(bracketed) = host.strip_prefix(b"[") {
        let Some(end) = memchr::memchr(b']', bracketed) else { return false };
        let behind = &bracketed[end + 1..];
        let ported = behind.strip_prefix(b":").is_some_and(port);
        return plain(&bracketed[..end]) && (behind.is_empty() || ported);
    }
    // A name without a dot may be one of a user, and digits behind it a password.
    match memchr::memchr(b':', host).map(|colon| (&host[..colon], &host[colon + 1..])) {
        Some((name, number)) if name.contains(&b'.') => name.iter().all(named) && port(number),
        _ => plain(host),
    }
}

fn is_name(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-@._".contains(&octet)
}

fn digits(text: &[u8]) -> &[u8] {
    let most = ssh_blob::LARGEST / 3 * 4 + 8;
    let is_digit = |octet: &&u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
    &text[..text.iter().take(most).take_while(is_digit).count()]
}

/// Takes a line apart. `None` when it has no name of a key and digits in the places for them.
fn parts(line: &[u8]) -> Option<Line<'_>> {
    let line = line.trim_ascii();
    let (mut before, mut rest) = (0, line);
    // A marker, then hosts or options, then the name.
    for _ in 0..3 {
        let word = word(rest);
        let behind = rest[word.len()..].trim_ascii_start();
        if is_type(word) && behind.starts_with(b"AAAA") {
            let digits = digits(behind);
            let comment = behind[digits.len()..].trim_ascii();
            let before = line[..before].trim_ascii_end();
            return Some(Line { before, name: word, digits, comment });
        }
        if word.is_empty() || (before > 0 && !line.starts_with(b"@")) {
            return None;
        }
        before = line.len() - behind.len();
        rest = behind;
    }
    None
}

/// The first word; blanks in quotation marks do not end it.
fn word(line: &[u8]) -> &[u8] {
    let mut quoted = false;
    let mut escaped = false;
    for (at, octet) in line.iter().enumerate() {
        match octet {
            b'"' if !escaped => quoted = !quoted,
            b' ' | b'\t' if !quoted => return &line[..at],
            _ => {}
        }
        escaped = *octet == b'\\' && !escaped;
    }
    line
}

fn is_type(word: &[u8]) -> bool {
    let named = [&b"ssh-"[..], b"ecdsa-sha2-", b"sk-"].iter().any(|begin| word.starts_with(begin));
    (named || word.ends_with(b"@openssh.com"))
        && (6..=LONGEST_NAME).contains(&word.len())
        && word.iter().all(|octet| is_name(*octet))
}

/// The options that are worth telling, if all of these are options.
fn options(before: &[u8]) -> Option<Vec<String>> {
    let mut told = Vec::new();
    let mut rest = before;
    loop {
        let option = option(rest);
        let name = option.split(|octet| *octet == b'=').next().unwrap_or_default();
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        if OPTIONS.binary_search(&name.as_str()).is_err() {
            return None;
        }
        match name.as_str() {
            "cert-authority" | "restrict" => told.push(name),
            "from" => told.extend(found::label(option)),
            _ => {}
        }
        match rest[option.len()..].split_first() {
            Some((_, behind)) => rest = behind,
            None => return Some(told),
        }
    }
}

/// The first option; a comma in quotation marks does not end it.
fn option(text: &[u8]) -> &[u8] {
    let mut quoted = false;
    let mut escaped = false;
    for (at, octet) in text.iter().enumerate() {
        match octet {
            b'"' if !escaped => quoted = !quoted,
            b',' if !quoted => return &text[..at],
            _ => {}
        }
        escaped = *octet == b'\\' && !escaped;
    }
    text
}

fn report_line(line: &Line<'_>, blob: Blob, plain: Option<&str>, report: &mut dyn Report) {
    let mut told = Vec::new();
    let (encoding, named) = match options(line.before) {
        _ if line.before.is_empty() => (plain.unwrap_or("OpenSSH"), found::label(line.comment)),
        Some(options) => {
            told = options;
            ("authorized_keys", found::label(line.comment))
        }
        None if are_hosts(line.before) => ("known_hosts", found::label(line.before)),
        // Whatever it is, it is not repeated.
        None => ("OpenSSH", found::label(line.comment)),
    };
    if blob.security_key {
        told.push("security key".to_owned());
    }
    let label = match (named, told.is_empty()) {
        (named, true) => named,
        (Some(named), false) => found::label(format!("{named} ({})", told.join(", ")).as_bytes()),
        (None, false) => found::label(format!("({})", told.join(", ")).as_bytes()),
    };
    let certificate = blob.certificate;
    let encoding = if certificate.is_some() { "OpenSSH certificate" } else { encoding };
    let form: KeyForm = found::public(encoding);
    if let Some(mut object) = found::key(&blob.spki, form, label)
        && !report.is_full()
    {
        object.ssh_certificate = certificate;
        report.object(object);
    }
}
