//! The TLS side of the shared assessment: servers of today, of yesterday, and with a fault each.

use std::collections::BTreeMap;

use pki_inventory::{
    Certificate, CertificateStatus, ClientCertificate, Deployment, Digest, DistinguishedName,
    Endpoint, Fact, Handshake, IssuerHashes, Posture, RevocationStatus, Session, Staple,
    StapleContent, Suites, VersionFacts,
};

use super::{HOSTILE, NOW};

/// What a server answers that is well kept, with a quantum-safe key exchange or without.
pub(super) fn session(chain: &[&Certificate], hybrid: bool) -> Session {
    Session {
        version: Some("TLSv1.3".to_owned()),
        cipher_suite: Some("TLS_AES_256_GCM_SHA384".to_owned()),
        group: Some(if hybrid { "X25519MLKEM768" } else { "x25519" }.to_owned()),
        offered_groups: vec!["X25519MLKEM768".to_owned(), "x25519".to_owned()],
        alpn: Some("h2".to_owned()),
        staple: chain
            .first()
            .filter(|_| hybrid)
            .map(|certificate| staple("0f3a", &certificate.issuer, RevocationStatus::Good)),
        sct_logs: Vec::new(),
        client_certificate: ClientCertificate::NotAsked,
        accepted_authorities: Vec::new(),
        chain: chain.iter().map(|certificate| certificate.digest()).collect(),
        ended: None,
    }
}

/// One handshake.
pub(super) fn shown(session: Session) -> Endpoint {
    Endpoint::new(NOW, Handshake::Shown(session))
}

/// Many handshakes.
pub(super) fn asked(session: Session, connections: u32, posture: Posture) -> Endpoint {
    Endpoint { connections, posture: Some(Box::new(posture)), ..shown(session) }
}

/// A stapled status of yesterday.
pub(super) fn staple(serial: &str, issuer: &DistinguishedName, status: RevocationStatus) -> Staple {
    let status = CertificateStatus {
        serial: serial.to_owned(),
        issuer: IssuerHashes {
            algorithm: "SHA-256".to_owned(),
            name: issuer.sha256.to_string(),
            key: log("key of the issuer"),
        },
        status,
        this_update: NOW.plus_days(-1),
        next_update: Some(NOW.plus_days(6)),
        produced_at: NOW.plus_days(-1),
        responder: "CN=Example Status".to_owned(),
        sct_logs: vec![log("a")],
    };
    Staple { length: 471, sha256: Digest::of(b"staple"), content: StapleContent::Status(status) }
}

/// The id of a log of certificates.
pub(super) fn log(name: &str) -> String {
    Digest::of(name.as_bytes()).to_string()
}

fn spoken(suite: &str, accepted: &[&str]) -> VersionFacts {
    let suites = (!accepted.is_empty()).then(|| Suites {
        accepted: accepted.iter().map(|suite| (*suite).to_owned()).collect(),
        complete: Fact::Yes,
        server_order: Fact::Yes,
    });
    VersionFacts { offered: Fact::Yes, preferred_suite: Some(suite.to_owned()), suites }
}

fn refused() -> VersionFacts {
    VersionFacts { offered: Fact::No, preferred_suite: None, suites: None }
}

fn facts(all: &[(&str, Fact)]) -> BTreeMap<String, Fact> {
    all.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect()
}

/// TLS 1.2 and 1.3 with suites of today, a hybrid key exchange and two certificates.
pub(super) fn modern(rsa: &[&Certificate]) -> Posture {
    let chain = rsa.iter().map(|certificate| certificate.digest()).collect();
    let older = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"].map(|name| (name.to_owned(), refused()));
    let mut versions = BTreeMap::from(older);
    versions.insert("TLSv1.2".to_owned(), spoken("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", &[]));
    versions.insert("TLSv1.3".to_owned(), spoken("TLS_AES_256_GCM_SHA384", &[]));
    let none = Deployment { offered: Fact::No, chain: Vec::new() };
    Posture {
        versions,
        groups: facts(&[
            ("X25519MLKEM768", Fact::Yes),
            ("x25519", Fact::Yes),
            ("secp256r1", Fact::Yes),
            ("MLKEM1024", Fact::No),
            ("SecP384r1MLKEM1024", Fact::No),
        ]),
        alpn: facts(&[("h2", Fact::Yes), ("http/1.1", Fact::Yes)]),
        deployments: BTreeMap::from([
            ("RSA".to_owned(), Deployment { offered: Fact::Yes, chain }),
            ("ECDSA".to_owned(), none.clone()),
            ("ML-DSA".to_owned(), none),
        ]),
        resumption_id: Fact::No,
        resumption_ticket: Fact::Yes,
        early_data: Fact::No,
        secure_renegotiation: Fact::Yes,
        extended_master_secret: Fact::Yes,
        compression: Fact::No,
        fallback_scsv: Fact::Yes,
        client_refusal: None,
    }
}

/// SSL 3.0 to TLS 1.0 with RC4 and compression, and one question that it broke off at.
pub(super) fn legacy() -> Posture {
    const RC4: &str = "TLS_RSA_WITH_RC4_128_SHA";
    const CBC: &str = "TLS_RSA_WITH_AES_128_CBC_SHA";
    const TRIPLE: &str = "TLS_RSA_WITH_3DES_EDE_CBC_SHA";
    let reset = || Fact::NotObserved(format!("the connection was reset {HOSTILE}"));
    let older = || Fact::NotObserved("it speaks no version that has this".to_owned());
    let newer = ["TLSv1.1", "TLSv1.2", "TLSv1.3"].map(|name| (name.to_owned(), refused()));
    let mut versions = BTreeMap::from(newer);
    let open = VersionFacts { offered: reset(), ..refused() };
    versions.insert("SSLv2".to_owned(), open);
    versions.insert("SSLv3".to_owned(), spoken(RC4, &[RC4, TRIPLE]));
    versions.insert("TLSv1.0".to_owned(), spoken(RC4, &[RC4, TRIPLE, CBC]));
    Posture {
        versions,
        groups: facts(&[("X25519MLKEM768", older()), ("x25519", older())]),
        alpn: BTreeMap::new(),
        deployments: BTreeMap::new(),
        resumption_id: Fact::Yes,
        resumption_ticket: Fact::No,
        early_data: older(),
        secure_renegotiation: Fact::No,
        extended_master_secret: Fact::No,
        compression: Fact::Yes,
        fallback_scsv: reset(),
        client_refusal: Some("certificate_required".to_owned()),
    }
}
