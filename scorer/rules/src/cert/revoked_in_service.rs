//! `cert.revoked-in-service`: a server presents a certificate together with the statement that it
//! is revoked.
//!
//! ## What it looks at
//! Certificates that a server presents as its own, and the status (OCSP) that it staples for them.
//! ## Why it matters
//! A certificate is revoked because its key may be in other hands or its holder lost the name; as
//! long as it is served, clients that do not check are deceived and all others are locked out.
//! ## What it cannot see
//! Whether any certificate is not revoked: no revocation list is fetched for this, and the
//! signature of a stapled status is not verified, so that `good` proves nothing and is unknown.
//! `revoked` counts: no server is expected to forge that about itself.

use pki_inventory::{
    Asset, AssetId, Certificate, Digest, Endpoint, Fact, Kind, RevocationStatus, StapleContent,
    View,
};

use crate::population::is_served;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.revoked-in-service",
    title: "A served certificate is revoked",
    cites: &[
        Cite { document: "RFC 5280", section: "3.3" },
        Cite { document: "RFC 6960", section: "2.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_served(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let mut open = None;
    for sighting in asset.sightings().filter(|s| s.circumstances.chain_position == Some(0)) {
        // The identity of an endpoint is that of its place.
        let id = AssetId::new(Kind::Endpoint, Digest::of(sighting.place.to_string().as_bytes()));
        let Some(endpoint) = cx.view.inventory().get(id).and_then(Asset::endpoint) else {
            continue;
        };
        match revoked(endpoint, certificate, cx.view) {
            Ok(how) => {
                let place = &sighting.place;
                return Outcome::NotMet(format!("{how}, and is still served at {place}"));
            }
            Err(why) => open = open.or(Some(why)),
        }
    }
    let why = open.unwrap_or_else(|| "no handshake with its server is known any more".to_owned());
    Outcome::Unknown(why)
}

/// How the status that a server staples says the certificate was revoked, or why it is not known to
/// be.
fn revoked(
    endpoint: &Endpoint,
    certificate: &Certificate,
    view: &View<'_>,
) -> Result<String, String> {
    let session = endpoint.session().ok_or("its server shows no certificate any more")?;
    let Some(staple) = &session.staple else {
        return Err(session.stapled().why().map_or_else(
            || "its server staples no status".to_owned(),
            |why| format!("a stapled status was not observed: {why}"),
        ));
    };
    let status = match &staple.content {
        StapleContent::Refused(word) => return Err(format!("the responder only said {word}")),
        StapleContent::Unreadable(error) => {
            return Err(format!("the stapled status could not be read: {error}"));
        }
        StapleContent::Status(status) => status,
    };
    if status.serial != certificate.serial {
        return Err("the stapled status is that of another certificate".to_owned());
    }
    match status.is_about(certificate, view) {
        Fact::Yes => {}
        Fact::No => Err("the stapled status is that of another issuer's certificate")?,
        Fact::NotObserved(why) => Err(format!("whose status is stapled is not known: {why}"))?,
    }
    match &status.status {
        RevocationStatus::Revoked { at, reason } => {
            let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            Ok(format!("was revoked on {}{reason}", at.date()))
        }
        // That it is out of date as well is another rule's finding.
        RevocationStatus::Good => {
            Err("its stapled status says good; the signature of the responder is not verified")?
        }
        RevocationStatus::Unknown => Err("the responder does not know the certificate")?,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, limits, session, staple};

    use pki_inventory::{
        Certificate, Digest, Handshake, IssuerHashes, RevocationStatus, Session, Staple,
        StapleContent,
    };
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData,
        SerialNumber,
    };

    /// An authority of this name with a new key.
    struct Authority {
        params: CertificateParams,
        key: KeyPair,
    }

    impl Authority {
        fn new() -> Self {
            let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, "Test CA");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Self { params, key: KeyPair::generate().unwrap() }
        }

        fn own(&self) -> Certificate {
            let own = self.params.self_signed(&self.key).unwrap();
            Certificate::parse(own.der().to_vec()).unwrap()
        }

        /// A certificate with the serial number 01.
        fn leaf(&self) -> Certificate {
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.serial_number = Some(SerialNumber::from(vec![1]));
            let issuer = Issuer::from_params(&self.params, &self.key);
            let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
            Certificate::parse(leaf.der().to_vec()).unwrap()
        }

        /// What is said of the certificate 01 of this authority.
        fn saying(&self, status: RevocationStatus) -> Staple {
            let mut staple = staple("01");
            if let StapleContent::Status(content) = &mut staple.content {
                content.status = status;
                content.issuer = IssuerHashes {
                    algorithm: "SHA-256".to_owned(),
                    name: self.own().subject.sha256.to_string(),
                    key: Digest::of(self.key.der_bytes()).to_string(),
                };
            }
            staple
        }
    }

    fn revocation() -> RevocationStatus {
        let reason = Some("keyCompromise".to_owned());
        RevocationStatus::Revoked { at: NOW.plus_days(-3), reason }
    }

    /// The certificate 01 of an authority at a server that staples this.
    fn stapling(authority: &Authority, staple: Option<Staple>) -> World {
        let handshake = Handshake::Shown(Session { staple, ..session() });
        World::default().served(authority.leaf()).endpoint(handshake)
    }

    #[test]
    fn not_met_when_it_is_revoked() {
        let authority = Authority::new();
        let world = stapling(&authority, Some(authority.saying(revocation())));
        check(&RULE, &world, &limits(), "not-met");
        let known = world.stored(authority.own());
        let outcomes = known.outcomes(&RULE, &limits());
        assert_eq!((outcomes["not-met"], outcomes["not-applicable"]), (1, 1));
    }

    #[test]
    fn unknown_when_another_issuer_revoked_its_own_certificate_of_that_number() {
        let (authority, other) = (Authority::new(), Authority::new());
        let world = stapling(&authority, Some(other.saying(revocation()))).stored(authority.own());
        let outcomes = world.outcomes(&RULE, &limits());
        assert_eq!((outcomes["unknown"], outcomes["not-applicable"]), (1, 1));
        let mut named = authority.saying(revocation());
        if let StapleContent::Status(content) = &mut named.content {
            content.issuer.name = Digest::of(b"another name").to_string();
        }
        check(&RULE, &stapling(&authority, Some(named)), &limits(), "unknown");
    }

    #[test]
    fn unknown_when_it_is_good_because_nobody_verified_that() {
        let authority = Authority::new();
        let world = stapling(&authority, Some(authority.saying(RevocationStatus::Good)));
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn unknown_when_nothing_that_counts_is_stapled() {
        let authority = Authority::new();
        let unknown = |staple| check(&RULE, &stapling(&authority, staple), &limits(), "unknown");
        unknown(None);
        unknown(Some(Staple { content: revoked_of("02", &authority), ..staple("02") }));
        unknown(Some(authority.saying(RevocationStatus::Unknown)));
        let mut old = authority.saying(RevocationStatus::Good);
        if let StapleContent::Status(content) = &mut old.content {
            content.next_update = Some(NOW.plus_days(-1));
        }
        unknown(Some(old));
        for content in [
            StapleContent::Refused("tryLater".to_owned()),
            StapleContent::Unreadable("truncated".to_owned()),
        ] {
            unknown(Some(Staple { content, ..staple("01") }));
        }
        check(&RULE, &World::default().served(authority.leaf()), &limits(), "unknown");
        let ended = Some("closed".to_owned());
        let handshake = Handshake::Shown(Session { ended, ..session() });
        let world = World::default().served(authority.leaf()).endpoint(handshake);
        check(&RULE, &world, &limits(), "unknown");
    }

    fn revoked_of(serial: &str, authority: &Authority) -> StapleContent {
        let mut content = authority.saying(revocation()).content;
        if let StapleContent::Status(status) = &mut content {
            status.serial = serial.to_owned();
        }
        content
    }

    #[test]
    fn not_applicable_to_a_file() {
        let world = World::default().stored(Authority::new().leaf());
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
