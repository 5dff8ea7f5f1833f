//! Security identifiers ([MS-DTYP], 2.4.2).

use std::fmt;
use std::str::FromStr;

/// A security identifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// The identifier authority.
    pub authority: u64,
    /// The subauthorities; the last one of an account is its relative identifier.
    pub parts: Vec<u32>,
}

/// The most subauthorities there may be ([MS-DTYP], 2.4.2.2).
const MOST_PARTS: usize = 15;

/// What an identifier authority has room for: six octets.
const MOST_AUTHORITY: u64 = 0xffff_ffff_ffff;

/// NT_AUTHORITY, which domains and built-in groups are of ([MS-DTYP], 2.4.1).
const NT: u64 = 5;

impl Sid {
    /// Reads the binary form ([MS-DTYP], 2.4.2.2); the octets end with it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a sentence.
    pub fn parse(octets: &[u8]) -> Result<Self, String> {
        let (sid, length) = Self::first(octets)?;
        if length == octets.len() {
            Ok(sid)
        } else {
            Err(format!(
                "{} octets follow a security identifier of {length}",
                octets.len() - length
            ))
        }
    }

    /// Reads the one that octets begin with, and says how many of them it takes.
    pub(crate) fn first(octets: &[u8]) -> Result<(Self, usize), String> {
        let Some((&[revision, count, a, b, c, d, e, f], rest)) = octets.split_first_chunk() else {
            return Err(format!(
                "a security identifier has at least 8 octets, and here are {}",
                octets.len()
            ));
        };
        if revision != 1 {
            return Err(format!(
                "security identifiers are of revision 1, and this one is of {revision}"
            ));
        }
        let count = usize::from(count);
        if count > MOST_PARTS {
            return Err(format!(
                "a security identifier has at most {MOST_PARTS} subauthorities, and this one {count}"
            ));
        }
        let Some(parts) = rest.get(..count * 4) else {
            return Err(format!(
                "a security identifier ends before the last of its {count} subauthorities"
            ));
        };
        let parts = parts
            .chunks_exact(4)
            .map(|part| part.iter().rev().fold(0, |sum, octet| sum << 8 | u32::from(*octet)))
            .collect();
        let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        Ok((Self { authority, parts }, 8 + count * 4))
    }

    /// One of [MS-DTYP], 2.4.2.4, that is no domain's.
    pub(crate) fn of(authority: u64, parts: &[u32]) -> Self {
        Self { authority, parts: parts.to_vec() }
    }

    /// A built-in group, such as 544 for administrators.
    pub(crate) fn built_in(number: u32) -> Self {
        Self::of(NT, &[32, number])
    }

    pub(crate) fn is_built_in(&self) -> bool {
        self.authority == NT && matches!(self.parts[..], [32, _])
    }

    /// The relative identifier of an account of a domain.
    #[must_use]
    pub fn relative(&self) -> Option<u32> {
        match (self.authority, self.parts.as_slice()) {
            (NT, [21, _, _, _, relative]) => Some(*relative),
            _ => None,
        }
    }

    /// The domain that an account belongs to.
    #[must_use]
    pub fn domain(&self) -> Option<Self> {
        self.relative().map(|_| Self::of(self.authority, &self.parts[..4]))
    }

    /// The account of this domain with a relative identifier.
    #[must_use]
    pub fn account(&self, relative: u32) -> Self {
        let mut parts = self.parts.clone();
        parts.push(relative);
        Self { authority: self.authority, parts }
    }

    /// What it is called, if it is well known ([MS-DTYP], 2.4.2.4).
    #[must_use]
    pub fn well_known(&self) -> Option<&'static str> {
        if let Some(relative) = self.relative() {
            return of_domain(relative);
        }
        match (self.authority, self.parts.as_slice()) {
            (0, [0]) => Some("Nobody"),
            (1, [0]) => Some("Everyone"),
            (3, [0]) => Some("CREATOR OWNER"),
            (3, [1]) => Some("CREATOR GROUP"),
            (3, [4]) => Some("OWNER RIGHTS"),
            (18, [1]) => Some("Authentication authority asserted identity"),
            (18, [2]) => Some("Service asserted identity"),
            (NT, [2]) => Some("NETWORK"),
            (NT, [4]) => Some("INTERACTIVE"),
            (NT, [7]) => Some("ANONYMOUS LOGON"),
            (NT, [9]) => Some("Enterprise Domain Controllers"),
            (NT, [10]) => Some("SELF"),
            (NT, [11]) => Some("Authenticated Users"),
            (NT, [15]) => Some("This Organization"),
            (NT, [18]) => Some("SYSTEM"),
            (NT, [19]) => Some("LOCAL SERVICE"),
            (NT, [20]) => Some("NETWORK SERVICE"),
            (NT, [1000]) => Some("Other Organization"),
            (NT, [32, number]) => of_machine(*number),
            _ => None,
        }
    }
}

/// Accounts and groups that every domain or forest has.
fn of_domain(relative: u32) -> Option<&'static str> {
    Some(match relative {
        498 => "Enterprise Read-only Domain Controllers",
        500 => "Administrator",
        501 => "Guest",
        502 => "krbtgt",
        512 => "Domain Admins",
        513 => "Domain Users",
        514 => "Domain Guests",
        515 => "Domain Computers",
        516 => "Domain Controllers",
        517 => "Cert Publishers",
        518 => "Schema Admins",
        519 => "Enterprise Admins",
        520 => "Group Policy Creator Owners",
        521 => "Read-only Domain Controllers",
        522 => "Cloneable Domain Controllers",
        525 => "Protected Users",
        526 => "Key Admins",
        527 => "Enterprise Key Admins",
        553 => "RAS and IAS Servers",
        571 => "Allowed RODC Password Replication Group",
        572 => "Denied RODC Password Replication Group",
        _ => return None,
    })
}

/// Built-in groups.
fn of_machine(number: u32) -> Option<&'static str> {
    Some(match number {
        544 => r"BUILTIN\Administrators",
        545 => r"BUILTIN\Users",
        546 => r"BUILTIN\Guests",
        547 => r"BUILTIN\Power Users",
        548 => r"BUILTIN\Account Operators",
        549 => r"BUILTIN\Server Operators",
        550 => r"BUILTIN\Print Operators",
        551 => r"BUILTIN\Backup Operators",
        552 => r"BUILTIN\Replicator",
        554 => r"BUILTIN\Pre-Windows 2000 Compatible Access",
        555 => r"BUILTIN\Remote Desktop Users",
        556 => r"BUILTIN\Network Configuration Operators",
        557 => r"BUILTIN\Incoming Forest Trust Builders",
        558 => r"BUILTIN\Performance Monitor Users",
        559 => r"BUILTIN\Performance Log Users",
        560 => r"BUILTIN\Windows Authorization Access Group",
        561 => r"BUILTIN\Terminal Server License Servers",
        562 => r"BUILTIN\Distributed COM Users",
        568 => r"BUILTIN\IIS_IUSRS",
        569 => r"BUILTIN\Cryptographic Operators",
        573 => r"BUILTIN\Event Log Readers",
        574 => r"BUILTIN\Certificate Service DCOM Access",
        580 => r"BUILTIN\Remote Management Users",
        _ => return None,
    })
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An authority that takes more than 32 bits is written in hexadecimal ([MS-DTYP], 2.4.2.1).
        if self.authority > u64::from(u32::MAX) {
            write!(f, "S-1-0x{:012X}", self.authority)?;
        } else {
            write!(f, "S-1-{}", self.authority)?;
        }
        self.parts.iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

impl FromStr for Sid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| format!("`{text}` is no security identifier"))
    }
}

fn read(text: &str) -> Option<Sid> {
    let mut fields = text.split('-');
    if !fields.next()?.eq_ignore_ascii_case("S") || fields.next()? != "1" {
        return None;
    }
    let authority = fields.next()?;
    let authority = match authority.strip_prefix("0x").or_else(|| authority.strip_prefix("0X")) {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()?
        }
        Some(_) => return None,
        None => decimal(authority)?,
    };
    let mut parts = Vec::new();
    for field in fields {
        if parts.len() == MOST_PARTS {
            return None;
        }
        parts.push(u32::try_from(decimal(field)?).ok()?);
    }
    (authority <= MOST_AUTHORITY).then_some(Sid { authority, parts })
}

/// Digits only: what the library reads besides, such as a plus sign, is not in the form.
fn decimal(digits: &str) -> Option<u64> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(text: &str) -> Sid {
        text.parse().unwrap()
    }

    #[test]
    fn octets_and_text_are_two_forms_of_one() {
        let octets =
            [1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 128, 3, 0, 0, 0, 1, 2, 0, 0];
        let read = Sid::parse(&octets).unwrap();
        assert_eq!(read.to_string(), "S-1-5-21-1-2147483648-3-513");
        assert_eq!(sid("s-1-5-21-1-2147483648-3-513"), read);
        assert_eq!(read.relative(), Some(513));
        assert_eq!(read.domain().unwrap().to_string(), "S-1-5-21-1-2147483648-3");
        assert_eq!(read.domain().unwrap().account(513), read);
        assert_eq!(read.well_known(), Some("Domain Users"));
        for length in 0..octets.len() {
            assert!(Sid::parse(&octets[..length]).is_err(), "{length}");
        }
        assert!(Sid::parse(&[&octets[..], &[0]].concat()).is_err());
        assert!(Sid::parse(&[2, 0, 0, 0, 0, 0, 0, 5]).is_err());
        assert!(Sid::parse(&[&[1, 16, 0, 0, 0, 0, 0, 5][..], &[0; 64]].concat()).is_err());
    }

    #[test]
    fn a_long_authority_is_written_in_hexadecimal() {
        let octets = [1, 1, 0xa, 0xb, 0, 0, 0, 1, 7, 0, 0, 0];
        let read = Sid::parse(&octets).unwrap();
        assert_eq!(read.to_string(), "S-1-0x0A0B00000001-7");
        assert_eq!(sid("S-1-0x0A0B00000001-7"), read);
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        for text in [
            "",
            "S",
            "S-1",
            "S-2-5-18",
            "S-1-",
            "S-1-5-",
            "S-1-5-+18",
            "S-1-5-4294967296",
            "S-1-281474976710656-1",
            "S-1-0x+5-1",
            "S-1-0x-1",
            "S-1-5-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
            "X-1-5-18",
        ] {
            assert!(text.parse::<Sid>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_well_known_ones_have_names() {
        for (text, name) in [
            ("S-1-0-0", "Nobody"),
            ("S-1-1-0", "Everyone"),
            ("S-1-3-0", "CREATOR OWNER"),
            ("S-1-3-4", "OWNER RIGHTS"),
            ("S-1-5-7", "ANONYMOUS LOGON"),
            ("S-1-5-11", "Authenticated Users"),
            ("S-1-5-32-545", r"BUILTIN\Users"),
            ("S-1-5-21-1-2-3-527", "Enterprise Key Admins"),
        ] {
            assert_eq!(sid(text).well_known(), Some(name));
        }
        for text in
            ["S-1-5-21-1-2-3-1105", "S-1-5-21-1-2-3", "S-1-5-32-1", "S-1-5-513", "S-1-1-0-0"]
        {
            assert_eq!(sid(text).well_known(), None, "{text}");
        }
        assert_eq!(sid("S-1-5-32-544").relative(), None);
        assert_eq!(sid("S-1-5-21-1-2-3").domain(), None);
    }
}
