//! Entries of a directory (RFC 4512, 2.2).

/// An entry with the attributes that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Distinguished name.
    pub dn: String,
    /// Attributes with their options, as `userCertificate;binary`, and their values.
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// The values of an attribute, whatever its case and its options.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.attributes
            .iter()
            .filter(move |(found, _)| {
                let found = found.split_once(';').map_or(found.as_str(), |(found, _)| found);
                found.eq_ignore_ascii_case(name)
            })
            .flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// The first value of an attribute, where it is text.
    #[must_use]
    pub fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of an attribute that is text.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name).filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// Whether it is of an object class, whatever its case.
    #[must_use]
    pub fn is_a(&self, class: &str) -> bool {
        self.texts("objectClass").any(|found| found.eq_ignore_ascii_case(class))
    }
}
