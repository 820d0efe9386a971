//! Spreadsheets, written row by row. Text is written as text and is never calculated; amounts are
//! numbers as long as a spreadsheet's fifteen digits hold them exactly, else text.

use std::fs::File;

use anyhow::{Context, Result};
use rust_xlsxwriter::{Format, Workbook, Worksheet};
use tokio::sync::mpsc::Receiver;

use super::Cell;
use crate::model::amount::show;

/// Rows of a sheet below its header; what is more goes on in another.
const ROWS: u32 = 1_048_575;
/// Digits that a number of a spreadsheet keeps.
const DIGITS: usize = 15;
/// Characters that a cell holds.
const CHARACTERS: usize = 32_767;

/// How the file looks.
pub(super) struct Sheet {
    /// The name of its sheet.
    pub name: String,
    /// Its header.
    pub header: Vec<String>,
    /// Columns run from right to left.
    pub right_to_left: bool,
}

/// Writes the pages that come; how many rows, and the file. Blocks.
pub(super) fn write(
    sheet: &Sheet,
    mut pages: Receiver<Vec<Vec<Cell>>>,
    mut file: File,
) -> Result<(u64, File)> {
    let mut workbook = Workbook::new();
    let formats = Formats {
        bold: Format::new().set_bold(),
        money: Format::new().set_num_format("0.00"),
        quantity: Format::new().set_num_format("0.00######"),
    };
    let mut rows = 0_u64;
    let mut page = pages.blocking_recv().unwrap_or_default().into_iter();
    for number in 1_u32.. {
        let worksheet = workbook.add_worksheet_with_constant_memory()?;
        let name = if number == 1 { sheet.name.clone() } else { format!("{} {number}", sheet.name) };
        worksheet.set_name(name)?.set_right_to_left(sheet.right_to_left);
        worksheet.set_freeze_panes(1, 0)?;
        for (column, title) in (0_u16..).zip(&sheet.header) {
            worksheet.write_string_with_format(0, column, title, &formats.bold)?;
        }
        let mut row = 0;
        let more = loop {
            let cells = match page.next() {
                Some(cells) => cells,
                None => match pages.blocking_recv() {
                    Some(next) => {
                        page = next.into_iter();
                        continue;
                    }
                    None => break false,
                },
            };
            row += 1;
            rows += 1;
            for (column, cell) in (0_u16..).zip(&cells) {
                put(worksheet, row, column, cell, &formats)?;
            }
            if row == ROWS {
                break true;
            }
        };
        if !more {
            break;
        }
    }
    workbook.save_to_writer(&mut file).context("writing the spreadsheet")?;
    Ok((rows, file))
}

struct Formats {
    bold: Format,
    money: Format,
    quantity: Format,
}

fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, formats: &Formats) -> Result<()> {
    match cell {
        Cell::Text(text) => {
            sheet.write_string(row, column, text.chars().take(CHARACTERS).collect::<String>())?;
        }
        Cell::Count(count) => {
            sheet.write_number(row, column, *count as f64)?;
        }
        Cell::Amount(value, scale) => {
            let shown = show(i128::from(*value), *scale);
            match number(&shown) {
                Some(number) => {
                    let format = if *scale == crate::model::amount::MONEY {
                        &formats.money
                    } else {
                        &formats.quantity
                    };
                    sheet.write_number_with_format(row, column, number, format)?;
                }
                None => {
                    sheet.write_string(row, column, shown)?;
                }
            }
        }
        Cell::Empty => {}
    }
    Ok(())
}

/// The decimal text as a spreadsheet's number, if that shows the very same digits.
fn number(shown: &str) -> Option<f64> {
    let digits = shown.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    let significant = digits.iter().skip_while(|digit| **digit == b'0').count();
    if significant > DIGITS { None } else { shown.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit_or_stay_text() {
        assert_eq!(number("12.40"), Some(12.4));
        assert_eq!(number("-0.05"), Some(-0.05));
        assert_eq!(number("9999999999999.99"), Some(9_999_999_999_999.99));
        assert_eq!(number("10000000000000.01"), None);
        assert_eq!(number("0.00000001"), Some(0.000_000_01));
    }
}
