//! Variables in texts, in the ways programs write them.

use std::borrow::Cow;

use crate::tell;

/// How a program writes variables, besides `${name}`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Syntax {
    /// `$name`.
    pub(crate) bare: bool,
    /// `$section::name`, where `$name` is one.
    pub(crate) sections: bool,
    /// `$(name)`.
    pub(crate) round: bool,
    /// `$$` is a variable named `$`.
    pub(crate) doubled: bool,
}

/// A text with the values of its variables; those that have none stay as they are written. What
/// grows too long is cut.
pub(crate) fn expanded<'v>(
    written: &str,
    syntax: Syntax,
    value: impl Fn(&str) -> Option<Cow<'v, str>>,
) -> String {
    let mut expanded = String::new();
    let mut rest = written;
    while let Some(start) = rest.find('$') {
        expanded.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some((name, end)) = syntax.variable(rest) else { break };
        match value(name) {
            Some(value) => expanded.push_str(&value),
            None => expanded.push_str(&rest[..end]),
        }
        rest = &rest[end..];
        if expanded.len() > tell::TEXT {
            break;
        }
    }
    expanded.push_str(rest);
    tell::clipped(&expanded)
}

impl Syntax {
    /// The name of the variable that a text begins with, and where it ends; no name where a dollar
    /// is a dollar, and `None` where a bracket is never closed.
    fn variable(self, text: &str) -> Option<(&str, usize)> {
        let after = &text[1..];
        let brackets = [('{', '}', true), ('(', ')', self.round)];
        for (open, close, known) in brackets {
            if known && after.starts_with(open) {
                let end = after.find(close)?;
                return Some((&after[1..end], end + 2));
            }
        }
        if self.doubled && after.starts_with('$') {
            return Some(("$", 2));
        }
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let name = |text: &str| text.find(|letter| !is_name(letter)).unwrap_or(text.len());
        let mut end = if self.bare { name(after) } else { 0 };
        if let Some(more) = after[end..].strip_prefix("::").filter(|_| self.sections) {
            end += 2 + name(more);
        }
        Some((&after[..end], end + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_in_the_ways_of_each_program() {
        const BRACED: Syntax =
            Syntax { bare: false, sections: false, round: false, doubled: false };
        const OPENSSL: Syntax = Syntax { bare: true, sections: true, round: true, ..BRACED };
        const POSTFIX: Syntax = Syntax { bare: true, round: true, doubled: true, ..BRACED };
        for (syntax, written, expected) in [
            (BRACED, "a${x}b$x ${y} $$", "aXb$x ${y} $$"),
            (OPENSSL, "$x/$(x)/${x}/$s::x/$y/$$x", "X/X/X/S/$y/$X"),
            (POSTFIX, "$x/$(x)/${x}/$s::x/$$x", "X/X/X/$s::x/$x"),
            (OPENSSL, "before $x ${x", "before X ${x"),
        ] {
            let value = |name: &str| match name {
                "x" => Some(Cow::Borrowed("X")),
                "s::x" => Some(Cow::Borrowed("S")),
                "$" => Some(Cow::Borrowed("$")),
                _ => None,
            };
            assert_eq!(expanded(written, syntax, value), expected, "{written}");
        }
        let long = expanded(&"${x}".repeat(5_000), BRACED, |_| Some("x".repeat(100).into()));
        assert_eq!(long.len(), tell::TEXT);
    }
}
