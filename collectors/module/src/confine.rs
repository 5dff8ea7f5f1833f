//! What the process gives up before foreign code runs in it.

use std::fs::File;
use std::io;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::process::{getppid, getrlimit, setrlimit};
use rustix::process::{set_dumpable_behavior, set_parent_process_death_signal};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stdin, stdout};

/// With less address space than this not even a small library loads; a limit below it would say
/// nothing about the module.
const LEAST_MEMORY_MIB: u64 = 64;

/// Leaves no trace of a PIN in a core file, lets no other process look in, and dies with the agent.
pub(crate) fn process() -> io::Result<()> {
    limit(Resource::Core, 0)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // An agent that ended before the signal was asked for sends none. One that ended before that has
    // closed the pipe of the orders, so there will be nothing to do.
    if getppid() != parent {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}

/// Takes standard input and output away and puts nothing in their place: a library that prints cannot
/// spoil an answer, and one that asks at the terminal cannot swallow an order.
pub(crate) fn channel() -> io::Result<(File, File)> {
    let input = fcntl_dupfd_cloexec(stdin(), 3)?;
    let output = fcntl_dupfd_cloexec(stdout(), 3)?;
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    dup2_stderr(&nothing)?;
    Ok((input.into(), output.into()))
}

/// Limits the address space. What the module reserves counts, not only what it uses.
pub(crate) fn memory(mib: u64) -> io::Result<()> {
    limit(Resource::As, mib.max(LEAST_MEMORY_MIB).saturating_mul(1 << 20))
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(most, |now| now.min(most));
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}
