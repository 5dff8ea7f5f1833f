//! How the threads that read stand back for everybody else.

use pki_config::{FilesystemScope, IoPriority};

/// Lowers the priority of this thread, as far as that was asked for. On Linux both priorities belong
/// to threads; nobody but root can raise them again, so a thread that is lowered has to be our own.
pub(super) fn lower(scope: &FilesystemScope) {
    if scope.nice > 0
        && let Err(error) = rustix::process::nice(i32::from(scope.nice))
    {
        tracing::warn!(%error, "The priority on the processor could not be lowered.");
    }
    let class = match scope.io_priority {
        IoPriority::Normal => return,
        // The last of eight steps of the class that everybody is in.
        IoPriority::Low => (IOPRIO_CLASS_BE, 7),
        IoPriority::Idle => (IOPRIO_CLASS_IDLE, 0),
    };
    if let Err(error) = set(class) {
        tracing::warn!(%error, "The priority on the disks could not be lowered.");
    }
}

// ioprio_set(2); no crate that is maintained has it.
const IOPRIO_CLASS_BE: libc::c_int = 2;
const IOPRIO_CLASS_IDLE: libc::c_int = 3;
const IOPRIO_CLASS_SHIFT: libc::c_int = 13;
const IOPRIO_WHO_PROCESS: libc::c_int = 1;

fn set((class, data): (libc::c_int, libc::c_int)) -> Result<(), std::io::Error> {
    let this_thread: libc::c_int = 0;
    let priority = class << IOPRIO_CLASS_SHIFT | data;
    #[expect(unsafe_code, reason = "the call takes three numbers and touches no memory")]
    // SAFETY: no pointer is passed; a wrong number is an error that the kernel returns.
    let result =
        unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, this_thread, priority) };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel says of the thread that asks.
    fn seen() -> (i64, i32) {
        #[expect(unsafe_code, reason = "the call takes two numbers and touches no memory")]
        // SAFETY: no pointer is passed.
        let io = unsafe { libc::syscall(libc::SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) };
        (io, rustix::process::nice(0).expect("asking changes nothing"))
    }

    #[test]
    fn a_thread_stands_back_as_far_as_it_is_told() {
        for (nice, io_priority, expected) in [
            (0, IoPriority::Low, 2 << 13 | 7),
            (5, IoPriority::Idle, 3 << 13),
            (19, IoPriority::Normal, 0),
        ] {
            let (before, after) = std::thread::spawn(move || {
                let before = seen();
                lower(&FilesystemScope { nice, io_priority, ..FilesystemScope::default() });
                (before, seen())
            })
            .join()
            .expect("it does not break down");
            assert_eq!(after.1, (before.1 + i32::from(nice)).min(19));
            if io_priority != IoPriority::Normal {
                assert_eq!(after.0, expected, "{io_priority:?}");
            }
        }
    }
}
