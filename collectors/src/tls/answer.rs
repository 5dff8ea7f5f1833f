//! From the end of a handshake to what is said about the server.

use std::io;

use pki_inventory::{Digest, GapReason, Handshake, Session, Staple};
use rustls::{Error, PeerIncompatible};

use super::handshake::{Attempt, End};
use super::names;

/// What came of asking one server.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one lives per probe, and only until it is reported")]
pub(super) enum Answer {
    /// It answered; the encodings of its certificates, in order.
    Endpoint(Handshake, Vec<Vec<u8>>),
    /// It did not.
    Gap(GapReason, String),
}

/// What a server that declines was offered; the first hello has it all.
const OFFERED: [&str; 2] = ["TLSv1.3", "TLSv1.2"];

/// The most that is quoted of a service that speaks no TLS.
const QUOTED: usize = 60;

impl Answer {
    /// Whether a hello with less in it might fare better. A server that does not do our versions
    /// will not do fewer of them, and one that did not answer in TLS will not either.
    pub(super) fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Endpoint(Handshake::Declined { alert, .. }, _) => alert != "protocol_version",
            Self::Endpoint(..) => false,
            Self::Gap(reason, _) => *reason == GapReason::HandshakeFailed,
        }
    }

    /// Whether certificates were shown.
    pub(super) fn is_shown(&self) -> bool {
        matches!(self, Self::Endpoint(Handshake::Shown(_), _))
    }

    /// Whether the server said anything that can be kept.
    pub(super) fn is_endpoint(&self) -> bool {
        matches!(self, Self::Endpoint(..))
    }
}

/// Says what a handshake came to.
pub(super) fn of(attempt: Attempt, deadline_secs: u64) -> Answer {
    if !attempt.shown.chain.is_empty() {
        return shown(attempt, deadline_secs);
    }
    if is_foreign(&attempt.heard) {
        let reason = quote(&attempt.heard);
        return Answer::Endpoint(Handshake::NoTls { reason }, Vec::new());
    }
    match &attempt.end {
        End::Alert(alert) => declined(names::alert(*alert)),
        // An old server that never heard of `supported_versions` answers with its own version
        // (RFC 8446, 4.2.1), and rustls tells it `protocol_version`.
        End::Broken(Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => declined("protocol_version".to_owned()),
        End::Silence | End::Deadline => {
            Answer::Gap(GapReason::TimedOut, silence(&attempt, deadline_secs))
        }
        end => Answer::Gap(GapReason::HandshakeFailed, sentence(end, &attempt, deadline_secs)),
    }
}

fn declined(alert: String) -> Answer {
    let offered = OFFERED.map(str::to_owned).to_vec();
    Answer::Endpoint(Handshake::Declined { alert, offered }, Vec::new())
}

fn shown(attempt: Attempt, deadline_secs: u64) -> Answer {
    let ended = match &attempt.end {
        End::Complete => None,
        end => {
            let mut why = sentence(end, &attempt, deadline_secs);
            if attempt.shown.wants_client_certificate {
                why.push_str(", after it had asked for a client certificate");
            }
            Some(why)
        }
    };
    let staple = (!attempt.shown.staple.is_empty()).then(|| Staple {
        length: attempt.shown.staple.len(),
        sha256: Digest::of(&attempt.shown.staple),
    });
    let session = Session {
        version: attempt.version,
        cipher_suite: attempt.cipher_suite,
        group: attempt.group,
        offered_groups: attempt.offered_groups,
        alpn: attempt.alpn,
        staple,
        chain: attempt.shown.chain.iter().map(|der| Digest::of(der)).collect(),
        ended,
    };
    Answer::Endpoint(Handshake::Shown(session), attempt.shown.chain)
}

/// How a handshake broke, in words.
fn sentence(end: &End, attempt: &Attempt, deadline_secs: u64) -> String {
    match end {
        End::Complete => "the handshake completed without a certificate".to_owned(),
        End::Alert(alert) => format!("the server sent the alert {}", names::alert(*alert)),
        End::Broken(error) => format!("what the server sent breaks the protocol: {error}"),
        End::Closed if attempt.heard.is_empty() => {
            "the server closed the connection right after our hello".to_owned()
        }
        End::Closed => "the server closed the connection in the middle of the handshake".to_owned(),
        End::Failed(error) if attempt.heard.is_empty() => match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                "the server reset the connection right after our hello".to_owned()
            }
            _ => format!("the connection broke right after our hello: {error}"),
        },
        End::Failed(error) => {
            format!("the connection broke in the middle of the handshake: {error}")
        }
        End::Silence | End::Deadline => silence(attempt, deadline_secs),
        End::TooMuch => {
            "the server sent more than 1 MiB without completing the handshake".to_owned()
        }
    }
}

fn silence(attempt: &Attempt, deadline_secs: u64) -> String {
    if attempt.heard.is_empty() {
        format!("connected, but no answer to our hello within {deadline_secs} s")
    } else {
        format!("the handshake began, but was not complete within {deadline_secs} s")
    }
}

/// Whether the first octets are no TLS record: its type is 20 to 24, and the first half of its
/// version is 3 in every version there is (RFC 8446, 5.1).
fn is_foreign(heard: &[u8]) -> bool {
    let kind = heard.first().is_some_and(|kind| !(20..=24).contains(kind));
    kind || heard.get(1).is_some_and(|major| *major != 3)
}

/// What a service said, safe to print.
fn quote(heard: &[u8]) -> String {
    let text: String = heard
        .iter()
        .take(QUOTED)
        .map(|octet| match octet {
            b' '..=b'~' => char::from(*octet),
            b'\r' | b'\n' | b'\t' => ' ',
            _ => '.',
        })
        .collect();
    let readable = text.chars().filter(|c| c.is_ascii_alphanumeric()).count();
    if readable * 2 >= heard.len().min(QUOTED) && readable > 0 {
        let words: Vec<&str> = text.split_whitespace().collect();
        return format!("it said \"{}\"", words.join(" "));
    }
    let octets: Vec<String> = heard.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    format!("it sent octets that are no TLS record: {}", octets.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_tls_is_quoted_safely() {
        for (heard, said) in [
            (&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], "it said \"SSH-2.0-OpenSSH_9.2p1\""),
            (b"220 mail.example.org ESMTP\r\n", "it said \"220 mail.example.org ESMTP\""),
            (b"\x1b[2Jx", "it said \".[2Jx\""),
            (b"\x4a\0\0\0\x0a", "it sent octets that are no TLS record: 4a 00 00 00 0a"),
        ] {
            assert!(is_foreign(heard));
            assert_eq!(quote(heard), said);
        }
        assert!(!is_foreign(b"") && !is_foreign(b"\x16\x03\x01") && !is_foreign(&[21]));
        assert!(quote(&[b'a'; 500]).len() < 80);
    }
}
