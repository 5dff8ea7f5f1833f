//! `html`: one self-contained page for people.

use std::io::{self, Write};

use crate::{Document, Format};

pub(crate) const FORMAT: Format =
    Format { name: "html", about: "one self-contained page for people", render };

fn render(_document: &Document<'_>, _out: &mut dyn Write) -> io::Result<()> {
    Ok(())
}
