//! The forms that programs write, each by that program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Form, Thing, thing, within};
use crate::certificates::{Authority, Issued, Key, Order, openssl, path, sha256};
use crate::tools::run;

/// Everything that tools write.
pub(super) fn made(folder: &Path) -> Vec<Form> {
    let root = Authority::root(folder, "Lab Root");
    let bench = Bench { folder: folder.join("forms"), root };
    fs::create_dir_all(&bench.folder).unwrap();
    let mut all = Vec::new();
    for (name, key) in [("rsa", Key::Rsa(2048)), ("ec", Key::Ec("P-256")), ("ed", Key::Ed25519)] {
        let issued = bench.root.issue(&Order { key, ..Order::server(&format!("{name}.test")) });
        bench.openssl_forms(name, key, &issued, &mut all);
        bench.keystores(name, &issued, &mut all);
    }
    bench.ssh(&mut all);
    bench.putty(&mut all);
    bench.openpgp(&mut all);
    bench.jose(&mut all);
    bench.wireguard(&mut all);
    bench.nss(&mut all);
    bench.archives(&mut all);
    all
}

struct Bench {
    folder: PathBuf,
    root: Authority,
}

/// A password that nobody knows and nobody guesses.
const UNKNOWN: &str = "canary-of-a-store-2719";

impl Bench {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap()
    }

    fn add(&self, all: &mut Vec<Form>, name: &'static str, file: &str, things: Vec<Thing>) {
        all.push(Form { name, content: self.read(file), things });
    }

    fn openssl_forms(&self, name: &str, key: Key, issued: &Issued, all: &mut Vec<Form>) {
        let public = || vec![thing("key", issued.spki_sha256())];
        let own = || vec![thing("certificate", issued.sha256())];
        let out = |form: &str| self.at(&format!("{name}.{form}"));
        let (key_path, certificate) = (path(&issued.key), path(&issued.certificate));
        if key != Key::Ed25519 {
            let form = if key == Key::Ec("P-256") { "ec" } else { "rsa" };
            for encoding in ["PEM", "DER"] {
                let file = out(encoding);
                let mut arguments =
                    vec![form, "-in", key_path, "-outform", encoding, "-out", path(&file)];
                if form == "rsa" {
                    arguments.push("-traditional");
                }
                openssl(&arguments);
                self.add(all, "traditional key", &format!("{name}.{encoding}"), public());
            }
        }
        let file = out("encrypted");
        let pass = format!("pass:{UNKNOWN}");
        openssl(&[
            "pkcs8",
            "-topk8",
            "-in",
            key_path,
            "-outform",
            "DER",
            "-passout",
            &pass,
            "-out",
            path(&file),
        ]);
        let encrypted = fs::read(&file).unwrap();
        let things = vec![thing("key", sha256(&encrypted))];
        all.push(Form { name: "encrypted PKCS#8", content: encrypted, things });
        for encoding in ["PEM", "DER"] {
            let file = out(&format!("p7-{encoding}"));
            openssl(&[
                "crl2pkcs7",
                "-nocrl",
                "-certfile",
                certificate,
                "-outform",
                encoding,
                "-out",
                path(&file),
            ]);
            self.add(all, "PKCS#7", &format!("{name}.p7-{encoding}"), own());
        }
        let file = out("trusted");
        openssl(&[
            "x509",
            "-in",
            certificate,
            "-trustout",
            "-addtrust",
            "serverAuth",
            "-out",
            path(&file),
        ]);
        self.add(all, "TRUSTED CERTIFICATE", &format!("{name}.trusted"), own());
    }

    fn keystores(&self, name: &str, issued: &Issued, all: &mut Vec<Form>) {
        let (key, certificate) = (path(&issued.key), path(&issued.certificate));
        for (password, opens) in [("changeit", true), (UNKNOWN, false)] {
            let file = format!("{name}-{opens}.p12");
            let pass = format!("pass:{password}");
            openssl(&[
                "pkcs12",
                "-export",
                "-inkey",
                key,
                "-in",
                certificate,
                "-name",
                name,
                "-passout",
                &pass,
                "-out",
                path(&self.at(&file)),
            ]);
            let mut things = vec![thing("keystore", sha256(&self.read(&file)))];
            if opens {
                things.push(thing("certificate", issued.sha256()));
                things.push(thing("key", issued.spki_sha256()));
            } else {
                things.push(thing("key", sha256(shrouded(&self.read(&file)))));
            }
            self.add(all, "PKCS#12", &file, things);
            // Java shows certificates and aliases without the password, and so whose key it is.
            for kind in ["JKS", "JCEKS"] {
                let store = format!("{name}-{opens}.{kind}");
                let source = self.at(&file);
                run(
                    "keytool",
                    &[
                        "-importkeystore",
                        "-noprompt",
                        "-srckeystore",
                        path(&source),
                        "-srcstoretype",
                        "PKCS12",
                        "-srcstorepass",
                        password,
                        "-destkeystore",
                        path(&self.at(&store)),
                        "-deststoretype",
                        kind,
                        "-deststorepass",
                        password,
                    ],
                );
                let things = vec![
                    thing("keystore", sha256(&self.read(&store))),
                    thing("certificate", issued.sha256()),
                    thing("key", issued.spki_sha256()),
                ];
                self.add(all, "Java keystore", &store, things);
            }
        }
    }

    fn ssh(&self, all: &mut Vec<Form>) {
        for (kind, bits) in [("ed25519", "256"), ("rsa", "2048"), ("ecdsa", "256")] {
            for (state, phrase) in [("open", ""), ("closed", UNKNOWN)] {
                let name = format!("ssh-{kind}-{state}");
                let file = self.at(&name);
                run(
                    "ssh-keygen",
                    &[
                        "-q",
                        "-t",
                        kind,
                        "-b",
                        bits,
                        "-N",
                        phrase,
                        "-C",
                        "a@host",
                        "-f",
                        path(&file),
                    ],
                );
                let things = || vec![thing("key", self.ssh_spki(&format!("{name}.pub")))];
                self.add(all, "OpenSSH private key", &name, things());
                self.add(all, "OpenSSH public key", &format!("{name}.pub"), things());
                let line = String::from_utf8(self.read(&format!("{name}.pub"))).unwrap();
                let content = format!("# who may come in\nrestrict,command=\"ls -l\" {line}");
                all.push(Form {
                    name: "authorized_keys",
                    content: content.into(),
                    things: things(),
                });
                let (kind_and_key, _) = line.rsplit_once(' ').unwrap();
                let content = format!("host.test,192.0.2.7 {kind_and_key}\n");
                all.push(Form { name: "known_hosts", content: content.into(), things: things() });
            }
        }
    }

    /// The key of OpenSSH as certificates have it.
    fn ssh_spki(&self, public: &str) -> String {
        let pem = self.at("spki.pem");
        let (line, der) = (self.at(public), self.at("spki.der"));
        if String::from_utf8(self.read(public)).unwrap().starts_with("ssh-ed25519") {
            // ssh-keygen does not write this one as PKCS#8: its 32 octets end the blob (RFC 8709).
            let text = fs::read_to_string(&line).unwrap();
            let blob = STANDARD.decode(text.split(' ').nth(1).unwrap()).unwrap();
            // RFC 8410, section 4.
            let mut spki =
                vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];
            spki.extend_from_slice(&blob[blob.len() - 32..]);
            return sha256(&spki);
        }
        fs::write(&pem, run("ssh-keygen", &["-e", "-m", "PKCS8", "-f", path(&line)])).unwrap();
        openssl(&["pkey", "-pubin", "-in", path(&pem), "-outform", "DER", "-out", path(&der)]);
        sha256(&fs::read(der).unwrap())
    }

    fn putty(&self, all: &mut Vec<Form>) {
        let source = self.at("ssh-rsa-open");
        run("puttygen", &[path(&source), "-O", "private", "-o", path(&self.at("key.ppk"))]);
        let things = vec![thing("key", self.ssh_spki("ssh-rsa-open.pub"))];
        self.add(all, "PuTTY", "key.ppk", things);
    }

    fn openpgp(&self, all: &mut Vec<Form>) {
        let home = self.at("gnupg");
        fs::create_dir_all(&home).unwrap();
        let quiet = [
            "--homedir",
            path(&home),
            "--batch",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ];
        run(
            "gpg",
            &[&quiet[..], &["--quick-gen-key", "lab@example.test", "rsa2048", "sign", "never"]]
                .concat(),
        );
        let exported = run("gpg", &[&quiet[..], &["--armor", "--export-secret-keys"]].concat());
        let _ = Command::new("gpgconf").args(["--homedir", path(&home), "--kill", "all"]).status();
        // The public numbers stand at fixed places of the first packet (RFC 9580, 5.5.2): after the
        // version, the time and the algorithm, two numbers with their lengths in bits.
        let armoured = String::from_utf8(exported.clone()).unwrap();
        let body: String = armoured
            .lines()
            .skip_while(|line| !line.is_empty())
            .take_while(|line| !line.starts_with('='))
            .collect();
        let packets = STANDARD.decode(body).unwrap();
        let header = if packets[0] & 3 == 1 { 3 } else { 2 };
        let mut rest = &packets[header + 6..];
        let mut number = || {
            let octets = (usize::from(rest[0]) << 8 | usize::from(rest[1])).div_ceil(8);
            let (number, behind) = rest[2..].split_at(octets);
            rest = behind;
            number.to_vec()
        };
        let (modulus, exponent) = (number(), number());
        let hex =
            |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        let template = format!(
            "asn1=SEQUENCE:spki\n[spki]\na=SEQUENCE:a\nk=BITWRAP,SEQUENCE:k\n[a]\no=OID:rsaEncryption\nn=NULL\n[k]\nn=INTEGER:0x{}\ne=INTEGER:0x{}\n",
            hex(&modulus),
            hex(&exponent)
        );
        fs::write(self.at("spki.cnf"), template).unwrap();
        let der = self.at("pgp.der");
        openssl(&[
            "asn1parse",
            "-genconf",
            path(&self.at("spki.cnf")),
            "-noout",
            "-out",
            path(&der),
        ]);
        let things = vec![thing("key", sha256(&fs::read(der).unwrap()))];
        all.push(Form { name: "OpenPGP", content: exported, things });
    }

    fn jose(&self, all: &mut Vec<Form>) {
        let issued = self.root.issue(&Order::server("jose.test"));
        let spki = der_of_public(&issued, &self.at("jose.der"));
        // The point ends the encoding: 32 octets for each coordinate (RFC 7518, 6.2).
        let point = &spki[spki.len() - 64..];
        let text = |octets: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets);
        let set = serde_json::json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": "lab", "x": text(&point[..32]), "y": text(&point[32..]),
        }]});
        let things = vec![thing("key", sha256(&spki))];
        all.push(Form { name: "JWK", content: set.to_string().into(), things });
    }

    fn wireguard(&self, all: &mut Vec<Form>) {
        let (pem, der) = (self.at("wg.pem"), self.at("wg.der"));
        openssl(&["genpkey", "-algorithm", "X25519", "-out", path(&pem)]);
        openssl(&["pkey", "-in", path(&pem), "-outform", "DER", "-out", path(&der)]);
        let private = fs::read(&der).unwrap();
        openssl(&["pkey", "-in", path(&pem), "-pubout", "-outform", "DER", "-out", path(&der)]);
        let things = vec![thing("key", sha256(&fs::read(&der).unwrap()))];
        let text = STANDARD.encode(&private[private.len() - 32..]);
        let content = format!("[Interface]\nAddress = 192.0.2.1/24\nPrivateKey = {text}\n");
        all.push(Form { name: "WireGuard", content: content.into(), things });
    }

    fn nss(&self, all: &mut Vec<Form>) {
        let database = self.at("nss");
        fs::create_dir_all(&database).unwrap();
        let issued = self.root.issue(&Order::server("nss.test"));
        let database = format!("sql:{}", path(&database));
        run("certutil", &["-N", "-d", &database, "--empty-password"]);
        run(
            "certutil",
            &["-A", "-d", &database, "-n", "lab", "-t", ",,", "-i", path(&issued.certificate)],
        );
        let content = self.read("nss/cert9.db");
        let things =
            vec![thing("keystore", sha256(&content)), thing("certificate", issued.sha256())];
        all.push(Form { name: "NSS", content, things });
    }

    /// The same two files in archives of all kinds.
    fn archives(&self, all: &mut Vec<Form>) {
        let issued = self.root.issue(&Order::server("packed.test"));
        let inside = self.at("inside");
        fs::create_dir_all(inside.join("etc")).unwrap();
        fs::copy(&issued.certificate, inside.join("etc/a.pem")).unwrap();
        fs::copy(&issued.key, inside.join("etc/b")).unwrap();
        let both = [
            Thing { inside: "!/etc/a.pem".to_owned(), ..thing("certificate", issued.sha256()) },
            Thing { inside: "!/etc/b".to_owned(), ..thing("key", issued.spki_sha256()) },
        ];
        for (name, file, flag) in [
            ("tar", "x.tar", "-cf"),
            ("tar.gz", "x.tar.gz", "-czf"),
            ("tar.xz", "x.tar.xz", "-cJf"),
            ("tar.bz2", "x.tar.bz2", "-cjf"),
        ] {
            run("tar", &["-C", path(&inside), flag, path(&self.at(file)), "etc"]);
            self.add(all, name, file, both.to_vec());
        }
        run("zstd", &["-q", path(&self.at("x.tar")), "-o", path(&self.at("x.tar.zst"))]);
        self.add(all, "tar.zst", "x.tar.zst", both.to_vec());
        let zip = self.at("x.zip");
        let status =
            Command::new("zip").args(["-q", "-r", path(&zip), "etc"]).current_dir(&inside).status();
        assert!(status.unwrap().success(), "zip");
        self.add(all, "zip", "x.zip", both.to_vec());
        // An archive in an archive.
        run(
            "tar",
            &["-C", path(&self.folder), "-cf", path(&self.at("y.tar")), "x.zip", "x.tar.gz"],
        );
        let things = [within("x.zip", &both), within("x.tar.gz", &both)].concat();
        self.add(all, "archive in an archive", "y.tar", things);
        let certificate = fs::read(&issued.certificate).unwrap();
        fs::write(self.at("a.pem"), certificate).unwrap();
        run("gzip", &["-k", path(&self.at("a.pem"))]);
        self.add(all, "gz", "a.pem.gz", vec![thing("certificate", issued.sha256())]);
        let package = self.at("deb");
        fs::create_dir_all(package.join("DEBIAN")).unwrap();
        fs::create_dir_all(package.join("etc")).unwrap();
        fs::copy(&issued.certificate, package.join("etc/a.pem")).unwrap();
        let control = "Package: lab\nVersion: 1\nArchitecture: all\nMaintainer: lab <lab@example.test>\nDescription: lab\n";
        fs::write(package.join("DEBIAN/control"), control).unwrap();
        run("dpkg-deb", &["--root-owner-group", "-b", path(&package), path(&self.at("x.deb"))]);
        let things = vec![Thing { inside: "!/etc/a.pem".to_owned(), ..both[0].clone() }];
        self.add(all, "deb", "x.deb", things);
    }
}

/// The encrypted key of a PKCS#12 file, which OpenSSL puts where it shows without the password: the
/// identifier of a shrouded bag, and the key behind a tag with its length (RFC 7292, 4.2.2).
fn shrouded(store: &[u8]) -> &[u8] {
    let bag = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02\xa0";
    let at = memchr::memmem::find(store, bag).unwrap() + bag.len();
    let octets = |at: usize, count: usize| {
        store[at..at + count].iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet))
    };
    let (start, length) = match store[at] {
        0x82 => (at + 3, octets(at + 1, 2)),
        0x81 => (at + 2, octets(at + 1, 1)),
        length => (at + 1, usize::from(length)),
    };
    &store[start..start + length]
}

fn der_of_public(issued: &Issued, out: &Path) -> Vec<u8> {
    openssl(&["pkey", "-in", path(&issued.key), "-pubout", "-outform", "DER", "-out", path(out)]);
    fs::read(out).unwrap()
}
