//! Dialogues of octets.

use crate::tls::starttls::quote;
use crate::tls::wire::{End, Wire};

/// A packet of TDS that holds a part of a TLS handshake: type PRELOGIN (0x12), end of message
/// (MS-TDS, 2.2.3.1).
pub(in crate::tls) fn tds_packet(content: &[u8]) -> Vec<u8> {
    // Whoever calls cuts what he sends into parts of less than four KiB.
    let [high, low] = u16::try_from(content.len() + 8).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x12, 1, high, low, 0, 0, 0, 0][..], content].concat()
}

fn refused(heard: &[u8]) -> End {
    End::Plain(quote(heard))
}

/// LDAP (RFC 4511, 4.14): the extended operation 1.3.6.1.4.1.1466.20037.
pub(super) async fn ldap(wire: &mut Wire) -> Result<(), End> {
    // SEQUENCE { messageID 1, [APPLICATION 23] { requestName [0] } }
    const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
    wire.send(REQUEST).await?;
    wire.at_least(2).await?;
    let (header, length) = match *wire.peek() {
        [0x30, short @ ..=0x7f, ..] => (2, usize::from(short)),
        [0x30, long @ 0x81..=0x84, ..] => {
            let octets = usize::from(long & 0x7f);
            wire.at_least(2 + octets).await?;
            let length = wire.peek()[2..2 + octets]
                .iter()
                .fold(0_usize, |length, octet| (length << 8) | usize::from(*octet));
            (2 + octets, length)
        }
        _ => return Err(refused(wire.peek())),
    };
    if length > 64 * 1024 {
        return Err(refused(wire.peek()));
    }
    let message = wire.take(header + length).await?;
    // messageID, then ExtendedResponse [APPLICATION 24] whose first element is the resultCode.
    let after_id = message.get(header..).and_then(|body| match body {
        [0x02, length, rest @ ..] => rest.get(usize::from(*length)..),
        _ => None,
    });
    let result = after_id.and_then(|response| match response {
        [0x78, long, rest @ ..] => {
            let skip = if *long >= 0x80 { usize::from(long & 0x7f) } else { 0 };
            rest.get(skip..)
        }
        _ => None,
    });
    match result {
        Some([0x0a, 1, 0, ..]) => Ok(()),
        // busy and unavailable (RFC 4511, A.2)
        Some([0x0a, 1, code @ (51 | 52), ..]) => {
            Err(End::Unwilling(format!("it answered StartTLS with the result code {code}")))
        }
        Some([0x0a, 1, code, ..]) => Err(End::Plain(format!(
            "it refused the extended operation StartTLS with the result code {code}"
        ))),
        _ => Err(refused(&message)),
    }
}

/// PostgreSQL: `SSLRequest`, answered with one letter.
pub(super) async fn postgres(wire: &mut Wire) -> Result<(), End> {
    wire.send(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await?;
    match wire.take(1).await?.as_slice() {
        b"S" => Ok(()),
        b"N" => Err(End::Plain("it answered the request for TLS with N".to_owned())),
        // ErrorResponse: too many clients, or a server that is starting.
        b"E" => Err(End::Unwilling("it answered the request for TLS with an error".to_owned())),
        other => Err(refused(&[other, wire.peek()].concat())),
    }
}

/// MySQL and MariaDB: `SSLRequest` after their handshake packet.
pub(super) async fn mysql(wire: &mut Wire) -> Result<(), End> {
    const CLIENT_SSL: u16 = 0x0800;
    wire.at_least(4).await?;
    let &[low, middle, high, _] = wire.peek().first_chunk().unwrap_or(&[0; 4]);
    let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
    if length > 4096 {
        return Err(refused(wire.peek()));
    }
    let packet = wire.take(4 + length).await?;
    let body = &packet[4..];
    // Protocol version 10, the server's version as text with a zero, thread id, eight octets of
    // salt, a filler, then the lower half of what it can do.
    let text = match body {
        [10, text @ ..] => text,
        // An error packet: this host may not connect, with or without TLS.
        [0xff, _, _, words @ ..] => return Err(End::Unwilling(quote(words))),
        _ => return Err(refused(body)),
    };
    let capabilities = memchr::memchr(0, text)
        .and_then(|end| text.get(end + 14..end + 16))
        .map(|octets| u16::from_le_bytes([octets[0], octets[1]]))
        .ok_or_else(|| refused(body))?;
    if capabilities & CLIENT_SSL == 0 {
        return Err(End::Plain("TLS is not among what it offers".to_owned()));
    }
    // CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION; packets of up to 16 MiB; utf8.
    let mut request = vec![32, 0, 0, 1, 0x00, 0x8a, 0x00, 0x00, 0, 0, 0, 1, 33];
    request.resize(4 + 32, 0);
    wire.send(&request).await
}

/// Microsoft SQL Server: PRELOGIN with ENCRYPT_ON, and TLS inside of packets (MS-TDS, 2.2.6.5).
pub(super) async fn mssql(wire: &mut Wire) -> Result<(), End> {
    /// Options VERSION, ENCRYPTION and the end of the list, then their data.
    const PRELOGIN: &[u8] =
        &[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, /* ENCRYPT_ON */ 1];
    wire.send(&tds_packet(PRELOGIN)).await?;
    wire.at_least(8).await?;
    let &[kind, _, high, low] = wire.peek().first_chunk().unwrap_or(&[0; 4]);
    let length = usize::from(u16::from_be_bytes([high, low]));
    // The answer is of type TABULAR RESULT (4).
    if kind != 4 || !(8..4096).contains(&length) {
        return Err(refused(wire.peek()));
    }
    let packet = wire.take(length).await?;
    let data = &packet[8..];
    let encryption =
        data.chunks(5).take_while(|option| option.first() != Some(&0xff)).find_map(|option| {
            match *option {
                [1, high, low, _, _] => data.get(usize::from(u16::from_be_bytes([high, low]))),
                _ => None,
            }
        });
    match encryption {
        // ENCRYPT_ON, ENCRYPT_REQ and, for the login alone, ENCRYPT_OFF.
        Some(0 | 1 | 3) => {
            wire.wrap_in_tds();
            Ok(())
        }
        Some(2) => Err(End::Plain("it says that it has no encryption".to_owned())),
        _ => Err(refused(&packet)),
    }
}

/// Remote Desktop: a connection request of X.224 that asks for TLS (MS-RDPBCGR, 2.2.1.1).
pub(super) async fn rdp(wire: &mut Wire) -> Result<(), End> {
    /// TPKT header; X.224 CR; RDP_NEG_REQ with PROTOCOL_SSL and PROTOCOL_HYBRID.
    const REQUEST: &[u8] = &[3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0];
    wire.send(REQUEST).await?;
    wire.at_least(4).await?;
    let &[version, _, high, low] = wire.peek().first_chunk().unwrap_or(&[0; 4]);
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version != 3 || !(7..512).contains(&length) {
        return Err(refused(wire.peek()));
    }
    let packet = wire.take(length).await?;
    match packet.get(11..) {
        // RDP_NEG_RSP with what was selected; 0 is the old encryption of its own.
        Some([2, _, _, _, selected, ..]) if *selected != 0 => Ok(()),
        Some([3, _, _, _, code, ..]) => Err(End::Plain(format!(
            "it refused TLS in the connection request with the code {code}"
        ))),
        _ => Err(End::Plain("it goes on without TLS".to_owned())),
    }
}
