//! `concord customers`: list, search, export.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use comfy_table::CellAlignment;

use super::{Common, End, Out, actor, app, print_json, systems, table, text, usage};
use crate::app::App;
use crate::export::document::{self, ListDoc};
use crate::export::{self, Export};
use crate::model::{Message, amount};
use crate::store::listing::{Filter, Order, Shape};
use crate::sync::settle;

/// What `customers` takes.
#[derive(Debug, Args)]
pub struct CustomersArgs {
    /// A text in any value of their records, in any letter case, script and digits.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Owner.
    #[arg(long)]
    owner: Option<String>,
    /// System.
    #[arg(long)]
    system: Option<String>,
    /// The source's own status.
    #[arg(long)]
    status: Option<String>,
    /// ISO alpha-2 country.
    #[arg(long)]
    country: Option<String>,
    /// City.
    #[arg(long)]
    city: Option<String>,
    /// One row per account instead of one per customer.
    #[arg(long)]
    accounts: bool,
    /// id, key, country, status, reward, rebate, owner, partner_account, registered, accounts,
    /// last_trade, or of shops city, points, spent, purchases, last_purchase, or of CRM and finance
    /// systems number; with - before it the largest first.
    #[arg(long, default_value = "id", allow_hyphen_values = true)]
    sort: String,
    /// How it is printed; csv and xlsx hold the whole filtered set [default: what the name of --out
    /// ends with, else table].
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Rows printed of a table or as JSON, 500 at the most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
    limit: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
    Xlsx,
}

/// Runs the command.
pub async fn customers(common: &Common, args: &CustomersArgs) -> Result<End> {
    let format = format(common, args)?;
    let app = app(common).await?;
    if let Some(system) = &args.system {
        systems(&app, std::slice::from_ref(system))?;
    }
    settle::points_due(&app.store, &app.owners).await?;
    let order = Order::of(&args.sort)
        .ok_or_else(|| usage(&Message::new("cli-unknown-sort").with("sort", &args.sort)))?;
    let export = Export {
        filter: Filter {
            search: args.search.clone(),
            owner: args.owner.clone(),
            system: args.system.clone(),
            status: args.status.clone(),
            country: args.country.clone(),
            city: args.city.clone(),
            ..Filter::default()
        },
        shape: if args.accounts { Shape::Accounts } else { app.usual_shape(args.system.as_deref()) },
        order,
        ties: app.ties(),
    };
    match format {
        Format::Csv | Format::Xlsx => whole(&app, args, &export, format).await?,
        Format::Json => list(&app, args, &export, true).await?,
        Format::Table => list(&app, args, &export, false).await?,
    }
    Ok(End::Fine)
}

/// The format that is asked for, or that the name of the file says. A file is not filled with a table
/// drawn for a screen unless that is what was asked for.
fn format(common: &Common, args: &CustomersArgs) -> Result<Format> {
    let format = match (args.format, &args.out) {
        (Some(format), _) => format,
        (None, _) if common.json => Format::Json,
        (None, None) => Format::Table,
        (None, Some(file)) => of_name(file)
            .ok_or_else(|| usage(&Message::new("cli-out-format").with("file", file.display())))?,
    };
    if format == Format::Xlsx && args.out.is_none() {
        return Err(usage(&Message::new("cli-xlsx-needs-file")));
    }
    Ok(if format == Format::Table && common.json { Format::Json } else { format })
}

fn of_name(file: &Path) -> Option<Format> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(Format::Csv),
        "xlsx" => Some(Format::Xlsx),
        "json" => Some(Format::Json),
        _ => None,
    }
}

async fn whole(app: &App, args: &CustomersArgs, list: &Export, format: Format) -> Result<()> {
    let word = if format == Format::Csv { "csv" } else { "xlsx" };
    export::note(&app.store, list, word, &actor()).await?;
    let rows = match &args.out {
        Some(file) if format == Format::Xlsx => {
            export::write_xlsx(&app.store, list, text(), false, file).await?
        }
        Some(file) => {
            let sink = std::fs::File::create(file).with_context(|| format!("writing {}", file.display()))?;
            export::write_csv(&app.store, list, text(), &mut std::io::BufWriter::new(sink)).await?
        }
        None => export::write_csv(&app.store, list, text(), &mut Out(std::io::stdout())).await?,
    };
    if let Some(file) = &args.out {
        let (rows, file) = (table::count(rows), file.display().to_string());
        eprintln!("{}", text().with("cli-exported", &[("rows", &rows), ("file", &file)]));
    }
    Ok(())
}

async fn list(app: &App, args: &CustomersArgs, list: &Export, json: bool) -> Result<()> {
    let mut found = app.store.customers(&list.filter, list.shape, list.order, None, args.limit).await?;
    app.store.tie(&mut found.items, &list.ties).await?;
    let mut out: Box<dyn Write> = match &args.out {
        Some(file) => {
            Box::new(std::fs::File::create(file).with_context(|| format!("writing {}", file.display()))?)
        }
        None => Box::new(Out(std::io::stdout())),
    };
    let shown = table::count(found.items.len() as i128);
    let total = match found.total {
        Some(total) => total,
        None => app.store.customer_sums(&list.filter).await?.rows(list.shape),
    };
    let listed = text().with("cli-listed", &[("shown", &shown), ("total", &table::count(total))]);
    if json {
        let items: Vec<_> =
            found.items.iter().map(|item| document::customer(item, app.currency(&item.system))).collect();
        let document = ListDoc { items, total: found.total, next: found.next };
        if args.out.is_none() {
            return print_json(&document);
        }
        serde_json::to_writer_pretty(out, &document)?;
        eprintln!("{listed}");
        return Ok(());
    }
    let header = export::header(list.shape, text());
    let mut rows = table::table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for item in &found.items {
        rows.add_row(export::cells(item, list.shape).iter().map(|cell| match cell {
            export::Cell::Text(text) => table::clean(text),
            export::Cell::Amount(value, scale) => amount::show(i128::from(*value), *scale),
            export::Cell::Count(count) => table::count(*count),
            export::Cell::Empty => "–".to_owned(),
        }));
    }
    for index in export::amounts(list.shape) {
        if let Some(column) = rows.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{rows}")?;
    writeln!(out, "{listed}")?;
    Ok(())
}
