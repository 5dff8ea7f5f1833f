//! Which modules are to be loaded.

use std::path::{Path, PathBuf};

use pki_config::Pkcs11Scope;
use pki_inventory::{Digest, Place};

use super::p11_kit::{self, Folders};

/// A module to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    /// The library.
    pub(super) path: PathBuf,
    /// What its initialisation is given.
    pub(super) parameters: Option<String>,
}

/// The modules, and what of the configuration cannot be followed.
#[derive(Debug, Default)]
pub(super) struct Modules {
    pub(super) modules: Vec<Module>,
    pub(super) problems: Vec<(Place, String)>,
}

impl Modules {
    /// Which there are could not be found out in time.
    pub(super) fn late() -> Self {
        let place = Place::Scope("the configuration of p11-kit".to_owned());
        let detail = "which modules are configured could not be found out within 30 s".to_owned();
        Self { modules: Vec::new(), problems: vec![(place, detail)] }
    }
}

impl Module {
    /// The place of a token of this module. What a module is given in the beginning may decide which
    /// tokens it shows: two databases of NSS are told apart by nothing else.
    pub(super) fn of_token(&self, place: Place) -> Place {
        match (place, &self.parameters) {
            (Place::Token { token, object }, Some(parameters)) => {
                let parameters = Digest::of(parameters.as_bytes()).to_string();
                let token = format!("{token};x-parameters={}", &parameters[..16]);
                Place::Token { token, object }
            }
            (place, _) => place,
        }
    }

    /// The place of gaps that are about all of it.
    pub(super) fn place(&self) -> Place {
        Place::file(&self.path)
    }
}

/// Those of the settings and those of p11-kit, each once: the same library under another name is the same
/// one, unless it is given other parameters.
pub(super) fn of(scope: &Pkcs11Scope, folders: &Folders) -> Modules {
    let mut all = Modules::default();
    let mut known: Vec<(PathBuf, Option<String>)> = Vec::new();
    let configured = scope.modules.iter().map(|it| (it.path.clone(), it.parameters.clone()));
    let mut found = if scope.p11_kit { p11_kit::configured(folders) } else { Default::default() };
    let by_p11_kit = found.modules.drain(..).map(|it| (it.path, it.parameters));
    for (path, parameters) in configured.chain(by_p11_kit) {
        let key = (whole(&path), parameters.clone());
        if !known.contains(&key) {
            known.push(key);
            all.modules.push(Module { path, parameters });
        }
    }
    let problems = found.problems.into_iter();
    all.problems = problems
        .map(|(path, why)| (Place::file(path), format!("the configuration of p11-kit: {why}")))
        .collect();
    all
}

fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use pki_config::Pkcs11Module;

    use super::*;

    #[test]
    fn a_library_is_loaded_once_under_each_set_of_parameters() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.so"), "").expect("writes");
        std::os::unix::fs::symlink(at("a.so"), at("alias.so")).expect("links");
        std::fs::create_dir(at("modules")).expect("makes");
        let text = format!("module: {}\n", at("a.so").display());
        std::fs::write(at("modules/a.module"), &text).expect("writes");
        std::fs::write(at("modules/b.module"), "module: nowhere.so").expect("writes");
        let other = format!("{text}x-init-reserved: b");
        std::fs::write(at("modules/c.module"), other).expect("writes");
        let folders = Folders {
            system: at("none"),
            modules: vec![at("modules")],
            user: None,
            libraries: Vec::new(),
        };
        let named = |name: &str, parameters: Option<&str>| Pkcs11Module {
            path: at(name),
            parameters: parameters.map(str::to_owned),
            origin: None,
        };
        let modules = vec![named("alias.so", None), named("a.so", None), named("a.so", Some("a"))];
        let mut scope = Pkcs11Scope { modules, p11_kit: true, ..Pkcs11Scope::default() };
        let told = |scope: &Pkcs11Scope| {
            let all = of(scope, &folders);
            let name =
                |it: &Module| it.path.file_name().expect("a name").to_string_lossy().into_owned();
            let modules = all.modules.iter().map(|it| (name(it), it.parameters.clone()));
            (modules.collect::<Vec<_>>(), all.problems.len())
        };
        let one =
            |name: &str, parameters: Option<&str>| (name.to_owned(), parameters.map(str::to_owned));
        let configured = vec![one("alias.so", None), one("a.so", Some("a"))];
        let mut with_p11_kit = configured.clone();
        with_p11_kit.push(one("a.so", Some("b")));
        assert_eq!(told(&scope), (with_p11_kit, 1));
        scope.p11_kit = false;
        assert_eq!(told(&scope), (configured, 0));
    }
}
