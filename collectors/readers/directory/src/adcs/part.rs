//! Which part an entry plays ([MS-ADTS], 6.1.1.2.4.1; [MS-WCCE], 2.2.2.11).

use pki_inventory::DirectoryRole;

use super::names;
use crate::Entry;

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Template,
    Authority,
    Object(DirectoryRole),
    /// An account with certificates, or one that certificates are mapped to.
    Account,
    /// A computer: perhaps the host of an authority.
    Computer,
}

/// The containers, the class of what is in them, and what that is for.
const CONTAINERS: &[(&str, &str, Part)] = &[
    ("cn=certificate templates", "pKICertificateTemplate", Part::Template),
    ("cn=enrollment services", "pKIEnrollmentService", Part::Authority),
    ("cn=aia", "certificationAuthority", Part::Object(DirectoryRole::AuthorityInformation)),
    (
        "cn=certification authorities",
        "certificationAuthority",
        Part::Object(DirectoryRole::RootStore),
    ),
    ("cn=cdp", "cRLDistributionPoint", Part::Object(DirectoryRole::DistributionPoint)),
    ("cn=kra", "msPKI-PrivateKeyRecoveryAgent", Part::Object(DirectoryRole::RecoveryAgent)),
    ("cn=oid", "msPKI-Enterprise-Oid", Part::Object(DirectoryRole::ObjectIdentifier)),
];

/// What an entry is for; `None` for what no PKI rests on.
pub(super) fn of(entry: &Entry) -> Option<Part> {
    let parts = names::parts(&entry.dn);
    match services(&parts) {
        Some(depth) => in_services(entry, &parts, depth),
        None => in_domain(entry),
    }
}

/// How many relative names stand before `CN=Public Key Services,CN=Services`.
fn services(parts: &[String]) -> Option<usize> {
    let pair = ["cn=public key services", "cn=services"];
    parts.windows(2).position(|found| found == pair)
}

fn in_services(entry: &Entry, parts: &[String], depth: usize) -> Option<Part> {
    let container = Some(Part::Object(DirectoryRole::Container));
    match depth {
        0 => return container,
        1 if parts[0] == "cn=ntauthcertificates" => {
            return Some(Part::Object(DirectoryRole::LogonStore));
        }
        // `CN=OID` is of the class of what is in it, so the place decides.
        1 => return container,
        _ => {}
    }
    let below = &parts[depth - 1];
    let (_, class, part) = *CONTAINERS.iter().find(|(name, ..)| name == below)?;
    // A dump may have been made without the classes; then the place is all there is.
    if entry.is_a(class) || entry.values("objectClass").next().is_none() {
        Some(part)
    } else if entry.is_a("container") {
        // `CN=CDP` has one for each host.
        container
    } else {
        None
    }
}

fn in_domain(entry: &Entry) -> Option<Part> {
    let has = |attribute| entry.values(attribute).next().is_some();
    // What has an account name is of Active Directory; other directories have users as well.
    if !has("sAMAccountName") && !has("objectSid") && !has("altSecurityIdentities") {
        return None;
    }
    if entry.is_a("computer") {
        Some(Part::Computer)
    } else if has("altSecurityIdentities") || has("userCertificate") || has("userSMIMECertificate")
    {
        Some(Part::Account)
    } else {
        None
    }
}
