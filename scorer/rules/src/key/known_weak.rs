//! `key.known-weak`: a key in use is one that the world knows.
//!
//! ## What it looks at
//! Certified keys of which a server presents a certificate, that settings here name a file of, or
//! of which the private half lies here, keys on tokens, and keys that SSH uses: of hosts, of known
//! hosts, of users who may log in. Not met are those whose private half is published and that
//! a server presents, settings name, SSH uses or somebody put on a token, and a server that
//! presents the placeholder that Debian's package ssl-cert makes for a host. Published keys that
//! nothing uses are test material.
//! ## Why it matters
//! Whoever downloads the software or the document that the key comes from can be the server.
//! ## What it cannot see
//! Published keys beyond the built-in list, which comes from software and standards. Host
//! keys of SSH that settings put elsewhere, where these were not read.

use pki_inventory::{Asset, Body, Configuration, KeyUse, Place, published, snakeoil};

use crate::key::{on_token, ssh_use};
use crate::population::{is_own_leaf, is_presented, is_served, is_shipped};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.known-weak",
    title: "A key in use is publicly known",
    cites: &[
        Cite { document: "CA/B Forum TLS BR", section: "6.1.1.3" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
        Cite { document: "RFC 9500", section: "1" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "pkcs11", "tls"],
    reach: Reach::Whole,
    check: Check::CertifiedKey(check),
};

fn check(key: &KeyUse<'_>, cx: &RuleContext<'_>) -> Outcome {
    let certificates =
        || key.certificates.iter().filter_map(|asset| Some((*asset, asset.certificate()?)));
    let presented = certificates().any(|(asset, one)| is_presented(asset, one, cx));
    let by_ssh = || ssh_use(key.spki, cx);
    let token = || on_token(cx.view.records_of(key.spki).iter().copied());
    let Some(origin) = published(&key.spki) else {
        let placeholder = certificates()
            .find_map(|(asset, one)| snakeoil(asset).filter(|_| is_served(asset, one, cx)));
        let own = || certificates().any(|(asset, one)| is_own_leaf(asset, one, cx));
        return match placeholder {
            Some(what) => Outcome::NotMet(format!("a server presents the {what}")),
            None if presented || own() || by_ssh().is_some() || token().is_some() => Outcome::Met,
            None => Outcome::NotApplicable,
        };
    };
    if presented {
        return Outcome::NotMet(format!("a server uses a key that {origin} publishes"));
    }
    if let Some(what) = by_ssh() {
        return Outcome::NotMet(format!("a key that {origin} publishes is {what}"));
    }
    if let Some(place) = token() {
        return Outcome::NotMet(format!("a key that {origin} publishes lies at {place}"));
    }
    match configured(key, cx) {
        Some(settings) => Outcome::NotMet(format!(
            "the settings of {} name a key that {origin} publishes",
            settings.software
        )),
        None => Outcome::NotApplicableBecause(format!(
            "a key that {origin} publishes; nothing was seen to use it"
        )),
    }
}

/// Settings that name a file with the key or a certificate for it.
fn configured<'a>(key: &KeyUse<'_>, cx: &RuleContext<'a>) -> Option<&'a Configuration> {
    let names = |asset: &Asset, path: &String| {
        asset.places().filter_map(|place| beside(place, path)).any(|file| {
            let at = |place: &Place| matches!(place, Place::File { path, .. } if *path == file);
            let own = |asset: &&Asset| key.certificates.iter().any(|one| one.id == asset.id);
            cx.view.certificates_at(&file).iter().any(own)
                || cx.view.private_places(key.spki).iter().any(|(_, seen)| at(&seen.place))
        })
    };
    cx.view.inventory().assets().find_map(|asset| match &asset.body {
        Body::Configuration(settings) if !is_shipped(asset, cx) => {
            let mut files = settings.certificates.iter().chain(&settings.keys);
            files.any(|path| names(asset, path)).then_some(&**settings)
        }
        _ => None,
    })
}

/// A path that settings name, encoded, in the image or archive where the settings lie.
fn beside(settings: &Place, path: &str) -> Option<String> {
    let (Place::File { path: from, .. }, Place::File { path, .. }) = (settings, Place::file(path))
    else {
        return None;
    };
    Some(from.rsplit_once("!/").map_or(path.clone(), |(outer, _)| format!("{outer}!{path}")))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, clear, leaf, limits, settings, test_key};
    use crate::token_fixtures::{TOKEN, private};

    use pki_inventory::{Certificate, Configuration, Digest};

    fn known() -> Certificate {
        Certificate { spki: test_key(), ..leaf("a.example") }
    }

    #[test]
    fn met_by_a_key_that_is_nowhere_published() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_where_a_server_presents_a_published_one() {
        check(&RULE, &World::default().served(known()), &limits(), "not-met");
    }

    #[test]
    fn a_key_on_a_token_is_in_use() {
        let on = |spki| World::default().key_on(spki, private(), &format!("{TOKEN};object=k"));
        check(&RULE, &on(test_key()), &limits(), "not-met");
        check(&RULE, &on(Digest::of(b"own")), &limits(), "met");
    }

    #[test]
    fn not_met_where_settings_name_it() {
        let held = || {
            let world = World::default().stored_at(known(), "file:///etc/ssl/a%20b.pem#1");
            world.key_at(test_key(), "file:///etc/ssl/a.key", clear(0o600))
        };
        check(&RULE, &held(), &limits(), "not-applicable");
        let by_key = Configuration { keys: vec!["/etc/ssl/a.key".to_owned()], ..settings() };
        let world = held().configured(by_key, "file:///etc/nginx.conf#1");
        check(&RULE, &world, &limits(), "not-met");
        let certificates = vec!["/etc/ssl/a b.pem".to_owned()];
        let by_certificate = || Configuration { certificates: certificates.clone(), ..settings() };
        let world = held().configured(by_certificate(), "file:///etc/nginx.conf#1");
        check(&RULE, &world, &limits(), "not-met");
        // The same path in an image is another file.
        let world = held().configured(by_certificate(), "file:///srv/app.tar!/etc/nginx.conf#1");
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn keys_of_ssh_are_in_use_without_a_certificate() {
        let list = "file:///home/a/.ssh/authorized_keys#1";
        for (place, encoding, expected) in [
            (list, "authorized_keys", "not-met"),
            (list, "OpenSSH", "not-met"),
            ("file:///home/a/.ssh/known_hosts#3", "known_hosts", "not-met"),
            ("file:///etc/ssh/ssh_host_rsa_key#1", "OpenSSH", "not-met"),
            ("file:///i.tar!/etc/ssh/ssh_host_rsa_key.pub#1", "OpenSSH", "not-met"),
            ("file:///home/a/.ssh/id_rsa.pub#1", "OpenSSH", "not-applicable"),
        ] {
            let mut seen = clear(0o600);
            if let Some(form) = &mut seen.key {
                form.encoding = encoding.to_owned();
            }
            let world = World::default().key_at(test_key(), place, seen.clone());
            check(&RULE, &world, &limits(), expected);
            let world = World::default().key_at(Digest::of(b"own"), place, seen);
            let used = (expected == "not-met").then_some(("met", 1));
            assert_eq!(world.outcomes(&RULE, &limits()), used.into_iter().collect(), "{place}");
        }
    }

    #[test]
    fn not_met_by_a_placeholder_in_service_but_not_by_one_on_disk() {
        let mut made = leaf("host");
        made.issuer = made.subject.clone();
        let place = "file:///etc/ssl/certs/ssl-cert-snakeoil.pem#1";
        let world = World::default().stored_at(made.clone(), place).key_of(&made);
        check(&RULE, &world, &limits(), "not-applicable");
        check(&RULE, &world.served(made), &limits(), "not-met");
    }
}
