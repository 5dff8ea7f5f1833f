//! Active Directory Certificate Services ([MS-CRTD], [MS-WCCE], [MS-ADTS] 6.1.1.2): what the
//! configuration and the domains hold of a PKI.
//!
//! What an entry is for is told by where it lies below `CN=Public Key Services`, and by its classes;
//! both are alike in Active Directory and in Samba.

mod accounts;
mod names;
mod part;
mod properties;
mod template;
mod values;

#[cfg(test)]
mod tests;

use pki_descriptors::{Descriptor, Guid, Principals, Sid};
use pki_encodings::Report;
use pki_inventory::{
    Access, Authority, DirectoryObject, DirectoryRole, GapReason, LinkedGroup, Raw,
};

use crate::certificates;
use crate::{Entry, clean};
use part::Part;

pub use accounts::{Domains, principal};

/// The attributes that [`read`] and [`principal`] look at, for searches in the configuration.
pub const ATTRIBUTES: &[&str] = &["*", "nTSecurityDescriptor"];

/// The attributes that [`read`] and [`principal`] look at, for searches for accounts and groups in
/// the domains, where asking for all would bring much that nobody needs.
pub const ACCOUNT_ATTRIBUTES: &[&str] = &[
    "adminCount",
    "altSecurityIdentities",
    "cn",
    "dNSHostName",
    "member",
    "memberOf",
    "nTSecurityDescriptor",
    "objectClass",
    "objectSid",
    "primaryGroupID",
    "sAMAccountName",
    "userAccountControl",
    "userCertificate",
    "userSMIMECertificate",
    "whenChanged",
    "whenCreated",
];

/// Attribute with the security descriptor ([MS-ADTS], 5.1.3).
const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// Whether an entry is one that [`read`] knows.
#[must_use]
pub fn is_known(entry: &Entry) -> bool {
    part::of(entry).is_some()
}

/// Everybody whom the descriptor of an entry names.
#[must_use]
pub fn trustees(entry: &Entry) -> Vec<Sid> {
    let descriptor = entry.values(DESCRIPTOR).next().and_then(|it| Descriptor::parse(it).ok());
    descriptor.map(|descriptor| Principals::named(&descriptor)).unwrap_or_default()
}

/// Reports what an entry is, and the certificates and revocation lists in it. `hosts` are the names
/// of the authorities' hosts, in lower case: an entry of a computer is reported only if it is one.
/// Of an entry that [`is_known`] does not know only the certificates and lists are reported.
pub fn read(entry: &Entry, principals: &Principals, hosts: &[String], report: &mut dyn Report) {
    let Some(part) = part::of(entry) else { return certificates::read(entry, report) };
    match part {
        Part::Template => {
            if report.is_full() {
                return;
            }
            let access = access(entry, properties::TEMPLATE, principals, report);
            let template = template::read(entry, access);
            report.object(Raw::Template(Box::new(template)).into());
        }
        Part::Authority => authority(entry, principals, report),
        Part::Object(role) => {
            if let Some(object) = object(entry, role, principals, report) {
                report.object(Raw::DirectoryObject(Box::new(object)).into());
            }
        }
        Part::Account | Part::Computer => account(entry, part, principals, hosts, report),
    }
}

fn authority(entry: &Entry, principals: &Principals, report: &mut dyn Report) {
    let found = certificates::of(entry, &["cACertificate"], report);
    if report.is_full() {
        return;
    }
    let authority = Authority {
        name: values::name(entry),
        dn: names::plain(&entry.dn),
        host: values::text(entry, "dNSHostName"),
        subject: values::text(entry, "cACertificateDN"),
        certificates: found.certificates,
        templates: values::texts(entry, "certificateTemplates"),
        enrolment_urls: values::enrolment_urls(entry),
        flags: values::flags(entry, "flags"),
        created: values::time(entry, "whenCreated"),
        changed: values::time(entry, "whenChanged"),
        access: access(entry, properties::AUTHORITY, principals, report),
    };
    report.object(Raw::Authority(Box::new(authority)).into());
}

/// An object of the configuration; `None` where there is no more room for one.
fn object(
    entry: &Entry,
    role: DirectoryRole,
    principals: &Principals,
    report: &mut dyn Report,
) -> Option<DirectoryObject> {
    let found = certificates::of(entry, certificates::ATTRIBUTES, report);
    if report.is_full() {
        return None;
    }
    let oid = role == DirectoryRole::ObjectIdentifier;
    let linked = values::text(entry, "msDS-OIDToGroupLink").filter(|_| oid);
    let mut object = DirectoryObject::of(role, &values::name(entry), &names::plain(&entry.dn));
    object.certificates = found.certificates;
    object.lists = found.lists;
    object.oid = values::text(entry, "msPKI-Cert-Template-OID").filter(|_| oid);
    object.group = linked.map(|dn| linked_group(&names::plain(&dn), principals));
    object.created = values::time(entry, "whenCreated");
    object.changed = values::time(entry, "whenChanged");
    object.access = access(entry, properties::of(role), principals, report);
    Some(object)
}

fn linked_group(dn: &str, principals: &Principals) -> LinkedGroup {
    let (name, privileged) = principals.standing_of(dn).unzip();
    LinkedGroup { dn: dn.to_owned(), name, privileged }
}

/// An account is an asset where certificates are mapped to it; its certificates always are.
fn account(
    entry: &Entry,
    part: Part,
    principals: &Principals,
    hosts: &[String],
    report: &mut dyn Report,
) {
    let mappings = accounts::mappings(entry);
    let is_host = part == Part::Computer && accounts::is_host(entry, hosts);
    let role = match (is_host, mappings.is_empty()) {
        // One entry is one asset, and a host's part is the larger one.
        (true, _) => DirectoryRole::AuthorityHost,
        (false, false) => DirectoryRole::Account,
        (false, true) => return certificates::read(entry, report),
    };
    let Some(mut object) = object(entry, role, principals, report) else { return };
    object.name = values::text(entry, "sAMAccountName").unwrap_or(object.name);
    object.mappings = mappings;
    object.enabled = accounts::enabled(entry);
    object.administers = accounts::administers(entry);
    report.object(Raw::DirectoryObject(Box::new(object)).into());
}

/// What the descriptor of an entry comes to. One that is there and not readable is a gap, and not an
/// access list that grants nothing.
fn access(
    entry: &Entry,
    properties: &[(Guid, &str)],
    principals: &Principals,
    report: &mut dyn Report,
) -> Option<Access> {
    let octets = entry.values(DESCRIPTOR).next()?;
    match Descriptor::parse(octets) {
        Ok(descriptor) => Some(principals.access(&descriptor, properties)),
        Err(what) => {
            let detail = format!("`{DESCRIPTOR}` is not readable: {}", clean(&what));
            report.gap(GapReason::Damaged, detail);
            None
        }
    }
}
