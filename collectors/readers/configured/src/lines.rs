//! Lines and words, as most files of settings have them.

/// A line as the program sees it, with the number of its first line.
pub(crate) type Numbered = (u32, String);

/// Lines; one that ends with a backslash goes on in the next.
pub(crate) fn joined_by_backslash(text: &str) -> Vec<Numbered> {
    let mut joined: Vec<Numbered> = Vec::new();
    let mut goes_on = false;
    for (number, line) in numbered(text) {
        let (line, more) = match line.strip_suffix('\\') {
            // An even number of backslashes is backslashes.
            Some(rest) if (line.len() - line.trim_end_matches('\\').len()) % 2 == 1 => (rest, true),
            _ => (line, false),
        };
        match joined.last_mut() {
            Some((_, last)) if goes_on => last.push_str(line),
            _ => joined.push((number, line.to_owned())),
        }
        goes_on = more;
    }
    joined
}

/// Lines; one that begins with a space goes on with the one before. Lines of comment may be
/// between (Postfix, `postconf(5)`).
pub(crate) fn joined_by_indent(text: &str) -> Vec<Numbered> {
    let mut joined: Vec<Numbered> = Vec::new();
    for (number, line) in numbered(text) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        match joined.last_mut() {
            Some((_, last)) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(trimmed);
            }
            _ => joined.push((number, trimmed.to_owned())),
        }
    }
    joined
}

/// Lines with their numbers.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (u32::try_from(index + 1).unwrap_or(u32::MAX), line))
}

/// The words of a line: apart by spaces, held together by quotes of either kind, a backslash taking
/// the meaning from what follows; `#` at the start of a word ends the line.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => {
                let escaped = match letters.peek() {
                    Some('"' | '\'' | '\\' | '#' | ' ') => letters.next(),
                    _ => None,
                };
                word.get_or_insert_default().push(escaped.unwrap_or('\\'));
            }
            (letter, Some(open)) if letter == open => quote = None,
            (letter, Some(_)) => word.get_or_insert_default().push(letter),
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            ('#', None) if word.is_none() => break,
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, None) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// A key and its value, apart by `=`; `None` where there is no `=`.
pub(crate) fn key_and_value(line: &str) -> Option<(&str, &str)> {
    line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))
}

/// A text without the quotes around it.
pub(crate) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_held_together_by_quotes_and_end_at_a_comment() {
        let found = words(r#"bind "a b":443 'c#d' e\ f x#y # rest"#);
        assert_eq!(found, ["bind", "a b:443", "c#d", "e f", "x#y"]);
        assert_eq!(words("a \"\" b"), ["a", "", "b"]);
    }

    #[test]
    fn lines_go_on() {
        let backslash = joined_by_backslash("a \\\n b\nc\\\\\nd");
        assert_eq!(
            backslash,
            [(1, "a  b".to_owned()), (3, "c\\\\".to_owned()), (4, "d".to_owned())]
        );
        let indent = joined_by_indent("a = 1,\n# no\n\n  2\nb = 3\n");
        assert_eq!(indent, [(1, "a = 1, 2".to_owned()), (5, "b = 3".to_owned())]);
    }
}
