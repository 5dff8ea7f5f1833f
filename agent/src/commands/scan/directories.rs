//! Directories that a command line names, over those of the settings.

use std::path::{Path, PathBuf};

use pki_config::{
    AuthorityRecords, Bind, DirectoryAddress, DirectoryDump, DirectoryPassword, DirectoryScope,
    DirectoryServer, SecretSource, Transport,
};

use crate::cli::DirectoryArgs;

/// Whether the command line names anything to read.
pub(super) fn are_given(args: &DirectoryArgs) -> bool {
    !args.directory.is_empty()
        || !args.domain.is_empty()
        || !args.ldif.is_empty()
        || !args.ca_database.is_empty()
}

/// What is to be read: a list given on the command line takes the place of the one in the settings,
/// and a server of it that the settings have is asked as they say.
pub(super) fn wanted(
    mut scope: DirectoryScope,
    args: &DirectoryArgs,
) -> anyhow::Result<DirectoryScope> {
    let mut servers: Vec<DirectoryServer> = Vec::new();
    for named in args.directory.iter().chain(&args.domain) {
        let known = scope.servers.iter().find(|known| is_same(known, named)).unwrap_or(named);
        let server = with_options(known.clone(), args)?;
        if !servers.iter().any(|other| other.name() == server.name()) {
            servers.push(server);
        }
    }
    if servers.is_empty() {
        for (is_there, option) in [
            (args.bind_name.is_some(), "--bind-name"),
            (args.directory_ca.is_some(), "--directory-ca"),
        ] {
            anyhow::ensure!(
                !is_there,
                "{option} is for what --directory and --domain name; the settings have keys of their own"
            );
        }
    } else {
        scope.servers = servers;
    }
    if !args.ldif.is_empty() {
        let dump = |path| Ok(DirectoryDump { path, origin: None });
        scope.dumps = absolute(&args.ldif, dump)?;
    }
    if !args.ca_database.is_empty() {
        let records = |path| Ok(AuthorityRecords { path, authority: None, origin: None });
        scope.records = absolute(&args.ca_database, records)?;
    }
    Ok(scope)
}

/// Whether the settings mean the server that the command line names. What they would say over TLS is
/// not said over a connection without it.
fn is_same(known: &DirectoryServer, named: &DirectoryServer) -> bool {
    let is_domain = matches!(named.address, DirectoryAddress::Domain(_));
    known.name() == named.name()
        && matches!(known.address, DirectoryAddress::Domain(_)) == is_domain
        && (is_domain || known.transport == named.transport)
}

fn with_options(
    mut server: DirectoryServer,
    args: &DirectoryArgs,
) -> anyhow::Result<DirectoryServer> {
    if let Some(name) = &args.bind_name {
        let may = matches!(&server.bind, Bind::Simple { in_the_clear: true, .. });
        anyhow::ensure!(
            server.transport != Transport::Plain || may,
            "--bind-name: the password would go to {} over a connection without TLS; write \
             ldaps:// or ldap+tls://, or name the server in the settings with in_the_clear = true",
            server.name()
        );
        let kept = |source| DirectoryPassword::Kept(source);
        let password = match (&args.bind_password_file, &args.bind_password_env) {
            (Some(path), _) => kept(SecretSource::File(std::path::absolute(path)?)),
            (None, Some(name)) => kept(SecretSource::Environment(name.clone())),
            (None, None) => DirectoryPassword::Prompt,
        };
        server.bind = Bind::Simple { name: name.clone(), password, in_the_clear: may };
        // What is wrong with it stands on the command line now.
        server.origin = None;
    }
    if let Some(path) = &args.directory_ca {
        anyhow::ensure!(
            server.transport != Transport::Plain,
            "--directory-ca says nothing for {}, which is asked without TLS; write ldaps:// or \
             ldap+tls://",
            server.name()
        );
        server.trusted = Some(std::path::absolute(path)?);
    }
    Ok(server)
}

/// Of each of these files, by its whole path, once.
fn absolute<T>(
    paths: &[PathBuf],
    of: impl Fn(PathBuf) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let mut whole: Vec<PathBuf> = Vec::new();
    for path in paths {
        let path = std::path::absolute(Path::new(path))?;
        if !whole.contains(&path) {
            whole.push(path);
        }
    }
    whole.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use pki_config::Settings;

    use super::*;
    use crate::cli::{Cli, Command};

    const SETTINGS: &str = r#"
        [[directory.servers]]
        url = "ldaps://dc1"
        name = "cn=x"
        password_env = "P"
        bases = ["DC=a"]
        [[directory.servers]]
        domain = "corp.example"
        starttls = true
        accounts = false
        [[directory.servers]]
        url = "ldap://open"
        name = "cn=y"
        password_env = "P"
        in_the_clear = true
        [[directory.dumps]]
        path = "/d"
        [[directory.records]]
        path = "/r"
        authority = "One"
    "#;

    fn arguments(options: &[&str]) -> DirectoryArgs {
        let all = ["pkimm-agent", "scan"].iter().chain(options);
        match Cli::try_parse_from(all).unwrap_or_else(|error| panic!("{error}")).command {
            Command::Scan(args) => args.scope.directories,
            other => panic!("{other:?}"),
        }
    }

    fn scope(options: &[&str]) -> Result<DirectoryScope, String> {
        let settings = Settings::parse("s.toml", SETTINGS).expect("settings").directory;
        wanted(settings, &arguments(options)).map_err(|error| error.to_string())
    }

    fn names(options: &[&str]) -> Vec<String> {
        let servers = scope(options).expect("a scope").servers;
        servers.iter().map(|s| format!("{}://{}", s.transport, s.name())).collect()
    }

    #[test]
    fn what_the_command_line_names_takes_the_place_of_what_the_settings_name() {
        let all = scope(&[]).expect("a scope");
        assert_eq!(all, Settings::parse("s.toml", SETTINGS).expect("settings").directory);
        assert_eq!(
            names(&["--directory", "ldaps://DC2:1636", "--directory", "ldap://dc3"]),
            ["ldaps://dc2:1636", "plain://dc3"]
        );
        let twice = ["--directory", "ldaps://a", "--directory", "ldaps://A:636", "--domain", "b.c"];
        assert_eq!(names(&twice), ["ldaps://a", "ldaps://b.c"]);
        let files = scope(&["--ldif", "/x", "--ldif", "/x", "--ca-database", "y"]).expect("files");
        assert_eq!(files.servers, all.servers);
        let dumps: Vec<&Path> = files.dumps.iter().map(|dump| &*dump.path).collect();
        assert_eq!(dumps, [Path::new("/x")]);
        let records = &files.records[..];
        let here = std::path::absolute("y").expect("a path");
        assert!(matches!(records, [one] if one.path == here && one.authority.is_none()));
        assert!(are_given(&arguments(&["--ldif", "/x"])) && !are_given(&arguments(&[])));
    }

    #[test]
    fn a_server_that_the_settings_have_is_asked_as_they_say() {
        let one = |options: &[&str]| scope(options).map(|mut scope| scope.servers.remove(0));
        let known = one(&["--directory", "ldaps://dc1"]).expect("a server");
        assert_eq!(
            (known.bases.as_slice(), known.origin.is_some()),
            (&["DC=a".to_owned()][..], true)
        );
        assert!(matches!(known.bind, Bind::Simple { .. }));
        let domain = one(&["--domain", "Corp.example"]).expect("a server");
        assert_eq!((domain.transport, domain.accounts), (Transport::StartTls, false));
        // What is said over TLS is not said without.
        let clear = one(&["--directory", "ldap://dc1"]).expect("a server");
        assert_eq!((clear.bind, clear.transport), (Bind::Anonymous, Transport::Plain));
        assert_eq!(one(&["--directory", "ldaps://dc2"]).map(|s| s.bind), Ok(Bind::Anonymous));
    }

    #[test]
    fn a_name_to_bind_with_is_for_the_servers_of_the_command_line() {
        let bind = |options: &[&str]| {
            let named = ["--directory", "ldaps://dc2", "--bind-name", "cn=z"];
            let all = [&named[..], options].concat();
            scope(&all).map(|mut scope| scope.servers.remove(0).bind)
        };
        let simple = |password| {
            let name = "cn=z".to_owned();
            Ok(Bind::Simple { name, password, in_the_clear: false })
        };
        assert_eq!(bind(&[]), simple(DirectoryPassword::Prompt));
        let file = DirectoryPassword::Kept(SecretSource::File("/p".into()));
        assert_eq!(bind(&["--bind-password-file", "/p"]), simple(file));
        let variable = DirectoryPassword::Kept(SecretSource::Environment("V".to_owned()));
        assert_eq!(bind(&["--bind-password-env", "V"]), simple(variable));
        let all = ["--domain", "a.b", "--directory-ca", "/ca.pem"];
        let trusted = scope(&all).map(|scope| scope.servers[0].trusted.clone());
        assert_eq!(trusted, Ok(Some("/ca.pem".into())));
        for (options, told) in [
            (&["--bind-name", "cn=z"][..], "--bind-name is for what --directory and --domain name"),
            (&["--directory-ca", "/ca"], "--directory-ca is for what"),
            (
                &["--directory", "ldap://dc2", "--bind-name", "cn=z"],
                "--bind-name: the password would go to dc2 over a connection without TLS",
            ),
            (
                &["--directory", "ldap://dc2", "--directory-ca", "/ca"],
                "--directory-ca says nothing",
            ),
        ] {
            let error = scope(options).expect_err("is refused");
            assert!(error.starts_with(told), "{error}");
        }
        let open = scope(&["--directory", "ldap://open", "--bind-name", "cn=z"]);
        assert!(open.is_ok(), "the settings say that everybody may read it: {open:?}");
        for wrong in [
            &["--bind-password-file", "/p"][..],
            &["--directory", "dc1"],
            &["--directory", "ldaps://dc1/DC=a"],
            &["--domain", "a b"],
            &["--bind-name", "x", "--bind-password-file", "/p", "--bind-password-env", "P"],
        ] {
            let all = ["pkimm-agent", "scan"].iter().chain(wrong);
            assert!(Cli::try_parse_from(all).is_err(), "{wrong:?}");
        }
    }
}
