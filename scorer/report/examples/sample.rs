//! Writes the shared assessment of the tests in one format, to look at it:
//! `cargo run -p pki-report --example sample -- html /tmp/report.html`.

#[path = "../tests/sample/mod.rs"]
#[allow(dead_code)]
mod sample;

use std::io;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [format, path] = arguments.as_slice() else {
        return Err(io::Error::other("two arguments are needed: the format and the file to write"));
    };
    let format = pki_report::FORMATS
        .iter()
        .find(|known| known.name == format)
        .ok_or_else(|| io::Error::other(format!("`{format}` is not a format")))?;
    let sample = sample::sample();
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    (format.render)(&sample.document(), &mut file)?;
    io::Write::flush(&mut file)
}
