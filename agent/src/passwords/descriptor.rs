//! A secret from a file descriptor that whoever started the agent has opened for it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::MAX_BYTES;

/// The first line that comes from there, without its end. The descriptor is closed then: programs that
/// are started from here must not find it. Standard input stays, with whatever comes behind the line.
///
/// # Errors
///
/// Why there is none.
pub(super) fn line(number: i32, deadline: Duration) -> Result<Zeroizing<Vec<u8>>, String> {
    let named = |why: String| format!("the file descriptor {number} {why}");
    let file = inherited(number).map_err(named)?;
    let until = Instant::now() + deadline;
    // All the room at once: a buffer that grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    let mut octet = Zeroizing::new([0]);
    loop {
        let failed = |error: io::Error| named(format!("could not be read: {error}"));
        if !is_ready(&file, until).map_err(failed)? {
            let secs = deadline.as_secs();
            return Err(named(format!("gave no whole line within {secs} seconds")));
        }
        match (&file).read(&mut *octet) {
            Ok(0) => break,
            Ok(_) if octet[0] == b'\n' => break,
            Ok(_) if line.len() == MAX_BYTES => {
                return Err(named(format!("gave a line longer than {MAX_BYTES} octets")));
            }
            Ok(_) => line.push(octet[0]),
            // Another process may be reading the same, and be faster.
            Err(error)
                if [io::ErrorKind::Interrupted, io::ErrorKind::WouldBlock]
                    .contains(&error.kind()) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    Ok(line)
}

/// The descriptor with this number, if whoever started this program has left it open.
fn inherited(number: i32) -> Result<File, String> {
    let refused = |error: io::Error| format!("could not be taken: {error}");
    if number == 0 {
        return Ok(io::stdin().as_fd().try_clone_to_owned().map_err(refused)?.into());
    }
    let facts = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"))
        .map_err(|_| "is not open".to_owned())?;
    let flags = facts.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    // What a program is started with has no such flag, and what the standard library opens always
    // has it: so this one is none of our own.
    match flags.map(OFlags::from_bits_retain) {
        Some(flags) if !flags.contains(OFlags::CLOEXEC) => {}
        _ => return Err("is none that this program was started with".to_owned()),
    }
    #[expect(unsafe_code, reason = "nothing in this program has the descriptor, as was just seen")]
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    Ok(owned.into())
}

/// Waits until something can be read, or the end is reached; `false` when there is no time left.
fn is_ready(file: &File, until: Instant) -> io::Result<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::{AsRawFd as _, IntoRawFd as _};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    /// A pipe as a program is started with it: its end to read from by number, and the other one.
    fn pipe() -> (i32, File) {
        let (from, to) = rustix::pipe::pipe().expect("a pipe");
        (from.into_raw_fd(), to.into())
    }

    fn given(octets: &[u8]) -> Result<String, String> {
        let (number, mut to) = pipe();
        to.write_all(octets).expect("writes");
        drop(to);
        line(number, SHORT).map(|line| String::from_utf8(line.to_vec()).expect("text"))
    }

    #[test]
    fn the_first_line_is_read_and_the_descriptor_closed() {
        let longest = "x".repeat(MAX_BYTES);
        for (octets, expected) in [
            ("31337\nmore\n", "31337"),
            ("31337\r\n", "31337"),
            ("31337", "31337"),
            ("", ""),
            ("\n31337", ""),
            (&longest, &longest),
        ] {
            assert_eq!(given(octets.as_bytes()).as_deref(), Ok(expected));
        }
        let error = given(format!("{longest}x\n").as_bytes()).expect_err("is too long");
        assert!(error.ends_with("gave a line longer than 4096 octets"), "{error}");

        let (number, mut to) = pipe();
        to.write_all(b"31337\n").expect("writes");
        assert!(line(number, SHORT).is_ok());
        // A process that another test starts may have the pipe for a moment.
        let until = Instant::now() + Duration::from_secs(10);
        while to.write_all(b"x").is_ok() {
            assert!(Instant::now() < until, "somebody can still read from it");
            std::thread::sleep(SHORT);
        }
    }

    #[test]
    fn what_nobody_writes_to_is_not_waited_for() {
        let (number, mut to) = pipe();
        to.write_all(b"31337").expect("writes");
        let error = line(number, SHORT).expect_err("there is no whole line");
        let told = format!("the file descriptor {number} gave no whole line within 0 seconds");
        assert_eq!(error, told);
    }

    #[test]
    fn what_was_not_handed_over_is_not_taken() {
        let own = File::open("/dev/zero").expect("opens");
        let error = line(own.as_raw_fd(), SHORT).expect_err("is our own");
        assert!(error.ends_with("is none that this program was started with"), "{error}");
        assert!((&own).read(&mut [0]).is_ok(), "it is still open");
        let error = line(65_535, SHORT).expect_err("there is none");
        assert_eq!(error, "the file descriptor 65535 is not open");
    }
}
