//! What directories and authorities say of certificates, templates and authorities: entries as they
//! come from a server or from a dump, and exports of an authority's database.
//!
//! ## Sees
//! - [`Entry`]: an entry with its attributes; [`ldif`] reads them from a dump (RFC 2849).
//! - [`adcs`]: templates, authorities, stores and policies of Active Directory Certificate Services,
//!   mappings of certificates to accounts.
//! - [`certificates`]: the attributes of RFC 4523.
//! - [`records`]: `certutil -view`, as CSV and as rows.
//!
//! What this crate does not do: it asks no server, opens no file and judges nothing.
//!
//! ```
//! let dump = "dn: cn=Web,dc=example\nobjectClass: device\ncn:: V2Vi\n\n";
//! let mut reader = pki_directory::ldif::Reader::new(dump.as_bytes());
//! let entry = reader.next_entry()?.expect("one entry").expect("flawless");
//! assert_eq!(entry.text("CN"), Some("Web"));
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod adcs;
pub mod certificates;
mod entry;
pub mod ldif;
mod lines;
#[cfg(test)]
mod made;
pub mod records;

pub use entry::Entry;

/// The most characters of a text that are kept.
const LONGEST_TEXT: usize = 4096;

/// A text from a stranger, for people to read: control characters would reach terminals.
fn clean(text: &str) -> String {
    let kept = text.chars().take(LONGEST_TEXT);
    kept.map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
