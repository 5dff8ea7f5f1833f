//! What the operating system lets one process have.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

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

/// Keeps this process out of core dumps, and others of the same user from looking into it: it is about to
/// hold secrets.
pub fn keep_to_itself() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "A dump of this process could hold passwords.");
    }
    // A dump that is handed to a program does not ask for the limit (core(5)).
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "A dump of this process could hold passwords.");
    }
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

    #[test]
    fn a_process_with_secrets_is_in_no_dump() {
        keep_to_itself();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(rustix::process::dumpable_behavior().ok(), Some(DumpableBehavior::NotDumpable));
    }
}
