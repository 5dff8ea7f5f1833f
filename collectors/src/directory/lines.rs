//! The connections to one directory. Some servers keep one place in pages for a connection, and one
//! that is given up loses the place: what is asked between the pages of a search goes over a
//! connection of its own.

use pki_config::Transport;

use super::addresses::Target;
use super::connection::Connection;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// What the settings ask for, page by page.
    Pages,
    /// Questions that come up between the pages: who somebody is, the rest of an attribute.
    Questions,
}

/// Where a search goes, and what for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Way {
    /// What for.
    pub(super) line: Line,
    /// Where a referral led, with the transport to use there; absent for the directory's own servers.
    pub(super) elsewhere: Option<(Target, Transport)>,
}

/// The connections that are open.
#[derive(Default)]
pub(super) struct Lines {
    open: Vec<Open>,
    count: u64,
}

struct Open {
    way: Way,
    connection: Connection,
    number: u64,
}

impl Lines {
    /// The connection of a way.
    pub(super) fn get(&self, way: &Way) -> Option<&Connection> {
        self.open.iter().find(|open| open.way == *way).map(|open| &open.connection)
    }

    /// Which connection that is, from 1; 0 for none.
    pub(super) fn number(&self, way: &Way) -> u64 {
        self.open.iter().find(|open| open.way == *way).map_or(0, |open| open.number)
    }

    /// Keeps a new one. Of those to other servers each line has one at a time.
    pub(super) fn add(&mut self, way: Way, connection: Connection) {
        let is_away = way.elsewhere.is_some();
        self.open.retain(|open| {
            let ends = is_away && open.way.elsewhere.is_some() && open.way.line == way.line;
            !ends && open.way != way
        });
        self.count += 1;
        self.open.push(Open { way, connection, number: self.count });
    }

    /// Ends the connection of a way.
    pub(super) fn close(&mut self, way: &Way) {
        self.open.retain(|open| open.way != *way);
    }
}
