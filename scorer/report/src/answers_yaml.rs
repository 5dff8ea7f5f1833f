//! `answers-yaml`: the file that people fill in.

use std::io::{self, Write};

use crate::{Document, Format};

pub(crate) const FORMAT: Format =
    Format { name: "answers-yaml", about: "the file that people fill in", render };

fn render(_document: &Document<'_>, _out: &mut dyn Write) -> io::Result<()> {
    Ok(())
}
