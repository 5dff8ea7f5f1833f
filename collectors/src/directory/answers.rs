//! What a server's refusal means, and which setting or right it is about (RFC 4511, appendix A).

use pki_inventory::GapReason;

/// Characters of a server's words that are repeated.
const LONGEST_QUOTE: usize = 200;

/// Why a server, or a part of it, was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The class.
    pub(super) reason: GapReason,
    /// The sentence.
    pub(super) detail: String,
    /// Whether another server of the same directory is to be asked.
    pub(super) another: bool,
    /// Whether it is the account and its password that were refused.
    pub(super) is_of_account: bool,
}

/// What was asked for when a server answered with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To bind.
    Bind,
    /// To search, as somebody.
    Search,
    /// To search, as nobody.
    SearchAsNobody,
}

impl Refusal {
    /// Another server will say the same.
    pub(super) fn lasting(reason: GapReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), another: false, is_of_account: false }
    }

    /// Another server may do better.
    pub(super) fn passing(reason: GapReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), another: true, is_of_account: false }
    }
}

/// The codes that are told apart here.
pub(super) mod code {
    pub(in super::super) const SUCCESS: u32 = 0;
    pub(in super::super) const TIME_LIMIT: u32 = 3;
    pub(in super::super) const SIZE_LIMIT: u32 = 4;
    pub(in super::super) const STRONGER_AUTH: u32 = 8;
    pub(in super::super) const REFERRAL: u32 = 10;
    pub(in super::super) const ADMIN_LIMIT: u32 = 11;
    pub(in super::super) const CRITICAL_EXTENSION: u32 = 12;
    pub(in super::super) const NO_SUCH_OBJECT: u32 = 32;
    pub(in super::super) const INVALID_CREDENTIALS: u32 = 49;
    pub(in super::super) const INSUFFICIENT_ACCESS: u32 = 50;
}

/// Words of a server, for people: a stranger wrote them, so that they have no control characters and
/// an end. A server that was told the password may give it back; then nothing of them is repeated.
pub(super) fn quoted(said: &str, secret: Option<&str>) -> String {
    match left_out(said, secret) {
        Some(instead) => instead.to_owned(),
        None => visible(said).trim().chars().take(LONGEST_QUOTE).collect(),
    }
}

/// What stands for words that hold the password; `None` where they do not.
pub(super) fn left_out(said: &str, secret: Option<&str>) -> Option<&'static str> {
    let secret = secret.filter(|secret| !secret.is_empty())?;
    let is_held = said.contains(secret) || visible(said).contains(secret);
    is_held.then_some("words that hold the password, left out")
}

fn visible(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).collect()
}

/// What a code other than success means. `secret` is what the sentence must not repeat.
pub(super) fn meaning(
    asked: Asked,
    code: u32,
    said: &str,
    secret: Option<&str>,
) -> (GapReason, String) {
    let (reason, advice): (GapReason, String) = match code {
        code::TIME_LIMIT => (
            GapReason::LimitReached,
            "the server's limit of time ended the search; what came before is in the inventory. \
             Ask for smaller `bases`, or let the server raise the limit for this account"
                .into(),
        ),
        code::SIZE_LIMIT => (
            GapReason::LimitReached,
            "the server's limit of entries ended the search; what came before is in the \
             inventory. Ask for smaller `bases`, or let the server raise the limit for this \
             account"
                .into(),
        ),
        code::ADMIN_LIMIT => (
            GapReason::LimitReached,
            "an administrative limit of the server ended the search; what came before is in the \
             inventory. Ask for smaller `bases`, or let the server raise the limit for this \
             account"
                .into(),
        ),
        7 => (
            GapReason::PermissionDenied,
            "the server does not know this kind of bind; check `bind`".into(),
        ),
        code::STRONGER_AUTH | 13 => (
            GapReason::PermissionDenied,
            "the server wants the connection signed or under TLS before it takes this bind; write \
             `url = \"ldaps://…\"`, or `starttls = true`. Where it wants a Kerberos bind signed even \
             under TLS, bind by name: that is not done here"
                .into(),
        ),
        code::CRITICAL_EXTENSION => (
            GapReason::PermissionDenied,
            "the server does not do what has to be asked for (pages, or descriptors without the \
             system access list)"
                .into(),
        ),
        code::NO_SUCH_OBJECT => (
            GapReason::ReadFailed,
            "there is no such entry, or this account may not know of it; check `bases` and the \
             rights of the account"
                .into(),
        ),
        34 => (GapReason::ReadFailed, "that is no distinguished name; check it".into()),
        48 => (
            GapReason::PermissionDenied,
            "the server does not take this kind of bind for this account; check `bind`".into(),
        ),
        code::INVALID_CREDENTIALS => (GapReason::PermissionDenied, credentials(said)),
        code::INSUFFICIENT_ACCESS => (
            GapReason::PermissionDenied,
            "this account may not read that; give it the right to, or bind as another".into(),
        ),
        51 => (GapReason::ReadFailed, "the server is busy; run again later".into()),
        52 => (GapReason::ReadFailed, "the server is going down or not up yet; run again".into()),
        53 if asked == Asked::Bind => (
            GapReason::PermissionDenied,
            "the server is not willing to take this bind; check `bind` and its password".into(),
        ),
        // [MS-ADTS], 3.1.1.3.1.3: operations before a bind get operationsError.
        1 if asked == Asked::SearchAsNobody => (
            GapReason::PermissionDenied,
            "the server tells nothing to whom it does not know; set `bind`".into(),
        ),
        1 if asked == Asked::Search => (
            GapReason::ReadFailed,
            "the server could not do that, or not in this order (operationsError); its log may say \
             why"
                .into(),
        ),
        53 => (GapReason::ReadFailed, "the server is not willing to answer that".into()),
        _ => (GapReason::ReadFailed, "the server refused".into()),
    };
    let said = quoted(said, secret);
    let quoted = if said.is_empty() { String::new() } else { format!(": {said}") };
    (reason, format!("{advice} (code {code}{quoted})"))
}

/// Code 49. Active Directory says more in `data`, in hexadecimal system error codes.
fn credentials(said: &str) -> String {
    // SEC_E_BAD_BINDINGS: KB4520412.
    if said.contains("80090346") {
        return "the server wants channel binding (LdapEnforceChannelBinding), which a bind by \
                password does not have; bind with Kerberos, or let the domain controllers require \
                it only where clients support it"
            .to_owned();
    }
    let data = said
        .split_once("data ")
        .map(|(_, rest)| rest.split([',', ' ', '\0']).next().unwrap_or_default());
    let what = match data {
        Some("525") => "there is no such account",
        Some("52e") => "the password is not that of the account",
        Some("530") => "the account may not log on at this hour",
        Some("531") => "the account may not log on from this host",
        Some("532") => "the password has expired",
        Some("533") => "the account is disabled",
        Some("701") => "the account has expired",
        Some("773") => "the password has to be changed before the first use",
        Some("775") => "the account is locked out",
        _ => "name or password is wrong",
    };
    format!(
        "the server refused the bind: {what}; check the name and the password of `bind`. It was \
         tried once and is not tried again"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_directory_says_what_is_wrong_with_an_account() {
        for (data, expected) in [
            ("52e", "the password is not"),
            ("525", "no such account"),
            ("530", "this hour"),
            ("531", "this host"),
            ("532", "password has expired"),
            ("533", "disabled"),
            ("701", "account has expired"),
            ("773", "has to be changed"),
            ("775", "locked out"),
            ("52f", "name or password"),
        ] {
            let said = format!(
                "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data \
                 {data}, v4563\0"
            );
            let (reason, detail) = meaning(Asked::Bind, code::INVALID_CREDENTIALS, &said, None);
            assert_eq!(reason, GapReason::PermissionDenied);
            assert!(detail.contains(expected), "{detail}");
            assert!(detail.contains("code 49: 80090308") && !detail.contains('\0'), "{detail}");
        }
        let said = "80090346: LdapErr: DSID-0C0906B7, data 80090346, v4563";
        let (_, detail) = meaning(Asked::Bind, code::INVALID_CREDENTIALS, said, None);
        assert!(detail.contains("channel binding"), "{detail}");
    }

    #[test]
    fn limits_and_rights_are_told_apart() {
        let reason = |code| meaning(Asked::SearchAsNobody, code, "", None).0;
        assert_eq!([3, 4, 11].map(reason), [GapReason::LimitReached; 3]);
        assert_eq!([1, 8, 13, 50].map(reason), [GapReason::PermissionDenied; 4]);
        assert_eq!([32, 51, 52, 53, 80].map(reason), [GapReason::ReadFailed; 5]);
        let (_, detail) = meaning(Asked::Bind, code::STRONGER_AUTH, "", None);
        assert!(detail.contains("`starttls = true`") && detail.ends_with("(code 8)"), "{detail}");
    }

    #[test]
    fn a_bind_is_asked_for_only_where_there_was_none() {
        let said = |asked| meaning(asked, 1, "", None).1;
        assert!(said(Asked::SearchAsNobody).contains("set `bind`"));
        for asked in [Asked::Search, Asked::Bind] {
            assert!(!said(asked).contains("set `bind`"), "{}", said(asked));
        }
    }

    #[test]
    fn words_that_hold_the_password_are_not_repeated() {
        let secret = Some("correct horse");
        for said in [
            "no, correct horse is wrong".to_owned(),
            "correct\0 ho\u{1}rse".to_owned(),
            // It would be cut off in the middle.
            format!("{}correct horse", "x".repeat(LONGEST_QUOTE - 7)),
        ] {
            assert_eq!(quoted(&said, secret), "words that hold the password, left out");
            let (_, detail) = meaning(Asked::Bind, code::INVALID_CREDENTIALS, &said, secret);
            assert!(!detail.contains("correct") && detail.contains("code 49"), "{detail}");
        }
        assert_eq!(quoted(" a\u{1b}[31m correct\n", secret), "a[31m correct");
        assert_eq!(quoted("anything", Some("")), "anything");
        assert_eq!(quoted(&"x".repeat(1000), None).len(), LONGEST_QUOTE);
    }
}
