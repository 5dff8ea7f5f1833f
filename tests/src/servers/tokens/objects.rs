//! What is put on a token.

use std::fs;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData,
    SanType, SignatureAlgorithm, date_time_ymd,
};
use serde_json::{Value, json};

use crate::certificates::{Issued, Profile};
use crate::tools;

/// An object, or a pair of them, that a token is to have.
///
/// What is not said otherwise is as it should be: private and secret keys are sensitive, not
/// extractable, private and not modifiable.
#[derive(Debug, Clone)]
pub struct Object(Value);

impl Object {
    /// A key pair that the token generates: `rsa`, `p256` or `ed25519`.
    #[must_use]
    pub fn pair(kind: &str, label: &str, id: &str) -> Self {
        let mut public = json!({"label": label, "id": id, "verify": true, "private": false});
        if kind == "rsa" {
            // The defaults of SoftHSM allow everything.
            for use_ in ["encrypt", "wrap", "verify_recover"] {
                public[use_] = false.into();
            }
        }
        let mut template = kept(label, id);
        template["sign"] = true.into();
        for use_ in ["decrypt", "unwrap", "sign_recover", "derive"] {
            template[use_] = false.into();
        }
        let plan = json!({"make": "pair", "kind": kind, "public": public, "template": template});
        if kind == "rsa" { Self(plan).bits(2048) } else { Self(plan) }
    }

    /// A symmetric key that the token generates: `aes` or `des3`. It encrypts and decrypts.
    #[must_use]
    pub fn secret(kind: &str, label: &str, id: &str) -> Self {
        let mut template = kept(label, id);
        for (name, is) in [
            ("encrypt", true),
            ("decrypt", true),
            ("sign", false),
            ("verify", false),
            ("wrap", false),
            ("unwrap", false),
            ("derive", false),
        ] {
            template[name] = is.into();
        }
        if kind == "aes" {
            template["value_len"] = 32.into();
        }
        Self(json!({"make": "secret", "kind": kind, "template": template}))
    }

    /// The private key of a certificate, brought in from outside in the clear.
    #[must_use]
    pub fn imported(issued: &Issued, label: &str, id: &str) -> Self {
        let mut template = kept(label, id);
        let usage = [("sign", true), ("decrypt", false), ("unwrap", false), ("derive", false)];
        for (name, is) in usage {
            template[name] = is.into();
        }
        template["class"] = "private".into();
        for (name, value) in numbers(&issued.key_der()) {
            template[name] = value.into();
        }
        Self(json!({"make": "create", "template": template}))
    }

    /// The same, wrapped in a key that both sides know. SoftHSM takes no other one than can be modified.
    #[must_use]
    pub fn unwrapped(issued: &Issued, label: &str, id: &str) -> Self {
        let with = "000102030405060708090a0b0c0d0e0f";
        let [plain, wrapped] = ["plain", "wrapped"].map(|ending| issued.key.with_extension(ending));
        fs::write(&plain, issued.key_der()).unwrap();
        // RFC 5649 with its own initial value, as PKCS #11 asks for.
        let mut command = Command::new("openssl");
        command.args(["enc", "-e", "-id-aes128-wrap-pad", "-K", with, "-iv", "A65959A6"]);
        command.arg("-in").arg(&plain).arg("-out").arg(&wrapped);
        tools::finish(command);
        let mut template = kept(label, id);
        template["modifiable"] = true.into();
        template["class"] = "private".into();
        template["key_type"] = "ec".into();
        template["sign"] = true.into();
        let wrapped = hex(&fs::read(wrapped).unwrap());
        Self(json!({"make": "unwrap", "with": with, "wrapped": wrapped, "template": template}))
    }

    /// A certificate.
    #[must_use]
    pub fn certificate(der: &[u8], label: &str, id: &str) -> Self {
        let template = json!({
            "class": "certificate", "certificate_type": "X.509", "label": label, "id": id,
            "value": hex(der), "subject": "3000", "private": false, "modifiable": false,
        });
        Self(json!({"make": "create", "template": template}))
    }

    /// Octets of an application.
    #[must_use]
    pub fn data(label: &str) -> Self {
        let template = json!({"class": "data", "label": label, "value": "00"});
        Self(json!({"make": "create", "template": template}))
    }

    /// With an attribute; of a pair, of its private half.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: impl Into<Value>) -> Self {
        self.0["template"][attribute] = value.into();
        self
    }

    /// With an attribute of the public half of a pair.
    #[must_use]
    pub fn with_public(mut self, attribute: &str, value: impl Into<Value>) -> Self {
        self.0["public"][attribute] = value.into();
        self
    }

    /// With a modulus of so many bits.
    #[must_use]
    pub fn bits(mut self, bits: u32) -> Self {
        self.0["bits"] = bits.into();
        self
    }

    /// So many of them.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.0["times"] = times.into();
        self
    }

    pub(super) fn plan(&self) -> &Value {
        &self.0
    }
}

fn kept(label: &str, id: &str) -> Value {
    json!({
        "label": label, "id": id, "private": true, "modifiable": false, "sensitive": true,
        "extractable": false,
    })
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The numbers of a key in PKCS#8: RFC 5958 around RFC 8017 (A.1.2) or RFC 5915 (3).
fn numbers(pkcs8: &[u8]) -> Vec<(&'static str, String)> {
    let info = fields(fields(pkcs8)[0]);
    let algorithm = fields(info[1]);
    let key = fields(fields(info[2])[0]);
    // An INTEGER is the only one of these whose content may begin with a zero that is none of it.
    let number = |at: usize| hex(key[at].strip_prefix(&[0]).unwrap_or(key[at]));
    if key.len() > 8 {
        let names = [
            "modulus",
            "public_exponent",
            "private_exponent",
            "prime_1",
            "prime_2",
            "exponent_1",
            "exponent_2",
            "coefficient",
        ];
        let numbers = names.into_iter().enumerate().map(|(at, name)| (name, number(at + 1)));
        return numbers.chain([("key_type", "rsa".to_owned())]).collect();
    }
    let curve = algorithm[1];
    let named = [&[0x06, u8::try_from(curve.len()).unwrap()], curve].concat();
    vec![("key_type", "ec".to_owned()), ("ec_params", hex(&named)), ("value", hex(key[1]))]
}

/// The contents of the values that stand side by side.
fn fields(mut der: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let [_, length, rest @ ..] = der {
        let (count, length) = match length {
            0..0x80 => (0, usize::from(*length)),
            _ => {
                let count = usize::from(length & 0x7f);
                (count, rest[..count].iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)))
            }
        };
        found.push(&rest[count..count + length]);
        der = &rest[count + length..];
    }
    found
}

/// Issues a certificate for a public key whose private half never was here: `public` is its SPKI. The
/// issuer is named `/O=Lab/CN=…`.
#[must_use]
pub fn certify(
    (issuer, issuer_name): (&Issued, &str),
    public: &[u8],
    name: &str,
    profile: Profile,
) -> Vec<u8> {
    let named = |name: &str| {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2036, 1, 1);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Lab");
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params
    };
    let signer = KeyPair::from_pem(&fs::read_to_string(&issuer.key).unwrap()).unwrap();
    let signer = Issuer::new(named(issuer_name), signer);
    let mut params = named(name);
    if profile == Profile::Authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    } else {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
    }
    params.signed_by(&Public::of(public), &signer).unwrap().der().to_vec()
}

/// A public key alone.
struct Public {
    key: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl Public {
    fn of(spki: &[u8]) -> Self {
        let info = fields(fields(spki)[0]);
        // OID rsaEncryption (RFC 8017, appendix C) or else a curve.
        let is_rsa = info[0].windows(9).any(|it| it == b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
        let algorithm = if is_rsa { &PKCS_RSA_SHA256 } else { &PKCS_ECDSA_P256_SHA256 };
        // The first octet of a BIT STRING counts unused bits.
        Self { key: info[1][1..].to_vec(), algorithm }
    }
}

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}
