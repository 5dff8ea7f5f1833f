//! Recognises certificates, keys, revocation lists, requests and messages in DER, PEM and base64, by
//! their content and never by a name, and reads keys as far as their public half.
//!
//! ## Sees
//! - [`der_shape`] and [`objects`]: encodings of X.509, PKCS#1, PKCS#8, PKCS#10, SEC 1 and DSA.
//! - [`pkcs7()`]: what travels in signed messages (PKCS#7, CMS), in DER and BER, and who signed them.
//! - [`pem`]: blocks on lines of their own and within one line, OpenPGP's armour and SSH2's keys as
//!   blocks, and with [`utf16()`] the same in UTF-16.
//! - [`embedded`]: base64 of PEM, and bare certificates, keys and keystores, in YAML, JSON and XML.
//!
//! What this crate does not do: it opens no file, keeps no private key, tries no password and
//! judges nothing. Certificates are parsed in the inventory, once; here they are told apart.
//!
//! ```
//! use pki_encodings::{Collected, objects, pem::Scanner};
//!
//! let text = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
//! let mut found = Collected::default();
//! Scanner::new().feed(text, true, &mut |block| {
//!     objects::block(block, objects::Strictness { telling: true, begins: true }, &mut found);
//! });
//! assert_eq!(found.objects.len(), 1, "broken, and said to be");
//! ```

pub mod base64;
mod ber;
pub mod der_shape;
pub mod embedded;
mod encrypted_key;
mod everything;
mod modular;
pub mod objects;
pub mod pem;
mod pkcs7;
pub mod private_key;
pub mod public_key;
mod report;
pub mod tlv;
mod trust_settings;
mod utf16;

pub use encrypted_key::pkcs8 as encrypted_pkcs8;
pub use everything::everything;
pub use pkcs7::pkcs7;
pub use report::{Collected, Report};
pub use utf16::{Utf16, utf16};
