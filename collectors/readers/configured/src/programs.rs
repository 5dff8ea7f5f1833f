//! The programs whose settings are known.

use std::path::Path;

use pki_inventory::Configuration;

use crate::Files;

mod apache;
mod crypto_policies;
mod dovecot;
mod haproxy;
mod java;
mod mariadb;
mod nginx;
mod openssh;
mod openssl;
mod postfix;
mod postgresql;
mod redis;
mod slapd;
mod vsftpd;

/// A program and how its settings are read.
#[derive(Debug)]
pub struct Program {
    /// Its name, as in [`Configuration::software`].
    pub name: &'static str,
    /// Whether a file of this name, at this path, may be its main settings. Asked for every file.
    pub recognise: fn(name: &str, path: &Path) -> bool,
    /// Reads the text of the main settings, and with it what they include.
    pub read: fn(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration>,
}

/// Every known program, sorted by name.
pub const PROGRAMS: &[Program] = &[
    apache::PROGRAM,
    dovecot::PROGRAM,
    haproxy::PROGRAM,
    java::PROGRAM,
    mariadb::PROGRAM,
    slapd::PROGRAM,
    openssh::PROGRAM,
    openssl::PROGRAM,
    postfix::PROGRAM,
    postgresql::PROGRAM,
    redis::PROGRAM,
    crypto_policies::PROGRAM,
    nginx::PROGRAM,
    vsftpd::PROGRAM,
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_program_of_the_sorted_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/programs");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let files = files.filter(|entry| entry.file_type().unwrap().is_file()).count();
        assert!(files > 0, "no program was found");
        assert_eq!(files, PROGRAMS.len());
        assert!(PROGRAMS.is_sorted_by(|one, other| one.name < other.name));
    }
}
