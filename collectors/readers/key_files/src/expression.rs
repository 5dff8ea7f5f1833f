//! S-expressions as GnuPG keeps private keys in (libgcrypt's manual, "S-expressions"): the canonical
//! form with counted strings and the one for people, as far as public parameters.
//!
//! Nothing is copied but the parameter that is asked for; secret ones are stepped over.

use std::collections::BTreeMap;

/// Lists in lists, at most.
const DEEPEST: usize = 12;
/// Parameters of a key, at most.
const MOST_VALUES: usize = 32;

/// `(head (algorithm (name value) …))`.
pub struct Expression<'a> {
    pub head: &'a [u8],
    pub algorithm: &'a [u8],
    values: BTreeMap<&'a [u8], Atom<'a>>,
    /// The way of protection, where there is one.
    pub protected: Option<Vec<u8>>,
    /// Iterations of the derivation.
    pub count: Option<u32>,
}

#[derive(Clone, Copy)]
enum Atom<'a> {
    Raw(&'a [u8]),
    Hexadecimal(&'a [u8]),
}

enum Token<'a> {
    Open,
    Close,
    Atom(Atom<'a>),
}

impl Expression<'_> {
    /// The octets of a parameter.
    pub fn value(&self, name: &str) -> Option<Vec<u8>> {
        self.values.get(name.as_bytes())?.octets()
    }
}

impl Atom<'_> {
    fn octets(self) -> Option<Vec<u8>> {
        match self {
            Self::Raw(octets) => Some(octets.to_vec()),
            Self::Hexadecimal(digits) => {
                let digits: Vec<u8> =
                    digits.iter().copied().filter(|digit| !digit.is_ascii_whitespace()).collect();
                let value = |digit: u8| char::from(digit).to_digit(16);
                let pairs = digits.chunks(2).map(|pair| match pair {
                    [high, low] => u8::try_from(value(*high)? << 4 | value(*low)?).ok(),
                    _ => None,
                });
                pairs.collect()
            }
        }
    }
}

/// Reads the expression that begins here, if it is one of a key and ends.
pub fn read(text: &[u8]) -> Option<Expression<'_>> {
    let (mut head, mut algorithm): (&[u8], &[u8]) = (b"", b"");
    let (mut values, mut protected, mut count) = (BTreeMap::new(), None, None);
    // The first atom of the list that is open at the third level, and atoms behind it.
    let (mut name, mut behind): (&[u8], usize) = (b"", 0);
    let (mut depth, mut rest) = (0usize, text);
    // The list for the derivation: `(hash salt count)`.
    let mut derivation = 0usize;
    loop {
        match token(&mut rest)? {
            Token::Open => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
                if depth == 3 {
                    (name, behind) = (b"", 0);
                }
                derivation = 0;
            }
            Token::Close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    break;
                }
            }
            Token::Atom(atom) => match (depth, atom) {
                (0, _) => return None,
                (1, Atom::Raw(word)) if head.is_empty() => head = word,
                (2, Atom::Raw(word)) if algorithm.is_empty() => algorithm = word,
                (3, Atom::Raw(word)) if name.is_empty() => name = word,
                (3, atom) => {
                    behind += 1;
                    if behind == 1 && name == b"protected" {
                        protected = atom.octets();
                    } else if behind == 1 && values.len() < MOST_VALUES {
                        values.insert(name, atom);
                    }
                }
                (5, atom) if name == b"protected" => {
                    derivation += 1;
                    if derivation == 3 {
                        count = number(atom);
                    }
                }
                _ => {}
            },
        }
    }
    let known = head.ends_with(b"private-key") && !algorithm.is_empty();
    known.then_some(Expression { head, algorithm, values, protected, count })
}

/// A number in digits; the form for people writes those as text, too.
fn number(atom: Atom<'_>) -> Option<u32> {
    std::str::from_utf8(&atom.octets()?).ok()?.parse().ok()
}

fn token<'a>(rest: &mut &'a [u8]) -> Option<Token<'a>> {
    let text = rest.trim_ascii_start();
    let (first, behind) = text.split_first()?;
    let (token, behind) = match first {
        b'(' => (Token::Open, behind),
        b')' => (Token::Close, behind),
        b'#' => {
            let end = memchr::memchr(b'#', behind)?;
            (Token::Atom(Atom::Hexadecimal(&behind[..end])), &behind[end + 1..])
        }
        b'"' => quoted(behind)?,
        b'0'..=b'9' => counted(text).or_else(|| word(text))?,
        _ => word(text)?,
    };
    *rest = behind;
    Some(token)
}

/// Up to the next quotation mark without a backslash. Libgcrypt writes any octets like that if most
/// of them can be printed, such as a salt. No public number looks like that, so what is behind
/// backslashes is stepped over and not told.
fn quoted(text: &[u8]) -> Option<(Token<'_>, &[u8])> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &text[at..])?;
        if text[at] == b'"' {
            return Some((Token::Atom(Atom::Raw(&text[..at])), &text[at + 1..]));
        }
        at = (at + 2).min(text.len());
    }
}

/// A length in decimal, a colon, and that many octets.
fn counted(text: &[u8]) -> Option<(Token<'_>, &[u8])> {
    let digits = text.iter().take(8).take_while(|octet| octet.is_ascii_digit()).count();
    let behind = text[digits..].strip_prefix(b":")?;
    let length = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let (octets, behind) = behind.split_at_checked(length)?;
    Some((Token::Atom(Atom::Raw(octets)), behind))
}

fn word(text: &[u8]) -> Option<(Token<'_>, &[u8])> {
    let ends = |octet: &u8| octet.is_ascii_whitespace() || b"()#\"".contains(octet);
    let end = text.iter().position(ends)?;
    (end > 0).then(|| (Token::Atom(Atom::Raw(&text[..end])), &text[end..]))
}
