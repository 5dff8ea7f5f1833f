//! Dialogues of lines.

use crate::tls::starttls::quote;
use crate::tls::wire::{End, Wire};

/// The longest line that is read: RFC 5321, 4.5.3.1.5 allows 512 octets, and LIST of capabilities
/// run longer.
const LONGEST_LINE: usize = 4096;

/// The most lines of one answer.
const MOST_LINES: usize = 128;

/// Reads a line without its end.
async fn line(wire: &mut Wire) -> Result<String, End> {
    loop {
        let there = wire.peek();
        if let Some(end) = memchr::memchr(b'\n', there) {
            let text = String::from_utf8_lossy(there[..end].trim_ascii_end()).into_owned();
            wire.advance(end + 1);
            return Ok(text);
        }
        let length = there.len();
        if length > LONGEST_LINE {
            return Err(End::Plain(quote(there)));
        }
        wire.at_least(length + 1).await?;
    }
}

fn refused(said: &str) -> End {
    End::Plain(quote(said.as_bytes()))
}

fn unwilling(said: &str) -> End {
    End::Unwilling(quote(said.as_bytes()))
}

/// Reads an answer of one or more lines that begin with three digits and, on all but the last, a
/// hyphen (RFC 5321, 4.2.1; RFC 959, 4.2). Gives the code and all lines.
async fn reply(wire: &mut Wire) -> Result<(u16, Vec<String>), End> {
    let mut lines = Vec::new();
    while lines.len() < MOST_LINES {
        let text = line(wire).await?;
        let code = text.get(..3).and_then(|digits| digits.parse::<u16>().ok());
        let goes_on = text.as_bytes().get(3) == Some(&b'-');
        lines.push(text);
        match (code, goes_on) {
            (Some(code), false) => return Ok((code, lines)),
            // FTP allows lines of any form inside of an answer.
            _ if lines.len() > 1 || goes_on => {}
            _ => break,
        }
    }
    Err(refused(lines.first().map_or("", String::as_str)))
}

/// Insists on a code in answer to a command. Codes from 400 to 499 speak of now, and not of what the
/// server can (RFC 5321, 4.2.1; RFC 959, 4.2).
async fn expect(wire: &mut Wire, wanted: u16) -> Result<Vec<String>, End> {
    let (code, lines) = reply(wire).await?;
    let said = lines.first().map_or("", String::as_str);
    match code {
        code if code == wanted => Ok(lines),
        400..=499 => Err(unwilling(said)),
        _ => Err(refused(said)),
    }
}

/// Insists on a greeting. Whoever greets with an error does not want us here.
async fn expect_greeting(wire: &mut Wire, wanted: &[u16]) -> Result<(), End> {
    let (code, lines) = reply(wire).await?;
    let said = lines.first().map_or("", String::as_str);
    match code {
        code if wanted.contains(&code) => Ok(()),
        400..=599 => Err(unwilling(said)),
        _ => Err(refused(said)),
    }
}

/// SMTP (RFC 3207) and LMTP (RFC 2033). The name is one that can be nobody's (RFC 2606, 2).
pub(super) async fn smtp(wire: &mut Wire, greeting: &str) -> Result<(), End> {
    expect_greeting(wire, &[220]).await?;
    wire.send(format!("{greeting} pkimm-agent.invalid\r\n").as_bytes()).await?;
    let offers = expect(wire, 250).await?;
    let has = |line: &String| {
        line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS"))
    };
    if !offers.iter().any(has) {
        let _ = wire.send(b"QUIT\r\n").await;
        return Err(End::Plain("STARTTLS is not among what it offers".to_owned()));
    }
    wire.send(b"STARTTLS\r\n").await?;
    expect(wire, 220).await.map(|_| ())
}

/// POP3 (RFC 2595, 4).
pub(super) async fn pop3(wire: &mut Wire) -> Result<(), End> {
    let greeting = line(wire).await?;
    if greeting.starts_with("-ERR") {
        return Err(unwilling(&greeting));
    }
    if !greeting.starts_with("+OK") {
        return Err(refused(&greeting));
    }
    wire.send(b"STLS\r\n").await?;
    let text = line(wire).await?;
    if text.starts_with("+OK") { Ok(()) } else { Err(refused(&text)) }
}

/// IMAP (RFC 9051, 6.2.1).
pub(super) async fn imap(wire: &mut Wire) -> Result<(), End> {
    let greeting = line(wire).await?;
    // RFC 9051, 7.1.5: a greeting of BYE turns the connection away.
    if greeting.to_ascii_uppercase().starts_with("* BYE") {
        return Err(unwilling(&greeting));
    }
    if !greeting.starts_with("* ") {
        return Err(refused(&greeting));
    }
    wire.send(b"a STARTTLS\r\n").await?;
    for _ in 0..MOST_LINES {
        let text = line(wire).await?;
        if text.starts_with("* ") {
            continue;
        }
        let ok = text.get(..4).is_some_and(|tagged| tagged.eq_ignore_ascii_case("a OK"));
        return if ok { Ok(()) } else { Err(refused(&text)) };
    }
    Err(refused("only untagged answers"))
}

/// FTP (RFC 4217, 4).
pub(super) async fn ftp(wire: &mut Wire) -> Result<(), End> {
    expect_greeting(wire, &[220]).await?;
    wire.send(b"AUTH TLS\r\n").await?;
    expect(wire, 234).await.map(|_| ())
}

/// NNTP (RFC 4642, 2.2).
pub(super) async fn nntp(wire: &mut Wire) -> Result<(), End> {
    expect_greeting(wire, &[200, 201]).await?;
    wire.send(b"STARTTLS\r\n").await?;
    expect(wire, 382).await.map(|_| ())
}

/// ManageSieve (RFC 5804, 2.2).
pub(super) async fn sieve(wire: &mut Wire) -> Result<(), End> {
    let mut offered = false;
    for said in [&b""[..], b"STARTTLS\r\n"] {
        wire.send(said).await?;
        let mut answered = false;
        for _ in 0..MOST_LINES {
            let text = line(wire).await?;
            offered |= text.to_ascii_uppercase().starts_with("\"STARTTLS\"");
            match text.get(..2).map(str::to_ascii_uppercase).as_deref() {
                Some("OK") => {
                    answered = true;
                    break;
                }
                Some("BY") => return Err(unwilling(&text)),
                Some("NO") => return Err(refused(&text)),
                // Capabilities are quoted; whoever says something else is no such server.
                _ if !text.starts_with('"') => return Err(refused(&text)),
                _ => {}
            }
        }
        if !answered {
            return Err(refused("capabilities without an end"));
        }
        if !offered {
            return Err(End::Plain("STARTTLS is not among what it offers".to_owned()));
        }
    }
    Ok(())
}

/// IRC (the `tls` capability of IRCv3: 670 RPL_STARTTLS, 691 ERR_STARTTLS). Some servers say nothing
/// to a command they do not know, so the capabilities are asked for first.
pub(super) async fn irc(wire: &mut Wire) -> Result<(), End> {
    wire.send(b"CAP LS 302\r\n").await?;
    let mut offered = false;
    for _ in 0..MOST_LINES {
        let text = line(wire).await?;
        match command(&text) {
            "670" => return Ok(()),
            "NOTICE" | "020" | "PING" => {}
            "ERROR" => return Err(unwilling(&text)),
            "CAP" => {
                let (_, list) = text.rsplit_once(':').unwrap_or_default();
                offered |= list.split_ascii_whitespace().any(|name| name == "tls");
                // `CAP * LS * :` is not the last line of the list.
                if text.contains(" LS * :") {
                    continue;
                }
                if !offered {
                    return Err(End::Plain("tls is not among its capabilities".to_owned()));
                }
                wire.send(b"STARTTLS\r\n").await?;
            }
            // 421 and 451: it knows no capabilities, but may know the command.
            "421" | "451" if !offered => {
                offered = true;
                wire.send(b"STARTTLS\r\n").await?;
            }
            _ => return Err(refused(&text)),
        }
    }
    Err(refused("only notices"))
}

/// The command of a line: `:server 670 nick :text`, where the server may be missing.
fn command(line: &str) -> &str {
    let mut words = line.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    if first.starts_with(':') { words.next().unwrap_or_default() } else { first }
}

/// XMPP (RFC 6120, 5.4). The server is asked for by the name that is scanned for; by address alone
/// it may not know whom we mean.
pub(super) async fn xmpp(
    wire: &mut Wire,
    namespace: &str,
    server_name: Option<&str>,
) -> Result<(), End> {
    let to = server_name.unwrap_or("localhost");
    let stream = format!(
        "<?xml version='1.0'?><stream:stream xmlns='{namespace}' \
         xmlns:stream='http://etherx.jabber.org/streams' to='{to}' version='1.0'>"
    );
    wire.send(stream.as_bytes()).await?;
    let features = element(wire, &["</stream:features>", "<stream:features/>", "</stream:error>"]);
    let features = features.await?;
    if features.contains("<stream:error") {
        let hint = if server_name.is_none() { "; ask for it by the name it serves" } else { "" };
        let error = ["host-unknown", "policy-violation", "resource-constraint"];
        let error = error.iter().find(|error| features.contains(**error)).unwrap_or(&"an error");
        return Err(End::Unwilling(format!("it answered the stream with {error}{hint}")));
    }
    if !features.contains("urn:ietf:params:xml:ns:xmpp-tls") {
        let _ = wire.send(b"</stream:stream>").await;
        return Err(End::Plain("STARTTLS is not among its stream features".to_owned()));
    }
    wire.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
    let answer = element(wire, &["/>", "</proceed>", "</failure>"]).await?;
    if answer.contains("<proceed") { Ok(()) } else { Err(refused(&answer)) }
}

/// Reads up to one of these ends.
async fn element(wire: &mut Wire, ends: &[&str]) -> Result<String, End> {
    loop {
        let there = wire.peek();
        let found = ends
            .iter()
            .filter_map(|end| memchr::memmem::find(there, end.as_bytes()).map(|at| at + end.len()))
            .min();
        if let Some(length) = found {
            let text = String::from_utf8_lossy(&there[..length]).into_owned();
            wire.advance(length);
            return Ok(text);
        }
        let length = there.len();
        // An error ends the stream (RFC 6120, 4.9), and whoever speaks no XML is no such server.
        let over = memchr::memmem::find(there, b"</stream:stream>").is_some();
        if length > 4 * LONGEST_LINE || over || (length > 0 && there[0] != b'<') {
            return Err(End::Plain(quote(there)));
        }
        wire.at_least(length + 1).await?;
    }
}
