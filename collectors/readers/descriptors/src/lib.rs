//! Security descriptors of Windows and Active Directory ([MS-DTYP], 2.4): who may do what to an object,
//! denials and nested groups taken into account.
//!
//! ## Sees
//! - [`Sid`]: security identifiers, in octets and in text, and what the well-known ones are called.
//! - [`Descriptor`]: owner, group and discretionary access list, with object entries.
//! - [`Principals`]: which accounts are in which groups; [`Principals::access`] tells what a descriptor
//!   comes to.
//!
//! What this crate does not do: it asks no directory, changes nothing and judges nothing. Claims,
//! conditional entries and the system access list are not evaluated; where they stand, it is said.
//!
//! ```
//! use pki_descriptors::{Ace, AceKind, Descriptor, Principals};
//! use pki_inventory::{Ordinary, Right};
//!
//! let allow = Ace {
//!     kind: AceKind::Allow,
//!     trustee: "S-1-5-11".parse()?,
//!     mask: 0x0004_0000,
//!     object: None,
//!     inherited_class: None,
//!     inherited: false,
//!     inherit_only: false,
//! };
//! let list = Some(vec![allow]);
//! let descriptor = Descriptor { dacl_present: true, dacl: list, ..Descriptor::default() };
//! let access = Principals::default().access(&descriptor, &[]);
//! assert_eq!(access.grants[0].right, Right::WriteDacl);
//! assert_eq!(access.grants[0].trustee.to_string(), "Authenticated Users");
//! assert_eq!(access.grants[0].reaches, [Ordinary::User, Ordinary::Computer]);
//! # Ok::<(), String>(())
//! ```

mod access;
mod descriptor;
mod principals;
mod sid;
mod standing;

pub use descriptor::{Ace, AceKind, Descriptor, Guid};
pub use principals::{Principal, Principals};
pub use sid::Sid;
