//! The depth `suites`: every cipher suite of every version, and whose order counts.

use pki_inventory::{Fact, Posture, Suites};
use tls_parser::TlsCipherSuite;

use super::caller::Caller;
use super::exchange::Until;
use super::hello::{EMPTY_RENEGOTIATION_INFO_SCSV, FALLBACK_SCSV, Hello};
use super::names::{self, GROUPS_OF_TLS13, SSL3, TLS10, TLS11, TLS12, TLS13};
use super::posture::{refused, unseen};

/// More in one hello, and some servers do not read it.
const AT_ONCE: usize = 60;

/// Completes a posture with the suites of each version that is spoken.
pub(super) async fn ask(caller: &mut Caller<'_>, posture: &mut Posture) {
    for version in [TLS13, TLS12, TLS11, TLS10, SSL3] {
        let Some(facts) = posture.versions.get_mut(&names::version(version)) else { continue };
        if facts.offered != Fact::Yes {
            continue;
        }
        let suites = of(caller, version).await;
        // With an order of its own, what it prefers of all is what it prefers.
        if let (Fact::Yes, Some(first)) = (&suites.server_order, suites.accepted.first()) {
            facts.preferred_suite = Some(first.clone());
        }
        facts.suites = Some(suites);
    }
}

/// Finds the suites of one version by leaving out those that were chosen.
async fn of(caller: &mut Caller<'_>, version: u16) -> Suites {
    let all = candidates(version);
    // All in one hello shows the server's own order, but not every server reads so many.
    let (mut accepted, mut complete) = rounds(caller, version, all.chunks(all.len())).await;
    if accepted.is_empty() {
        (accepted, complete) = rounds(caller, version, all.chunks(AT_ONCE)).await;
    }
    let server_order = order(caller, version, &accepted).await;
    Suites { accepted: accepted.into_iter().map(names::suite).collect(), complete, server_order }
}

/// What was accepted of these lists, and whether that is all.
async fn rounds<'a>(
    caller: &mut Caller<'_>,
    version: u16,
    lists: impl Iterator<Item = &'a [u16]>,
) -> (Vec<u16>, Fact) {
    let mut accepted: Vec<u16> = Vec::new();
    let mut complete = Fact::Yes;
    for offered in lists {
        let mut left = offered.to_vec();
        let end = loop {
            if left.is_empty() {
                break Fact::No;
            }
            let hello = offering(caller, version, &left);
            let attempt = match caller.call_patiently(&hello, Until::ServerHello).await {
                Ok(attempt) => attempt,
                Err(no_call) => break Fact::NotObserved(no_call.reason()),
            };
            match attempt.shown.suite {
                Some(suite) if attempt.shown.version == Some(version) && left.contains(&suite) => {
                    left.retain(|other| *other != suite);
                    accepted.push(suite);
                }
                Some(_) => break unseen("the server chose what was not offered"),
                None => break refused(&attempt, caller),
            }
        };
        if let Fact::NotObserved(_) = end {
            complete = end;
        }
    }
    // Whoever declines everything may be tired of us: a suite that was accepted tells.
    if let (Some(known), Fact::Yes) = (accepted.first(), &complete)
        && !is_accepted(caller, version, *known).await
    {
        complete = unseen("the server declined in the end what it had accepted before");
    }
    (accepted, complete)
}

async fn is_accepted(caller: &mut Caller<'_>, version: u16, suite: u16) -> bool {
    let hello = offering(caller, version, &[suite]);
    let answer = caller.call_patiently(&hello, Until::ServerHello).await;
    answer.is_ok_and(|attempt| attempt.shown.suite == Some(suite))
}

/// Offers what is accepted the other way round: a server that chooses the same has an order of its
/// own.
async fn order(caller: &mut Caller<'_>, version: u16, accepted: &[u16]) -> Fact {
    let [first, .., last] = *accepted else {
        return unseen("there is one suite only, or none");
    };
    let reversed: Vec<u16> = accepted.iter().rev().copied().collect();
    let mut chosen = Vec::new();
    for offered in [accepted, &reversed] {
        let hello = offering(caller, version, offered);
        match caller.call_patiently(&hello, Until::ServerHello).await {
            Ok(attempt) => match attempt.shown.suite {
                Some(suite) => chosen.push(suite),
                None => return unseen("the server declined what it had accepted before"),
            },
            Err(no_call) => return Fact::NotObserved(no_call.reason()),
        }
    }
    match chosen[..] {
        [a, b] if a == b => Fact::Yes,
        [a, b] if a == first && b == last => Fact::No,
        _ => unseen("the server chose differently from one time to the next"),
    }
}

fn offering(caller: &Caller<'_>, version: u16, suites: &[u16]) -> Hello {
    let mut hello = Hello { suites: suites.to_vec(), ..caller.of_version(version) };
    if version == TLS13 {
        // Without a key share the answer is a request for one, which names the suite, and any
        // group will do.
        hello.shares.clear();
        hello.groups = GROUPS_OF_TLS13.to_vec();
    }
    hello
}

/// Every suite of the registry that a version may have.
pub(super) fn candidates(version: u16) -> Vec<u16> {
    let known = |suite: &u16| {
        let is_signal = [EMPTY_RENEGOTIATION_INFO_SCSV, FALLBACK_SCSV].contains(suite);
        TlsCipherSuite::from_id(*suite).is_some() && !is_signal
    };
    let is_tls13 =
        |suite: u16| matches!(suite, 0x1301..=0x13ff | 0xc0b4 | 0xc0b5 | 0x00c6 | 0x00c7);
    (1..0xd0ff).filter(known).filter(|suite| is_tls13(*suite) == (version == TLS13)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_asked_for_what_it_may_have() {
        let modern = candidates(TLS13);
        assert!(modern.contains(&0x1301) && modern.contains(&0x1305) && !modern.contains(&0xc02f));
        let old = candidates(TLS12);
        assert!(old.len() > 300 && old.contains(&0xc02f) && old.contains(&0x0005));
        assert!(!old.contains(&0x1301) && !old.contains(&0x00ff) && !old.contains(&0x5600));
    }
}
