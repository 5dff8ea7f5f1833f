//! What a server's message has to look like (RFC 4511, appendix B) before the client library sees it.
//!
//! ldap3 takes an encoding apart by recursion without a depth, and panics where a part is missing. A
//! stack that overflows ends the whole process, so whatever a stranger sends is checked here first:
//! iteratively, octets in place, nothing copied.

use pki_encodings::tlv::{Element, INTEGER, OCTET_STRING, Reader, SEQUENCE};

/// ENUMERATED.
const ENUMERATED: u8 = 0x0a;
/// BOOLEAN.
const BOOLEAN: u8 = 0x01;
/// SET OF.
const SET: u8 = 0x31;
/// `Controls`, `[0]`.
const CONTROLS: u8 = 0xa0;
/// `referral`, `[3]`.
const REFERRAL: u8 = 0xa3;
/// `responseName`, `[10]`. Active Directory puts it behind the operation, where controls belong.
const RESPONSE_NAME: u8 = 0x8a;

/// `serverSaslCreds` of a bind (`[7]`) and `responseValue` of an extended response (`[11]`).
const CREDENTIALS: u8 = 0x87;
const RESPONSE_VALUE: u8 = 0x8b;

/// The longest name of an entry. It is kept with everything that lies in the entry.
const LONGEST_NAME: usize = 64 * 1024;
/// The most values of an entry: each takes many times the room that an empty one has on the wire.
const MOST_VALUES: usize = 500_000;

/// The operations that a server may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `bindResponse`.
    Bind,
    /// `searchResEntry`.
    Entry,
    /// `searchResDone`.
    Done,
    /// `searchResRef`.
    Reference,
    /// `extendedResp`, and the notice that the server is about to hang up.
    Extended,
    /// `intermediateResponse`: nothing that was asked for.
    Intermediate,
}

/// A message of the right shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Which request it answers; 0 for none.
    pub(super) id: u32,
    /// What it is.
    pub(super) operation: Operation,
    /// For what ends an operation: the code.
    pub(super) code: Option<u32>,
    /// For what ends an operation: the words of the server.
    pub(super) text: &'a str,
}

/// Checks one complete message.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn check(octets: &[u8]) -> Result<Message<'_>, &'static str> {
    let whole = Element::first(octets).filter(|whole| whole.tag == SEQUENCE);
    let mut parts = whole.ok_or("no LDAP message")?.inside();
    let id = parts.take(INTEGER).and_then(Element::number).ok_or("a message without a number")?;
    // What a client counts its requests by (RFC 4511, 4.1.1.1: up to 2^31 - 1).
    if i32::try_from(id).is_err() {
        return Err("a message with a number that is too large");
    }
    let operation = parts.any().ok_or("a message without an operation")?;
    let mut message = Message { id, operation: Operation::Intermediate, code: None, text: "" };
    message.operation = match operation.tag {
        0x61 => Operation::Bind,
        0x64 => Operation::Entry,
        0x65 => Operation::Done,
        0x73 => Operation::Reference,
        0x78 => Operation::Extended,
        0x79 => Operation::Intermediate,
        _ => return Err("an operation that no server sends"),
    };
    match message.operation {
        Operation::Bind | Operation::Done | Operation::Extended => {
            let (code, text) = result(operation.inside())?;
            (message.code, message.text) = (Some(code), text);
        }
        Operation::Entry => entry(operation.inside())?,
        Operation::Reference => texts(operation.inside())?,
        Operation::Intermediate => {}
    }
    match parts.any() {
        Some(part) if part.tag == CONTROLS => controls(part.inside())?,
        Some(part) if part.tag == RESPONSE_NAME && id == 0 => {}
        Some(_) => return Err("something that is no control"),
        None if parts.is_empty() => {}
        None => return Err("a part that is cut off"),
    }
    if parts.is_empty() { Ok(message) } else { Err("more than one operation in a message") }
}

/// The cookie of a paged search (RFC 2696), empty after the last page.
pub(super) fn cookie(value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = Element::first(value).filter(|whole| whole.tag == SEQUENCE)?.inside();
    parts.take(INTEGER)?;
    Some(parts.take(OCTET_STRING)?.value.to_vec())
}

/// `LDAPResult`, with what bind and extended responses add to it.
fn result(mut parts: Reader<'_>) -> Result<(u32, &str), &'static str> {
    let code = parts.take(ENUMERATED).ok_or("a result without a code")?.value;
    if !(1..=4).contains(&code.len()) {
        return Err("a result with a code of the wrong length");
    }
    let code = code.iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet));
    let matched = parts.take(OCTET_STRING).ok_or("a result that is cut off")?;
    text(matched)?;
    let said = text(parts.take(OCTET_STRING).ok_or("a result that is cut off")?)?;
    while !parts.is_empty() {
        let part = parts.any().ok_or("a result that is cut off")?;
        match part.tag {
            REFERRAL => texts(part.inside())?,
            RESPONSE_NAME => text(part).map(drop)?,
            CREDENTIALS | RESPONSE_VALUE => {}
            // ldap3 looks at the number of a tag alone, and panics where its form is another.
            _ => return Err("a result with something unknown in it"),
        }
    }
    Ok((code, said))
}

fn entry(mut parts: Reader<'_>) -> Result<(), &'static str> {
    let name = text(parts.take(OCTET_STRING).ok_or("an entry without a name")?)?;
    if name.len() > LONGEST_NAME {
        return Err("an entry with a name of more than 64 KiB");
    }
    let mut count = 0;
    let mut attributes = parts.take(SEQUENCE).ok_or("an entry without attributes")?.inside();
    while !attributes.is_empty() {
        let mut attribute = attributes.take(SEQUENCE).ok_or("an attribute cut off")?.inside();
        text(attribute.take(OCTET_STRING).ok_or("an attribute without a name")?)?;
        let mut values = attribute.take(SET).ok_or("an attribute without values")?.inside();
        while !values.is_empty() {
            values.take(OCTET_STRING).ok_or("a value that is none")?;
            count += 1;
        }
        if count > MOST_VALUES {
            return Err("an entry with more than 500,000 values");
        }
        if !attribute.is_empty() {
            return Err("an attribute with more than values");
        }
    }
    if parts.is_empty() { Ok(()) } else { Err("an entry with more than attributes") }
}

fn controls(mut controls: Reader<'_>) -> Result<(), &'static str> {
    while !controls.is_empty() {
        let mut parts = controls.take(SEQUENCE).ok_or("a control cut off")?.inside();
        text(parts.take(OCTET_STRING).ok_or("a control without a name")?)?;
        if let Some(critical) = parts.take(BOOLEAN)
            && critical.value.len() != 1
        {
            return Err("a control with a broken mark");
        }
        if !parts.is_empty() && parts.take(OCTET_STRING).is_none() || !parts.is_empty() {
            return Err("a control with something unknown in it");
        }
    }
    Ok(())
}

fn texts(mut all: Reader<'_>) -> Result<(), &'static str> {
    while !all.is_empty() {
        text(all.take(OCTET_STRING).ok_or("a referral cut off")?)?;
    }
    Ok(())
}

fn text(element: Element<'_>) -> Result<&str, &'static str> {
    std::str::from_utf8(element.value).map_err(|_| "a text that is not UTF-8")
}

#[cfg(test)]
mod tests {
    use pki_encodings::tlv::element;

    use super::*;

    fn message(id: u8, operation: &[u8], rest: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&element(INTEGER, &[&[id]]), operation, rest])
    }

    fn done(code: u8, said: &[u8]) -> Vec<u8> {
        element(0x65, &[&[ENUMERATED, 1, code, 4, 0], &element(OCTET_STRING, &[said])])
    }

    #[test]
    fn what_servers_send_passes() {
        let value = element(OCTET_STRING, &[b"\x30\x00"]);
        let attribute =
            element(SEQUENCE, &[&element(4, &[b"cn"]), &element(SET, &[&value, &value])]);
        let entry = element(0x64, &[&element(4, &[b"cn=a"]), &element(SEQUENCE, &[&attribute])]);
        let passed = check(&message(2, &entry, &[]).clone()).map(|message| message.operation);
        assert_eq!(passed, Ok(Operation::Entry));

        let control = element(SEQUENCE, &[&element(4, &[b"1.2"]), &[1, 1, 0], &value]);
        let controls = element(CONTROLS, &[&control]);
        let octets = message(3, &done(4, b"enough"), &controls);
        let passed = check(&octets).expect("a result");
        assert_eq!((passed.id, passed.operation), (3, Operation::Done));
        assert_eq!((passed.code, passed.text), (Some(4), "enough"));

        let reference = element(0x73, &[&element(4, &[b"ldap://h/"])]);
        let octets = message(3, &reference, &[]);
        assert_eq!(check(&octets).map(|message| message.operation), Ok(Operation::Reference));

        // As Active Directory says goodbye.
        let notice = element(0x78, &[&[ENUMERATED, 1, 52, 4, 0, 4, 0]]);
        let octets = message(0, &notice, &element(RESPONSE_NAME, &[b"1.3.6.1.4.1.1466.20036"]));
        assert_eq!(check(&octets).map(|message| message.code), Ok(Some(52)));
    }

    #[test]
    fn nothing_else_passes() {
        let deep = (0..50_000).fold(Vec::new(), |inner: Vec<u8>, _| {
            [&[0x30, 0x84][..], &u32::try_from(inner.len()).unwrap().to_be_bytes(), &inner].concat()
        });
        let entry_of = |attributes: &[u8]| element(0x64, &[&element(4, &[b"cn=a"]), attributes]);
        let entry_named = |name: &[u8], values: usize| {
            let values = element(SET, &[&[4, 0].repeat(values)]);
            let attribute = element(SEQUENCE, &[&element(4, &[b"cn"]), &values]);
            element(0x64, &[&element(4, &[name]), &element(SEQUENCE, &[&attribute])])
        };
        assert!(check(&message(2, &entry_named(&[b'a'; 64 * 1024], 500_000), &[])).is_ok());
        let credentials = element(0x61, &[&[ENUMERATED, 1, 14, 4, 0, 4, 0, 0x87, 1, 7]]);
        assert!(check(&message(2, &credentials, &[])).is_ok());
        let nested = element(SEQUENCE, &[&element(SEQUENCE, &[&element(4, &[b"a"]), &deep])]);
        for (operation, rest) in [
            (deep.clone(), Vec::new()),
            (entry_of(&deep), Vec::new()),
            (entry_of(&nested), Vec::new()),
            (done(0, b"\xff\xfe"), Vec::new()),
            (done(0, b""), deep.clone()),
            (done(0, b""), element(CONTROLS, &[&deep])),
            (element(0x65, &[]), Vec::new()),
            (element(0x65, &[&[ENUMERATED, 0, 4, 0, 4, 0]]), Vec::new()),
            // Tags whose numbers mean something, in a form in which they mean nothing.
            (element(0x61, &[&[ENUMERATED, 1, 0, 4, 0, 4, 0, 0x83, 0]]), Vec::new()),
            (element(0x61, &[&[ENUMERATED, 1, 0, 4, 0, 4, 0, 0x03, 0]]), Vec::new()),
            (element(0x61, &[&[ENUMERATED, 1, 0, 4, 0, 4, 0, 0x0a, 1, 0xff]]), Vec::new()),
            (entry_named(&[b'a'; 64 * 1024 + 1], 0), Vec::new()),
            (entry_named(b"cn=a", 500_001), Vec::new()),
            (element(0x60, &[]), Vec::new()),
            (Vec::new(), Vec::new()),
        ] {
            assert!(check(&message(2, &operation, &rest)).is_err());
        }
        assert!(check(&[]).is_err());
        assert!(check(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(check(b"SSH-2.0-OpenSSH_9.2\r\n").is_err());
    }

    #[test]
    fn a_cookie_is_read_where_there_is_one() {
        let control = element(SEQUENCE, &[&[INTEGER, 1, 0], &element(OCTET_STRING, &[b"next"])]);
        assert_eq!(cookie(&control), Some(b"next".to_vec()));
        assert_eq!(cookie(b"\x30\x03\x02\x01\x00"), None);
    }
}
