//! Objects of a directory that a PKI rests on, besides its authorities and templates.

use serde::{Deserialize, Serialize};

use crate::{Access, Digest, Time};

/// Its identity is its distinguished name in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DirectoryObject {
    /// What it is there for.
    pub role: DirectoryRole,
    /// Common name, or account name.
    pub name: String,
    /// Distinguished name, as the directory writes it.
    pub dn: String,
    /// Certificates in its attributes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub certificates: Vec<Digest>,
    /// Revocation lists in its attributes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lists: Vec<Digest>,
    /// For an OID object: `msPKI-Cert-Template-OID`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub oid: Option<String>,
    /// For an OID object: the group whose membership a certificate with this policy gives
    /// (`msDS-OIDToGroupLink`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<LinkedGroup>,
    /// For an account: `altSecurityIdentities`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mappings: Vec<Mapping>,
    /// For an account: whether it can log on, where `userAccountControl` was to be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enabled: Option<bool>,
    /// For an account: whether `adminCount` marks it as an administrator's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub administers: Option<bool>,
    /// `whenCreated`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<Time>,
    /// `whenChanged`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed: Option<Time>,
    /// Who may do what with it; absent where the descriptor was not asked for or not to be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub access: Option<Access>,
}

/// What an object of the directory is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectoryRole {
    /// `CN=Public Key Services` and the containers in it.
    Container,
    /// `CN=NTAuthCertificates`: authorities whose certificates log on.
    LogonStore,
    /// An object in `CN=Certification Authorities`: a trusted root.
    RootStore,
    /// An object in `CN=AIA`: certificates of authorities, to build chains with.
    AuthorityInformation,
    /// An object in `CN=CDP`: where revocation lists are kept.
    DistributionPoint,
    /// An object in `CN=KRA`: a key recovery agent.
    RecoveryAgent,
    /// An object in `CN=OID`: an issuance policy, an application policy or a template's OID.
    ObjectIdentifier,
    /// The computer that an authority runs on.
    AuthorityHost,
    /// An account with certificates mapped to it by name.
    Account,
}

/// A group that an issuance policy is linked to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkedGroup {
    /// Distinguished name.
    pub dn: String,
    /// What it is called, where the group was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Whether it administers the forest, a domain or the PKI by default, where the group was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub privileged: Option<bool>,
}

/// A value of `altSecurityIdentities`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mapping {
    /// How it names the certificate.
    pub form: MappingForm,
    /// As written.
    pub text: String,
}

/// How a mapping names the certificate that logs on as an account ([MS-PKCA], 3.1.5.2.1.4 and KB5014754).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingForm {
    /// `X509:<I>…<SR>…`: strong.
    IssuerAndSerial,
    /// `X509:<SKI>…`: strong.
    SubjectKeyIdentifier,
    /// `X509:<SHA1-PUKEY>…`: strong.
    PublicKey,
    /// `X509:<I>…<S>…`: weak, names can be asked for.
    IssuerAndSubject,
    /// `X509:<S>…`: weak.
    Subject,
    /// `X509:<RFC822>…`: weak.
    Mail,
    /// `Kerberos:…`: no certificate.
    Kerberos,
    /// Anything else.
    Other,
}

impl DirectoryRole {
    /// The words for it in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::LogonStore => "logon-store",
            Self::RootStore => "root-store",
            Self::AuthorityInformation => "authority-information",
            Self::DistributionPoint => "distribution-point",
            Self::RecoveryAgent => "recovery-agent",
            Self::ObjectIdentifier => "object-identifier",
            Self::AuthorityHost => "authority-host",
            Self::Account => "account",
        }
    }
}

impl DirectoryObject {
    /// An object of which nothing else is known yet.
    #[must_use]
    pub fn of(role: DirectoryRole, name: &str, dn: &str) -> Self {
        Self {
            role,
            name: name.to_owned(),
            dn: dn.to_owned(),
            certificates: Vec::new(),
            lists: Vec::new(),
            oid: None,
            group: None,
            mappings: Vec::new(),
            enabled: None,
            administers: None,
            created: None,
            changed: None,
            access: None,
        }
    }
}

impl MappingForm {
    /// Whether a certificate that somebody else asks for can fit it; `None` where the form is not one
    /// of certificates, or not known.
    #[must_use]
    pub fn is_weak(self) -> Option<bool> {
        match self {
            Self::IssuerAndSerial | Self::SubjectKeyIdentifier | Self::PublicKey => Some(false),
            Self::IssuerAndSubject | Self::Subject | Self::Mail => Some(true),
            Self::Kerberos | Self::Other => None,
        }
    }
}
