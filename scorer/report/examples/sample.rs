//! Writes the shared assessment of the tests in one format, to look at it:
//! `cargo run -p pki-report --example sample -- html /tmp/report.html`. With `--empty` it is the
//! first run that found nothing and that nobody has answered.

#[path = "../tests/sample/mod.rs"]
#[allow(dead_code)]
mod sample;

use std::io;

fn main() -> io::Result<()> {
    let (options, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let [format, path] = arguments.as_slice() else {
        return Err(io::Error::other("two arguments are needed: the format and the file to write"));
    };
    let format = pki_report::FORMATS
        .iter()
        .find(|known| known.name == format)
        .ok_or_else(|| io::Error::other(format!("`{format}` is not a format")))?;
    let empty = options.iter().any(|option| option == "--empty");
    let sample = if empty { sample::empty() } else { sample::sample() };
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    (format.render)(&sample.document(), &mut file)?;
    io::Write::flush(&mut file)
}
