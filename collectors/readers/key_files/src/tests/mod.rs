//! Keys made by the tools that people make them with, compared with what OpenSSL says of them.

mod gnupg;
mod hostile;
mod settings;
mod ssh;
mod windows;

use std::path::Path;
use std::process::{Command, Stdio};

use pki_encodings::Collected;
use pki_encodings::pem::Scanner;
use pki_inventory::{Digest, Encryption, Half, KeyForm, Object, Raw};

/// Runs a tool and hands back what it prints. The tools are packages of Debian; `tests/run`
/// installs them.
pub fn run(folder: &Path, command: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(command)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("`{command}` is needed for this test: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command} {arguments:?}: {error}");
    output.stdout
}

/// Reads octets as the collector does: blocks, text around them, binary forms.
pub fn read(octets: &[u8]) -> Collected {
    let mut found = Collected::default();
    if let Some(form) = crate::recognise(octets) {
        crate::binary(form, octets, true, &mut found);
        return found;
    }
    Scanner::new().feed(octets, true, &mut |block| {
        crate::block(&block, &mut found);
    });
    if crate::is_worth_a_look(octets) {
        crate::Text::new().feed(octets, true, &mut found);
    }
    found
}

pub fn read_file(folder: &Path, name: &str) -> Collected {
    let path = folder.join(name);
    read(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

pub fn id(object: &Object) -> Digest {
    match &object.raw {
        Raw::Key { id, .. } => *id,
        other => panic!("not a key: {other:?}"),
    }
}

pub fn algorithm(object: &Object) -> String {
    match &object.raw {
        Raw::Key { key, .. } => key.algorithm.as_ref().expect("it is stated").label(),
        other => panic!("not a key: {other:?}"),
    }
}

pub fn form(object: &Object) -> &KeyForm {
    object.key.as_ref().expect("keys have a form")
}

pub fn only(found: &Collected) -> &Object {
    assert_eq!(found.objects.len(), 1, "{found:?}");
    &found.objects[0]
}

pub fn unparsed(found: &Collected) -> usize {
    found.objects.iter().filter(|object| matches!(object.raw, Raw::Unparsed { .. })).count()
}

/// The identity of a public key that OpenSSL can read from this file.
pub fn identity(folder: &Path, name: &str) -> Digest {
    Digest::of(&run(folder, "openssl", &["pkey", "-pubin", "-in", name, "-outform", "DER"]))
}

/// What a label, half and encoding come down to.
pub fn told(object: &Object) -> (Option<&str>, Half, &str, bool) {
    let form = form(object);
    let encrypted = form.encryption != Encryption::None;
    (object.label.as_deref(), form.half, form.encoding.as_str(), encrypted)
}
