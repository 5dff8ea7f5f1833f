//! Text from strangers, made harmless to look at.
//!
//! Names in certificates, paths and answers are written by others. A right-to-left override in one
//! would turn the sentence around it, an escape sequence would reach the terminal, and a newline
//! would forge a line of the report. They are shown, as what they are, and lose their effect.

use std::fmt::Write as _;

/// One line of text: everything that acts instead of showing is written out as `\u{202e}`.
pub(crate) fn line(text: &str) -> String {
    shown(text, |_| false)
}

/// Several lines: as [`line`], but line breaks stay.
pub(crate) fn lines(text: &str) -> String {
    shown(text, |c| c == '\n')
}

fn shown(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) && !keep(c) {
            // Writing into a String cannot fail.
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a character acts on its surroundings instead of showing: control characters, and the
/// invisible and direction-changing ones of Unicode's category Cf.
pub(crate) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// At most this many characters; what is cut out in the middle shows as `…`.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most || most < 3 {
        return text.to_owned();
    }
    let (head, tail) = ((most - 1).div_ceil(2), (most - 1) / 2);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

/// At most this many characters, for sentences: they begin with what matters most, so what is cut
/// off is their end, at a word where one ends near. It shows as `…`.
pub(crate) fn cut(text: &str, most: usize) -> String {
    const NEAR: usize = 16;
    if text.chars().count() <= most || most == 0 {
        return text.to_owned();
    }
    let start: String = text.chars().take(most - 1).collect();
    let word = start.rfind(' ').filter(|at| start[*at..].chars().count() <= NEAR);
    let kept = &start[..word.unwrap_or(start.len())];
    format!("{}…", kept.trim_end_matches([' ', ',', ';', ':', '(']))
}

/// A YAML scalar in double quotes, which is a JSON string too. Nothing in it can be read as a
/// number, a date or a null, and nothing in it acts on an editor.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if acts(c) => {
                // JSON has no escape beyond four digits, but surrogates.
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(quoted, "\\u{unit:04x}");
                }
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_written_out() {
        assert_eq!(line("a\u{202e}b\x1b[2Jc\nd"), "a\\u{202e}b\\u{1b}[2Jc\\u{a}d");
        assert_eq!(lines("a\nb\r"), "a\nb\\u{d}");
        assert_eq!(line("Zürich 東京 <b>"), "Zürich 東京 <b>");
    }

    #[test]
    fn long_texts_are_cut_in_the_middle() {
        assert_eq!(shortened("abcdefghij", 5), "ab…ij");
        assert_eq!(shortened("abc", 5), "abc");
    }

    #[test]
    fn sentences_are_cut_at_their_end() {
        assert_eq!(cut("it may leave, under any key", 16), "it may leave…");
        assert_eq!(cut("abcdefghijklmnopqrstuvwxyz", 20), "abcdefghijklmnopqrs…");
        assert_eq!(cut("it may leave", 12), "it may leave");
    }

    #[test]
    fn quoted_text_is_json_and_yaml() {
        let text = "a\"b\\c\nd\te\u{1b}\u{202e}ü\u{e0001}: #";
        let back: String = serde_json::from_str(&quoted(text)).unwrap_or_default();
        assert_eq!(back, text);
    }
}
