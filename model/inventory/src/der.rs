//! Steps through DER (X.690) where no parser knows the structure.

use x509_parser::asn1_rs::{Any, Class, FromDer, Header, Tag};

/// The elements of a constructed value, one after the other. Errors are sentences that name what
/// was wanted, because they are shown.
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The elements in the content of a constructed value.
    pub(crate) fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// Whether nothing is left.
    pub(crate) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self, what: &str) -> Result<Any<'a>, String> {
        let (rest, element) = Any::from_der(self.0).map_err(|error| match error {
            _ if self.is_done() => format!("it ends before the {what}"),
            x509_parser::nom::Err::Incomplete(_) => format!("it ends within the {what}"),
            _ => format!("the {what} is not DER"),
        })?;
        self.0 = rest;
        Ok(element)
    }

    /// The content of the next element, which is of this universal type.
    pub(crate) fn universal(&mut self, tag: Tag, what: &str) -> Result<&'a [u8], String> {
        // The type before the length: a cut-off value is told from something else altogether.
        match Header::from_der(self.0) {
            Ok((_, header)) if header.class() != Class::Universal || header.tag() != tag => {
                Err(format!("the {what} is of another type"))
            }
            _ => self.any(what).map(|element| element.data),
        }
    }

    /// The content of the next element if it has this context-specific tag; it stays where it is if
    /// it has another.
    pub(crate) fn optional(&mut self, tag: u32, what: &str) -> Result<Option<&'a [u8]>, String> {
        if self.is_done() {
            return Ok(None);
        }
        let before = self.0;
        let element = self.any(what)?;
        if element.class() == Class::ContextSpecific && element.tag() == Tag(tag) {
            return Ok(Some(element.data));
        }
        self.0 = before;
        Ok(None)
    }
}
