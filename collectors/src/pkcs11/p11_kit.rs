//! The modules that p11-kit is configured with on this host (pkcs11.conf(5)).

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Longest configuration file that is read, in octets.
const MOST_OCTETS: u64 = 64 * 1024;
/// Most files of one folder.
const MOST_FILES: usize = 1000;
/// The name by which a configuration can keep a module from this program (`disable-in`).
const PROGRAM: &str = "pkimm-agent";

/// Where p11-kit keeps its configuration.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// `pkcs11.conf` of the host.
    pub(super) system: PathBuf,
    /// Folders of `*.module` files, those that count more behind the others.
    pub(super) modules: Vec<PathBuf>,
    /// Folder of the user with a `pkcs11.conf` and a folder `modules`.
    pub(super) user: Option<PathBuf>,
    /// Folders that relative paths of modules begin at.
    pub(super) libraries: Vec<PathBuf>,
}

/// A module as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configured {
    /// The library.
    pub(super) path: PathBuf,
    /// `x-init-reserved`.
    pub(super) parameters: Option<String>,
}

/// What the configuration says.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The modules, by name of their files.
    pub(super) modules: Vec<Configured>,
    /// Files that say something that cannot be followed, and why.
    pub(super) problems: Vec<(PathBuf, String)>,
}

impl Folders {
    /// Those of this host and of the user that runs the agent.
    pub(super) fn of_host() -> Self {
        let configuration = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
        let mut libraries =
            vec![PathBuf::from("/usr/lib64/pkcs11"), PathBuf::from("/usr/lib/pkcs11")];
        // Debian has a folder for each architecture.
        if let Ok(folders) = std::fs::read_dir("/usr/lib") {
            let folders = folders.flatten().map(|folder| folder.path().join("pkcs11"));
            let mut folders: Vec<PathBuf> = folders.filter(|folder| folder.is_dir()).collect();
            // Those of this architecture first: a library of another one cannot be loaded.
            let ours = format!("/usr/lib/{}-", std::env::consts::ARCH);
            folders.sort_by_key(|folder| {
                (!folder.to_string_lossy().starts_with(&ours), folder.clone())
            });
            libraries.append(&mut folders);
        }
        Self {
            system: PathBuf::from("/etc/pkcs11/pkcs11.conf"),
            modules: vec![
                PathBuf::from("/usr/share/p11-kit/modules"),
                PathBuf::from("/etc/pkcs11/modules"),
            ],
            user: configuration.or_else(home).map(|folder| folder.join("pkcs11")),
            libraries,
        }
    }
}

/// Reads the configuration.
pub(super) fn configured(folders: &Folders) -> Found {
    let mut found = Found::default();
    let global = fields_of(&folders.system, &mut found).unwrap_or_default();
    // Which configuration of the user counts (pkcs11.conf(5), `user-config`).
    let user = folders.user.as_deref();
    let (with_host, user) = match global.get("user-config").map(String::as_str) {
        None | Some("none") => (true, None),
        Some("only") => (false, user),
        Some("override") if user.is_some_and(|user| user.join("pkcs11.conf").exists()) => {
            (false, user)
        }
        Some(_) => (true, user),
    };
    // Files of the same name in several folders are one: each field counts as the last folder has it.
    let mut files: BTreeMap<String, (PathBuf, BTreeMap<String, String>)> = BTreeMap::new();
    let host = if with_host { folders.modules.as_slice() } else { &[] };
    let user = user.map(|user| user.join("modules"));
    for folder in host.iter().chain(&user) {
        for path in module_files(folder, &mut found) {
            let Some(name) = path.file_name() else { continue };
            let name = name.to_string_lossy().into_owned();
            let Some(fields) = fields_of(&path, &mut found) else { continue };
            let known = files.entry(name).or_insert_with(|| (path.clone(), BTreeMap::new()));
            known.0 = path;
            known.1.extend(fields);
        }
    }
    for (path, fields) in files.into_values() {
        if let Some(module) = module(&path, &fields, &folders.libraries, &mut found) {
            found.modules.push(module);
        }
    }
    found
}

fn module(
    file: &Path,
    fields: &BTreeMap<String, String>,
    libraries: &[PathBuf],
    found: &mut Found,
) -> Option<Configured> {
    let names_us =
        |programs: &String| programs.split([' ', ',']).any(|program| program.trim() == PROGRAM);
    let kept_away = match (fields.get("enable-in"), fields.get("disable-in")) {
        (Some(programs), _) if !names_us(programs) => Some("enable-in"),
        (None, Some(programs)) if names_us(programs) => Some("disable-in"),
        _ => None,
    };
    if let Some(field) = kept_away {
        let detail = format!("`{field}` keeps its module from {PROGRAM}");
        found.problems.push((file.to_owned(), detail));
        return None;
    }
    if let Some(remote) = fields.get("remote") {
        let detail = format!("its module is reached by `{remote}`, which is not started from here");
        found.problems.push((file.to_owned(), detail));
        return None;
    }
    let Some(named) = fields.get("module").filter(|named| !named.is_empty()) else {
        found.problems.push((file.to_owned(), "it names no module".to_owned()));
        return None;
    };
    let named = Path::new(named);
    let path = if named.is_absolute() {
        named.to_owned()
    } else {
        let candidates = libraries.iter().map(|folder| folder.join(named));
        let Some(path) = candidates.clone().find(|path| path.exists()) else {
            let detail = format!("its module {} is in none of the usual folders", named.display());
            found.problems.push((file.to_owned(), detail));
            return None;
        };
        path
    };
    let parameters = fields.get("x-init-reserved").filter(|it| !it.is_empty()).cloned();
    Some(Configured { path, parameters })
}

fn module_files(folder: &Path, found: &mut Found) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            found.problems.push((folder.to_owned(), format!("could not be listed: {error}")));
            return Vec::new();
        }
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let is_module = |path: &PathBuf| path.extension().is_some_and(|it| it == "module");
    let mut files: Vec<PathBuf> = paths.filter(is_module).take(MOST_FILES + 1).collect();
    if files.len() > MOST_FILES {
        let detail = format!("holds more than {MOST_FILES} configurations of modules");
        found.problems.push((folder.to_owned(), detail));
        files.truncate(MOST_FILES);
    }
    files.sort();
    files
}

/// The fields of a file: `name: value` on each line, `#` before what is for people. None where there is
/// no such file.
fn fields_of(path: &Path, found: &mut Found) -> Option<BTreeMap<String, String>> {
    match text_of(path) {
        Ok(text) => {
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
            let fields = lines.filter_map(|line| line.split_once(':'));
            Some(fields.map(|(name, it)| (name.trim().to_owned(), it.trim().to_owned())).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            found.problems.push((path.to_owned(), format!("could not be read: {error}")));
            None
        }
    }
}

fn text_of(path: &Path) -> io::Result<String> {
    // Without waiting: a FIFO that nobody writes to must not hold up the run.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if facts.len() > MOST_OCTETS {
        return Err(io::Error::other(format!("it is longer than {MOST_OCTETS} octets")));
    }
    let mut octets = Vec::new();
    file.take(MOST_OCTETS).read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host with these files below one folder.
    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Folders) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
            std::fs::write(path, text).expect("writes");
        }
        let at = |name: &str| folder.path().join(name);
        let folders = Folders {
            system: at("etc/pkcs11.conf"),
            modules: vec![at("share"), at("etc/modules")],
            user: Some(at("home")),
            libraries: vec![at("none"), at("lib")],
        };
        (folder, folders)
    }

    fn paths(folders: &Folders) -> Vec<String> {
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        configured(folders).modules.iter().map(|module| name(&module.path)).collect()
    }

    #[test]
    fn modules_come_from_all_folders_and_the_later_one_counts() {
        let (_folder, folders) = host(&[
            ("share/a.module", "module: a.so\n"),
            ("share/b.module", "# for people\nmodule: /opt/old.so\n"),
            ("share/notes.txt", "module: /opt/never.so\n"),
            ("etc/modules/b.module", " module :  /opt/new.so \nx-init-reserved: a=b c\n"),
            // Only a field of it is another one.
            ("etc/modules/a.module", "priority: 4\nx-init-reserved:\n"),
            ("lib/a.so", ""),
        ]);
        assert_eq!(paths(&folders), ["a.so", "new.so"]);
        let found = configured(&folders);
        assert_eq!(found.modules[0].path, folders.libraries[1].join("a.so"));
        assert_eq!(found.modules[0].parameters, None, "nothing is no parameter");
        assert_eq!(found.modules[1].parameters.as_deref(), Some("a=b c"));
        assert!(found.problems.is_empty(), "{:?}", found.problems);
    }

    #[test]
    fn the_configuration_of_the_user_counts_as_the_host_says() {
        let files = [
            ("share/a.module", "module: /opt/a.so"),
            ("home/pkcs11.conf", ""),
            ("home/modules/u.module", "module: /opt/u.so"),
        ];
        for (text, expected) in [
            ("", &["a.so"][..]),
            ("user-config: none", &["a.so"]),
            ("user-config: merge", &["a.so", "u.so"]),
            ("user-config: only", &["u.so"]),
            ("user-config: override", &["u.so"]),
        ] {
            let mut files = files.to_vec();
            files.push(("etc/pkcs11.conf", text));
            let (_folder, folders) = host(&files);
            assert_eq!(paths(&folders), expected, "{text}");
        }
        let (_folder, folders) = host(&files);
        assert_eq!(paths(&folders), ["a.so"], "without a configuration of the host");
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        let (folder, folders) = host(&[
            ("share/away.module", "remote: |ssh host p11-kit remote"),
            ("share/lost.module", "module: lost.so"),
            ("share/off.module", "module: /opt/off.so\ndisable-in: p11-kit-proxy, pkimm-agent"),
            ("share/on.module", "module: /opt/on.so\ndisable-in: p11-kit-proxy"),
            ("share/others.module", "module: /opt/others.so\nenable-in: firefox, ssh"),
            ("share/ours.module", "module: /opt/ours.so\nenable-in: firefox, pkimm-agent"),
            ("share/hint.module", "priority: 4"),
        ]);
        let fifo = folder.path().join("share/fifo.module");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("runs");
        assert!(made.success());
        std::fs::create_dir(folder.path().join("share/folder.module")).expect("makes");
        std::fs::write(folder.path().join("share/long.module"), vec![b'x'; 70_000])
            .expect("writes");
        assert_eq!(paths(&folders), ["on.so", "ours.so"]);
        let problems = configured(&folders).problems;
        let named = |name: &str| {
            let of = |path: &Path| path.ends_with(name);
            problems.iter().find(|(path, _)| of(path)).map(|(_, why)| why.clone())
        };
        assert!(named("away.module").expect("told").contains("p11-kit remote"));
        assert!(named("lost.module").expect("told").contains("lost.so"));
        assert!(named("folder.module").expect("told").contains("regular file"));
        assert!(named("long.module").expect("told").contains("65536"));
        assert!(named("fifo.module").expect("told").contains("regular file"));
        assert!(named("off.module").expect("told").contains("disable-in"));
        assert!(named("others.module").expect("told").contains("enable-in"));
        assert!(named("hint.module").expect("told").contains("names no module"));
        assert_eq!(problems.len(), 8, "{problems:?}");
    }
}
