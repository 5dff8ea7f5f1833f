//! The depth `certificate`: one exchange that every server from TLS 1.0 to 1.3 can answer, and more
//! only for those that cannot.

use pki_config::{Depth, StartTls};

use super::caller::{Caller, NoCall};
use super::exchange::{Attempt, Until};
use super::hello::Hello;
use super::names::{SSL2, SSL3, TLS10, TLS12, alert_code};
use super::suites;
use super::wire::{End, Stage};

/// What asking for the certificates came to.
pub(super) struct First {
    pub(super) attempt: Attempt,
    /// The hello that was answered.
    pub(super) hello: Hello,
    /// Every version that was offered until then.
    pub(super) offered: Vec<u16>,
}

/// Protocols of ALPN that are asked for where TLS comes first.
pub(super) const ALPN: [&str; 2] = ["h2", "http/1.1"];

/// The connections one place may cost. MySQL shuts out hosts that broke off a hundred times without
/// having logged in once (`max_connect_errors`), and we never log in.
pub(super) fn most_connections(depth: Depth, opening: Option<StartTls>, retries: u32) -> u32 {
    match (depth, opening) {
        // The hello that offers everything, with and without ALPN, five smaller and older ones, and
        // the first one again.
        (Depth::Certificate, _) => 7 + retries,
        (_, Some(StartTls::Mysql)) => 25,
        (Depth::Posture, _) => 40,
        (Depth::Suites, _) => 600,
    }
}

/// Asks with everything, and with less where that was not answered with certificates.
pub(super) async fn ask(caller: &mut Caller<'_>) -> Result<First, NoCall> {
    let alpn = if caller.opening.is_none() { &ALPN[..] } else { &[] };
    let everything = Hello::everything(caller.name, alpn);
    let mut attempt = ask_once(caller, &everything).await?;
    let mut retries = caller.limits().retries;
    // There is no use in another hello for whom did not come to ours.
    while attempt.is_unheard() && retries > 0 {
        retries -= 1;
        attempt = ask_once(caller, &everything).await?;
    }
    let offered = everything.versions.clone();
    let mut first = First { attempt, hello: everything, offered };
    if !first.attempt.is_conclusive() || first.attempt.is_anonymous() {
        Box::pin(ask_otherwise(caller, &mut first, alpn, retries)).await;
    }
    Ok(first)
}

/// Asks those who did not show certificates in answer to the hello that offers everything.
async fn ask_otherwise(
    caller: &mut Caller<'_>,
    first: &mut First,
    alpn: &[&'static str],
    mut retries: u32,
) {
    if matches!(first.attempt.end, End::Alert(alert_code::NO_APPLICATION_PROTOCOL)) {
        let without = Hello { alpn: Vec::new(), ..first.hello.clone() };
        first.try_also(caller, without).await;
    }
    if first.attempt.is_anonymous() {
        // Behind a suite without authentication there may be a certificate.
        let authenticated = first.hello.clone().authenticated();
        first.try_also(caller, authenticated).await;
    }
    let declined = match first.attempt.end {
        End::Alert(alert) => Some(alert),
        _ => None,
    };
    let no_suite = declined.is_some_and(|alert| NO_SUITE.contains(&alert));
    if !first.attempt.is_conclusive() && !no_suite && declined != Some(alert_code::PROTOCOL_VERSION)
    {
        // There are middleboxes that drop a hello which does not fit into one packet, and servers
        // that read no more than so many suites.
        if first.attempt.is_broken_off() {
            caller.slow_down();
        }
        first.try_also(caller, Hello::small(caller.name, alpn)).await;
        caller.small = first.attempt.is_shown();
    }
    // Servers that cannot bear a hello with versions that they do not know, and those that know
    // no newer ones.
    for version in [TLS12, TLS10, SSL3, SSL2] {
        if first.attempt.is_conclusive() || (version < TLS12 && first.attempt.is_silent()) {
            break;
        }
        while version == TLS10 && first.attempt.is_broken_off() && retries > 0 {
            retries -= 1;
            caller.slow_down();
            first.try_also(caller, Hello::everything(caller.name, alpn)).await;
        }
        if !first.attempt.is_conclusive() {
            let mut hello = Hello::of_version(version, caller.name);
            if version == TLS12 && no_suite {
                hello.suites = suites::candidates(TLS12);
            }
            first.try_also(caller, hello).await;
        }
    }
}

/// Alerts that say that none of the suites would do.
pub(super) const NO_SUITE: [u8; 2] =
    [alert_code::HANDSHAKE_FAILURE, alert_code::INSUFFICIENT_SECURITY];

async fn ask_once(caller: &mut Caller<'_>, hello: &Hello) -> Result<Attempt, NoCall> {
    let time = caller.left();
    caller.call_within(time, true, hello, Until::Chain).await
}

impl First {
    /// Asks once more, and keeps the answer that tells more. What stands in the way of asking
    /// again leaves what is known.
    async fn try_also(&mut self, caller: &mut Caller<'_>, hello: Hello) {
        let time = caller.left();
        let Ok(attempt) = caller.call_within(time, false, &hello, Until::Chain).await else {
            return;
        };
        for version in &hello.versions {
            if !self.offered.contains(version) {
                self.offered.push(*version);
            }
        }
        if attempt.worth() > self.attempt.worth() {
            self.hello = hello;
            self.attempt = attempt;
        }
    }
}

impl Attempt {
    /// Whether the server showed all it would show to anybody.
    pub(super) fn is_shown(&self) -> bool {
        let ssl2 = !self.shown.ssl2_suites.is_empty();
        !self.shown.chain.is_empty() || self.is_anonymous() || ssl2
    }

    /// A server without authentication shows no certificate.
    fn is_anonymous(&self) -> bool {
        let all = matches!(self.end, End::Enough) && self.shown.suite.is_some();
        all && self.shown.chain.is_empty()
    }

    /// Whether asking otherwise would come to the same.
    fn is_conclusive(&self) -> bool {
        let spoken = matches!(
            self.end,
            End::Foreign | End::Plain(_) | End::Alert(alert_code::UNRECOGNIZED_NAME)
        );
        self.is_shown() || spoken || self.stage == Stage::Opening
    }

    /// Whether the server broke off before our hello.
    fn is_unheard(&self) -> bool {
        self.stage == Stage::Opening && self.is_broken_off()
    }

    /// Whether there was a connection and not one octet of TLS came over it.
    fn is_silent(&self) -> bool {
        matches!(self.end, End::Silence | End::Deadline) && self.heard.is_empty()
    }

    /// How much an answer tells: what was shown, what was said, that something was there.
    fn worth(&self) -> u8 {
        match &self.end {
            _ if !self.shown.chain.is_empty() => 5,
            _ if self.is_shown() => 4,
            End::Foreign | End::Plain(_) => 3,
            _ if self.shown.version.is_some() => 3,
            End::Alert(_) => 2,
            _ => u8::from(!self.heard.is_empty()),
        }
    }
}
