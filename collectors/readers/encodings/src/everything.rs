//! All readers over one piece of octets, as the collector uses them on a small file.

use crate::der_shape::{announced, shape};
use crate::embedded::{self, Embedded};
use crate::objects::{self, Strictness};
use crate::pem::{BEGIN, Scanner};
use crate::{Report, utf16};

/// Reports everything that this crate recognises: binary encodings from the start, one after the
/// other, then blocks of text and what text holds in base64. For fuzzing, and for octets that are
/// all there; a file of any size goes through the parts window by window.
pub fn everything(octets: &[u8], report: &mut dyn Report) {
    let mut text = octets;
    while let (Some(shape), Some(length)) = (shape(text), announced(text)) {
        let Some(object) = text.get(..length) else { break };
        objects::encoding(shape, object, report);
        text = &text[length..];
    }
    let transcoded = utf16(text).map(|mut encoding| {
        let mut out = Vec::new();
        encoding.feed(text, &mut out);
        zeroize::Zeroizing::new(out)
    });
    let text = transcoded.as_ref().map_or(text, |out| out.as_slice());
    let strict = Strictness { telling: false, begins: text.trim_ascii_start().starts_with(BEGIN) };
    Scanner::new().feed(text, true, &mut |block| objects::block(block, strict, report));
    if embedded::is_worth_a_look(text) {
        Embedded::new().feed(text, true, report);
    }
}
