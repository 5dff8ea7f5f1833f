//! Which tool a command line starts. The line itself is looked at and forgotten.

use crate::spot::Artefact;
use crate::{TOOLS, Tool};

/// A way to call a tool that issues or renews.
pub(crate) struct Command {
    /// The program, with its first argument behind a space where that has to follow at once; then
    /// words that have to follow it in this order, with others between them.
    pub(crate) words: &'static [&'static str],
    /// Whether it stays and renews by itself, so that no timer is needed.
    pub(crate) stays: bool,
}

impl Command {
    /// A call that renews what is due and ends.
    pub(crate) const fn once(words: &'static [&'static str]) -> Self {
        Self { words, stays: false }
    }

    /// A call that stays.
    pub(crate) const fn stays(words: &'static [&'static str]) -> Self {
        Self { words, stays: true }
    }

    fn is_called(&self, words: &[&str]) -> bool {
        let Some((program, others)) = self.words.split_first() else { return false };
        // Some programs are many; which one is said by the word right behind.
        let (program, kind) =
            program.split_once(' ').map_or((*program, None), |(p, k)| (p, Some(k)));
        let is_call = |at: &usize| {
            words[*at].rsplit('/').next() == Some(program)
                && kind.is_none_or(|kind| words.get(at + 1) == Some(&kind))
        };
        let Some(at) = (0..words.len()).find(is_call) else { return false };
        // A program that is known by nothing else has to stand where programs stand: paths end in
        // the names of tools, too.
        if others.is_empty()
            && kind.is_none()
            && !words[..at].iter().all(|word| stands_before(word))
        {
            return false;
        }
        let mut rest = words[at + 1..].iter();
        others.iter().all(|other| rest.any(|word| word == other))
    }
}

/// Whether this may stand before a program: a variable, an option, or a program that starts others.
fn stands_before(word: &str) -> bool {
    const STARTERS: [&str; 19] = [
        "bash",
        "chronic",
        "chroot",
        "command",
        "env",
        "exec",
        "if",
        "ionice",
        "nice",
        "nohup",
        "run",
        "runuser",
        "sh",
        "snap",
        "sudo",
        "systemd-cat",
        "then",
        "timeout",
        "time",
    ];
    let name = word.rsplit('/').next().unwrap_or(word);
    let is_span = word.starts_with(|first: char| first.is_ascii_digit());
    STARTERS.contains(&name) || word.starts_with('-') || word.contains('=') || is_span
}

/// A tool that is started, and whether it stays.
pub(crate) struct Started {
    pub(crate) tool: &'static str,
    pub(crate) stays: bool,
}

/// So much of a script is looked at, in octets.
const LONGEST_SCRIPT: usize = 256 * 1024;
/// So many files that a command names are looked into.
const MOST_SCRIPTS: usize = 4;

/// The tools that commands start, each once; also through a script that they name. One step and
/// no further: scripts that call scripts are somebody's programs.
pub(crate) fn started(artefact: &Artefact<'_>, commands: &str) -> Vec<Started> {
    let direct = in_script(commands);
    if !direct.is_empty() {
        return direct;
    }
    let words =
        commands.split(|letter: char| letter.is_whitespace() || ";&|()\"'`=".contains(letter));
    let scripts = words.filter(|word| word.starts_with('/') && word.len() > 1).take(MOST_SCRIPTS);
    for path in scripts {
        let Some(script) = artefact.beside(path.as_ref()) else { continue };
        if !script.starts_with("#!") {
            continue;
        }
        let found = in_script(&script);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The tools that a script starts, each once.
pub(crate) fn in_script(script: &str) -> Vec<Started> {
    let mut end = script.len().min(LONGEST_SCRIPT);
    while !script.is_char_boundary(end) {
        end -= 1;
    }
    let script = script[..end].replace("\\\n", " ");
    let lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut found: Vec<Started> = Vec::new();
    for command in lines.flat_map(|line| line.split([';', '&', '|', '(', ')', '`'])) {
        let quotes = ['"', '\'', '{', '}', '@', '-', '+', '!', ':'];
        let said = command.split_whitespace().take_while(|word| !word.starts_with('#'));
        let mut words: Vec<&str> = said.collect();
        // What may stand before a program in a unit (systemd.service, "Special executable
        // prefixes") or around it in a shell.
        for word in &mut words {
            *word = word.trim_matches(['"', '\'']);
        }
        if let Some(first) = words.first_mut() {
            *first = first.trim_start_matches(quotes);
        }
        if words.is_empty() {
            continue;
        }
        let calls = |tool: &&Tool| !found.iter().any(|known| known.tool == tool.name);
        let new: Vec<Started> =
            TOOLS.iter().filter(calls).filter_map(|tool| call(tool, &words)).collect();
        found.extend(new);
    }
    found
}

fn call(tool: &'static Tool, words: &[&str]) -> Option<Started> {
    let mut calls = tool.commands.iter().filter(|command| command.is_called(words));
    let first = calls.next()?;
    Some(Started { tool: tool.name, stays: first.stays || calls.any(|command| command.stays) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, tools: &[&str]) {
        let found: Vec<&str> = in_script(script).iter().map(|started| started.tool).collect();
        assert_eq!(found, tools, "{script}");
    }

    #[test]
    fn calls_are_told_from_mentions() {
        check("test -x /usr/bin/certbot && certbot -q renew", &["certbot"]);
        check("-/usr/bin/certbot -q \\\n  renew", &["certbot"]);
        check("snap run --timer='00:00' certbot.renew", &["certbot"]);
        check("docker run --rm certbot/certbot renew", &["certbot"]);
        check("tar cf /backup/certbot.tar /etc/letsencrypt # renew", &[]);
        check("# certbot renew", &[]);
        check("certbot certificates", &[]);
        check("\"/root/.acme.sh\"/acme.sh --cron --home /root > /dev/null", &["acme.sh"]);
        check("dehydrated -c; openssl cmp -cmd kur", &["dehydrated", "OpenSSL CMP"]);
        check("openssl x509 -in cmp", &[]);
        check("rm -rf /var/cache/certmonger", &[]);
        check("A=b nice -n 5 /usr/bin/traefik --configFile=x", &["Traefik"]);
    }

    #[test]
    fn what_stays_is_told_from_what_ends() {
        let stays = |script| in_script(script).first().map(|started| started.stays);
        assert_eq!(stays("step ca renew a.crt a.key"), Some(false));
        assert_eq!(stays("step ca renew --daemon a.crt a.key"), Some(true));
        assert_eq!(stays("/usr/bin/caddy run --config x"), Some(true));
    }
}
