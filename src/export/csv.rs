//! CSV as RFC 4180 says, with a byte order mark so that spreadsheet programs read it as UTF-8.

use anyhow::Result;

use super::{Cell, Export, Pages, cells, header};
use crate::model::amount::show;
use crate::store::Store;
use crate::store::listing::Shape;
use crate::words::Words;

/// A list on its way out as CSV, a page at a time.
#[derive(Debug)]
pub struct Csv {
    pages: Pages,
    shape: Shape,
    head: Option<Vec<String>>,
    /// Rows written so far.
    pub rows: u64,
}

impl Csv {
    /// The list as CSV.
    pub fn new(export: Export, words: &Words) -> Csv {
        let (shape, head) = (export.shape, Some(header(export.shape, words)));
        Csv { shape, head, pages: Pages::new(export), rows: 0 }
    }

    /// The next bytes of the file; `None` at its end.
    pub async fn next(&mut self, store: &Store) -> Result<Option<Vec<u8>>> {
        let Some(items) = self.pages.next(store).await? else { return Ok(None) };
        let mut out = Vec::with_capacity(64 + items.len() * 128);
        if let Some(head) = self.head.take() {
            out.extend_from_slice("\u{feff}".as_bytes());
            line(&mut out, head.into_iter().map(|text| guarded(&text)));
        }
        for item in &items {
            line(&mut out, cells(item, self.shape).iter().map(text));
        }
        self.rows += items.len() as u64;
        Ok(Some(out))
    }
}

/// A table that is there whole, as CSV.
pub fn table(header: &[String], rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut out = "\u{feff}".as_bytes().to_vec();
    line(&mut out, header.iter().map(|text| guarded(text)));
    for cells in rows {
        line(&mut out, cells.iter().map(text));
    }
    out
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => guarded(text),
        Cell::Amount(value, scale) => show(i128::from(*value), *scale),
        Cell::Count(count) => count.to_string(),
        Cell::Empty => String::new(),
    }
}

/// Text that a spreadsheet program takes for text. One that begins like a formula, behind spaces
/// too, gets an apostrophe, which such programs hide.
pub fn guarded(text: &str) -> String {
    let formula =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.starts_with(formula) || text.trim_start().starts_with(formula) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn line(out: &mut Vec<u8>, fields: impl Iterator<Item = String>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if field.contains(['"', ',', '\r', '\n', ';', '\t']) || field.starts_with(' ') || field.ends_with(' ')
        {
            out.push(b'"');
            out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(field.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula() {
        for text in ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", "  =1"]
        {
            assert!(guarded(text).starts_with('\''), "{text:?}");
        }
        for text in ["", "1-1", "a=b", "ก", "۱", "low"] {
            assert_eq!(guarded(text), text);
        }
        assert_eq!(super::text(&Cell::Amount(-1240, 2)), "-12.40");
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let mut out = Vec::new();
        let fields = ["a", "b,c", "d\"e", "f\ng", "", " h"];
        line(&mut out, fields.iter().map(|field| (*field).to_owned()));
        assert_eq!(String::from_utf8(out.clone()).unwrap(), "a,\"b,c\",\"d\"\"e\",\"f\ng\",,\" h\"\r\n");
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&out[..]);
        assert_eq!(reader.records().next().unwrap().unwrap().iter().collect::<Vec<_>>(), fields);
    }
}
