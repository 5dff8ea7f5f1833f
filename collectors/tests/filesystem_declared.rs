//! What settings and tools say about certificates comes in with the files it is about.

#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::{PermissionsExt as _, symlink};

use pki_config::Globs;
use pki_inventory::{Asset, Body, Kind, View};
use support::{Tree, scan};

fn certificate() -> String {
    rcgen::generate_simple_self_signed(vec!["www.example.test".into()]).unwrap().cert.pem()
}

fn configuration(asset: &Asset) -> &pki_inventory::Configuration {
    match &asset.body {
        Body::Configuration(configuration) => configuration,
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_are_joined_with_the_files_that_their_links_lead_to() {
    let tree = Tree::new();
    let top = tree.path();
    tree.write("archive/shop/cert2.pem", certificate());
    std::fs::create_dir_all(top.join("live/shop")).unwrap();
    symlink("../../archive/shop/cert2.pem", top.join("live/shop/cert.pem")).unwrap();
    let path = top.join("live/shop/cert.pem").display().to_string();
    tree.write(
        "nginx/nginx.conf",
        format!("http {{\n server {{\n  listen 443 ssl;\n  ssl_certificate {path};\n }}\n}}\n"),
    );
    let seen = tree.scan();
    let found = seen.of(Kind::Configuration);
    assert_eq!(found.len(), 1);
    let resolved = top.join("archive/shop/cert2.pem").display().to_string();
    assert_eq!(configuration(found[0]).certificates, std::slice::from_ref(&resolved));
    let view = View::of(&seen.inventory);
    assert_eq!(view.certificates_at(&resolved), seen.of(Kind::Certificate));
}

#[test]
fn settings_read_nothing_outside_of_the_roots() {
    let outside = Tree::new();
    outside.write("more.conf", "ssl_protocols TLSv1;\n");
    let tree = Tree::new();
    let main = "http { include MORE; server { listen 443 ssl; } }\n";
    tree.write(
        "nginx.conf",
        main.replace("MORE", &outside.path().join("*.conf").display().to_string()),
    );
    symlink(outside.path().join("more.conf"), tree.path().join("link.conf")).unwrap();
    tree.write("in/nginx.conf", main.replace("MORE", "../link.conf"));
    let seen = tree.scan();
    for asset in seen.of(Kind::Configuration) {
        assert_eq!(configuration(asset).versions, None);
    }
    assert_eq!(seen.of(Kind::Configuration).len(), 2);
}

#[test]
fn a_lineage_of_certbot_manages_what_lies_in_its_archive() {
    let tree = Tree::new();
    let top = tree.path();
    let folder = top.join("letsencrypt");
    tree.write("letsencrypt/archive/shop/cert1.pem", certificate());
    tree.write("letsencrypt/archive/shop/cert2.pem", certificate());
    let text = format!(
        "version = 2.1.0\narchive_dir = {0}/archive/shop\ncert = {0}/live/shop/cert.pem\n\
         [renewalparams]\nauthenticator = webroot\nserver = https://acme.example/directory\n",
        folder.display()
    );
    tree.write("letsencrypt/renewal/shop.conf", text);
    let seen = tree.scan();
    assert_eq!(seen.of(Kind::Automation).len(), 1);
    let view = View::of(&seen.inventory);
    assert_eq!(seen.of(Kind::Certificate).len(), 2);
    for asset in seen.of(Kind::Certificate) {
        assert_eq!(view.automation_of(asset), seen.of(Kind::Automation));
    }
}

#[test]
fn patterns_say_what_is_read_and_what_is_not() {
    let tree = Tree::new();
    for name in ["a.pem", "b.crt", "old/a.pem", "deep/old/b.crt", "deep/c.pem"] {
        tree.write(name, certificate());
    }
    let count = |include: &[&str], exclude: &[&str]| {
        let seen = scan(|scope| {
            scope.roots = vec![tree.path()];
            scope.include = Globs::new(include).unwrap();
            scope.exclude_globs = Globs::new(exclude).unwrap();
        });
        (seen.of(Kind::Certificate).len(), seen.coverage().asked)
    };
    assert_eq!(count(&[], &[]), (5, 5));
    assert_eq!(count(&["*.pem"], &[]), (3, 3));
    assert_eq!(count(&["*.pem", "*.crt"], &["**/old"]), (3, 3));
    assert_eq!(count(&[], &["old", "c.*"]), (2, 2));
    assert_eq!(count(&["**/deep/**"], &[]), (2, 2));
}

#[test]
fn a_closed_folder_above_is_said_of_what_lies_in_it() {
    let tree = Tree::new();
    tree.write("closed/in/a.pem", certificate());
    tree.write("open/a.pem", certificate());
    let closed = tree.path().join("closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::set_permissions(tree.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let seen = tree.scan();
    let mut behind: Vec<Option<String>> = seen
        .of(Kind::Certificate)
        .into_iter()
        .map(|asset| asset.sightings().next().unwrap().circumstances.file.clone().unwrap().behind)
        .collect();
    behind.sort();
    assert_eq!(behind, [None, Some(closed.display().to_string())]);
}
