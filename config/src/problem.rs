//! What is wrong with a file somebody wrote: all of it at once, with file, line and key.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as the user named it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// The key as a dotted path; empty for the file as a whole.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Everything that is wrong with a file, in the order of its lines. Printed are the first fifty, and
/// how many more there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

/// More than these nobody mends before the next try.
const SHOWN: usize = 50;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().take(SHOWN).enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            1 => f.write_str("\nand 1 more problem"),
            more => write!(f, "\nand {more} more problems"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_problems_the_first_are_told_and_the_others_counted() {
        for (count, lines, last) in [
            (1, 1, "s.toml:1: is wrong"),
            (50, 50, "s.toml:50: is wrong"),
            (51, 51, "and 1 more problem"),
            (50_000, 51, "and 49950 more problems"),
        ] {
            let problem = |line| {
                let (key, message) = (String::new(), "is wrong".to_owned());
                Problem { file: "s.toml".to_owned(), line, key, message }
            };
            let told = Problems((1..=count).map(problem).collect()).to_string();
            assert_eq!(told.lines().count(), lines, "{count}");
            assert_eq!(told.lines().next_back(), Some(last), "{count}");
        }
    }
}
