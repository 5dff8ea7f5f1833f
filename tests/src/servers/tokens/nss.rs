//! The database of a browser or of a server that uses NSS, which its module softokn speaks for.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Contents, contents_below};
use crate::certificates::{Issued, openssl, path};
use crate::tools;

/// A database with a password.
pub struct NssDatabase {
    folder: PathBuf,
}

impl NssDatabase {
    /// Makes one in a folder below this one, with a certificate and its key.
    #[must_use]
    pub fn new(folder: &Path, password: &str, held: &Issued) -> Self {
        let folder = folder.join("nss");
        fs::create_dir_all(&folder).unwrap();
        let secret = folder.join("password");
        fs::write(&secret, format!("{password}\n")).unwrap();
        let database = format!("sql:{}", path(&folder));
        tools::run("certutil", &["-N", "-d", &database, "-f", path(&secret)]);
        let bundle = folder.join("held.p12");
        openssl(&[
            "pkcs12",
            "-export",
            "-inkey",
            path(&held.key),
            "-in",
            path(&held.certificate),
            "-name",
            "held",
            "-passout",
            "pass:",
            "-out",
            path(&bundle),
        ]);
        let arguments = ["-i", path(&bundle), "-d", &database, "-k", path(&secret), "-W", ""];
        tools::run("pk12util", &arguments);
        fs::remove_file(bundle).unwrap();
        Self { folder }
    }

    /// Its files.
    #[must_use]
    pub fn contents(&self) -> Contents {
        contents_below(&self.folder)
    }

    /// What the reserved argument of `C_Initialize` is to point to.
    #[must_use]
    pub fn parameters(&self) -> String {
        let folder = path(&self.folder);
        format!("configdir='sql:{folder}' certPrefix='' keyPrefix='' secmod='' flags=readOnly")
    }
}
