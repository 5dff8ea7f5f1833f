//! The sentences that several formats share, so that they all say the same.

use pki_inventory::{Coverage, GapReason, Kind, Role};
use pki_maturity::{Level, Model};
use pki_rules::{Check, InForce, Rule};
use pki_scoring::official::{Score, Standing};
use pki_scoring::{
    Answer, Assessment, Basis, Measure, Rating, RequirementVerdict, RuleEvidence, Suggestion,
    Totals, Verdict,
};

/// `2 Foundational`.
pub(crate) fn level(model: &Model, level: Level) -> String {
    format!("{level} {}", model.level_name(level))
}

/// `2 Foundational`, `below level 1`, `not assessed`, `not applicable`.
pub(crate) fn standing(model: &Model, score: &Score) -> String {
    match score.standing() {
        Standing::NotApplicable => "not applicable".to_owned(),
        Standing::NotAssessed if score.assessed == 0 => "not assessed".to_owned(),
        Standing::NotAssessed => "below level 1".to_owned(),
        Standing::Reached(number) => {
            Level::try_from(number).map_or_else(|_| number.to_string(), |l| level(model, l))
        }
    }
}

/// As [`standing`], with the average behind it: `2 Foundational (2.47)`.
pub(crate) fn score(model: &Model, score: &Score) -> String {
    match average(score).filter(|_| score.assessed > 0) {
        Some(raw) => format!("{} ({raw})", standing(model, score)),
        None => standing(model, score),
    }
}

/// The average in two decimals, or in as many as it takes not to show a level that is not reached.
pub(crate) fn average(score: &Score) -> Option<String> {
    let raw = score.raw?;
    let text = format!("{raw:.2}");
    let whole = text.split('.').next().and_then(|whole| whole.parse::<u8>().ok());
    Some(if whole == Some(score.level) { text } else { raw.to_string() })
}

/// What the confirmed score is, and plainly so when nobody has answered.
pub(crate) fn confirmed(model: &Model, totals: &Totals) -> String {
    if totals.confirmed.overall.assessed == 0 {
        return "not assessed: nobody has answered a requirement yet".to_owned();
    }
    score(model, &totals.confirmed.overall)
}

/// One end of the range: a number even where nothing is reached.
pub(crate) fn end_of_range(model: &Model, score: &Score) -> String {
    match score.standing() {
        Standing::NotApplicable => "not applicable".to_owned(),
        Standing::NotAssessed => {
            format!("0 ({})", average(score).unwrap_or_else(|| "0.00".to_owned()))
        }
        Standing::Reached(_) => self::score(model, score),
    }
}

/// `16.7 %`, and never 0 or 100 % for a share that is neither.
pub(crate) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    if share > 0.0 && tenths <= 0.0 {
        "< 0.1 %".to_owned()
    } else if share < 1.0 && tenths >= 100.0 {
        "> 99.9 %".to_owned()
    } else {
        format!("{tenths} %")
    }
}

/// `2 of 12 not met (16.7 %)`, and how many more are unknown: without them the share of a rule that
/// rarely sees anything would look like that of the whole.
pub(crate) fn not_met(measure: &Measure) -> String {
    let judged = match measure.not_met_share() {
        Some(share) => {
            format!("{} of {} not met ({})", measure.not_met, measure.judged, percent(share))
        }
        None => "nothing was judged".to_owned(),
    };
    match measure.unknown {
        0 => judged,
        unknown => format!("{judged}; {unknown} unknown"),
    }
}

/// All five figures of a measure in words.
pub(crate) fn figures(measure: &Measure) -> String {
    let mut parts = vec![not_met(measure)];
    if measure.excepted > 0 {
        parts.push(format!("{} accepted by exceptions", measure.excepted));
    }
    parts.push(format!("{} of {} places not read", measure.gaps, measure.asked));
    parts.join("; ")
}

/// `policy.toml:12`.
pub(crate) fn origin(evidence: &RuleEvidence) -> String {
    evidence.origin.as_ref().map_or_else(
        || "not in the policy".to_owned(),
        |origin| format!("{}:{}", origin.file, origin.line),
    )
}

/// `RFC 5280, 4.1.2.5; RFC 6151, 2`.
pub(crate) fn citations(rule: &Rule) -> String {
    if rule.cites.is_empty() {
        return "the policy of the organisation".to_owned();
    }
    rule.cites.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Since when a limit holds.
pub(crate) fn in_force(rule: &Rule) -> &'static str {
    match rule.in_force {
        InForce::Always => "always",
        InForce::ByDate => "each item is judged by the limit of its day",
        InForce::Policy => "the policy sets it",
    }
}

/// What a rule runs over.
pub(crate) fn population(rule: &Rule) -> &'static str {
    match rule.check {
        Check::Authority(_) => "authorities of a directory",
        Check::Certificate(_) => "certificates",
        Check::Key(_) => "keys seen outside a certificate",
        Check::CertifiedKey(_) => "certified keys",
        Check::Keystore(_) => "keystores",
        Check::TrustStore(_) => "trust stores",
        Check::Configuration(_) => "parts of settings",
        Check::DirectoryObject(_) => "other objects of a directory",
        Check::RevocationList(_) => "revocation lists",
        Check::Token(_) => "tokens",
        Check::TokenKey(_) => "private and symmetric keys on tokens",
        Check::Template(_) => "certificate templates",
        Check::Encoded(_) => "encodings, parsed or not",
        Check::Endpoint(_) => "endpoints that answered",
        Check::Scope(_) => "scopes that collectors were given",
    }
}

/// `declared beyond evidence`.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    verdict.name().replace('-', " ")
}

/// What the evidence suggests, or why it suggests nothing.
pub(crate) fn suggestion(model: &Model, requirement: &RequirementVerdict) -> String {
    match &requirement.basis {
        Basis::Manual { reason } => format!("evidence says nothing: {}", sentence(reason)),
        Basis::Judged { suggestion: Suggestion::None(reasons), .. } => {
            format!("the evidence suggests nothing: {}", reasons.join("; "))
        }
        Basis::Judged { suggestion: Suggestion::Level { level: l, limited_by }, .. } => {
            format!("the evidence suggests {}, limited by {limited_by}", level(model, *l))
        }
    }
}

/// Who answered what, when.
pub(crate) fn answered(model: &Model, answer: &Answer) -> String {
    let what = match answer.rating {
        Rating::Level(l) => format!("answered {}", level(model, l)),
        Rating::OutOfScope => "took it out of scope".to_owned(),
    };
    format!("{} {what} on {}", answer.by, answer.when.date())
}

/// The verdict as a sentence: what it is and what it rests on.
pub(crate) fn verdict_sentence(model: &Model, requirement: &RequirementVerdict) -> String {
    let says = |text: String| capital(&text);
    let who = requirement
        .answer
        .as_ref()
        .map_or_else(|| "Somebody answered".to_owned(), |answer| says(answered(model, answer)));
    match &requirement.verdict {
        Verdict::Unrated | Verdict::Suggested(_) => {
            stop(format!("Nobody has answered; {}", suggestion(model, requirement)))
        }
        Verdict::Declared(_) => match &requirement.basis {
            Basis::Manual { .. } => format!("{who}; no evidence can say anything about it."),
            Basis::Judged { .. } => {
                format!("{who}; nothing that the rules are about was seen.")
            }
        },
        Verdict::Corroborated(_) => {
            let bound = requirement
                .bound()
                .map_or_else(String::new, |b| format!(" and is consistent with up to {b}"));
            format!("{who}; what was seen agrees{bound}.")
        }
        Verdict::BeyondEvidence { supported, .. } => format!(
            "{who}; what was seen supports {} and contradicts nothing. Documents have to show the \
             rest.",
            level(model, *supported)
        ),
        Verdict::Contradicted { bound, kept_because, .. } => {
            let rule = match kept_because {
                Some(reason) => format!("by the policy the answer counts all the same: {reason}"),
                None => "so that is what counts".to_owned(),
            };
            format!(
                "{who}, but what was seen is consistent with {} at most; {rule}.",
                level(model, *bound)
            )
        }
        Verdict::OutOfScope { seen_in_use: 0 } => format!("{who}."),
        Verdict::OutOfScope { seen_in_use } => {
            format!("{who}, although the rules about it judged {seen_in_use} assets in use.")
        }
    }
}

/// What was found and takes no part, if anything.
pub(crate) fn set_aside(count: u64) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "{count} assets were seen only where software ships its own files (policy, \
             `shipped`); they are listed and not judged."
        )
    })
}

/// The rules that hold the bound down, with their figures: what decided.
pub(crate) fn deciding(requirement: &RequirementVerdict) -> impl Iterator<Item = &RuleEvidence> {
    let bound = requirement.bound();
    requirement.rules().iter().filter(move |rule| rule.level.is_some() && rule.level == bound)
}

/// Requirements by what a person has to settle: answers that what was seen contradicts, and things
/// out of scope that are in use.
pub(crate) fn conflicts(assessment: &Assessment) -> impl Iterator<Item = &RequirementVerdict> {
    assessment.requirements.iter().filter(|requirement| match requirement.verdict {
        Verdict::Contradicted { .. } => true,
        Verdict::OutOfScope { seen_in_use } => seen_in_use > 0,
        _ => false,
    })
}

/// The name of a kind for headings.
pub(crate) fn kinds(kind: Kind) -> &'static str {
    forms(kind).1
}

/// `1 symmetric key`, `2 symmetric keys`.
pub(crate) fn count_of(kind: Kind, number: usize) -> String {
    let (one, many) = forms(kind);
    count(number, one, many)
}

/// The name of one of a kind, and of several.
fn forms(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Authority => ("authority", "authorities"),
        Kind::Automation => ("trace of automation", "traces of automation"),
        Kind::Certificate => ("certificate", "certificates"),
        Kind::Configuration => ("configuration", "configurations"),
        Kind::DirectoryObject => ("directory object", "directory objects"),
        Kind::Endpoint => ("endpoint", "endpoints"),
        Kind::Issuance => ("record of an authority", "records of authorities"),
        Kind::Key => ("key", "keys"),
        Kind::Keystore => ("keystore", "keystores"),
        Kind::RevocationList => ("revocation list", "revocation lists"),
        Kind::SecretKey => ("symmetric key", "symmetric keys"),
        Kind::SigningRequest => ("signing request", "signing requests"),
        Kind::Template => ("certificate template", "certificate templates"),
        Kind::Token => ("token", "tokens"),
        Kind::TrustStore => ("trust store", "trust stores"),
        Kind::Unparsed => ("unparsed object", "unparsed objects"),
    }
}

/// The name of a role.
pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Served => "served",
        Role::Chain => "chain",
        Role::Held => "held",
        Role::Authority => "authority",
        Role::Stored => "stored",
    }
}

/// What a reason for a gap means.
pub(crate) fn gap(reason: GapReason) -> &'static str {
    match reason {
        GapReason::CollectorFailed => "The collector stopped as a whole.",
        GapReason::Damaged => {
            "It does not hold what its format promises; what could be read of it is listed."
        }
        GapReason::FormatNotRead => "A format that is recognised but not read yet.",
        GapReason::HandshakeFailed => "TLS began and broke for a reason that is not an answer.",
        GapReason::LimitReached => "A limit of the settings was reached.",
        GapReason::LinkLoop => "A symbolic link leads back to itself.",
        GapReason::LinkOutOfScope => "A symbolic link leads out of what was asked for.",
        GapReason::LoginRefused => {
            "The login was refused, or for the reason that is told it was not tried. It is not tried \
             again until the settings are others."
        }
        GapReason::LoginRequired => {
            "What is private there is shown after a login only, and no PIN is configured."
        }
        GapReason::ModuleFailed => {
            "A PKCS #11 module crashed, hung or answered what the standard does not allow; what it \
             told before is listed."
        }
        GapReason::NameNotResolved => "The name has no address.",
        GapReason::NotRegularFile => "Not a regular file; opening it could block.",
        GapReason::OtherFilesystem => "Another filesystem that was not asked for begins here.",
        GapReason::PermissionDenied => "The operating system did not let the agent read it.",
        GapReason::ReadFailed => "Reading failed.",
        GapReason::Refused => "Nothing listens there.",
        GapReason::RunEnded => "The run was ended before this was asked.",
        GapReason::TimedOut => "The deadline passed.",
        GapReason::TooLarge => "Larger than what is read.",
        GapReason::Unrecognised => {
            "Named like cryptographic material, but the content is none that is known here."
        }
        GapReason::Unreachable => "There is no way to the address.",
        _ => "Not read.",
    }
}

/// How many files were not opened again because they had not changed; `None` where all were.
pub(crate) fn unchanged(coverage: &Coverage) -> Option<String> {
    let Coverage { read, unchanged, .. } = coverage;
    (*unchanged > 0)
        .then(|| format!("read again only where changed: {unchanged} of {read} unchanged"))
}

/// `1 certificate`, `2 certificates`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// With its first letter in upper case.
pub(crate) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn sentence(text: &str) -> String {
    text.trim().trim_end_matches('.').to_owned()
}

/// With a full stop at its end.
pub(crate) fn stop(text: String) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_is_one() {
        for (kind, one, several) in [
            (Kind::SecretKey, "1 symmetric key", "2 symmetric keys"),
            (Kind::Token, "1 token", "2 tokens"),
            (Kind::Authority, "1 authority", "2 authorities"),
            (Kind::Issuance, "1 record of an authority", "2 records of authorities"),
            (Kind::Automation, "1 trace of automation", "2 traces of automation"),
        ] {
            assert_eq!(
                (count_of(kind, 1), count_of(kind, 2)),
                (one.to_owned(), several.to_owned())
            );
        }
        for kind in Kind::ALL {
            assert_ne!(count_of(*kind, 1).replace('1', "2"), count_of(*kind, 2));
        }
    }
}
