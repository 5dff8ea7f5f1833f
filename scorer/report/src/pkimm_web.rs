//! `pkimm-web`: the file that the PKI Consortium's web tool imports.

use std::io::{self, Write};

use crate::{Document, Format};

pub(crate) const FORMAT: Format = Format {
    name: "pkimm-web",
    about: "the file that the PKI Consortium's web tool imports",
    render,
};

fn render(_document: &Document<'_>, _out: &mut dyn Write) -> io::Result<()> {
    Ok(())
}
