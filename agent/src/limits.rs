//! What the operating system lets one process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are not connections: the store, the report, what the filesystem collector reads
/// and what the runtime holds.
const OTHERS: u64 = 192;

/// Raises the soft limit of open files to the hard one, and gives how many connections fit below
/// it. Desktops and service managers set a soft limit of 1024, which is there for old programs
/// that cannot count further.
pub fn raise_open_files() -> usize {
    let before = getrlimit(Resource::Nofile);
    if before.current != before.maximum {
        let wanted = Rlimit { current: before.maximum, maximum: before.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, wanted) {
            tracing::debug!(%error, "The limit of open files stays as it is.");
        }
    }
    let after = getrlimit(Resource::Nofile).current;
    tracing::debug!(before = ?before.current, ?after, "The limit of open files.");
    let room = after.map_or(u64::MAX, |after| after.saturating_sub(OTHERS).max(1));
    usize::try_from(room).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let room = raise_open_files();
        let now = getrlimit(Resource::Nofile);
        assert_eq!(now.current, now.maximum);
        assert!(now.current.is_none_or(|most| (room as u64) < most));
    }
}
