//! A row on its way: what its cells say, and dates whose order is not told yet.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pki_encodings::der_shape::{Shape, announced, shape};
use pki_encodings::tlv::{INTEGER, Reader, SEQUENCE, UTF8_STRING};
use pki_inventory::{Digest, Disposition, Issuance};

use super::Row;
use super::columns::Column;
use super::dates::{self, Order, Tells, Written};
use crate::ldif::Damage;
use crate::lines::quoted;

/// The most octets of a certificate.
const LARGEST_CERTIFICATE: usize = 1 << 20;
/// `SET OF` (X.690, 8.12).
const SET: u8 = 0x31;
/// `PrintableString` and `IA5String`.
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;
const BMP: u8 = 0x1e;

/// A row.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Where it begins.
    line: u64,
    /// The columns that were seen, each once.
    seen: Vec<Column>,
    request: Option<u64>,
    disposition: Option<Disposition>,
    serial: Option<String>,
    requester: Option<String>,
    template: Option<String>,
    common_name: Option<String>,
    not_before: Option<Written>,
    not_after: Option<Written>,
    revoked: Option<Written>,
    revoked_from: Option<Written>,
    reason: Option<String>,
    certificate: Option<Vec<u8>>,
    month_first: bool,
    day_first: bool,
    /// What is wrong with it: no more than one thing for each column, and so few.
    faults: Vec<String>,
}

impl Draft {
    pub(super) fn new(line: u64) -> Self {
        Self { line, ..Self::default() }
    }

    /// Takes a cell. Of two cells of one column the first counts: what comes later may be text inside
    /// of another cell.
    pub(super) fn cell(&mut self, column: Column, text: &str) {
        if self.seen.contains(&column) {
            return;
        }
        self.seen.push(column);
        let bare = unquoted(text);
        if bare.is_empty() || bare.eq_ignore_ascii_case("EMPTY") {
            return;
        }
        match column {
            Column::Request => match number(bare) {
                Some(number) => self.request = Some(number),
                None => self.wrong("is no number of a request", bare),
            },
            Column::Disposition => self.disposition = Some(disposition(bare)),
            Column::Serial => match serial(bare) {
                Some(serial) => self.serial = Some(serial),
                None => self.wrong("is no serial number in hexadecimal", bare),
            },
            Column::Requester => self.requester = Some(crate::clean(bare)),
            Column::Template => self.template = Some(template(text)),
            Column::CommonName => self.common_name = Some(crate::clean(bare)),
            Column::NotBefore => self.not_before = self.date(bare),
            Column::NotAfter => self.not_after = self.date(bare),
            Column::Revoked => self.revoked = self.date(bare),
            Column::RevokedFrom => self.revoked_from = self.date(bare),
            Column::OtherDate => {
                self.date(bare);
            }
            Column::Reason => self.reason = Some(crate::clean(bare)),
            Column::Certificate => self.text_of_certificate(bare),
        }
    }

    /// Whether a certificate that is shown now is the row's: the first one is.
    pub(super) fn begins_certificate(&mut self) -> bool {
        let is_first = !self.seen.contains(&Column::Certificate);
        if is_first {
            self.seen.push(Column::Certificate);
        }
        is_first
    }

    /// Takes the base64 of the certificate, with or without the lines of PEM around it.
    fn text_of_certificate(&mut self, text: &str) {
        // As CSV, `certutil` writes how long it is: `1657 Bytes`.
        if text.len() < 64 {
            return;
        }
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("-----"));
        let base64: String = lines.flat_map(str::split_whitespace).collect();
        self.certificate(&base64);
    }

    /// Takes the base64 of the certificate.
    pub(super) fn certificate(&mut self, base64: &str) {
        let der = BASE64_STANDARD.decode(base64).unwrap_or_default();
        let whole = announced(&der) == Some(der.len()) && der.len() <= LARGEST_CERTIFICATE;
        if shape(&der) == Some(Shape::Certificate) && whole {
            self.certificate = Some(der);
        } else {
            self.faults.push("the certificate in it is not readable".to_owned());
        }
    }

    fn date(&mut self, text: &str) -> Option<Written> {
        let Some((written, tells)) = dates::read(text) else {
            self.wrong("is no date that can be read", text);
            return None;
        };
        self.month_first |= tells == Tells::MonthFirst;
        self.day_first |= tells == Tells::DayFirst;
        Some(written)
    }

    fn wrong(&mut self, what: &str, text: &str) {
        self.faults.push(format!("{} {what}", quoted(text.as_bytes())));
    }

    /// Adds what its dates tell of the order of day and month.
    pub(super) fn tell(&self, order: &mut Order) {
        if self.month_first {
            order.take(Tells::MonthFirst);
        }
        if self.day_first {
            order.take(Tells::DayFirst);
        }
    }

    /// Octets that it keeps.
    pub(super) fn octets(&self) -> usize {
        self.certificate.as_ref().map_or(0, Vec::len)
    }

    /// Whether a date of it depends on what others tell.
    pub(super) fn is_undecided(&self) -> bool {
        let dates = [self.not_before, self.not_after, self.revoked, self.revoked_from];
        dates.iter().flatten().any(|date| matches!(date, Written::Either { .. }))
    }

    /// Hands the row over, if it is one, and what is wrong with it.
    pub(super) fn finish(mut self, found: &mut Vec<Result<Self, Damage>>) {
        if self.serial.is_none()
            && let Some(der) = &self.certificate
        {
            self.serial = serial_of(der);
        }
        let line = self.line;
        let mut faults = std::mem::take(&mut self.faults);
        if self.serial.is_none() && self.request.is_none() {
            // Without either it could not be told from others.
            faults.push("the row has neither a serial number nor a number of a request".to_owned());
        } else {
            found.push(Ok(self));
        }
        if !faults.is_empty() {
            found.push(Err(Damage { line, what: faults.join("; ") }));
        }
    }

    /// The row, now that all is told that will be.
    pub(super) fn row(self, order: &Order, authority: Option<&str>) -> Row {
        let by = |date: Option<Written>| date.and_then(|date| date.by(order));
        let issuer = || self.certificate.as_deref().and_then(issuer_of);
        let issuance = Issuance {
            authority: authority.map(str::to_owned).or_else(issuer),
            request: self.request,
            disposition: self
                .disposition
                .unwrap_or_else(|| Disposition::Other("not in the export".to_owned())),
            serial: self.serial,
            requester: self.requester,
            template: self.template,
            common_name: self.common_name,
            not_before: by(self.not_before),
            not_after: by(self.not_after),
            revoked: by(self.revoked).or_else(|| by(self.revoked_from)),
            revocation_reason: self.reason,
            certificate: self.certificate.as_deref().map(Digest::of),
        };
        Row { issuance, certificate: self.certificate }
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text).trim()
}

/// `0x5 (5)`, `0x5` or `5`.
fn number(text: &str) -> Option<u64> {
    let first = text.split_whitespace().next()?;
    match first.strip_prefix("0x").or_else(|| first.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')),
        None => first.parse().ok().filter(|_| !first.starts_with('+')),
    }
}

/// `0x14 (20) -- Issued`, `20 -- Issued`, `20` or `Issued` ([MS-CSRA], 3.1.1.1.2).
fn disposition(text: &str) -> Disposition {
    match number(text) {
        Some(15 | 16 | 17 | 20) => Disposition::Issued,
        Some(21) => Disposition::Revoked,
        Some(30) => Disposition::Failed,
        Some(31) => Disposition::Denied,
        Some(8 | 9) => Disposition::Pending,
        Some(_) => Disposition::Other(crate::clean(text)),
        None => match text.to_lowercase().as_str() {
            "issued" | "ausgestellt" => Disposition::Issued,
            "revoked" | "gesperrt" | "widerrufen" => Disposition::Revoked,
            "error" | "failed" | "fehler" | "fehlgeschlagen" => Disposition::Failed,
            "denied" | "verweigert" | "abgelehnt" => Disposition::Denied,
            "pending" | "under submission" | "ausstehend" => Disposition::Pending,
            _ => Disposition::Other(crate::clean(text)),
        },
    }
}

/// Hexadecimal in lower case without leading zeros. What a spreadsheet made a number of is none.
fn serial(text: &str) -> Option<String> {
    /// Twice what RFC 5280, 4.1.2.2 allows.
    const LONGEST: usize = 80;
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':')).collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits).to_ascii_lowercase();
    let fits = (1..=LONGEST).contains(&digits.len());
    if !fits || !digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() { "0".to_owned() } else { digits.to_owned() })
}

/// `"1.3.6.1.4.1.311.21.8.…" Web` has both; the name is what other rows, and people, say. Of an OID
/// alone there is only the OID.
fn template(text: &str) -> String {
    let text = text.trim();
    let is_oid = |text: &str| {
        text.contains('.') && text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')
    };
    let (first, rest) = match text.strip_prefix('"').and_then(|text| text.split_once('"')) {
        Some((first, rest)) => (first, rest.trim()),
        None => (text, ""),
    };
    // In CSV both stand within one pair of quotes.
    let (first, rest) = match first.split_once(' ') {
        Some((oid, name)) if rest.is_empty() && is_oid(oid) => (oid, name.trim()),
        _ => (first, rest),
    };
    crate::clean(if is_oid(first) && !rest.is_empty() { rest.trim_matches('"') } else { first })
}

/// The fields of a certificate up to its issuer (RFC 5280, 4.1): serial number and issuer.
fn head(der: &[u8]) -> Option<(&[u8], Reader<'_>)> {
    let mut outer = Reader(der);
    let mut signed = outer.take(SEQUENCE)?.inside().take(SEQUENCE)?.inside();
    // `[0]`: the version, absent in the first one.
    let _ = signed.take(0xa0);
    let serial = signed.take(INTEGER)?.value;
    signed.take(SEQUENCE)?;
    Some((serial, signed.take(SEQUENCE)?.inside()))
}

fn serial_of(der: &[u8]) -> Option<String> {
    let (octets, _) = head(der)?;
    serial(&octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>())
}

/// The common name of the issuer.
fn issuer_of(der: &[u8]) -> Option<String> {
    let (_, mut names) = head(der)?;
    while let Some(set) = names.take(SET) {
        let mut fields = set.inside().take(SEQUENCE)?.inside();
        if fields.any()?.oid().as_deref() != Some("2.5.4.3") {
            continue;
        }
        let value = fields.any()?;
        let text = match value.tag {
            UTF8_STRING | PRINTABLE | IA5 => std::str::from_utf8(value.value).ok()?.to_owned(),
            BMP => {
                let (units, _) = value.value.as_chunks::<2>();
                let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
                String::from_utf16(&units).ok()?
            }
            _ => return None,
        };
        return Some(crate::clean(&text));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_called_by_its_name_where_it_has_one() {
        for (text, expected) in [
            ("\"1.3.6.1.4.1.311.21.8.1\" Web", "Web"),
            ("1.3.6.1.4.1.311.21.8.1 Web Server", "Web Server"),
            ("\"1.3.6.1.4.1.311.21.8.1 Web\"", "Web"),
            ("\"Machine\"", "Machine"),
            ("Machine", "Machine"),
            ("\"1.2.3\"", "1.2.3"),
            ("Web 2.0", "Web 2.0"),
        ] {
            assert_eq!(template(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_and_dispositions_are_read_in_all_their_forms() {
        for (text, expected) in
            [("0x5 (5)", Some(5)), ("0x1f", Some(31)), ("47", Some(47)), ("x", None), ("+1", None)]
        {
            assert_eq!(number(text), expected, "{text}");
        }
        for (text, expected) in [
            ("0x14 (20) -- Issued", Disposition::Issued),
            ("20 -- Ausgestellt", Disposition::Issued),
            ("0xf (15) -- CA Cert", Disposition::Issued),
            ("21", Disposition::Revoked),
            ("Gesperrt", Disposition::Revoked),
            ("0x1e (30) -- Error", Disposition::Failed),
            ("31 -- Denied", Disposition::Denied),
            ("9 -- Under Submission", Disposition::Pending),
            ("12 -- Foreign", Disposition::Other("12 -- Foreign".to_owned())),
        ] {
            assert_eq!(disposition(text), expected, "{text}");
        }
    }

    #[test]
    fn a_serial_number_has_no_leading_zeros_and_no_exponent() {
        for (text, expected) in [
            ("6100000005A1", Some("6100000005a1")),
            ("00a1", Some("a1")),
            ("00", Some("0")),
            ("61 00", Some("6100")),
            ("6.1E+25", None),
            ("", None),
        ] {
            assert_eq!(serial(text).as_deref(), expected, "{text}");
        }
    }
}
