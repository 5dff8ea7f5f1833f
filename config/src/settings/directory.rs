//! The table `[directory]`.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::reader::Reader;
use crate::target::server_name;
use crate::{
    AuthorityRecords, Bind, DirectoryAddress, DirectoryDump, DirectoryPassword, DirectoryScope,
    DirectoryServer, SecretSource, Transport,
};

pub(super) fn directory(t: &Reader<'_>) -> DirectoryScope {
    let servers: Vec<DirectoryServer> = t.tables("servers", server).unwrap_or_default();
    let mut names = BTreeSet::new();
    for server in &servers {
        if !names.insert(server.name()) {
            t.complain("servers", format!("names {} twice; leave one of them out", server.name()));
        }
    }
    DirectoryScope {
        servers,
        dumps: t.tables("dumps", dump).unwrap_or_default(),
        records: t.tables("records", records).unwrap_or_default(),
    }
}

/// One server. Nothing of what was written is told where it is wrong: people write passwords in
/// places that are not for them.
fn server(t: &Reader<'_>) -> Option<DirectoryServer> {
    let base = DirectoryServer::default();
    let url = t.parsed_one("url", DirectoryServer::at);
    let domain = t.parsed_one("domain", DirectoryServer::of_domain);
    match (t.says("url"), t.says("domain")) {
        (true, true) => t.complain("domain", "is one too many beside `url`; name one of them"),
        (false, false) => t.complain("url", "is missing; name a `url`, or a `domain`"),
        _ => {}
    }
    let starttls = t.boolean("starttls").unwrap_or_default();
    let key = if t.says("url") { "url" } else { "domain" };
    let named = url.or(domain).map(|server| (server.address, server.transport));
    let transport = match named {
        Some((DirectoryAddress::Host { .. }, Transport::Ldaps)) if starttls => {
            t.complain("starttls", "is for ldap://; over ldaps:// there is TLS from the beginning");
            Transport::Ldaps
        }
        Some((_, transport)) if !starttls => transport,
        _ => Transport::StartTls,
    };
    let trusted = t.parsed_one("trusted", path);
    if t.says("trusted") && transport == Transport::Plain {
        t.complain("trusted", "says nothing without TLS; write ldaps://, or starttls = true");
    }
    let figure = |key, most, base| {
        let read = t.integer(key, 1..=most).and_then(|n| u64::try_from(n).ok());
        read.unwrap_or(base)
    };
    let page = t.integer("page_size", 1..=10_000).and_then(|n| u32::try_from(n).ok());
    let rest = DirectoryServer {
        trusted,
        bases: t.parsed("bases", distinguished_name).unwrap_or_default(),
        accounts: t.boolean("accounts").unwrap_or(base.accounts),
        referrals: t.parsed("referrals", referral).unwrap_or_default(),
        page_size: page.unwrap_or(base.page_size),
        max_entries: figure("max_entries", 1 << 40, base.max_entries),
        timeout_secs: figure("timeout_secs", 600, base.timeout_secs),
        deadline_secs: figure("deadline_secs", 604_800, base.deadline_secs),
        origin: Some(t.origin_of(key)),
        ..base
    };
    let bind = bind(t, transport);
    let (address, _) = named?;
    Some(DirectoryServer { address, transport, bind: bind?, ..rest })
}

/// The ways to bind, and the keys that belong to each.
const WAYS: [(&str, &[&str]); 4] = [
    ("anonymous", &[]),
    ("simple", &["name", "password_file", "password_env", "password_prompt", "in_the_clear"]),
    ("external", &["certificate", "key"]),
    ("kerberos", &[]),
];

fn bind(t: &Reader<'_>, transport: Transport) -> Option<Bind> {
    t.refuse(
        "password",
        "a password does not stand in the settings, which others may read; write `password_file` \
         with the path of a file that holds it, `password_env` with the name of a variable, or \
         `password_prompt = true` to be asked for it",
    );
    let written = t.parsed_one("bind", |text| {
        let way = WAYS.iter().map(|(way, _)| *way).find(|way| *way == text);
        way.ok_or("is not a way to bind; write anonymous, simple, external or kerberos")
    });
    let name = t.text("name");
    let password = password(t);
    let in_the_clear = t.boolean("in_the_clear").unwrap_or_default();
    let (certificate, key) = (t.parsed_one("certificate", path), t.parsed_one("key", path));
    if t.says("bind") && written.is_none() {
        return None;
    }
    let way = written.unwrap_or(if t.says("name") { "simple" } else { "anonymous" });
    for (other, keys) in WAYS.iter().filter(|(other, _)| *other != way) {
        for key in keys.iter().filter(|key| t.says(key)) {
            t.complain(key, format!("is for bind = \"{other}\", and this one is {way}"));
        }
    }
    let missing = |key: &str, what: &str| {
        if !t.says(key) {
            t.complain(key, format!("is missing; bind = \"{way}\" needs {what}"));
        }
    };
    match way {
        "simple" => {
            missing("name", "the name to bind with");
            if transport == Transport::Plain && !in_the_clear {
                t.complain(
                    "in_the_clear",
                    "the password would go over a connection without TLS; write ldaps://, or \
                     starttls = true, or in_the_clear = true if everybody on the way may read it",
                );
            }
            Some(Bind::Simple { name: name?, password: password?, in_the_clear })
        }
        "external" => {
            missing("certificate", "the file of a client certificate");
            missing("key", "the file of its private key");
            if transport == Transport::Plain {
                t.complain("bind", "external is for TLS; write ldaps://, or starttls = true");
            }
            Some(Bind::External { certificate: certificate?, key: key? })
        }
        "kerberos" => Some(Bind::Kerberos),
        _ => Some(Bind::Anonymous),
    }
}

/// Where the password comes from. A wrong source may be the password itself and is not told.
fn password(t: &Reader<'_>) -> Option<DirectoryPassword> {
    let file = t.parsed_one("password_file", |text| {
        let path = PathBuf::from(text);
        if path.is_absolute() { Ok(path) } else { Err("must be the absolute path of a file") }
    });
    let env = t.parsed_one("password_env", |text| {
        let is_name = !text.is_empty() && !text.contains(['=', '\0']);
        if is_name { Ok(text.to_owned()) } else { Err("must be the name of a variable") }
    });
    let prompt = t.boolean("password_prompt");
    let sources = ["password_file", "password_env", "password_prompt"];
    let named: Vec<&str> = sources.into_iter().filter(|key| t.says(key)).collect();
    match named.as_slice() {
        [] if t.says("name") => t.complain(
            "password_file",
            "is missing; name a `password_file`, a variable with `password_env`, or write \
             `password_prompt = true`",
        ),
        [] | [_] => {}
        [first, second, ..] => {
            t.complain(
                second,
                format!("is one source too many beside `{first}`; name one of them"),
            );
        }
    }
    if prompt == Some(false) && named.len() == 1 {
        t.complain("password_prompt", "names no source; write true, or another source");
    }
    match (file, env, prompt) {
        (Some(path), None, None) => Some(DirectoryPassword::Kept(SecretSource::File(path))),
        (None, Some(name), None) => Some(DirectoryPassword::Kept(SecretSource::Environment(name))),
        (None, None, Some(true)) => Some(DirectoryPassword::Prompt),
        _ => None,
    }
}

fn dump(t: &Reader<'_>) -> Option<DirectoryDump> {
    let origin = Some(t.origin_of("path"));
    Some(DirectoryDump { path: needed_path(t)?, origin })
}

fn records(t: &Reader<'_>) -> Option<AuthorityRecords> {
    let (path, authority) = (needed_path(t), t.text("authority"));
    Some(AuthorityRecords { path: path?, authority, origin: Some(t.origin_of("path")) })
}

fn needed_path(t: &Reader<'_>) -> Option<PathBuf> {
    let read = t.parsed_one("path", path);
    if !t.says("path") {
        t.complain("path", "is missing");
    }
    read
}

fn path(text: &str) -> Result<PathBuf, &'static str> {
    if text.trim().is_empty() { Err("must be the path of a file") } else { Ok(text.into()) }
}

/// A name with at least one attribute (RFC 4514, 3).
fn distinguished_name(text: &str) -> Result<String, &'static str> {
    let is_name = !text.starts_with('=') && text.contains('=') && !text.contains('\0');
    if is_name {
        Ok(text.trim().to_owned())
    } else {
        Err("must be a name such as DC=corp,DC=example")
    }
}

/// A host, or `*.` with a domain.
fn referral(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "must be a host such as dc2.corp.example, or *.corp.example";
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    match text.strip_prefix("*.") {
        Some(domain) => server_name(domain).map(|domain| format!("*.{domain}")),
        None => server_name(text),
    }
    .map_err(|_| WRONG)
}

#[cfg(test)]
mod tests;
