//! Asking for a password at the terminal, without showing it.

use std::fs::File;
use std::io::{self, Read, Write as _};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::{Zeroize as _, Zeroizing};

use super::{MAX_BYTES, password};

/// Asks at the terminal that the agent was started from, wherever its input and output go.
///
/// # Errors
///
/// Why there is no password.
pub fn at_terminal(which: &str) -> Result<Zeroizing<String>, String> {
    let none = |_: io::Error| {
        "there is no terminal to ask at; have it read from a file or a variable instead, by \
         `password_file`, `pin_file` and their like, or --bind-password-file, --pin-file and theirs"
            .to_owned()
    };
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(none)?;
    let silent = Silent::of(&terminal).map_err(|error| none(error.into()))?;
    let failed = |error: io::Error| format!("the terminal could not be read: {error}");
    write!(&terminal, "{which}: ").map_err(failed)?;
    let typed = line(&terminal);
    drop(silent);
    // What was typed was not shown, its end neither.
    let _ = writeln!(&terminal);
    let typed = typed.map_err(failed)?.ok_or("it was not given")?;
    password(&typed).map_err(|why| format!("it {why}"))
}

/// A terminal that shows nothing of what is typed and hands it over key by key: were it to turn keys
/// into signals, the agent could end before the terminal is as it was.
struct Silent<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn of(terminal: &'a File) -> rustix::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // Nothing can be done where a terminal went away.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// What is typed up to the end of the line, with what was taken back taken back; `None` for who would
/// rather not.
fn line(mut from: impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const KILL: u8 = 0x15;
    // All the room at once: a buffer that grows leaves copies behind.
    let mut typed = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    let mut key = Zeroizing::new([0]);
    loop {
        match from.read(&mut *key) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        match key[0] {
            b'\n' | b'\r' | END => break,
            INTERRUPT => return Ok(None),
            KILL => typed.zeroize(),
            // A character of UTF-8 ends in as many octets of this form as follow its first one.
            0x08 | 0x7f => while typed.pop().is_some_and(|octet| octet & 0xc0 == 0x80) {},
            // No password is as long.
            _ if typed.len() == MAX_BYTES => return Ok(None),
            octet => typed.push(octet),
        }
    }
    Ok(Some(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_was_typed_and_not_taken_back() {
        let longest = "x".repeat(MAX_BYTES);
        let too_long = format!("{longest}x\n");
        for (keys, expected) in [
            ("secret\nmore", Some("secret")),
            ("secret\r", Some("secret")),
            ("secret\u{4}", Some("secret")),
            ("secret", Some("secret")),
            ("", Some("")),
            ("\u{7f}a\u{7f}\u{7f}b\n", Some("b")),
            ("aü\u{7f}b\n", Some("ab")),
            ("a€\u{8}b\n", Some("ab")),
            ("wrong\u{15}right\n", Some("right")),
            ("secret\u{3}\n", None),
            (&longest, Some(longest.as_str())),
            (&too_long, None),
        ] {
            let typed = line(keys.as_bytes()).expect("reads");
            let typed = typed.as_ref().map(|typed| std::str::from_utf8(typed).expect("text"));
            assert_eq!(typed, expected, "{keys:?}");
        }
    }
}
