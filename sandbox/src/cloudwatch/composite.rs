//! The rule of a composite alarm: other alarms' states, with AND, OR and NOT.

use super::evaluation::State;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RuleExpression {
    Constant(bool),
    Is(State, String),
    Not(Box<RuleExpression>),
    And(Box<RuleExpression>, Box<RuleExpression>),
    Or(Box<RuleExpression>, Box<RuleExpression>),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RuleError(String);

impl RuleExpression {
    /// Whether the rule holds, given the states of other alarms.
    pub(crate) fn holds(&self, state: &impl Fn(&str) -> Option<State>) -> bool {
        match self {
            Self::Constant(truth) => *truth,
            Self::Is(wanted, name) => state(name) == Some(*wanted),
            Self::Not(inner) => !inner.holds(state),
            Self::And(left, right) => left.holds(state) && right.holds(state),
            Self::Or(left, right) => left.holds(state) || right.holds(state),
        }
    }
}

pub(crate) fn parse(text: &str) -> Result<RuleExpression, RuleError> {
    let mut parser = Parser { rest: text.trim() };
    let rule = parser.or()?;
    if parser.rest.is_empty() { Ok(rule) } else { Err(RuleError(format!("unexpected {}", parser.rest))) }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<RuleExpression, RuleError> {
        let mut left = self.and()?;
        while self.word("OR") {
            left = RuleExpression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<RuleExpression, RuleError> {
        let mut left = self.not()?;
        while self.word("AND") {
            left = RuleExpression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<RuleExpression, RuleError> {
        if self.word("NOT") {
            return Ok(RuleExpression::Not(Box::new(self.not()?)));
        }
        if self.sign('(') {
            let inner = self.or()?;
            return if self.sign(')') { Ok(inner) } else { Err(RuleError("a ) is missing".to_owned())) };
        }
        for (word, truth) in [("TRUE", true), ("FALSE", false)] {
            if self.word(word) {
                return Ok(RuleExpression::Constant(truth));
            }
        }
        for state in [State::Ok, State::Alarm, State::Insufficient] {
            if self.word(state.name()) {
                return Ok(RuleExpression::Is(state, self.name()?));
            }
        }
        Err(RuleError(format!("unexpected {}", if self.rest.is_empty() { "end" } else { self.rest })))
    }

    /// An alarm's name or ARN in parentheses, in quotes or without.
    fn name(&mut self) -> Result<String, RuleError> {
        if !self.sign('(') {
            return Err(RuleError("a state needs an alarm in parentheses".to_owned()));
        }
        let end = if self.sign('"') { "\"" } else { ")" };
        let (name, rest) =
            self.rest.split_once(end).ok_or_else(|| RuleError(format!("a {end} is missing")))?;
        self.rest = rest.trim_start();
        if end == "\"" && !self.sign(')') {
            return Err(RuleError("a ) is missing".to_owned()));
        }
        self.rest = self.rest.trim_start();
        let name = name.trim().trim_matches('\'');
        Ok(name.split_once(":alarm:").map_or(name, |(_, name)| name).to_owned())
    }

    fn word(&mut self, word: &str) -> bool {
        let Some(start) = self.rest.get(..word.len()) else { return false };
        let after = self.rest[word.len()..].chars().next();
        let ends = after.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '_');
        let found = start.eq_ignore_ascii_case(word) && ends;
        if found {
            self.rest = self.rest[word.len()..].trim_start();
        }
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let state = |name: &str| match name {
            "firing" => Some(State::Alarm),
            "quiet alarm" => Some(State::Ok),
            _ => None,
        };
        for (text, expected) in [
            ("ALARM(firing)", true),
            ("ALARM(\"quiet alarm\")", false),
            ("OK(quiet alarm)", true),
            ("ALARM(arn:aws:cloudwatch:us-east-1:000000000000:alarm:firing)", true),
            ("ALARM(firing) AND NOT ALARM(\"quiet alarm\")", true),
            ("NOT (ALARM(firing) OR FALSE)", false),
            ("ALARM(gone) OR OK(gone) OR INSUFFICIENT_DATA(gone)", false),
            ("TRUE AND (FALSE OR ALARM(firing))", true),
        ] {
            assert_eq!(parse(text).unwrap().holds(&state), expected, "{text}");
        }
    }

    #[test]
    fn no_rules() {
        for text in ["", "ALARM", "ALARM(", "ALARM(a) ALARM(b)", "(ALARM(a)", "MAYBE(a)", "ALARM(a) AND"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
