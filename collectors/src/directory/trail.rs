//! The referrals of one search: which are to be followed, which are, and which were.

use std::collections::{BTreeSet, VecDeque};

use pki_inventory::{GapReason, Place};

use super::addresses::Target;
use super::referrals::{self, Referral};
use super::session::{Session, Tally, Trouble};

/// Addresses in the referrals of one search that are looked at.
const MOST: usize = 1000;

/// Where the server sent us on to. One referral may have several addresses, and any of them will do
/// (RFC 4511, 4.1.10 and 4.5.3).
#[derive(Default)]
pub(super) struct Trail {
    /// Each once: what was read before a connection broke comes again after it.
    named: BTreeSet<Vec<String>>,
    /// How many addresses there were, and whether there were more.
    count: usize,
    more: bool,
    next: VecDeque<(Vec<Referral>, u8)>,
    followed: BTreeSet<(Target, String)>,
    /// How many referrals led to where the search is.
    depth: u8,
    /// The other addresses of the referral that is followed.
    others: VecDeque<Referral>,
    /// Why those before it did not answer.
    missed: Vec<(Place, Trouble)>,
}

impl Trail {
    /// Keeps a referral with all its addresses.
    pub(super) fn note(&mut self, mut to: Vec<String>) {
        if to.is_empty() || self.named.contains(&to) {
            return;
        }
        let room = MOST - self.count;
        if to.len() > room {
            self.more = true;
            to.truncate(room);
        }
        self.count += to.len();
        if !to.is_empty() {
            self.named.insert(to);
        }
    }

    /// Puts what may be followed in the queue; the rest is a gap each.
    pub(super) fn sort(&mut self, session: &Session<'_>, tally: &mut Tally, base: &str) {
        for addresses in std::mem::take(&mut self.named) {
            let judged = addresses.iter().map(|it| referrals::judge(it, session, base, self.depth));
            let (mut good, mut bad) = (Vec::new(), Vec::new());
            judged.for_each(|judged| match judged {
                Ok(referral) => good.push(referral),
                Err(gap) => bad.push(gap),
            });
            if good.is_empty() {
                bad.into_iter().for_each(|(place, detail)| {
                    tally.gap(place, GapReason::LinkOutOfScope, detail);
                });
            } else {
                self.next.push_back((good, self.depth + 1));
            }
        }
        if std::mem::take(&mut self.more) {
            let detail = format!(
                "the server refers to more than {MOST} other places; the rest is not looked at"
            );
            tally.gap(session.place(base), GapReason::LimitReached, detail);
        }
    }

    /// The next one to follow.
    pub(super) fn next(&mut self, session: &Session<'_>, tally: &mut Tally) -> Option<Referral> {
        while let Some((referrals, depth)) = self.next.pop_front() {
            let first = referrals.first().map(|it| (it.target.host.clone(), it.base.clone()));
            self.others = referrals.into();
            self.missed.clear();
            self.depth = depth;
            if let Some(referral) = self.untried() {
                return Some(referral);
            }
            if let Some((host, base)) = first {
                let detail =
                    format!("the server refers to {host}, which was asked for this part already");
                tally.gap(session.place(&base), GapReason::LinkOutOfScope, detail);
            }
        }
        None
    }

    /// Another address of the same referral, in place of one that did not answer.
    ///
    /// # Errors
    ///
    /// What kept every address from being read, where there is no other.
    pub(super) fn other(
        &mut self,
        at: Place,
        trouble: Trouble,
    ) -> Result<Referral, Vec<(Place, Trouble)>> {
        self.missed.push((at, trouble));
        self.untried().ok_or_else(|| std::mem::take(&mut self.missed))
    }

    fn untried(&mut self) -> Option<Referral> {
        while let Some(referral) = self.others.pop_front() {
            let key = (referral.target.clone(), referral.base.to_lowercase());
            if self.followed.insert(key) {
                return Some(referral);
            }
        }
        None
    }
}
