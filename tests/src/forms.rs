//! The forms that certificates and keys lie in on disks, made by the tools that people use.
//!
//! Every form says what is to be found in it, all of it, so that a scan can be held to finding
//! neither less nor more.

mod programs;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
    PublicKeyData as _, SerialNumber, date_time_ymd,
};

use crate::certificates::sha256;

/// A thing that lies in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// Its kind, as the inventory calls it.
    pub kind: &'static str,
    /// What the inventory has to call it.
    pub sha256: String,
    /// The way inside of the file, as places have it: empty, or `!/member`.
    pub inside: String,
}

/// A file in some form.
#[derive(Debug, Clone)]
pub struct Form {
    /// What form it is.
    pub name: &'static str,
    /// Its octets.
    pub content: Vec<u8>,
    /// Everything that is to be found in it.
    pub things: Vec<Thing>,
}

/// Makes files in every form.
pub struct Maker {
    issuer: KeyPair,
    authority: Issuer<'static, KeyPair>,
    /// Forms that programs write; making each anew for every file would take hours.
    made: Vec<Form>,
}

fn thing(kind: &'static str, sha256: impl Into<String>) -> Thing {
    Thing { kind, sha256: sha256.into(), inside: String::new() }
}

fn within(inside: &str, things: &[Thing]) -> Vec<Thing> {
    things
        .iter()
        .map(|thing| Thing { inside: format!("!/{inside}{}", thing.inside), ..thing.clone() })
        .collect()
}

impl Maker {
    /// Makes only what needs no tool.
    #[must_use]
    pub fn without_tools() -> Self {
        Self::with(Vec::new())
    }

    /// Makes everything; what tools write is written now, in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self::with(programs::made(folder))
    }

    fn with(made: Vec<Form>) -> Self {
        let issuer = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::CrlSign, KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self { issuer, authority: Issuer::new(parameters, key), made }
    }

    /// The form that a number gives; of two, one is by a tool, if there are tools.
    #[must_use]
    pub fn make(&self, number: usize) -> Form {
        if number % 2 == 1 && !self.made.is_empty() {
            return self.made[number / 2 % self.made.len()].clone();
        }
        let forms: &[fn(&Self, usize) -> Form] = &[
            |maker, number| maker.certificate(number, "PEM", |pem, _| pem.into()),
            |maker, number| maker.certificate(number, "DER", |_, der| der.to_vec()),
            |maker, number| {
                maker.certificate(number, "PEM in text", |pem, _| {
                    format!("# of host {pem}\n\n\tthe end").into()
                })
            },
            |maker, number| {
                maker
                    .certificate(number, "PEM with CRLF", |pem, _| pem.replace('\n', "\r\n").into())
            },
            |maker, number| {
                maker.certificate(number, "PEM in UTF-16", |pem, _| {
                    let units = std::iter::once(0xfeff).chain(pem.encode_utf16());
                    units.flat_map(u16::to_le_bytes).collect()
                })
            },
            |maker, number| {
                maker.certificate(number, "PEM in JSON", |pem, _| {
                    serde_json::json!({"type": "server", "certificate": pem}).to_string().into()
                })
            },
            |maker, number| {
                maker.certificate(number, "base64 of PEM in YAML", |pem, _| {
                    let text = STANDARD.encode(pem);
                    format!("kind: Secret\nmetadata:\n  name: web\ndata:\n  tls.crt: {text}\n")
                        .into()
                })
            },
            |maker, number| {
                maker.certificate(number, "DER in XML", |_, der| {
                    let text = STANDARD.encode(der);
                    format!("<md><X509Certificate>{text}</X509Certificate></md>\n").into()
                })
            },
            Self::private_key,
            Self::bundle,
            Self::request,
            Self::revocation_list,
            Self::public_key,
        ];
        let number = if self.made.is_empty() { number } else { number / 2 };
        forms[number % forms.len()](self, number)
    }

    fn certificate(
        &self,
        number: usize,
        name: &'static str,
        write: impl Fn(&str, &[u8]) -> Vec<u8>,
    ) -> Form {
        let mut parameters = CertificateParams::new(vec![format!("host-{number}.test")]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, format!("host-{number}"));
        parameters.serial_number = Some(SerialNumber::from(number as u64 + 1));
        let certificate = parameters.self_signed(&self.issuer).unwrap();
        let things = vec![thing("certificate", sha256(certificate.der()))];
        Form { name, content: write(&certificate.pem(), certificate.der()), things }
    }

    fn private_key(&self, number: usize) -> Form {
        let algorithm =
            if number.is_multiple_of(3) { &PKCS_ED25519 } else { &PKCS_ECDSA_P256_SHA256 };
        let key = KeyPair::generate_for(algorithm).unwrap();
        let content = match number % 2 {
            0 => key.serialize_der(),
            _ => key.serialize_pem().into_bytes(),
        };
        let things = vec![thing("key", sha256(&key.subject_public_key_info()))];
        Form { name: "PKCS#8", content, things }
    }

    fn public_key(&self, _number: usize) -> Form {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let things = vec![thing("key", sha256(&key.subject_public_key_info()))];
        Form { name: "SPKI", content: key.public_key_pem().into_bytes(), things }
    }

    /// Different kinds in one file, one after the other.
    fn bundle(&self, number: usize) -> Form {
        let parts = [
            self.certificate(number, "", |pem, _| pem.into()),
            self.private_key(2 * number + 1),
            self.certificate(number + 1_000_000, "", |pem, _| pem.into()),
        ];
        let content = parts.iter().flat_map(|part| part.content.clone()).collect();
        let things = parts.iter().flat_map(|part| part.things.clone()).collect();
        Form { name: "several kinds", content, things }
    }

    fn request(&self, number: usize) -> Form {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let parameters = CertificateParams::new(vec![format!("wanted-{number}.test")]).unwrap();
        let request = parameters.serialize_request(&key).unwrap();
        let things = vec![thing("signing-request", sha256(request.der()))];
        let content = match number % 2 {
            0 => request.der().to_vec(),
            _ => request.pem().unwrap().into_bytes(),
        };
        Form { name: "request", content, things }
    }

    fn revocation_list(&self, number: usize) -> Form {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2036, 1, 1),
            crl_number: SerialNumber::from(number as u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.authority).unwrap();
        let things = vec![thing("revocation-list", sha256(list.der()))];
        let content = match number % 2 {
            0 => list.der().to_vec(),
            _ => list.pem().unwrap().into_bytes(),
        };
        Form { name: "revocation list", content, things }
    }
}
