//! The only place that writes to the terminal and to files.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;

/// Writes to standard output through one buffer.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes lines to standard output as they are made.
pub fn stream(write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    Ok(out.flush()?)
}

/// Says something beside the result, such as where a file was written.
#[expect(clippy::print_stderr, reason = "remarks belong beside the result, not into it")]
pub fn remark(text: &str) {
    eprintln!("{}", plain(text));
}

/// Text that cannot act on a terminal: names on disk may hold anything.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Says why a command could not be done: the error and what it rests on.
pub fn complain(error: &anyhow::Error) {
    let mut said = format!("pkimm-agent: {error}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            said.push_str("\n  because: ");
            said.push_str(&cause);
        }
    }
    remark(&said);
}

/// Whether the reader of our output went away.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Writes a file as a whole or not at all: a reader never sees half a report. What is there and is
/// not a regular file, a pipe or a device, is written into; a link is followed.
pub fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let named = || format!("could not write {}", path.display());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(named)?;
    }
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let file = std::fs::OpenOptions::new().write(true).open(path).with_context(named)?;
        let mut out = io::BufWriter::new(file);
        return write(&mut out).and_then(|()| out.flush()).with_context(named);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let file = std::fs::File::create(&beside).with_context(named)?;
    let mut out = io::BufWriter::new(file);
    write(&mut out).and_then(|()| out.flush()).with_context(named)?;
    out.get_ref().sync_all().with_context(named)?;
    std::fs::rename(&beside, path).with_context(named)
}
