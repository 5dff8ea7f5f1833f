//! The words that lead to TLS inside of another protocol.
//!
//! Each dialogue says the least that its protocol allows, names nobody and logs in nowhere. A
//! server that answers, but not with TLS, has answered: it offers none.

mod binary;
mod text;

use pki_config::StartTls;

use super::wire::{End, Wire};

pub(super) use binary::tds_packet;

/// Leads a fresh connection to where TLS begins.
///
/// # Errors
///
/// [`End::Plain`] when the server goes on in the clear only; [`End::Unwilling`] when it does not
/// want to talk at all, now or with us, which says nothing about TLS.
pub(super) async fn open(
    wire: &mut Wire,
    protocol: StartTls,
    server_name: Option<&str>,
) -> Result<(), End> {
    match protocol {
        StartTls::Smtp => text::smtp(wire, "EHLO").await,
        StartTls::Lmtp => text::smtp(wire, "LHLO").await,
        StartTls::Pop3 => text::pop3(wire).await,
        StartTls::Imap => text::imap(wire).await,
        StartTls::Ftp => text::ftp(wire).await,
        StartTls::Nntp => text::nntp(wire).await,
        StartTls::Sieve => text::sieve(wire).await,
        StartTls::Irc => text::irc(wire).await,
        StartTls::XmppClient => text::xmpp(wire, "jabber:client", server_name).await,
        StartTls::XmppServer => text::xmpp(wire, "jabber:server", server_name).await,
        StartTls::Ldap => binary::ldap(wire).await,
        StartTls::Postgres => binary::postgres(wire).await,
        StartTls::Mysql => binary::mysql(wire).await,
        StartTls::Mssql => binary::mssql(wire).await,
        StartTls::Rdp => binary::rdp(wire).await,
    }
}

/// What a service said, safe to print: the first words, or the first octets of what are none. Only
/// what is the same from one day to the next: the first line, up to a time of day or a date.
pub(super) fn quote(heard: &[u8]) -> String {
    /// The most that is quoted.
    const QUOTED: usize = 60;
    let line = heard.split(|octet| *octet == b'\n').find(|line| !line.trim_ascii().is_empty());
    let line = line.unwrap_or(heard);
    let text: String = line
        .iter()
        .take(QUOTED)
        .map(|octet| match octet {
            b' '..=b'~' => char::from(*octet),
            b'\r' | b'\t' => ' ',
            _ => '.',
        })
        .collect();
    let readable = text.chars().filter(char::is_ascii_alphanumeric).count();
    if readable * 2 >= line.len().min(QUOTED) && readable > 0 {
        let words = text.split_whitespace().take_while(|word| !is_of_the_day(word));
        let words: Vec<&str> = words.collect();
        return format!("it said \"{}\"", words.join(" "));
    }
    let octets: Vec<String> = heard.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    format!("it sent octets that are no TLS record: {}", octets.join(" "))
}

/// Times, weekdays, and the random names that XML streams and greetings carry.
fn is_of_the_day(word: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let day = DAYS.iter().any(|day| word.trim_end_matches(',') == *day);
    let random = word.starts_with("id=") || (word.starts_with('<') && word.contains('@'));
    day || random || (word.contains(':') && digits >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_tls_is_quoted_safely() {
        for (heard, said) in [
            (&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], "it said \"SSH-2.0-OpenSSH_9.2p1\""),
            (b"220 mail.example.org ESMTP\r\n", "it said \"220 mail.example.org ESMTP\""),
            (
                b"HTTP/1.1 400 Bad Request\r\nDate: Mon, 05 Jan 2026",
                "it said \"HTTP/1.1 400 Bad Request\"",
            ),
            (b"220 mx ESMTP; Mon, 5 Jan 2026 10:00:00 +0100\r\n", "it said \"220 mx ESMTP;\""),
            (b"<stream:stream id='8271' xmlns='x'>", "it said \"<stream:stream\""),
            (b"\x1b[2Jx", "it said \".[2Jx\""),
            (b"\x4a\0\0\0\x0a", "it sent octets that are no TLS record: 4a 00 00 00 0a"),
        ] {
            assert_eq!(quote(heard), said);
        }
        assert!(quote(&[b'a'; 500]).len() < 80);
    }
}
