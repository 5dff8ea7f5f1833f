//! The words of nginx's settings.

use std::iter::Peekable;
use std::str::Chars;

/// A part of the text that means something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Semicolon,
    Open,
    Close,
}

/// Takes a text apart.
pub(super) struct Tokens<'t> {
    letters: Peekable<Chars<'t>>,
    line: u32,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { letters: text.chars().peekable(), line: 1 }
    }

    /// The next token with its line.
    pub(super) fn next(&mut self) -> Option<(u32, Token)> {
        loop {
            let letter = self.letter()?;
            let line = self.line;
            let token = match letter {
                '#' => {
                    while self.letters.next_if(|letter| *letter != '\n').is_some() {}
                    continue;
                }
                letter if letter.is_whitespace() => continue,
                ';' => Token::Semicolon,
                '{' => Token::Open,
                '}' => Token::Close,
                '"' | '\'' => Token::Word(self.quoted(letter)),
                letter => Token::Word(self.word(letter)),
            };
            return Some((line, token));
        }
    }

    /// Goes to behind the brace that closes what is open, in Lua: braces in its texts and comments
    /// are none.
    pub(super) fn skip_block(&mut self) {
        let mut depth = 1_usize;
        while let Some(letter) = self.letter() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                '"' | '\'' => drop(self.quoted(letter)),
                '-' if self.next_is('-') => {
                    while self.letters.next_if(|letter| *letter != '\n').is_some() {}
                }
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn letter(&mut self) -> Option<char> {
        let letter = self.letters.next();
        self.line = self.line.saturating_add(u32::from(letter == Some('\n')));
        letter
    }

    fn quoted(&mut self, quote: char) -> String {
        let mut word = String::new();
        while let Some(letter) = self.letter() {
            match letter {
                letter if letter == quote => break,
                '\\' => word.extend(self.letter()),
                letter => word.push(letter),
            }
        }
        word
    }

    /// A word up to a space, a semicolon or a brace; `${name}` is part of it.
    fn word(&mut self, first: char) -> String {
        let mut word = String::new();
        let mut next = Some(first);
        let mut variable = false;
        while let Some(letter) = next {
            match letter {
                '\\' => word.extend(self.letter()),
                letter => word.push(letter),
            }
            variable = if variable { letter != '}' } else { letter == '$' && self.next_is('{') };
            let goes_on = |letter: &char| {
                !letter.is_whitespace() && !matches!(letter, ';' | '{')
                    || variable && matches!(letter, '{')
            };
            next = self.letters.next_if(goes_on);
        }
        word
    }

    fn next_is(&mut self, letter: char) -> bool {
        self.letters.peek() == Some(&letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut tokens = Tokens::new(text);
        let mut found = Vec::new();
        while let Some((line, token)) = tokens.next() {
            found.push(match token {
                Token::Word(word) => format!("{line}:{word}"),
                other => format!("{line}:{other:?}"),
            });
        }
        found
    }

    #[test]
    fn braces_of_a_variable_are_part_of_the_word() {
        assert_eq!(
            words("a ${b}/c; # d\nserver{ 'e f;' \"g\\\"h\";}"),
            [
                "1:a",
                "1:${b}/c",
                "1:Semicolon",
                "2:server",
                "2:Open",
                "2:e f;",
                "2:g\"h",
                "2:Semicolon",
                "2:Close"
            ]
        );
    }
}
