//! Two tokens of the tests' own making: keys that are kept well, one for every condition that a token
//! can show, and some that only look like it. What the rules have to say of each stands beside it.

use std::collections::BTreeSet;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, EXPIRED, Issued, Key, Order, Profile, openssl, path};
use pkimm_tests::servers::tokens::{Object, SoftHsm, certify};
use serde_json::json;

/// The token with nearly everything.
pub const TOKEN: &str = "Lab CA";
/// Its PIN.
pub const PIN: &str = "Canary-Of-A-Token-7730";
/// The other token.
pub const SECOND: &str = "Lab Spare";
/// Its PIN.
pub const SECOND_PIN: &str = "Canary-Of-A-Spare-1189";

/// The tokens with what is expected of them.
pub struct Material {
    /// Where they are.
    pub hsm: SoftHsm,
    /// The root of all certificates on them.
    pub root: Authority,
    /// The certificate of the authority whose key was generated on the token.
    pub authority: Vec<u8>,
    /// A server's certificate whose key was brought to the token.
    pub server: Issued,
    /// The key that both tokens have.
    pub both: Issued,
    /// What is not met: rule and asset.
    pub not_met: BTreeSet<(String, String)>,
    /// What is unknown.
    pub unknown: BTreeSet<(String, String)>,
}

impl Material {
    /// Fills two tokens below the folder of a test.
    pub fn new(home: &Home) -> Self {
        let hsm = SoftHsm::new(home.path());
        hsm.add_token(TOKEN, PIN);
        hsm.add_token(SECOND, SECOND_PIN);
        let root = Authority::root(home.path(), "Lab Root");
        let rsa = |name: &str| Order { key: Key::Rsa(2048), ..Order::server(name) };
        let mut material = Self {
            hsm,
            authority: Vec::new(),
            server: root.issue(&rsa("imported.lab.test")),
            both: root.issue(&rsa("both.lab.test")),
            root,
            not_met: BTreeSet::new(),
            unknown: BTreeSet::new(),
        };
        material.put_keys();
        material.put_imported();
        material.put_secrets();
        material.put_certificates();
        material.put_second();
        material.expect_of_tokens();
        material
    }

    fn put(&self, objects: &[Object]) {
        self.hsm.put(TOKEN, PIN, objects);
    }

    fn not_met(&mut self, asset: &str, rules: &[&str]) {
        self.not_met.extend(rules.iter().map(|rule| ((*rule).to_owned(), asset.to_owned())));
    }

    fn unknown(&mut self, asset: &str, rules: &[&str]) {
        self.unknown.extend(rules.iter().map(|rule| ((*rule).to_owned(), asset.to_owned())));
    }

    /// Keys that the token generated. Those without a fault have a certificate, see below.
    fn put_keys(&mut self) {
        let p256 = |label: &str, id: &str| Object::pair("p256", label, id);
        let rsa = |label: &str, id: &str| Object::pair("rsa", label, id);
        self.put(&[
            p256("ca", "01"),
            rsa("rsa-2048", "02"),
            rsa("rsa-1024", "03").bits(1024),
            Object::pair("ed25519", "ed25519", "04"),
            rsa("extractable", "05").with("extractable", true),
            p256("not-sensitive", "06").with("sensitive", false),
            p256("same-id-a", "0a"),
            p256("same-id-b", "0a"),
            p256("no-id", ""),
            p256("shown-to-all", "0c").with("private", false),
            rsa("weak-mechanism", "0d")
                .with("allowed_mechanisms", json!(["CKM_SHA1_RSA_PKCS", "CKM_RSA_PKCS"])),
            rsa("strong-mechanism", "1d")
                .with("allowed_mechanisms", json!(["CKM_SHA256_RSA_PKCS"])),
            p256("ended", "0e").with("private", false).with("end_date", "2021-12-31"),
            p256("in-force", "1e").with("private", false).with("end_date", "2099-12-31"),
            // SoftHSM 2.6 does not tell the dates of private objects.
            p256("hidden-date", "2e").with("end_date", "2021-12-31"),
            p256("modifiable", "0f").with("modifiable", true),
            rsa("trusted-wrapping", "15").with("extractable", true).with("wrap_with_trusted", true),
        ]);
        for (key, rules) in [
            ("rsa-1024", &["key.algorithm-not-approved"][..]),
            ("extractable", &["token.key-extractable"]),
            ("not-sensitive", &["token.key-not-sensitive"]),
            ("no-id", &["token.key-id-missing"]),
            ("shown-to-all", &["token.key-not-private"]),
            ("weak-mechanism", &["token.key-mechanism-weak"]),
            ("ended", &["token.key-kept-after-expiry", "token.key-not-private"]),
            ("in-force", &["token.key-not-private"]),
            ("modifiable", &["token.key-modifiable"]),
            ("trusted-wrapping", &["token.key-wrappable-by-trusted"]),
        ] {
            self.not_met(&format!("key {key}"), rules);
        }
        // Nobody has a certificate for these.
        for key in [
            "rsa-1024",
            "ed25519",
            "extractable",
            "not-sensitive",
            "shown-to-all",
            "weak-mechanism",
            "strong-mechanism",
            "ended",
            "in-force",
            "hidden-date",
            "modifiable",
            "trusted-wrapping",
        ] {
            self.not_met(&format!("key {key}"), &["token.key-without-certificate"]);
        }
        self.unknown("key hidden-date", &["token.key-kept-after-expiry"]);
    }

    /// Keys that were made elsewhere.
    fn put_imported(&mut self) {
        let folder = &self.root;
        let expired =
            folder.issue(&Order { validity: EXPIRED, ..Order::server("expired.lab.test") });
        let unwrapped = folder.issue(&Order::server("unwrapped.lab.test"));
        // Nobody has a certificate for it: only its key is of use here.
        let mut exponent_3 = unwrapped.clone();
        exponent_3.key = unwrapped.key.with_extension("3");
        openssl(&[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
            "-pkeyopt",
            "rsa_keygen_pubexp:3",
            "-out",
            path(&exponent_3.key),
        ]);
        self.put(&[
            Object::imported(&exponent_3, "exponent-3", "10"),
            Object::imported(&self.server, "imported", "07"),
            Object::certificate(&self.server.der(), "imported", "07"),
            // Its certificate lies nowhere.
            Object::unwrapped(&unwrapped, "unwrapped", "08"),
            Object::imported(&expired, "expired", "09"),
            Object::certificate(&expired.der(), "expired", "09"),
            Object::imported(&self.both, "both", "12"),
            Object::certificate(&self.both.der(), "both", "12"),
        ]);
        for key in ["imported", "unwrapped", "expired", "both", "exponent-3"] {
            self.not_met(&format!("key {key}"), &["token.key-imported"]);
        }
        let rules = ["token.key-exponent-small", "token.key-without-certificate"];
        self.not_met("key exponent-3", &rules);
        self.not_met("key unwrapped", &["token.key-modifiable"]);
        // Neither they nor anything with their identifier alone tells their public half; a label is none.
        for key in ["same-id-a", "same-id-b", "unwrapped", "no-id"] {
            let rules = ["token.key-on-several-tokens", "token.key-without-certificate"];
            self.unknown(&format!("key {key}"), &rules);
        }
        self.not_met("key expired", &["token.key-kept-after-expiry"]);
        self.not_met("key both", &["token.key-on-several-tokens"]);
    }

    fn put_secrets(&mut self) {
        let aes = |label: &str, id: &str| Object::secret("aes", label, id);
        self.put(&[
            aes("aes", "21"),
            aes("aes-wrap-decrypt", "22").with("wrap", true),
            aes("aes-unwrap-encrypt", "23").with("unwrap", true).with("decrypt", false),
            aes("aes-extractable", "24").with("extractable", true),
            Object::secret("des3", "des3", "25"),
            Object::data("note"),
        ]);
        for (key, rules) in [
            ("aes-wrap-decrypt", &["token.key-usage-pair"][..]),
            ("aes-unwrap-encrypt", &["token.key-usage-pair"]),
            ("aes-extractable", &["token.key-extractable"]),
            ("des3", &["token.secret-key-weak"]),
        ] {
            self.not_met(&format!("secret-key {key}"), rules);
        }
    }

    /// Certificates for keys that never left the token, and some without a key on it.
    fn put_certificates(&mut self) {
        let issuer = (&self.root.own, "Lab Root");
        let key = self.hsm.public_key(TOKEN, "ca");
        self.authority = certify(issuer, &key, "Lab Issuing", Profile::Authority);
        let key = self.hsm.public_key(TOKEN, "rsa-2048");
        let leaf = certify(issuer, &key, "born.lab.test", Profile::Server);
        let orphan = self.root.issue(&Order::server("orphan.lab.test"));
        self.put(&[
            Object::certificate(&self.authority, "ca", "01"),
            Object::certificate(&leaf, "rsa-2048", "02"),
            Object::certificate(&orphan.der(), "orphan", "11"),
            Object::certificate(&self.root.own.der(), "root", ""),
        ]);
        // One of the keys that do not tell their public half might be its.
        self.unknown(&format!("token {TOKEN}"), &["token.certificate-without-key"]);
        // SoftHSM is software, whatever it is called.
        self.not_met("certificate ca", &["ca.key-outside-hardware"]);
    }

    fn put_second(&mut self) {
        let lost = self.root.issue(&Order::server("lost.lab.test"));
        let objects = [
            Object::imported(&self.both, "both", "12"),
            Object::secret("aes", "spare-aes", "21"),
            Object::certificate(&lost.der(), "lost", "13"),
        ];
        self.hsm.put(SECOND, SECOND_PIN, &objects);
        self.not_met(&format!("token {SECOND}"), &["token.certificate-without-key"]);
    }

    fn expect_of_tokens(&mut self) {
        for token in [TOKEN, SECOND] {
            self.not_met(&format!("token {token}"), &["token.mechanism-weak"]);
        }
        // Two keys have one identifier, and one that wraps lies beside some that can leave.
        let rules = ["token.key-id-duplicate", "token.wrapping-key-untrusted"];
        self.not_met(&format!("token {TOKEN}"), &rules);
    }
}
