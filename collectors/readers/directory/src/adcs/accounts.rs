//! Accounts and groups of the domains.

use std::collections::{BTreeMap, BTreeSet};

use pki_descriptors::{Principal, Principals, Sid};
use pki_inventory::{Mapping, MappingForm};

use super::{names, values};
use crate::Entry;

/// Classes of what is named in access lists ([MS-ADSC]); computers and managed service accounts are
/// users by their class.
const CLASSES: &[&str] =
    &["user", "computer", "group", "foreignSecurityPrincipal", "inetOrgPerson"];

/// ADS_UF_ACCOUNTDISABLE ([MS-ADTS], 2.2.16).
const DISABLED: u32 = 0x2;

/// The most domains whose names are kept; a forest has a few hundred at most.
const MOST_DOMAINS: usize = 10_000;

/// What the domains of a forest are called in names such as `CORP\ada`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domains {
    /// NetBIOS names by the labels of the domain, in lower case.
    names: BTreeMap<Vec<String>, String>,
}

impl Domains {
    /// Takes the name of a domain from an entry of `CN=Partitions` ([MS-ADTS], 6.1.1.2.1.1); other
    /// entries have none. The attributes are `nCName` and `nETBIOSName`.
    pub fn add(&mut self, entry: &Entry) {
        let Some(dn) = entry.text("nCName") else { return };
        let Some(name) = values::text(entry, "nETBIOSName") else { return };
        let labels = names::domain(dn);
        if !labels.is_empty() && self.names.len() < MOST_DOMAINS {
            self.names.insert(labels, name);
        }
    }

    /// An account, a group or a foreign principal, for [`pki_descriptors::Principals`].
    #[must_use]
    pub fn principal(&self, entry: &Entry) -> Option<Principal> {
        known_by(entry, self)
    }

    /// Calls everybody by the domains that are known now: a dump may tell of them last.
    pub fn rename(&self, principals: &mut Principals) {
        let guesses = self.names.iter().filter_map(|(labels, name)| {
            labels.first().map(|first| first.to_uppercase()).filter(|guess| guess != name)
        });
        // Most domains are called as guessed, and there may be millions of accounts.
        let wrong: BTreeSet<String> = guesses.collect();
        principals.rename(|dn, name| {
            let (domain, account) = name.split_once('\\').filter(|(it, _)| wrong.contains(*it))?;
            let labels = names::domain(dn);
            // Not of the domain: BUILTIN.
            let is_guess = labels.first().is_some_and(|first| first.to_uppercase() == domain);
            let known = self.names.get(&labels).filter(|_| is_guess)?;
            Some(format!("{known}\\{account}"))
        });
    }
}

/// The same as [`Domains::principal`] where the names of domains are not known.
#[must_use]
pub fn principal(entry: &Entry) -> Option<Principal> {
    Domains::default().principal(entry)
}

fn known_by(entry: &Entry, domains: &Domains) -> Option<Principal> {
    let account = entry.text("sAMAccountName").is_some();
    if !account && !CLASSES.iter().any(|class| entry.is_a(class)) {
        return None;
    }
    let sid = sid(entry)?;
    let members = entry.texts("member").map(names::plain).collect();
    Some(Principal {
        name: name(entry, &sid, domains),
        dn: names::plain(&entry.dn),
        is_group: entry.is_a("group"),
        member_of: entry.texts("memberOf").map(names::plain).collect(),
        members,
        primary_group: values::number(entry, "primaryGroupID"),
        sid,
    })
}

/// `objectSid` in octets, or in text as `ldbsearch` shows it. A foreign principal may have none, and
/// is called by its identifier ([MS-ADTS], 3.1.1.5.2.1).
fn sid(entry: &Entry) -> Option<Sid> {
    if let Some(value) = entry.values("objectSid").next() {
        let text = || std::str::from_utf8(value).ok()?.trim().parse().ok();
        return Sid::parse(value).ok().or_else(text);
    }
    let foreign = entry.is_a("foreignSecurityPrincipal").then(|| values::name(entry));
    foreign.and_then(|name| name.parse().ok())
}

/// `CORP\name`. The NetBIOS name of the domain is not in the entry; where it is not known it mostly is
/// the first part of the domain's name.
fn name(entry: &Entry, sid: &Sid, domains: &Domains) -> Option<String> {
    let account = values::text(entry, "sAMAccountName")?;
    // S-1-5-32: the domain of the groups that every machine has ([MS-DTYP], 2.4.2.4).
    let domain = match (sid.authority, sid.parts.first()) {
        (5, Some(32)) => Some("BUILTIN".to_owned()),
        _ => {
            let labels = names::domain(&entry.dn);
            let guess = || labels.first().map(|label| label.to_uppercase());
            domains.names.get(&labels).cloned().or_else(guess)
        }
    };
    Some(match domain {
        Some(domain) => format!("{domain}\\{account}"),
        None => account,
    })
}

/// Whether a computer is one of these hosts, which are named in lower case.
pub(super) fn is_host(entry: &Entry, hosts: &[String]) -> bool {
    let full = match values::text(entry, "dNSHostName") {
        Some(name) => name,
        None => {
            let mut labels = vec![values::name(entry)];
            labels.extend(names::domain(&entry.dn));
            labels.join(".")
        }
    };
    let full = full.to_lowercase();
    hosts.iter().any(|host| host.trim_end_matches('.') == full.trim_end_matches('.'))
}

/// Whether an account can log on.
pub(super) fn enabled(entry: &Entry) -> Option<bool> {
    values::flags(entry, "userAccountControl").map(|flags| flags & DISABLED == 0)
}

/// Whether `adminCount` marks an administrator's account. Nobody else has the attribute, so that its
/// absence tells where the account's other attributes were to be read.
pub(super) fn administers(entry: &Entry) -> Option<bool> {
    match values::flags(entry, "adminCount") {
        Some(count) => Some(count > 0),
        None => entry.text("userAccountControl").map(|_| false),
    }
}

/// `altSecurityIdentities`, each with its form.
pub(super) fn mappings(entry: &Entry) -> Vec<Mapping> {
    let texts = values::texts(entry, "altSecurityIdentities").into_iter();
    let mut mappings: Vec<Mapping> =
        texts.map(|text| Mapping { form: form(&text), text }).collect();
    mappings.sort();
    mappings.dedup();
    mappings
}

/// Which fields of a certificate a mapping names ([MS-PKCA], 3.1.5.2.1.4).
fn form(text: &str) -> MappingForm {
    let text = text.trim().to_lowercase();
    if text.starts_with("kerberos:") {
        return MappingForm::Kerberos;
    }
    let Some(fields) = text.strip_prefix("x509:").map(str::trim_start) else {
        return MappingForm::Other;
    };
    if let Some(issuer) = fields.strip_prefix("<i>") {
        // The first tag behind the issuer counts: a subject may have any letters in it.
        return match (issuer.find("<s>"), issuer.find("<sr>")) {
            (Some(subject), Some(serial)) if subject < serial => MappingForm::IssuerAndSubject,
            (_, Some(_)) => MappingForm::IssuerAndSerial,
            (Some(_), None) => MappingForm::IssuerAndSubject,
            (None, None) => MappingForm::Other,
        };
    }
    let forms = [
        ("<ski>", MappingForm::SubjectKeyIdentifier),
        ("<sha1-pukey>", MappingForm::PublicKey),
        ("<rfc822>", MappingForm::Mail),
        ("<s>", MappingForm::Subject),
    ];
    let found = forms.into_iter().find(|(tag, _)| fields.starts_with(tag));
    found.map_or(MappingForm::Other, |(_, form)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_told_by_its_tags() {
        for (text, expected) in [
            ("X509:<I>DC=com,CN=CA<SR>1200000000AC11000000002B", MappingForm::IssuerAndSerial),
            ("x509:<i>CN=CA<s>CN=a", MappingForm::IssuerAndSubject),
            ("X509:<I>CN=CA<S>CN=<SR>01", MappingForm::IssuerAndSubject),
            ("X509:<S>CN=a", MappingForm::Subject),
            ("X509:<SKI>00ff", MappingForm::SubjectKeyIdentifier),
            ("X509:<SHA1-PUKEY>00ff", MappingForm::PublicKey),
            ("X509:<RFC822>a@example.org", MappingForm::Mail),
            ("Kerberos:a@EXAMPLE.ORG", MappingForm::Kerberos),
            ("X509:<I>CN=CA", MappingForm::Other),
            ("X509:", MappingForm::Other),
            ("a", MappingForm::Other),
        ] {
            assert_eq!(form(text), expected, "{text}");
        }
    }
}
