//! The table `[pkcs11]`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::reader::Reader;
use crate::{PinSource, Pkcs11Module, Pkcs11Scope, SecretSource, TokenLogin, TokenUri};

pub(super) fn pkcs11(t: &Reader<'_>) -> Pkcs11Scope {
    let base = Pkcs11Scope::default();
    let modules: Vec<Pkcs11Module> = t.tables("modules", module).unwrap_or_default();
    let mut paths = BTreeSet::new();
    for Pkcs11Module { path, .. } in &modules {
        if !paths.insert(path) {
            let path = path.display();
            t.complain("modules", format!("names {path} twice; leave one of them out"));
        }
    }
    let logins: Vec<TokenLogin> = t.tables("logins", login).unwrap_or_default();
    let mut tokens = BTreeSet::new();
    for TokenLogin { token, .. } in &logins {
        if !tokens.insert(token.to_string()) {
            t.complain("logins", format!("names {token} twice; leave one of them out"));
        }
    }
    let p11_kit = t.boolean("p11_kit");
    let only = t.parsed("only", str::parse::<TokenUri>).unwrap_or_default();
    // Whoever writes that no module is loaded may mean it; whoever forgets it does not.
    if !t.says("modules") && !t.says("p11_kit") {
        for key in ["only", "logins"].into_iter().filter(|key| t.says(key)) {
            t.complain(key, "says nothing without modules; name some, or write p11_kit = true");
        }
    }
    let figure = |key, bounds: std::ops::RangeInclusive<i64>, base| {
        let read = t.integer(key, bounds).and_then(|n| u64::try_from(n).ok());
        read.unwrap_or(base)
    };
    let deadline_secs = figure("deadline_secs", 1..=604_800, base.deadline_secs);
    let call_timeout_secs = figure("call_timeout_secs", 1..=3600, base.call_timeout_secs);
    if t.says("call_timeout_secs") && call_timeout_secs > deadline_secs {
        let message = format!("must not be more than the {deadline_secs} of deadline_secs");
        t.complain("call_timeout_secs", message);
    }
    Pkcs11Scope {
        modules,
        p11_kit: p11_kit.unwrap_or(base.p11_kit),
        only,
        logins,
        deadline_secs,
        call_timeout_secs: call_timeout_secs.min(deadline_secs),
        memory_mib: figure("memory_mib", 64..=1 << 20, base.memory_mib),
        max_objects: figure("max_objects", 1..=10_000_000, base.max_objects),
    }
}

fn module(t: &Reader<'_>) -> Option<Pkcs11Module> {
    let path = t.parsed_one("path", |text| {
        let path = PathBuf::from(text);
        // One that is not whole would be looked for in folders that the settings do not name.
        let is_good = path.is_absolute() && !text.contains('\0');
        if is_good { Ok(path) } else { Err("must be the absolute path of a library") }
    });
    if !t.says("path") {
        t.complain("path", "is missing");
    }
    let parameters = t.parsed_one("parameters", |text| {
        let is_good = !text.is_empty() && !text.contains('\0');
        if is_good { Ok(text.to_owned()) } else { Err("must be a text that is not empty") }
    });
    Some(Pkcs11Module { path: path?, parameters, origin: Some(t.origin_of("path")) })
}

/// The keys that say where a PIN comes from.
const SOURCES: [&str; 5] = ["pin_file", "pin_env", "pin_descriptor", "pin_prompt", "pin_at_device"];

/// One login. Nothing of what was written is told where it is wrong: people write PINs in places that
/// are not for them.
fn login(t: &Reader<'_>) -> Option<TokenLogin> {
    for key in ["pin", "pin_value"] {
        t.refuse(
            key,
            "a PIN does not stand in the settings, which others may read; write `pin_file` with the \
             path of a file that holds it, `pin_env` with the name of a variable, \
             `pin_descriptor` with the number of an open file descriptor, `pin_prompt = true` to be \
             asked for it, or `pin_at_device = true` where it is typed at the device",
        );
    }
    let token = t.parsed_one("token", str::parse::<TokenUri>);
    if !t.says("token") {
        t.complain("token", "is missing; name the token by a URI such as pkcs11:token=CA%20keys");
    }
    if token.as_ref().is_some_and(|token| !token.tells_one()) {
        t.complain(
            "token",
            "must name the token by `token`, `serial` or `slot-id`: a PIN is for one token, and any \
             other that it is tried on counts a wrong one",
        );
    }
    let pin = pin(t);
    let although_count_low = t.boolean("although_count_low").unwrap_or_default();
    let attempt = t.integer("attempt", 1..=1_000_000).and_then(|it| u32::try_from(it).ok());
    let attempt = attempt.unwrap_or(1);
    let origin = Some(t.origin_of("token"));
    Some(TokenLogin { token: token?, pin: pin?, although_count_low, attempt, origin })
}

/// Where the PIN comes from: exactly one source.
fn pin(t: &Reader<'_>) -> Option<PinSource> {
    let file = t.parsed_one("pin_file", |text| {
        let path = PathBuf::from(text);
        if path.is_absolute() { Ok(path) } else { Err("must be the absolute path of a file") }
    });
    let variable = t.parsed_one("pin_env", |text| {
        let is_name = !text.is_empty() && !text.contains(['=', '\0']);
        if is_name { Ok(text.to_owned()) } else { Err("must be the name of a variable") }
    });
    let descriptor = t.integer("pin_descriptor", 0..=65_535).and_then(|n| i32::try_from(n).ok());
    let is_output = matches!(descriptor, Some(1 | 2));
    if is_output {
        t.complain("pin_descriptor", "must be one to read from; 1 and 2 are where output goes");
    }
    let yes = |key: &str, source: PinSource| match t.boolean(key) {
        Some(false) => {
            t.complain(key, "names no source; write true, or another source");
            None
        }
        is_so => is_so.map(|_| source),
    };
    let (prompt, device) =
        (yes("pin_prompt", PinSource::Prompt), yes("pin_at_device", PinSource::Device));
    let named: Vec<&str> = SOURCES.into_iter().filter(|key| t.says(key)).collect();
    match named.as_slice() {
        [] => t.complain(
            "pin_file",
            "is missing; name a `pin_file`, or write `pin_env`, `pin_descriptor`, `pin_prompt = \
             true` or `pin_at_device = true`",
        ),
        [_] => {}
        [first, second, ..] => {
            t.complain(
                second,
                format!("is one source too many beside `{first}`; name one of them"),
            );
            return None;
        }
    }
    file.map(|path| PinSource::Kept(SecretSource::File(path)))
        .or(variable.map(|name| PinSource::Kept(SecretSource::Environment(name))))
        .or(descriptor.filter(|_| !is_output).map(PinSource::Descriptor))
        .or(prompt)
        .or(device)
}

#[cfg(test)]
mod tests;
