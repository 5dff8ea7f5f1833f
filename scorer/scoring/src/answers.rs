//! What people answered: one YAML file, read whole or not at all.

use std::collections::BTreeMap;

use pki_config::{Problem, Problems};
use pki_inventory::Time;
use pki_maturity::{Level, Model};

use crate::yaml::{Node, Value, parse};

/// The answers of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    by_requirement: BTreeMap<String, Answer>,
    left_behind: Vec<String>,
}

/// One person's answer to one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The rating.
    pub rating: Rating,
    /// Who answered.
    pub by: String,
    /// When.
    pub when: Time,
    /// Why this level; for out of scope, the reason.
    pub why: String,
    /// Documents and links.
    pub evidence: Vec<String>,
    /// When the answer is to be looked at again.
    pub review: Option<Time>,
    /// Line of the file.
    pub line: usize,
}

/// A level, or out of scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rating {
    /// At this level.
    Level(Level),
    /// Not a requirement for this organisation.
    OutOfScope,
}

const KEYS: &[&str] = &["level", "out_of_scope", "by", "when", "why", "evidence", "review"];

impl Answers {
    /// Reads a file of answers for a model. Requirements with empty fields are not answered yet.
    /// Answers for another built-in version are carried over to this one by the rename table.
    ///
    /// ```yaml
    /// model: "2.0.0"
    /// answers:
    ///   M.key-management.key-inventory:
    ///     level: 3            # or out_of_scope: "why it does not apply"
    ///     by: "J. Doe, PKI lead"
    ///     when: 2026-11-20
    ///     why: "The register is compared with the HSM every quarter"
    ///     evidence: ["https://wiki.example/key-register"]
    ///     review: 2027-05-20
    /// ```
    ///
    /// # Errors
    ///
    /// All problems of the file at once, each with line and key. Nothing is guessed.
    pub fn parse(file: &str, text: &str, model: &Model) -> Result<Self, Problems> {
        let mut reader = Reader { file, problems: Vec::new() };
        let mut answers = Self::default();
        match parse(text) {
            Err((line, message)) => reader.note(line, "", message),
            Ok(root) => answers = reader.root(&root, model),
        }
        if reader.problems.is_empty() {
            return Ok(answers);
        }
        reader.problems.sort();
        Err(Problems(reader.problems))
    }

    /// The answer to a requirement, if there is one.
    #[must_use]
    pub fn get(&self, requirement: &str) -> Option<&Answer> {
        self.by_requirement.get(requirement)
    }

    /// Ids of answers for another version that this one has no requirement for.
    #[must_use]
    pub fn left_behind(&self) -> &[String] {
        &self.left_behind
    }

    /// Every answer, by requirement id.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Answer)> {
        self.by_requirement.iter().map(|(id, answer)| (id.as_str(), answer))
    }

    /// How many requirements are answered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_requirement.len()
    }

    /// Whether nothing is answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_requirement.is_empty()
    }

    /// The same answers under the ids of another model.
    fn carried(self, from: &Model, to: &Model) -> Self {
        if from.version == to.version {
            return self;
        }
        let mut carried = Self::default();
        for (id, answer) in self.by_requirement {
            let canonical = from.requirement(&id).map(|requirement| &requirement.canonical);
            match to.requirements().find(|other| Some(&other.canonical) == canonical) {
                Some(other) => carried.insert(other.id.clone(), answer),
                None => carried.left_behind.push(id),
            }
        }
        carried
    }

    /// Adds or replaces an answer.
    pub fn insert(&mut self, requirement: impl Into<String>, answer: Answer) {
        self.by_requirement.insert(requirement.into(), answer);
    }
}

struct Reader<'f> {
    file: &'f str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn note(&mut self, line: usize, key: &str, message: impl Into<String>) {
        let (file, key) = (self.file.to_owned(), key.to_owned());
        self.problems.push(Problem { file, line, key, message: message.into() });
    }

    fn root(&mut self, root: &Node, model: &Model) -> Answers {
        let Some(entries) = self.map(root, "") else { return Answers::default() };
        for (key, value) in &entries {
            if !["model", "answers"].contains(&key.as_str()) {
                self.note(value.line, key, "is not a key here; keys are model, answers");
            }
        }
        let find = |wanted: &str| entries.iter().find(|(key, _)| key == wanted).map(|(_, v)| *v);
        let Some(written_for) = self.version(find("model"), model) else {
            return Answers::default();
        };
        let mut answers = Answers::default();
        if let Some(node) = find("answers") {
            self.answers(node, &written_for, &mut answers);
        }
        answers.carried(&written_for, model)
    }

    /// The model the answers were written for. Without it no id can be checked.
    fn version(&mut self, node: Option<&Node>, model: &Model) -> Option<Model> {
        let Some(node) = node else {
            self.note(1, "model", "is missing: which version of the model these answers are for");
            return None;
        };
        match &node.value {
            Value::Text(version) if *version == model.version => Some(model.clone()),
            Value::Text(version) => match Model::built_in(version) {
                Ok(other) => Some(other),
                Err(error) => {
                    self.note(node.line, "model", error.to_string());
                    None
                }
            },
            _ => {
                self.note(node.line, "model", "must be a version such as \"2.0.0\"");
                None
            }
        }
    }

    fn answers(&mut self, node: &Node, model: &Model, answers: &mut Answers) {
        if node.value == Value::Null {
            return;
        }
        for (id, value) in self.map(node, "answers").unwrap_or_default() {
            if model.requirement(&id).is_none() {
                let message = format!("is not a requirement of model {}", model.version);
                self.note(value.line, &id, message);
            } else if let Some(answer) = self.answer(&id, value) {
                answers.insert(id, answer);
            }
        }
    }

    /// One answer. `None` when it is empty, or wrong and complained about.
    fn answer(&mut self, id: &str, node: &Node) -> Option<Answer> {
        if node.value == Value::Null {
            return None;
        }
        let before = self.problems.len();
        let fields: BTreeMap<String, &Node> = self.map(node, id)?.into_iter().collect();
        for (key, value) in fields.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
            let message = format!("is not a key here; keys are {}", KEYS.join(", "));
            self.note(value.line, &format!("{id}.{key}"), message);
        }
        let line = fields.values().map(|value| value.line).min().unwrap_or(node.line);
        let given = |key: &str| {
            fields.get(key).copied().filter(|value| match &value.value {
                Value::Null => false,
                Value::Text(text) => !text.trim().is_empty(),
                Value::List(items) => !items.is_empty(),
                Value::Map(_) => true,
            })
        };
        if KEYS.iter().all(|key| given(key).is_none()) {
            return None;
        }
        let (level, outside) = (given("level"), given("out_of_scope"));
        let level = level.and_then(|value| self.level(id, value));
        let reason = outside.and_then(|value| self.reason(id, value));
        let mut needed = vec!["by", "when"];
        let rating = match (given("level").is_some(), outside.is_some()) {
            (true, true) => {
                self.note(line, id, "has a level and is out of scope; it can be only one of them");
                None
            }
            (false, false) => {
                self.note(line, id, "has neither a level nor out_of_scope");
                None
            }
            (true, false) => {
                needed.push("why");
                level.map(Rating::Level)
            }
            (false, true) => Some(Rating::OutOfScope),
        };
        for key in needed.into_iter().filter(|key| given(key).is_none()) {
            self.note(line, &format!("{id}.{key}"), "is missing");
        }
        let mut text = |key: &str| given(key).and_then(|value| self.text(id, key, value));
        let (by, why) = (text("by"), text("why"));
        let when = given("when").and_then(|value| self.time(id, "when", value));
        let review = given("review").and_then(|value| self.time(id, "review", value));
        let evidence = given("evidence").map(|value| self.texts(id, value)).unwrap_or_default();
        if let (Some(when), Some(review)) = (when, review)
            && review < when
        {
            self.note(line, &format!("{id}.review"), "is before the answer was given");
        }
        if self.problems.len() > before {
            return None;
        }
        let why = why.or(reason)?;
        Some(Answer { rating: rating?, by: by?, when: when?, why, evidence, review, line })
    }

    fn level(&mut self, id: &str, value: &Node) -> Option<Level> {
        let number = match &value.value {
            Value::Text(text) => text.trim().parse::<i64>().ok(),
            _ => None,
        };
        let level = number.and_then(|number| Level::try_from(number).ok());
        if level.is_none() {
            self.note(value.line, &format!("{id}.level"), "must be a whole number from 1 to 5");
        }
        level
    }

    fn text(&mut self, id: &str, key: &str, value: &Node) -> Option<String> {
        match &value.value {
            Value::Text(text) => Some(text.trim().to_owned()),
            _ => {
                self.note(value.line, &format!("{id}.{key}"), "must be a text");
                None
            }
        }
    }

    /// Out of scope needs a reason; a yes or no in its place is a misunderstanding.
    fn reason(&mut self, id: &str, value: &Node) -> Option<String> {
        const NO_REASONS: &[&str] = &["true", "false", "yes", "no", "on", "off", "n/a", "na", "x"];
        let reason = self.text(id, "out_of_scope", value)?;
        if NO_REASONS.contains(&reason.to_lowercase().as_str()) {
            let message = format!("must be the reason why it does not apply, not `{reason}`");
            self.note(value.line, &format!("{id}.out_of_scope"), message);
            return None;
        }
        Some(reason)
    }

    fn time(&mut self, id: &str, key: &str, value: &Node) -> Option<Time> {
        let text = self.text(id, key, value)?;
        let time = text.parse();
        if time.is_err() {
            self.note(value.line, &format!("{id}.{key}"), "must be a date such as 2026-11-20");
        }
        time.ok()
    }

    fn texts(&mut self, id: &str, value: &Node) -> Vec<String> {
        match &value.value {
            Value::List(items) => {
                items.iter().filter_map(|item| self.text(id, "evidence", item)).collect()
            }
            _ => self.text(id, "evidence", value).into_iter().collect(),
        }
    }

    /// The entries of a mapping, each key once; whatever is wrong is complained about.
    fn map<'n>(&mut self, node: &'n Node, path: &str) -> Option<Vec<(String, &'n Node)>> {
        let Value::Map(entries) = &node.value else {
            self.note(node.line, path, "must be a mapping of keys to values");
            return None;
        };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut all = Vec::new();
        for (key, value) in entries {
            let Value::Text(name) = &key.value else {
                self.note(key.line, path, "has a key that is not a text");
                continue;
            };
            match seen.insert(name.clone(), key.line) {
                Some(first) => {
                    let path = if path.is_empty() || path == "answers" {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    self.note(key.line, &path, format!("is there twice, first in line {first}"));
                }
                None => all.push((name.clone(), value)),
            }
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Answers, Vec<(usize, String)>> {
        let model = Model::built_in("2.0.0").unwrap_or_else(|error| panic!("{error}"));
        Answers::parse("answers.yaml", text, &model)
            .map_err(|problems| problems.0.into_iter().map(|p| (p.line, p.key)).collect())
    }

    #[test]
    fn answers_are_read_and_empty_ones_left_open() {
        let answers = read(
            "model: \"2.0.0\"\nanswers:\n  M.key-management.key-inventory:\n    level: 3\n    by: J\n    \
             when: 2026-11-20\n    why: w\n    evidence: [a, b]\n    review: 2027-01-01\n  \
             O.automation.automation-description:\n    out_of_scope: none here\n    by: J\n    when: 2026-11-20\n  \
             M.key-management.device-inventory:\n    level:\n    by:\n    when:\n    why:\n",
        )
        .unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(answers.len(), 2);
        let first =
            answers.get("M.key-management.key-inventory").map(|a| (a.rating, a.evidence.len()));
        assert_eq!(first, Some((Rating::Level(Level::ADVANCED), 2)));
        let outside = answers.get("O.automation.automation-description").map(|a| a.rating);
        assert_eq!(outside, Some(Rating::OutOfScope));
    }

    #[test]
    fn all_problems_come_at_once_with_line_and_key() {
        let id = "M.key-management.key-inventory";
        let text = format!(
            "model: 2.0.0\nanswers:\n  {id}:\n    level: 6\n    by: J\n    when: soon\n    colour: red\n  X.y.z:\n    level: 1\n  \
             {id}:\n    level: 1\n  M.key-management.key-lifecycle:\n    level: 2\n    out_of_scope: none here\n    by: J\n    when: 2026-01-01\n    why: w\n"
        );
        let found = read(&text).unwrap_err();
        let expected = [
            (4, format!("{id}.level")),
            (4, format!("{id}.why")),
            (6, format!("{id}.when")),
            (7, format!("{id}.colour")),
            (9, "X.y.z".to_owned()),
            (10, id.to_owned()),
            (13, "M.key-management.key-lifecycle".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn answers_for_another_version_are_carried_over_and_what_has_no_place_is_named() {
        let text = "model: 1.1.0\nanswers:\n  M.6.2:\n    level: 3\n    by: J\n    when: 2026-11-20\n    why: w\n  \
                    M.6.5:\n    level: 4\n    by: J\n    when: 2026-11-20\n    why: w\n";
        let answers = read(text).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert!(answers.get("M.key-management.key-inventory").is_some(), "{answers:?}");
        assert_eq!(answers.left_behind(), ["M.6.5"]);
    }

    #[test]
    fn a_yes_or_no_is_no_reason_to_be_out_of_scope() {
        for word in ["true", "no", "N/A"] {
            let text = format!(
                "model: 2.0.0\nanswers:\n  M.key-management.key-inventory:\n    out_of_scope: {word}\n    by: J\n    when: 2026-11-20\n"
            );
            let key = "M.key-management.key-inventory.out_of_scope".to_owned();
            assert_eq!(read(&text).unwrap_err(), [(4, key)]);
        }
    }

    #[test]
    fn what_is_not_a_file_of_answers_is_refused() {
        for text in [
            "",
            "- 1\n",
            "model: [",
            "model: 9.0.0\n",
            "a: &x 1\nb: *x\n",
            "model: 2.0.0\n---\nx: 1\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
