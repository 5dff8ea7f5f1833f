//! Searches page by page (RFC 2696), over a connection that may break once, and on to where
//! referrals lead as far as they may be followed.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use ldap3::controls::{PagedResults, RawControl};
use ldap3::{LdapResult, ResultEntry, Scope, SearchOptions, SearchStream};
use pki_config::Transport;
use pki_directory::Entry;
use pki_inventory::GapReason;

use super::addresses::Target;
use super::answers::code;
use super::items;
use super::lines::{Line, Way};
use super::ranges;
use super::referrals::Referral;
use super::session::{Session, Tally, Trouble};
use super::shape;
use super::trail::Trail;

/// Entries and octets that are handed on together, where a server knows no pages.
const MOST_ENTRIES: usize = 1000;
const MOST_OCTETS: usize = 8 * 1024 * 1024;

/// Entries that are passed over at the end of a page before the connection is given up.
const MOST_PASSED_OVER: usize = 5000;

/// How long the answer is waited for when a search is ended early.
const FAREWELL: Duration = Duration::from_secs(2);

/// LDAP_PAGED_RESULT_OID_STRING (RFC 2696).
const PAGES: &str = "1.2.840.113556.1.4.319";
/// LDAP_SERVER_SD_FLAGS_OID ([MS-ADTS], 3.1.1.3.4.1.11).
const DESCRIPTOR_FLAGS: &str = "1.2.840.113556.1.4.801";
/// LDAP_SERVER_DOMAIN_SCOPE_OID ([MS-ADTS], 3.1.1.3.4.1.3): no referrals to other naming contexts.
const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) base: String,
    pub(super) scope: Scope,
    pub(super) filter: String,
    pub(super) attributes: Vec<String>,
    /// For Active Directory: owner, group and access list are wanted, and no referrals.
    pub(super) manner: Manner,
    /// Which connection it goes over. Entries count against `max_entries` where they are what the
    /// settings ask for, and not what had to be known besides.
    pub(super) line: Line,
    /// Whether to ask for the next page before this one is looked at. Where several searches go
    /// over one connection at a time some servers forget where they were.
    pub(super) ahead: bool,
    /// No more entries than these.
    pub(super) most: Option<u64>,
}

/// How a search is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// By the standard.
    Standard,
    /// Of Active Directory, within one naming context.
    ActiveDirectory,
    /// The same, with security descriptors.
    Descriptors,
}

type Stream = SearchStream<'static, String, Vec<String>>;

/// A search that is under way, with those that its referrals lead to.
pub(super) struct Search {
    query: Query,
    stream: Option<Stream>,
    cookie: Vec<u8>,
    /// Which connection of the session the cookie is for.
    connection: u64,
    done: bool,
    /// What happened behind the entries that were handed on last.
    trouble: Option<Trouble>,
    /// Hashes of the names that were handed on before the connection broke.
    known: Vec<u64>,
    broke: bool,
    handed_on: u64,
    /// Hashes of the names, in lower case, of entries that somebody else has handed on.
    left_out: BTreeSet<u64>,
    /// Whether the server has answered anything, here.
    answered: bool,
    trail: Trail,
    /// Where a referral led, with the transport to use there. Searches may run between the pages of
    /// others, and each is at a server of its own.
    elsewhere: Option<(Target, Transport)>,
    /// Whether there was more than `most`.
    pub(super) more: bool,
}

/// Entries that came together.
pub(super) type Page = Vec<Entry>;

impl Search {
    pub(super) fn new(query: Query) -> Self {
        Self {
            query,
            stream: None,
            cookie: Vec::new(),
            connection: 0,
            done: false,
            trouble: None,
            known: Vec::new(),
            broke: false,
            handed_on: 0,
            left_out: BTreeSet::new(),
            answered: false,
            trail: Trail::default(),
            elsewhere: None,
            more: false,
        }
    }

    /// One that leaves entries out, by the [hashes](hash_of) of their names. They count for nothing.
    pub(super) fn without(query: Query, left_out: BTreeSet<u64>) -> Self {
        Self { left_out, ..Self::new(query) }
    }

    /// One that begins where another is.
    pub(super) fn beside(other: &Self, query: Query) -> Self {
        Self { elsewhere: other.elsewhere.clone(), ..Self::new(query) }
    }

    pub(super) fn manner(&self) -> Manner {
        self.query.manner
    }

    /// The next page; `None` at the end of everything. What was not read is noted.
    ///
    /// # Errors
    ///
    /// What ends more than this search.
    pub(super) async fn next(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
    ) -> Result<Option<Page>, Trouble> {
        let Some(mut page) = self.step(session, tally).await? else { return Ok(None) };
        if let Err(trouble) = ranges::complete(session, tally, self, &mut page).await {
            // What came goes on its way first.
            self.trouble.get_or_insert(trouble);
        }
        Ok(Some(page))
    }

    /// The next page, as it came: an attribute may be there in part.
    ///
    /// # Errors
    ///
    /// What ends more than this search.
    pub(super) async fn step(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
    ) -> Result<Option<Page>, Trouble> {
        loop {
            match self.page(session, tally).await {
                Ok(Some(page)) => {
                    self.handed_on += page.len() as u64;
                    return Ok(Some(page));
                }
                Ok(None) => {}
                Err(Trouble::Broken(why)) if !self.broke => {
                    // A cookie is worth nothing on another connection: from the start, leaving out
                    // what was handed on.
                    tracing::debug!(%why, "The connection broke; the search begins anew.");
                    self.broke = true;
                    self.known.sort_unstable();
                    self.cookie.clear();
                    self.drop_connection(session);
                    continue;
                }
                Err(trouble) => {
                    self.drop_connection(session);
                    let trouble = match trouble {
                        Trouble::Broken(why) => Trouble::Broken(format!(
                            "{why}, twice during one search; what came before is in the inventory"
                        )),
                        other => other,
                    };
                    let at = session.place(&self.query.base);
                    let is_here = matches!(trouble, Trouble::Missed(..) | Trouble::Broken(_));
                    let missed = if is_here && !self.answered {
                        match self.trail.other(at, trouble) {
                            Ok(referral) => {
                                self.follow(referral);
                                continue;
                            }
                            Err(missed) => missed,
                        }
                    } else {
                        vec![(at, trouble)]
                    };
                    self.done = true;
                    for (at, trouble) in missed {
                        session.file(tally, at, trouble)?;
                    }
                }
            }
            self.trail.sort(session, tally, &self.query.base);
            let Some(referral) = self.trail.next(session, tally) else {
                return Ok(None);
            };
            self.follow(referral);
        }
    }

    /// Ends it before its end, so that the server need not keep its place.
    pub(super) async fn end_early(&mut self, session: &mut Session<'_>) {
        session.turn_to(&self.way());
        if self.stream.is_some() {
            self.drop_connection(session);
        } else if !self.done {
            self.let_go(session).await;
        }
        self.done = true;
    }

    /// Says that no more pages are wanted: none of no entries, with the cookie (RFC 2696, 3). Whatever
    /// comes of it, nobody waits long.
    async fn let_go(&mut self, session: &mut Session<'_>) {
        if self.cookie.is_empty() || self.connection != session.number() {
            return;
        }
        let said = async {
            let mut stream = self.ask(session, 0).await?;
            while next_item(session, &mut stream).await?.is_some() {}
            Ok::<(), Trouble>(())
        };
        if !matches!(tokio::time::timeout(FAREWELL, said).await, Ok(Ok(()))) {
            self.drop_connection(session);
        }
        self.cookie.clear();
    }

    fn way(&self) -> Way {
        Way { line: self.query.line, elsewhere: self.elsewhere.clone() }
    }

    fn drop_connection(&mut self, session: &mut Session<'_>) {
        self.stream = None;
        session.close();
    }

    /// Some entries; `None` where the search is at its end.
    async fn page(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
    ) -> Result<Option<Page>, Trouble> {
        // Another search may have turned elsewhere since the last page.
        session.turn_to(&self.way());
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        let mut page = Vec::new();
        let filled = self.fill(session, tally, &mut page).await;
        match filled {
            // What came before goes on its way first: it is known by now, and left out later.
            Err(trouble) if !page.is_empty() => self.trouble = Some(trouble),
            other => other?,
        }
        Ok((!page.is_empty()).then_some(page))
    }

    async fn fill(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
        page: &mut Page,
    ) -> Result<(), Trouble> {
        let mut octets = 0;
        while !self.done && page.is_empty() {
            session.may_go_on()?;
            let mut stream = match self.stream.take() {
                Some(stream) => stream,
                None => self.start(session).await?,
            };
            let ended = loop {
                let item = next_item(session, &mut stream).await?;
                self.answered = true;
                let Some(item) = item else { break true };
                if item.is_intermediate() {
                    continue;
                }
                if item.is_ref() {
                    self.trail.note(ldap3::parse_refs(item.0));
                    continue;
                }
                let Some(entry) = items::entry(item.0) else {
                    return Err(Trouble::Broken("the server sent an entry that is none".into()));
                };
                // What is asked for by its name is no part of what is looked for.
                let counts = self.query.scope != Scope::Base && self.query.line == Line::Pages;
                let enough = self.query.most.is_some_and(|most| self.count(page) >= most);
                if self.is_known(&entry) || self.is_left_out(&entry) {
                    continue;
                }
                if counts && session.left == 0 || enough {
                    return self.stop_here(session, tally, stream).await;
                }
                session.left -= u64::from(counts);
                octets += items::size(&entry);
                page.push(entry);
                if page.len() >= MOST_ENTRIES || octets >= MOST_OCTETS {
                    break false;
                }
            };
            if !ended {
                self.stream = Some(stream);
                return Ok(());
            }
            let result = stream.finish().await;
            self.end(session, tally, result);
            if self.query.ahead && !self.done {
                self.stream = Some(self.start(session).await?);
            }
        }
        Ok(())
    }

    fn count(&self, page: &Page) -> u64 {
        self.handed_on + page.len() as u64
    }

    /// Whether an entry was handed on before the connection broke; otherwise it is remembered.
    fn is_known(&mut self, entry: &Entry) -> bool {
        let mut hasher = DefaultHasher::new();
        entry.dn.hash(&mut hasher);
        let hash = hasher.finish();
        if self.broke {
            return self.known.binary_search(&hash).is_ok();
        }
        self.known.push(hash);
        false
    }

    fn is_left_out(&self, entry: &Entry) -> bool {
        !self.left_out.is_empty() && self.left_out.contains(&hash_of(&entry.dn))
    }

    /// As many as are wanted were read. The rest of the page is passed over: without the connection
    /// other searches would lose their place.
    async fn stop_here(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
        mut stream: Stream,
    ) -> Result<(), Trouble> {
        self.done = true;
        self.more = true;
        if self.query.line == Line::Pages && session.left == 0 {
            let most = session.server.max_entries;
            let detail = format!("there are more than {most} entries (`max_entries`)");
            tally.gap(session.place(&self.query.base), GapReason::LimitReached, detail);
        }
        for _ in 0..MOST_PASSED_OVER {
            if next_item(session, &mut stream).await?.is_none() {
                self.cookie = cookie(&stream.finish().await);
                self.let_go(session).await;
                return Ok(());
            }
        }
        self.drop_connection(session);
        Ok(())
    }

    /// Asks for a page.
    async fn start(&mut self, session: &mut Session<'_>) -> Result<Stream, Trouble> {
        session.connected().await?;
        if !self.cookie.is_empty() && self.connection != session.number() {
            return Err(Trouble::Broken("the connection broke during another search".into()));
        }
        self.connection = session.number();
        let size = i32::try_from(session.server.page_size).unwrap_or(i32::MAX);
        self.ask(session, size).await
    }

    /// Asks for so many entries.
    async fn ask(&self, session: &mut Session<'_>, size: i32) -> Result<Stream, Trouble> {
        let mut controls: Vec<RawControl> = Vec::new();
        if self.query.scope != Scope::Base {
            controls.push(PagedResults { size, cookie: self.cookie.clone() }.into());
        }
        if self.query.manner != Manner::Standard {
            let ctype = DOMAIN_SCOPE.to_owned();
            controls.push(RawControl { ctype, crit: false, val: None });
        }
        if self.query.manner == Manner::Descriptors {
            // Owner, group and access list: whoever asks for the system list without the privilege
            // for it gets no descriptor at all ([MS-ADTS], 3.1.1.3.4.1.11).
            let val = Some(vec![0x30, 3, 2, 1, 7]);
            controls.push(RawControl { ctype: DESCRIPTOR_FLAGS.to_owned(), crit: true, val });
        }
        let limit = self.time_limit(session);
        let mut ldap = session.connected().await?.ldap.clone();
        ldap.with_search_options(SearchOptions::new().timelimit(limit));
        if !controls.is_empty() {
            ldap.with_controls(controls);
        }
        let Query { base, scope, filter, attributes, .. } = &self.query;
        let started = ldap.streaming_search(base, *scope, filter, attributes.clone());
        let started = session.wait(started).await?;
        started.map_err(|error| match error {
            ldap3::LdapError::FilterParsing => {
                Trouble::Missed(GapReason::ReadFailed, format!("`{filter}` is no filter"))
            }
            _ => Trouble::Broken(session.broken()),
        })
    }

    /// How many seconds the server may work on this: whoever stops listening does not stop it. It ends
    /// before we would, and the connection stays.
    fn time_limit(&self, session: &Session<'_>) -> i32 {
        let is_short = self.query.scope == Scope::Base || self.query.manner != Manner::Standard;
        let seconds = if is_short {
            session.server.timeout_secs.saturating_sub(1)
        } else {
            // One that knows no pages sends all in one answer, which may last as long as it flows.
            session.seconds_left()
        };
        // Zero is no limit at all (RFC 4511, 4.5.1.5).
        i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)
    }

    /// What the end of an answer says.
    fn end(&mut self, session: &Session<'_>, tally: &mut Tally, result: LdapResult) {
        match result.rc {
            code::SUCCESS => {
                let cookie = cookie(&result);
                self.done = cookie.is_empty();
                self.cookie = cookie;
            }
            code::REFERRAL => {
                if result.refs.is_empty() {
                    let detail = "the server refers elsewhere and does not say where (code 10); \
                                  check `bases`";
                    let at = session.place(&self.query.base);
                    tally.gap(at, GapReason::LinkOutOfScope, detail.to_owned());
                }
                self.trail.note(result.refs);
                self.done = true;
            }
            code => {
                self.done = true;
                let (reason, detail) = session.meaning(code, &result.text);
                tally.gap(session.place(&self.query.base), reason, detail);
            }
        }
    }

    fn follow(&mut self, referral: Referral) {
        let Referral { target, transport, base, scope } = referral;
        self.stream = None;
        self.elsewhere = Some((target, transport));
        self.query.base = base;
        self.query.scope = scope.unwrap_or(self.query.scope);
        (self.done, self.broke, self.answered) = (false, false, false);
        self.cookie.clear();
        self.known.clear();
    }
}

/// By what an entry is known to be left out.
pub(super) fn hash_of(dn: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    dn.to_lowercase().hash(&mut hasher);
    hasher.finish()
}

/// Strings for a [`Query`].
pub(super) fn named(attributes: &[&str]) -> Vec<String> {
    attributes.iter().map(|name| (*name).to_owned()).collect()
}

/// The cookie of the next page (RFC 2696), empty after the last one.
fn cookie(result: &LdapResult) -> Vec<u8> {
    let control = result.ctrls.iter().find(|control| control.1.ctype == PAGES);
    control.and_then(|control| shape::cookie(control.1.val.as_deref()?)).unwrap_or_default()
}

/// Reads one entry.
///
/// # Errors
///
/// What ends more than this; that it was not to be read is noted.
pub(super) async fn one(
    session: &mut Session<'_>,
    tally: &mut Tally,
    dn: &str,
    attributes: &[&str],
    (manner, line): (Manner, Line),
) -> Result<Option<Entry>, Trouble> {
    let mut search = Search::new(Query {
        base: dn.to_owned(),
        scope: Scope::Base,
        filter: "(objectClass=*)".to_owned(),
        attributes: named(attributes),
        manner,
        line,
        ahead: false,
        most: None,
    });
    let mut found = None;
    while let Some(page) = search.next(session, tally).await? {
        found = page.into_iter().next().or(found);
    }
    Ok(found)
}

/// The next part of an answer; `None` at its end.
async fn next_item(
    session: &Session<'_>,
    stream: &mut Stream,
) -> Result<Option<ResultEntry>, Trouble> {
    let item = session.wait(stream.next()).await?;
    let item = item.map_err(|_| Trouble::Broken(session.broken()))?;
    if let Some(connection) = session.connection() {
        connection.taken();
    }
    Ok(item)
}
