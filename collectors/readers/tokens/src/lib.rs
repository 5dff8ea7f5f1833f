//! From the answers of a PKCS #11 module to tokens, keys and certificates, without a system call.
//!
//! A module is a library of its vendor and runs in a process of its own; what that process says comes
//! over a pipe ([`wire`]) and is no better than the module. So nothing here trusts a length, a count or
//! an encoding. What was not asked for ([`attributes`]) is not kept, above all no value of a private or
//! secret key, and what a module does not tell is kept as not told, with its reason.
//!
//! What a token says of an object belongs to the object at that place. The key itself is told by the
//! digest of its `SubjectPublicKeyInfo`, so that the same key in a certificate, in a file or on another
//! token is the same key here: [`Objects`] builds it from the attributes of the public half, or finds
//! it with another object of the same token.
//!
//! It deliberately does not judge, does not decide what to read or whether to log in, and parses no
//! certificate beyond the key in it: that is done in the inventory, once.
//!
//! ```
//! use pki_inventory::{Place, Raw};
//! use pki_tokens::{Objects, wire};
//!
//! let token = Place::token([("token", &b"CA"[..]), ("serial", b"1f2e")]);
//! let mut objects = Objects::of(token);
//! let octets = |octets: &[u8]| wire::Value::Octets(wire::Octets(octets.to_vec()));
//! objects.add(wire::ObjectAnswer {
//!     slot: 0,
//!     class: 4,
//!     attributes: vec![(0x103, octets(&[1])), (0x162, wire::Value::Sensitive)],
//! });
//! objects.finish(&mut |found| {
//!     assert!(matches!(found.raw, Raw::SecretKey(_)));
//!     assert_eq!(found.place.to_string(), "pkcs11:token=CA;serial=1f2e;type=secret-key");
//!     let object = found.circumstances.token.expect("attributes of an object");
//!     assert_eq!((object.sensitive, object.extractable), (Some(true), None));
//!     assert_eq!(object.untold["CKA_EXTRACTABLE"], "sensitive");
//! });
//! ```

mod answers;
pub mod attributes;
mod describe;
mod names;
mod objects;
mod pairing;
mod points;
mod public_half;
mod secret_key;
mod token;
mod validation;
pub mod wire;

pub use names::{key_type, mechanism, mechanism_name, returned, uses};
pub use objects::{Found, Objects};
pub use token::{place, token, unpadded};
