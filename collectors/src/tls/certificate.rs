//! The depth `certificate`: one exchange that every server from TLS 1.0 to 1.3 can answer, and more
//! only for those that cannot.

use pki_config::Depth;

use super::caller::{Caller, NoCall};
use super::exchange::{Attempt, Until};
use super::hello::Hello;
use super::names::{SSL2, SSL3, TLS12, alert_code};
use super::wire::End;

/// What asking for the certificates came to.
pub(super) struct First {
    pub(super) attempt: Attempt,
    /// The groups of the hello that was answered.
    pub(super) groups: Vec<u16>,
    /// Every version that was offered until then, newest first.
    pub(super) offered: Vec<u16>,
}

/// Protocols of ALPN that are asked for where TLS comes first.
pub(super) const ALPN: [&str; 2] = ["h2", "http/1.1"];

/// The connections one place may cost.
pub(super) fn most_connections(depth: Depth) -> u32 {
    match depth {
        // The hello that offers everything, twice, and three smaller and older ones.
        Depth::Certificate => 5,
        Depth::Posture => 40,
        Depth::Suites => 600,
    }
}

/// Asks with everything, and with less where that was not answered with certificates.
pub(super) async fn ask(caller: &mut Caller<'_>) -> Result<First, NoCall> {
    let alpn = if caller.opening.is_none() { &ALPN[..] } else { &[] };
    let everything = Hello::everything(caller.name, alpn);
    let attempt = caller.call(&everything, Until::Chain, 0.5).await?;
    let mut first =
        First { attempt, groups: everything.groups.clone(), offered: everything.versions.clone() };
    if matches!(first.attempt.end, End::Alert(alert_code::NO_APPLICATION_PROTOCOL)) {
        let without = Hello { alpn: Vec::new(), ..everything.clone() };
        first.try_also(caller, &without).await;
    }
    if first.attempt.is_conclusive() {
        return Ok(first);
    }
    // There are middleboxes that drop a hello which does not fit into one packet, and servers that
    // cannot bear one with a version they do not know.
    let broken_off = first.attempt.is_broken_off();
    if broken_off {
        caller.slow_down();
    }
    first.try_also(caller, &Hello::of_version(TLS12, caller.name)).await;
    if broken_off && first.attempt.is_broken_off() && caller.limits().retries > 0 {
        caller.slow_down();
        first.try_also(caller, &everything).await;
    }
    for version in [SSL3, SSL2] {
        if first.attempt.is_conclusive() || first.attempt.is_silent() {
            break;
        }
        first.try_also(caller, &Hello::of_version(version, None)).await;
    }
    Ok(first)
}

impl First {
    /// Asks once more, and keeps the answer that tells more. What stands in the way of asking
    /// again leaves what is known.
    async fn try_also(&mut self, caller: &mut Caller<'_>, hello: &Hello) {
        let Ok(attempt) = caller.call(hello, Until::Chain, 1.0).await else { return };
        for version in &hello.versions {
            if !self.offered.contains(version) {
                self.offered.push(*version);
            }
        }
        if attempt.worth() > self.attempt.worth() {
            self.groups.clone_from(&hello.groups);
            self.attempt = attempt;
        }
    }
}

impl Attempt {
    /// Whether the server showed all it would show to anybody.
    pub(super) fn is_shown(&self) -> bool {
        // A server without authentication has no certificate.
        let anonymous = matches!(self.end, End::Enough) && self.shown.suite.is_some();
        !self.shown.chain.is_empty() || anonymous || !self.shown.ssl2_suites.is_empty()
    }

    /// Whether asking otherwise would come to the same.
    fn is_conclusive(&self) -> bool {
        let spoken = matches!(
            self.end,
            End::Foreign | End::Plain(_) | End::Alert(alert_code::UNRECOGNIZED_NAME)
        );
        self.is_shown() || spoken
    }

    /// Whether there was a connection and not one octet came over it.
    fn is_silent(&self) -> bool {
        matches!(self.end, End::Silence | End::Deadline) && self.heard.is_empty()
    }

    /// How much an answer tells: what was shown, what was said, that something was there.
    fn worth(&self) -> u8 {
        match &self.end {
            _ if self.is_shown() => 4,
            End::Foreign | End::Plain(_) | End::WantsGroup(_) => 3,
            End::Alert(_) => 2,
            _ => u8::from(!self.heard.is_empty()),
        }
    }
}
