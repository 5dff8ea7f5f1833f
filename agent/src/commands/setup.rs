//! `init` and `check`: what people write.

mod tokens;

use std::path::Path;

use pki_config::{
    AuthorityRecords, Bind, DEFAULT_POLICY, DEFAULT_SETTINGS, DirectoryAddress, DirectoryPassword,
    DirectoryScope, DirectoryServer, Problems, SecretSource, Settings, TargetsFile, Transport,
};

use crate::cli::{JudgingArgs, SettingsArgs};
use crate::commands::plan;
use crate::scope::account;
use crate::stream::STANDARD;
use crate::{Ending, inputs, output, passwords, pipeline};

/// Writes commented files; never over existing ones.
pub fn init(into: &Path) -> anyhow::Result<Ending> {
    let files = [("pkimm-agent.toml", DEFAULT_SETTINGS), ("policy.toml", DEFAULT_POLICY)];
    for (name, _) in files {
        let path = into.join(name);
        anyhow::ensure!(!path.exists(), "{} exists already; it was left as it is", path.display());
    }
    for (name, text) in files {
        let path = into.join(name);
        output::write_file(&path, |out| out.write_all(text.as_bytes()))?;
        output::remark(&format!("Wrote {}.", path.display()));
    }
    output::remark("Next: say in pkimm-agent.toml what to look at, then `pkimm-agent run`.");
    Ok(Ending::Fine)
}

/// Reads everything and lists every problem of every file, not only those of the first.
pub fn check(settings: &SettingsArgs, judging: &JudgingArgs, dir: &Path) -> anyhow::Result<Ending> {
    let mut problems = Vec::new();
    let mut note = |error: anyhow::Error| problems.push(format!("{error:#}"));
    match inputs::settings(settings.config.as_deref()) {
        Ok(Some(read)) => {
            match listed(&read) {
                Ok(listed) => output::print(&output::plain(&told(&read, listed)))?,
                Err(error) => note(error),
            }
            // They are read to see that they are there, and forgotten. Nobody is asked for one.
            if let Err(error) = passwords::read(&read, None) {
                note(error);
            }
            let mut problems = inputs::directory_files(&read.directory);
            problems.extend(tokens::modules_missing(&read.pkcs11));
            tokens::warnings(&read.pkcs11).iter().for_each(|warning| output::remark(warning));
            if !problems.is_empty() {
                note(Problems(problems).into());
            }
        }
        Ok(None) => output::print("settings: none; `run` looks at this machine\n")?,
        Err(error) => note(error),
    }
    match inputs::policy(judging.by.policy.as_deref()) {
        Ok(read) => output::print(&format!("policy: {}\n", read.name))?,
        Err(error) => note(error),
    }
    match inputs::model(&judging.by.model) {
        Ok((model, _)) => {
            output::print(&format!("model: {}\n", model.version))?;
            let as_of = judging.as_of.unwrap_or_else(pipeline::now);
            match inputs::answers(judging.by.answers.as_deref(), dir, &model, as_of) {
                Ok(Some(read)) => output::print(&format!(
                    "answers: {} of {} requirements\n",
                    read.answers.len(),
                    model.requirements().count()
                ))?,
                Ok(None) => output::print("answers: none yet\n")?,
                Err(error) => note(error),
            }
        }
        Err(error) => note(error),
    }
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(Ending::Fine)
}

/// How many targets the files hold that the settings name. Standard input is for the run, not for
/// this.
fn listed(settings: &Settings) -> anyhow::Result<usize> {
    let is_file = |file: &&TargetsFile| file.path.as_os_str() != STANDARD;
    let files: Vec<TargetsFile> =
        settings.tls.targets_files.iter().filter(is_file).cloned().collect();
    Ok(inputs::target_lists(&files)?.len())
}

/// What the settings come to.
fn told(settings: &Settings, listed: usize) -> String {
    let (tls, files) = (&settings.tls, &settings.filesystem);
    let more = |what: &str, is_so: bool| if is_so { what } else { "" }.to_owned();
    let standard = tls.targets_files.iter().any(|file| file.path.as_os_str() == STANDARD);
    let archives = match files.archives.open {
        true => format!("archives opened {} deep", files.archives.depth),
        false => "archives not opened".to_owned(),
    };
    let passwords = files.passwords.len();
    format!(
        "settings: {} trees, {} targets{}{}, depth {}\nconnections: {}\nfiles: {}{}{}, {archives}, \
         {passwords} password{} for keystores{}\n{}{}",
        files.roots.len(),
        tls.targets.len() + listed,
        more(" and the ports that listen on loopback", tls.loopback),
        more(" and those of standard input", standard),
        tls.depth,
        plan::windows(&tls.windows),
        if files.one_filesystem { "one filesystem a tree" } else { "all filesystems" },
        more(", those of other hosts too", files.network_filesystems),
        more(", unchanged ones not read again", files.incremental),
        if passwords == 1 { "" } else { "s" },
        more(" and those of manuals", files.well_known_passwords),
        directories(&settings.directory),
        tokens::told(&settings.pkcs11),
    )
}

/// What would be done with each server and each file of a directory, a line each.
fn directories(scope: &DirectoryScope) -> String {
    let mut text = String::new();
    for server in &scope.servers {
        text.push_str(&format!("directory {}: {}\n", server.name(), directory(server)));
    }
    for dump in &scope.dumps {
        text.push_str(&format!("directory dump: {}\n", dump.path.display()));
    }
    for AuthorityRecords { path, authority, .. } in &scope.records {
        let of = authority.as_ref().map(|name| format!(", of {name}")).unwrap_or_default();
        text.push_str(&format!("authority's database: {}{of}\n", path.display()));
    }
    text
}

fn directory(server: &DirectoryServer) -> String {
    let found = match &server.address {
        DirectoryAddress::Domain(_) => "the servers that DNS names, ",
        DirectoryAddress::Host { .. } => "",
    };
    let transport = match server.transport {
        Transport::Ldaps => "TLS from the beginning",
        Transport::StartTls => "TLS by StartTLS",
        Transport::Plain => "without TLS",
    };
    let trusted = match (&server.trusted, server.transport) {
        (_, Transport::Plain) => String::new(),
        (Some(path), _) => format!(", trusted by {}", path.display()),
        (None, _) => ", trusted as this machine trusts".to_owned(),
    };
    let password = match &server.bind {
        Bind::Simple { password: DirectoryPassword::Kept(source), .. } => match source {
            SecretSource::File(path) => format!(" with the password in {}", path.display()),
            SecretSource::Environment(name) => format!(" with the password in ${name}"),
        },
        Bind::Simple { password: DirectoryPassword::Prompt, .. } => {
            " with a password that is asked for".to_owned()
        }
        _ => String::new(),
    };
    let below = match server.bases.is_empty() {
        true => "everywhere".to_owned(),
        false => format!("below {}", server.bases.join("; ")),
    };
    format!(
        "{found}{transport}{trusted}; {}{password}; {below}{}; at most {} entries in {} s",
        account(&server.bind),
        if server.accounts { "" } else { ", without accounts of Active Directory" },
        server.max_entries,
        server.deadline_secs,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_as_they_will_be_used() {
        let check = |text: &str, files: &str| {
            let settings = Settings::parse("s.toml", text).expect("settings");
            let told = told(&settings, 0);
            assert_eq!(told.lines().nth(2), Some(files));
        };
        check(
            DEFAULT_SETTINGS,
            "files: one filesystem a tree, unchanged ones not read again, archives opened 4 deep, \
             0 passwords for keystores and those of manuals",
        );
        check(
            "[filesystem]\none_filesystem = false\nnetwork_filesystems = true\nincremental = false\n\
             well_known_passwords = false\narchives.open = false\n\
             [[filesystem.passwords]]\npaths = [\"*.p12\"]\nenv = \"P\"\n",
            "files: all filesystems, those of other hosts too, archives not opened, 1 password for \
             keystores",
        );
    }

    #[test]
    fn it_is_told_what_would_be_done_with_each_directory() {
        let text = r#"
            [[directory.servers]]
            domain = "corp.example"
            name = "reader@corp.example"
            password_file = "/etc/p"
            trusted = "/etc/ca.pem"
            accounts = false
            max_entries = 7
            [[directory.servers]]
            url = "ldap://ldap.test:1389"
            bases = ["o=a", "o=b"]
            [[directory.servers]]
            url = "ldap+tls://c.test"
            name = "cn=x"
            password_prompt = true
            [[directory.servers]]
            url = "ldaps://d.test"
            bind = "external"
            certificate = "/c.pem"
            key = "/k.pem"
            [[directory.dumps]]
            path = "/srv/d.ldif"
            [[directory.records]]
            path = "/srv/ca.csv"
            authority = "One"
        "#;
        let settings = Settings::parse("s.toml", text).expect("settings");
        let told = directories(&settings.directory);
        let expected = "\
directory corp.example: the servers that DNS names, TLS from the beginning, trusted by /etc/ca.pem; as \
reader@corp.example with the password in /etc/p; everywhere, without accounts of Active Directory; at \
most 7 entries in 3600 s
directory ldap.test:1389: without TLS; as nobody; below o=a; o=b; at most 10000000 entries in 3600 s
directory c.test: TLS by StartTLS, trusted as this machine trusts; as cn=x with a password that is \
asked for; everywhere; at most 10000000 entries in 3600 s
directory d.test: TLS from the beginning, trusted as this machine trusts; by the certificate /c.pem; \
everywhere; at most 10000000 entries in 3600 s
directory dump: /srv/d.ldif
authority's database: /srv/ca.csv, of One
";
        assert_eq!(told, expected);
    }
}
