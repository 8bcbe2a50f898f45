//! From text to an expression.

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    /// Another query, by its id; or a word that a function takes, like REPEAT.
    Name(String),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    List(Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ParseError(String);

/// Binary operators from the loosest to the tightest.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("OR", Operator::Or), ("||", Operator::Or)],
    &[("AND", Operator::And), ("&&", Operator::And)],
    &[
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
    &[("^", Operator::Power)],
];

pub(crate) fn parse(text: &str) -> Result<Expression, ParseError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let expression = parser.level(0)?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(ParseError(format!("unexpected {token}"))),
    }
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn level(&mut self, level: usize) -> Result<Expression, ParseError> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let right = self.level(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        let token = self.peek()?.to_ascii_uppercase();
        let found = operators.iter().find(|(text, _)| *text == token).map(|(_, operator)| *operator)?;
        self.at += 1;
        Some(found)
    }

    fn unary(&mut self) -> Result<Expression, ParseError> {
        if self.take("-") {
            return Ok(Expression::Negative(Box::new(self.unary()?)));
        }
        if self.take("(") {
            let inner = self.level(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("[") {
            return Ok(Expression::List(self.items("]")?));
        }
        let token = self.next()?;
        if let Ok(number) = token.parse() {
            return Ok(Expression::Number(number));
        }
        if !token.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err(ParseError(format!("unexpected {token}")));
        }
        if self.take("(") {
            return Ok(Expression::Call(token.to_ascii_uppercase(), self.items(")")?));
        }
        Ok(Expression::Name(token))
    }

    fn items(&mut self, end: &str) -> Result<Vec<Expression>, ParseError> {
        let mut items = Vec::new();
        if self.take(end) {
            return Ok(items);
        }
        loop {
            items.push(self.level(0)?);
            if !self.take(",") {
                self.expect(end)?;
                return Ok(items);
            }
        }
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Result<String, ParseError> {
        let token = self
            .peek()
            .map(str::to_owned)
            .ok_or_else(|| ParseError("the expression ends too early".into()))?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ParseError> {
        let found = self.next()?;
        if found == wanted {
            Ok(())
        } else {
            Err(ParseError(format!("{wanted} expected instead of {found}")))
        }
    }
}

fn tokens(text: &str) -> Result<Vec<String>, ParseError> {
    const PAIRS: [&str; 6] = ["<=", ">=", "==", "!=", "&&", "||"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word =
            |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '.';
        let length = if first.is_ascii_digit() || first == '.' {
            rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(rest.len())
        } else if first.is_ascii_alphabetic() {
            rest.find(|character| !word(character)).unwrap_or(rest.len())
        } else if PAIRS.iter().any(|pair| rest.starts_with(pair)) {
            2
        } else if "+-*/^()[],<>".contains(first) {
            1
        } else {
            return Err(ParseError(format!("{first} means nothing in an expression")));
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        use Expression::{Binary, Name, Number};
        let name = |name: &str| Box::new(Name(name.to_owned()));
        let number = |number| Box::new(Number(number));
        let product = Binary(Operator::Multiply, name("m2"), number(100.0));
        let sum = Binary(Operator::Add, name("m1"), Box::new(product));
        let comparison = Binary(Operator::Greater, Box::new(sum), number(5.0));
        let other = Binary(Operator::LessOrEqual, name("m3"), number(0.5));
        let both = Binary(Operator::And, Box::new(comparison), Box::new(other));
        assert_eq!(parse("m1+m2*100 > 5 AND (m3 <= .5)").unwrap(), both);
    }

    #[test]
    fn what_is_no_expression() {
        for text in ["", "m1 +", "(m1", "m1 m2", "IF(m1,", "m1 ; m2", "[m1", "1.2.3"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
