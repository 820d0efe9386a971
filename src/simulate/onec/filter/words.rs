//! Cuts the text of a condition into names, values and signs.

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::super::answers::Refusal;
use super::super::value::Guid;

/// One piece of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Name(String),
    Text(String),
    Guid(Guid),
    Date(DateTime),
    Number(Decimal),
    Open,
    Close,
    Comma,
}

/// The pieces of a condition.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Refusal> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '(' => (Word::Open, &rest[1..]),
            ')' => (Word::Close, &rest[1..]),
            ',' => (Word::Comma, &rest[1..]),
            '\'' => {
                let (text, after) = quoted(rest)?;
                (Word::Text(text), after)
            }
            '0'..='9' | '-' => number(rest)?,
            _ => name(rest)?,
        };
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

/// A text in apostrophes, where two of them stand for one.
fn quoted(rest: &str) -> Result<(String, &str), Refusal> {
    let mut text = String::new();
    let mut signs = rest.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign != '\'' {
            text.push(sign);
        } else if signs.peek().is_some_and(|(_, next)| *next == '\'') {
            signs.next();
            text.push('\'');
        } else {
            return Ok((text, &rest[at + 1..]));
        }
    }
    Err(Refusal::syntax("строка не закрыта"))
}

fn number(rest: &str) -> Result<(Word, &str), Refusal> {
    let end = rest.find(|sign: char| !sign.is_ascii_digit() && !"-.".contains(sign)).unwrap_or(rest.len());
    let number = Decimal::from_str_exact(&rest[..end]).map_err(|_| Refusal::syntax("не число"))?;
    // Numbers may say what they are: a long one, or an exact one.
    let after = rest[end..].strip_prefix(['L', 'M', 'm']).unwrap_or(&rest[end..]);
    match after.chars().next() {
        Some(sign) if sign.is_alphanumeric() => Err(Refusal::syntax("не число")),
        _ => Ok((Word::Number(number), after)),
    }
}

fn name(rest: &str) -> Result<(Word, &str), Refusal> {
    let inside = |sign: char| sign.is_alphanumeric() || "_/@".contains(sign);
    let end = rest.find(|sign| !inside(sign)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        return Err(Refusal::syntax("непонятный знак"));
    }
    if !after.starts_with('\'') {
        return Ok((Word::Name(name.to_owned()), after));
    }
    let (text, after) = quoted(after)?;
    let wrong = || Refusal::syntax(&format!("не {name}: {text}"));
    let word = match name {
        "guid" => Word::Guid(text.parse().map_err(|()| wrong())?),
        // A moment without a zone, and no other form of it.
        "datetime" if text.len() == 19 => Word::Date(text.parse().map_err(|_| wrong())?),
        _ => return Err(wrong()),
    };
    Ok((word, after))
}
