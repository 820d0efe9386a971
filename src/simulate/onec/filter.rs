//! The language of `$filter` and of conditions of virtual tables, as far as 1C speaks it.
//!
//! `words` cuts the text, this file makes an expression of it and holds rows against that. What 1C
//! does not know (`tolower`, `length`, `null`, …) is refused, as are values of types that do not fit.

mod words;

use std::cmp::Ordering;

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::answers::Refusal;
use super::value::{Document, Field, Guid, Kind, Value};
use words::{Word, words};

/// What a row must be like.
#[derive(Debug)]
pub(super) enum Filter {
    Or(Box<Filter>, Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare(Operand, Comparison, Operand),
    True(Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// One side of a comparison.
#[derive(Debug)]
pub(super) enum Operand {
    Column(usize, Type),
    Text(String),
    Guid(Guid),
    Document(Document),
    Date(DateTime),
    Flag(bool),
    Number(Decimal),
    Year(usize),
    Test(Test, usize, String),
    IsOf(usize, String),
    Inner(Box<Filter>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Guid,
    Document,
    Date,
    Flag,
    Number,
}

/// What is asked of a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    Holds,
    Starts,
    Ends,
    Like,
}

/// A value of a row or of the text while it is compared.
enum Seen<'a> {
    Text(&'a str),
    Guid(Guid),
    Document(&'a Document),
    Date(DateTime),
    Flag(bool),
    Number(Decimal),
    Odd,
}

/// How deep conditions may stand in each other, so that no address ends the simulator.
const DEEPEST: usize = 50;

struct Parser<'a> {
    words: Vec<Word>,
    at: usize,
    depth: usize,
    fields: &'a [Field],
}

/// Reads a condition on rows with these columns.
pub(super) fn parse(text: &str, fields: &[Field]) -> Result<Filter, Refusal> {
    let mut parser = Parser { words: words(text)?, at: 0, depth: 0, fields };
    let filter = parser.either()?;
    if parser.at < parser.words.len() {
        return Err(Refusal::syntax(&format!("лишнее: {:?}", parser.words[parser.at])));
    }
    Ok(filter)
}

impl Filter {
    /// Whether a row is as it must be.
    pub fn holds(&self, row: &[Value]) -> bool {
        match self {
            Self::Or(one, other) => one.holds(row) || other.holds(row),
            Self::And(one, other) => one.holds(row) && other.holds(row),
            Self::Not(inner) => !inner.holds(row),
            Self::True(operand) => matches!(operand.seen(row), Seen::Flag(true)),
            Self::Compare(one, comparison, other) => comparison.holds(&one.seen(row), &other.seen(row)),
        }
    }
}

impl Comparison {
    fn holds(self, one: &Seen, other: &Seen) -> bool {
        let order = match (one, other) {
            (Seen::Text(one), Seen::Text(other)) => one.cmp(other),
            (Seen::Guid(one), Seen::Guid(other)) => one.cmp(other),
            (Seen::Document(one), Seen::Document(other)) => one.cmp(other),
            (Seen::Date(one), Seen::Date(other)) => one.cmp(other),
            (Seen::Flag(one), Seen::Flag(other)) => one.cmp(other),
            (Seen::Number(one), Seen::Number(other)) => one.cmp(other),
            (Seen::Odd, _) | (_, Seen::Odd) => return false,
            // A bare reference is of no type, and so never the same as one that has a type.
            _ => return self == Self::Ne,
        };
        match self {
            Self::Eq => order == Ordering::Equal,
            Self::Ne => order != Ordering::Equal,
            Self::Gt => order == Ordering::Greater,
            Self::Ge => order != Ordering::Less,
            Self::Lt => order == Ordering::Less,
            Self::Le => order != Ordering::Greater,
        }
    }
}

impl Operand {
    fn kind(&self) -> Type {
        match self {
            Self::Column(_, kind) => *kind,
            Self::Text(_) => Type::Text,
            Self::Guid(_) => Type::Guid,
            Self::Document(_) => Type::Document,
            Self::Date(_) => Type::Date,
            Self::Number(_) | Self::Year(_) => Type::Number,
            Self::Flag(_) | Self::Test(..) | Self::IsOf(..) | Self::Inner(_) => Type::Flag,
        }
    }

    fn seen<'a>(&'a self, row: &'a [Value]) -> Seen<'a> {
        match self {
            Self::Column(column, _) => match &row[*column] {
                Value::Text(text) => Seen::Text(text),
                Value::Guid(guid) => Seen::Guid(*guid),
                Value::Recorder(document) => Seen::Document(document),
                Value::Date(date) => Seen::Date(*date),
                Value::Flag(flag) => Seen::Flag(*flag),
                Value::Int(number) => Seen::Number(Decimal::from(*number)),
                Value::Number(number) => Seen::Number(*number),
                Value::Rows(_) | Value::Raw(_) => Seen::Odd,
            },
            Self::Text(text) => Seen::Text(text),
            Self::Guid(guid) => Seen::Guid(*guid),
            Self::Document(document) => Seen::Document(document),
            Self::Date(date) => Seen::Date(*date),
            Self::Flag(flag) => Seen::Flag(*flag),
            Self::Number(number) => Seen::Number(*number),
            Self::Year(column) => {
                row[*column].date().map_or(Seen::Odd, |date| Seen::Number(Decimal::from(date.year())))
            }
            Self::Test(test, column, part) => Seen::Flag(test.holds(row[*column].str(), part)),
            Self::IsOf(column, kind) => {
                Seen::Flag(matches!(&row[*column], Value::Recorder(document) if *document.kind == **kind))
            }
            Self::Inner(filter) => Seen::Flag(filter.holds(row)),
        }
    }
}

impl Test {
    fn holds(self, text: &str, part: &str) -> bool {
        match self {
            Self::Holds => text.contains(part),
            Self::Starts => text.starts_with(part),
            Self::Ends => text.ends_with(part),
            Self::Like => {
                let (text, part): (Vec<char>, Vec<char>) = (text.chars().collect(), part.chars().collect());
                like(&text, &part)
            }
        }
    }
}

/// `%` stands for any text, `_` for any one sign.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|from| like(&text[from..], rest)),
        Some((sign, rest)) => text
            .split_first()
            .is_some_and(|(first, text)| (*sign == '_' || sign == first) && like(text, rest)),
    }
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Filter, Refusal> {
        let mut filter = self.both()?;
        while self.takes_name("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.both()?));
        }
        Ok(filter)
    }

    fn both(&mut self) -> Result<Filter, Refusal> {
        let mut filter = self.single()?;
        while self.takes_name("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.single()?));
        }
        Ok(filter)
    }

    fn single(&mut self) -> Result<Filter, Refusal> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Refusal::syntax("слишком глубокая вложенность"));
        }
        let filter = self.comparison();
        self.depth -= 1;
        filter
    }

    fn comparison(&mut self) -> Result<Filter, Refusal> {
        if self.takes_name("not") {
            return Ok(Filter::Not(Box::new(self.single()?)));
        }
        let one = self.operand()?;
        let comparison = match self.words.get(self.at) {
            Some(Word::Name(name)) => match name.as_str() {
                "eq" => Some(Comparison::Eq),
                "ne" => Some(Comparison::Ne),
                "gt" => Some(Comparison::Gt),
                "ge" => Some(Comparison::Ge),
                "lt" => Some(Comparison::Lt),
                "le" => Some(Comparison::Le),
                _ => None,
            },
            _ => None,
        };
        let Some(comparison) = comparison else {
            return match (one.kind(), one) {
                (_, Operand::Inner(filter)) => Ok(*filter),
                (Type::Flag, one) => Ok(Filter::True(one)),
                _ => Err(Refusal::syntax("ожидается сравнение")),
            };
        };
        self.at += 1;
        let other = self.operand()?;
        let references = [Type::Guid, Type::Document];
        let (mine, yours) = (one.kind(), other.kind());
        if mine != yours && !(references.contains(&mine) && references.contains(&yours)) {
            return Err(Refusal::syntax("несовместимые типы в сравнении"));
        }
        Ok(Filter::Compare(one, comparison, other))
    }

    fn operand(&mut self) -> Result<Operand, Refusal> {
        match self.next()? {
            Word::Open => {
                let inner = self.either()?;
                self.expect(&Word::Close)?;
                Ok(Operand::Inner(Box::new(inner)))
            }
            Word::Text(text) => Ok(Operand::Text(text)),
            Word::Guid(guid) => Ok(Operand::Guid(guid)),
            Word::Date(date) => Ok(Operand::Date(date)),
            Word::Number(number) => Ok(Operand::Number(number)),
            Word::Name(name) if name == "true" || name == "false" => Ok(Operand::Flag(name == "true")),
            Word::Name(name) if name == "null" => Err(Refusal::syntax("null не поддерживается")),
            Word::Name(name) if self.words.get(self.at) == Some(&Word::Open) => {
                self.at += 1;
                let operand = self.function(&name)?;
                self.expect(&Word::Close)?;
                Ok(operand)
            }
            Word::Name(name) => self.column(&name).map(|(column, kind)| Operand::Column(column, kind)),
            word => Err(Refusal::syntax(&format!("неожиданное {word:?}"))),
        }
    }

    fn function(&mut self, name: &str) -> Result<Operand, Refusal> {
        match name {
            "substringof" => {
                let part = self.text()?;
                self.expect(&Word::Comma)?;
                let column = self.column_of(Type::Text)?;
                Ok(Operand::Test(Test::Holds, column, part))
            }
            "startswith" | "endswith" | "like" => {
                let column = self.column_of(Type::Text)?;
                self.expect(&Word::Comma)?;
                let test = match name {
                    "startswith" => Test::Starts,
                    "endswith" => Test::Ends,
                    _ => Test::Like,
                };
                Ok(Operand::Test(test, column, self.text()?))
            }
            "year" => Ok(Operand::Year(self.column_of(Type::Date)?)),
            "isof" => {
                let column = self.column_of(Type::Document)?;
                self.expect(&Word::Comma)?;
                Ok(Operand::IsOf(column, self.type_name()?))
            }
            "cast" => {
                let Word::Guid(id) = self.next()? else {
                    return Err(Refusal::syntax("cast: ожидается guid"));
                };
                self.expect(&Word::Comma)?;
                let kind = self.type_name()?;
                Ok(if kind.starts_with("Document_") {
                    Operand::Document(Document { kind: kind.into(), id })
                } else {
                    // References to rows of one type do not name it, so they are compared bare.
                    Operand::Guid(id)
                })
            }
            _ => Err(Refusal::syntax(&format!("неизвестная функция {name}"))),
        }
    }

    /// The name of a type, which stands there without the name space that answers put before it.
    fn type_name(&mut self) -> Result<String, Refusal> {
        let name = self.text()?;
        let known = name.starts_with("Document_") || name.starts_with("Catalog_");
        if known { Ok(name) } else { Err(Refusal::syntax(&format!("неизвестный тип {name}"))) }
    }

    fn text(&mut self) -> Result<String, Refusal> {
        match self.next()? {
            Word::Text(text) => Ok(text),
            word => Err(Refusal::syntax(&format!("ожидается строка, а не {word:?}"))),
        }
    }

    fn column_of(&mut self, wanted: Type) -> Result<usize, Refusal> {
        let Word::Name(name) = self.next()? else {
            return Err(Refusal::syntax("ожидается имя поля"));
        };
        let (column, kind) = self.column(&name)?;
        if kind == wanted {
            Ok(column)
        } else {
            Err(Refusal::syntax(&format!("не тот тип поля {name}")))
        }
    }

    fn column(&self, name: &str) -> Result<(usize, Type), Refusal> {
        let found = self.fields.iter().position(|field| field.name == name);
        let column = found.ok_or_else(|| Refusal::segment(name))?;
        let kind = match self.fields[column].kind {
            Kind::Text => Type::Text,
            Kind::Guid => Type::Guid,
            Kind::Recorder => Type::Document,
            Kind::Date => Type::Date,
            Kind::Flag => Type::Flag,
            Kind::Int | Kind::Number | Kind::Quantity => Type::Number,
            // A recorder's type is no column of the base, but a part of the reference.
            Kind::RecorderType | Kind::Rows(_) => return Err(Refusal::segment(name)),
        };
        Ok((column, kind))
    }

    fn next(&mut self) -> Result<Word, Refusal> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word.ok_or_else(|| Refusal::syntax("неожиданный конец"))
    }

    fn expect(&mut self, wanted: &Word) -> Result<(), Refusal> {
        let word = self.next()?;
        if word == *wanted {
            Ok(())
        } else {
            Err(Refusal::syntax(&format!("неожиданное {word:?}")))
        }
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let there = matches!(self.words.get(self.at), Some(Word::Name(word)) if word == name);
        self.at += usize::from(there);
        there
    }
}
