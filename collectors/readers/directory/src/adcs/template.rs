//! Certificate templates ([MS-CRTD]).

use pki_inventory::{Access, Template};

use super::{names, values};
use crate::{Entry, clean};

/// Reads one; who may do what with it is known already.
pub(super) fn read(entry: &Entry, access: Option<Access>) -> Template {
    let properties = Properties::of(entry);
    let minor = values::number(entry, "msPKI-Template-Minor-Revision");
    Template {
        name: values::name(entry),
        display_name: values::text(entry, "displayName"),
        dn: names::plain(&entry.dn),
        oid: values::text(entry, "msPKI-Cert-Template-OID"),
        schema_version: values::number(entry, "msPKI-Template-Schema-Version"),
        revision: values::number(entry, "revision").map(|major| (major, minor.unwrap_or(0))),
        validity_secs: values::period(entry, "pKIExpirationPeriod"),
        renewal_secs: values::period(entry, "pKIOverlapPeriod"),
        extended_key_usage: values::texts(entry, "pKIExtendedKeyUsage"),
        application_policies: values::texts(entry, "msPKI-Certificate-Application-Policy"),
        key_usage: key_usage(entry),
        general_flags: values::flags(entry, "flags"),
        enrolment_flags: values::flags(entry, "msPKI-Enrollment-Flag"),
        private_key_flags: values::flags(entry, "msPKI-Private-Key-Flag"),
        name_flags: values::flags(entry, "msPKI-Certificate-Name-Flag"),
        minimal_key_bits: values::number(entry, "msPKI-Minimal-Key-Size"),
        providers: providers(entry),
        agent_signatures: values::number(entry, "msPKI-RA-Signature"),
        agent_policies: properties.agent_policies,
        algorithms: properties.algorithms,
        issuance_policies: values::texts(entry, "msPKI-Certificate-Policy"),
        supersedes: values::texts(entry, "msPKI-Supersede-Templates"),
        created: values::time(entry, "whenCreated"),
        changed: values::time(entry, "whenChanged"),
        access,
    }
}

/// The bits of key usage ([MS-CRTD], 2.8). There are nine (RFC 5280, 4.2.1.3), so more octets than
/// these say nothing.
fn key_usage(entry: &Entry) -> Vec<u8> {
    let octets = entry.values("pKIKeyUsage").next().unwrap_or_default();
    octets[..octets.len().min(8)].to_vec()
}

/// Names of providers in the order of the numbers before them, `1,Microsoft …` ([MS-CRTD], 2.15): the
/// order of an attribute's values means nothing.
fn providers(entry: &Entry) -> Vec<String> {
    let mut providers: Vec<(u32, String)> = values::texts(entry, "pKIDefaultCSPs")
        .into_iter()
        .map(|text| match text.split_once(',').map(|(n, name)| (n.trim().parse(), name)) {
            Some((Ok(number), name)) => (number, name.trim().to_owned()),
            _ => (u32::MAX, text),
        })
        .collect();
    providers.sort();
    providers.into_iter().map(|(_, name)| name).collect()
}

/// What `msPKI-RA-Application-Policies` says: in old templates the policies themselves, in those of
/// version 3 and later a list of properties, each a name, a type and a value with a grave accent
/// behind it ([MS-CRTD], 2.23.1 and 2.23.2). Which of them it is, the accent tells: version 4 has both.
#[derive(Debug, Default, PartialEq, Eq)]
struct Properties {
    agent_policies: Vec<String>,
    algorithms: Vec<(String, String)>,
}

impl Properties {
    fn of(entry: &Entry) -> Self {
        let mut found = Self::default();
        for text in entry.texts("msPKI-RA-Application-Policies") {
            if text.contains('`') {
                found.list(text);
            } else if !text.trim().is_empty() {
                found.agent_policies.push(clean(text.trim()));
            }
        }
        found.agent_policies.sort();
        found.agent_policies.dedup();
        found.algorithms.sort();
        found.algorithms.dedup();
        found
    }

    fn list(&mut self, text: &str) {
        /// More than any template has.
        const MOST: usize = 100;
        let mut fields = text.split('`').map(str::trim);
        for _ in 0..MOST {
            let (Some(name), Some(_), Some(value)) = (fields.next(), fields.next(), fields.next())
            else {
                break;
            };
            if name.eq_ignore_ascii_case("msPKI-RA-Application-Policies") {
                let policies = value.split(',').map(str::trim).filter(|oid| !oid.is_empty());
                self.agent_policies.extend(policies.take(MOST).map(clean));
            } else if name.ends_with("-Algorithm") || name.ends_with("-Key-Length") {
                self.algorithms.push((clean(name), clean(value)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(values: &[&str]) -> Entry {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let attributes = vec![("msPKI-RA-Application-Policies".to_owned(), values)];
        Entry { dn: "CN=x".to_owned(), attributes }
    }

    #[test]
    fn a_list_of_properties_gives_policies_and_algorithms() {
        let list = "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`msPKI-Hash-Algorithm`PZPWSTR`\
                    SHA256`msPKI-Key-Usage`DWORD`2`msPKI-RA-Application-Policies`PZPWSTR`1.2.3,\
                    1.3.6.1.4.1.311.20.2.1`msPKI-Symmetric-Key-Length`DWORD`168`\
                    msPKI-Key-Security-Descriptor`PZPWSTR`D:P(A;;GA;;;BA)`";
        let found = Properties::of(&entry(&[list]));
        assert_eq!(found.agent_policies, ["1.2.3", "1.3.6.1.4.1.311.20.2.1"]);
        let algorithms = [
            ("msPKI-Asymmetric-Algorithm", "ECDSA_P256"),
            ("msPKI-Hash-Algorithm", "SHA256"),
            ("msPKI-Symmetric-Key-Length", "168"),
        ];
        assert_eq!(found.algorithms, algorithms.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn policies_of_old_templates_stand_one_to_a_value() {
        let found = Properties::of(&entry(&["1.2.4", "1.2.3"]));
        assert_eq!((found.agent_policies.len(), found.algorithms.len()), (2, 0));
        assert_eq!(Properties::of(&entry(&["a`b"])), Properties::default(), "cut off");
    }
}
