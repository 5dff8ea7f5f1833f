//! X.509 certificates (RFC 5280), as they are and not as they should be.

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use crate::timestamps::log_ids_of_extension;
use crate::{Digest, KeyAlgorithm, RsaNumbers, SignatureAlgorithm, Time};

/// The extension with timestamps in a certificate, RFC 6962, 3.3.
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";

/// What a certificate says. Nothing here was verified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Certificate {
    /// The encoding as received.
    pub der: Vec<u8>,
    /// 1, 2 or 3.
    pub version: u32,
    /// Serial number in hexadecimal.
    pub serial: String,
    /// Whom it was issued to.
    pub subject: DistinguishedName,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// First instant of validity.
    pub not_before: Time,
    /// Last instant of validity.
    pub not_after: Time,
    /// Subject alternative names (RFC 5280, 4.2.1.6).
    pub names: Vec<AlternativeName>,
    /// The certified key.
    pub key: KeyAlgorithm,
    /// SHA-256 of the `SubjectPublicKeyInfo`.
    pub spki: Digest,
    /// How the issuer signed.
    pub signature: SignatureAlgorithm,
    /// `cA` of basic constraints; `None` when the extension is absent.
    pub is_ca: Option<bool>,
    /// Extended key usages, by name where one exists, else by OID.
    pub extended_key_usage: Vec<String>,
    /// Subject key identifier in hexadecimal.
    pub subject_key_id: Option<String>,
    /// Authority key identifier in hexadecimal.
    pub authority_key_id: Option<String>,
    /// CRL distribution points.
    pub crl_urls: Vec<String>,
    /// OCSP responders.
    pub ocsp_urls: Vec<String>,
    /// Certificate policies, as OIDs.
    pub policies: Vec<String>,
    /// Logs of the signed certificate timestamps in the certificate (RFC 6962, 3.3), by their ids.
    pub sct_logs: Vec<String>,
    /// Extensions that are there but could not be parsed, by OID with the reason.
    pub broken_extensions: Vec<String>,
}

/// A distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DistinguishedName {
    /// In the manner of RFC 4514, in encoding order.
    pub text: String,
    /// SHA-256 of the encoding: equal names have equal encodings in practice, and comparing
    /// encodings cannot be fooled by how a text was rendered.
    pub sha256: Digest,
    /// The last common name (2.5.4.3), the one that hosts used to be named by.
    pub common_name: Option<String>,
    /// The first organisation (2.5.4.10).
    pub organisation: Option<String>,
}

/// One subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlternativeName {
    /// A DNS name, perhaps with a wildcard.
    Dns(String),
    /// An IP address.
    Ip(std::net::IpAddr),
    /// A URI.
    Uri(String),
    /// A mail address.
    Email(String),
    /// Any other form, as text.
    Other(String),
}

impl Certificate {
    /// Parses one DER certificate.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong, when the encoding is not a certificate or bytes follow it.
    /// Broken extensions are not an error: they are kept in `broken_extensions`.
    pub fn parse(der: Vec<u8>) -> Result<Self, String> {
        let (rest, cert) = X509Certificate::from_der(&der).map_err(|error| error.to_string())?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow the certificate", rest.len()));
        }
        let tbs = &cert.tbs_certificate;
        let mut parsed = Self {
            version: tbs.version.0.saturating_add(1),
            serial: hex(tbs.raw_serial()),
            subject: DistinguishedName::of(&tbs.subject),
            issuer: DistinguishedName::of(&tbs.issuer),
            not_before: Time(tbs.validity.not_before.timestamp()),
            not_after: Time(tbs.validity.not_after.timestamp()),
            names: Vec::new(),
            key: KeyAlgorithm::of(&tbs.subject_pki),
            spki: Digest::of(tbs.subject_pki.raw),
            signature: SignatureAlgorithm::of(&cert.signature_algorithm),
            is_ca: None,
            extended_key_usage: Vec::new(),
            subject_key_id: None,
            authority_key_id: None,
            crl_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            policies: Vec::new(),
            sct_logs: Vec::new(),
            broken_extensions: Vec::new(),
            der: Vec::new(),
        };
        for extension in tbs.extensions() {
            let oid = extension.oid.to_id_string();
            parsed.read_extension(&oid, extension.parsed_extension());
            if oid == SCT_LIST {
                // The parser ends at the first timestamp it does not know.
                parsed.sct_logs = log_ids_of_extension(extension.value);
            }
        }
        parsed.der = der;
        Ok(parsed)
    }

    fn read_extension(&mut self, oid: &str, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                self.names = names.general_names.iter().map(AlternativeName::of).collect();
            }
            ParsedExtension::BasicConstraints(constraints) => self.is_ca = Some(constraints.ca),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let named = [
                    (usage.any, "anyExtendedKeyUsage"),
                    (usage.server_auth, "serverAuth"),
                    (usage.client_auth, "clientAuth"),
                    (usage.code_signing, "codeSigning"),
                    (usage.email_protection, "emailProtection"),
                    (usage.time_stamping, "timeStamping"),
                    (usage.ocsp_signing, "OCSPSigning"),
                ];
                self.extended_key_usage = named
                    .iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, name)| (*name).to_owned())
                    .collect();
                self.extended_key_usage.extend(usage.other.iter().map(|oid| oid.to_id_string()));
            }
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(hex(id.0)),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| hex(id.0));
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                use x509_parser::extensions::DistributionPointName::FullName;
                for point in points.iter() {
                    if let Some(FullName(names)) = &point.distribution_point {
                        self.crl_urls.extend(names.iter().filter_map(uri));
                    }
                }
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                // id-ad-ocsp, RFC 5280, 4.2.2.1.
                let ocsp = access
                    .accessdescs
                    .iter()
                    .filter(|entry| entry.access_method.to_id_string() == "1.3.6.1.5.5.7.48.1");
                self.ocsp_urls = ocsp.filter_map(|entry| uri(&entry.access_location)).collect();
            }
            ParsedExtension::CertificatePolicies(policies) => {
                self.policies = policies.iter().map(|p| p.policy_id.to_id_string()).collect();
            }
            ParsedExtension::ParseError { error } => {
                self.broken_extensions.push(format!("{oid}: {error}"));
            }
            _ => {}
        }
    }

    /// The identity: SHA-256 of the encoding.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// The numbers of the certified key, where it is one of RSA.
    #[must_use]
    pub fn rsa(&self) -> Option<RsaNumbers> {
        let (_, certificate) = X509Certificate::from_der(&self.der).ok()?;
        RsaNumbers::of(&certificate.tbs_certificate.subject_pki)
    }

    /// Whether it certifies a CA: basic constraints say so, or it is a version 1 certificate that
    /// names itself as its issuer, as the oldest roots do.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.is_ca.unwrap_or(self.version == 1 && self.is_self_issued())
    }

    /// Subject and issuer are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject.sha256 == self.issuer.sha256
    }

    /// Self-issued, and no key identifier says that another key signed it. The signature itself is
    /// not verified here.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        let other_key = matches!(
            (&self.subject_key_id, &self.authority_key_id),
            (Some(subject), Some(authority)) if subject != authority
        );
        self.is_self_issued() && !other_key
    }

    /// Validity in days as the CA/Browser Forum counts them: both ends included, any fraction of a
    /// day counts as a day (TLS BR 6.3.2).
    #[must_use]
    pub fn validity_days(&self) -> i64 {
        let seconds = self.not_after.0.saturating_sub(self.not_before.0).saturating_add(1);
        seconds.div_euclid(Time::DAY) + i64::from(seconds.rem_euclid(Time::DAY) > 0)
    }

    /// The DNS names and IP addresses of the subject alternative names, in lower case, sorted.
    #[must_use]
    pub fn host_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .names
            .iter()
            .filter_map(|name| match name {
                AlternativeName::Dns(name) => Some(name.to_ascii_lowercase()),
                AlternativeName::Ip(ip) => Some(ip.to_string()),
                _ => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// What the certificate is for, as one sorted list: host names, else the other alternative
    /// names, else the common name, else the whole subject. Certificates of one lineage share it.
    #[must_use]
    pub fn lineage_names(&self) -> Vec<String> {
        let hosts = self.host_names();
        if !hosts.is_empty() {
            return hosts;
        }
        let mut others: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        others.sort();
        others.dedup();
        if others.is_empty() {
            others.push(
                self.subject.common_name.clone().unwrap_or_else(|| self.subject.text.clone()),
            );
        }
        others
    }

    /// The name a person would call it by.
    #[must_use]
    pub fn display_name(&self) -> String {
        let first = self.host_names().into_iter().next();
        self.subject.common_name.clone().or(first).unwrap_or_else(|| {
            if self.subject.text.is_empty() {
                "(empty subject)".to_owned()
            } else {
                self.subject.text.clone()
            }
        })
    }
}

impl DistinguishedName {
    /// Reads the encoding of a name, such as one in a request for a certificate (RFC 8446, 4.2.4).
    ///
    /// # Errors
    ///
    /// When it is none; says why.
    pub fn parse(der: &[u8]) -> Result<Self, String> {
        match X509Name::from_der(der) {
            Ok((_, name)) => Ok(Self::of(&name)),
            Err(error) => Err(format!("not a distinguished name: {error}")),
        }
    }

    pub(crate) fn of(name: &X509Name<'_>) -> Self {
        let last = name.iter_common_name().last().and_then(|attribute| attribute.as_str().ok());
        let organisation =
            name.iter_organization().next().and_then(|attribute| attribute.as_str().ok());
        Self {
            text: clean(&name.to_string()),
            sha256: Digest::of(name.as_raw()),
            common_name: last.map(clean),
            organisation: organisation.map(clean),
        }
    }
}

impl AlternativeName {
    fn of(name: &GeneralName<'_>) -> Self {
        match name {
            GeneralName::DNSName(dns) => Self::Dns(clean(dns)),
            GeneralName::URI(uri) => Self::Uri(clean(uri)),
            GeneralName::RFC822Name(mail) => Self::Email(clean(mail)),
            GeneralName::IPAddress(octets) => match *octets {
                [a, b, c, d] => Self::Ip(std::net::Ipv4Addr::new(*a, *b, *c, *d).into()),
                octets => <[u8; 16]>::try_from(octets).map_or_else(
                    |_| Self::Other(format!("IP address of {} octets", octets.len())),
                    |octets| Self::Ip(std::net::Ipv6Addr::from(octets).into()),
                ),
            },
            other => Self::Other(clean(&other.to_string())),
        }
    }
}

impl std::fmt::Display for AlternativeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dns(text) | Self::Uri(text) | Self::Email(text) | Self::Other(text) => {
                f.write_str(text)
            }
            Self::Ip(ip) => write!(f, "{ip}"),
        }
    }
}

fn uri(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::URI(uri) => Some(clean(uri)),
        _ => None,
    }
}

/// Lower-case hexadecimal, as all identifiers are written here.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Text from a certificate is text from a stranger: control characters would reach terminals.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
