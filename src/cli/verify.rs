//! `concord verify`: the mirror held against the sources, now.

use anyhow::Result;
use clap::Args;

use super::{Common, End, app, print_json, table, text};
use crate::app::App;
use crate::sync::parity;

pub use crate::sync::parity::VerifyDoc;

/// What `verify` takes.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Systems by name [default: all].
    #[arg(value_name = "SYSTEM")]
    systems: Vec<String>,
}

/// Runs the command.
pub async fn verify(common: &Common, args: &VerifyArgs) -> Result<End> {
    let app = app(common).await?;
    let names = super::systems(&app, &args.systems)?;
    let document = systems(&app, &names).await?;
    if common.json {
        print_json(&document)?;
    } else {
        for item in &document.items {
            println!("\n{}", item.subject);
            let titles = ["cli-what", "cli-source", "cli-mirror", "cli-difference"];
            let titles: Vec<String> = titles.iter().map(|id| text().text(id)).collect();
            let mut table = table::table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
            for line in &item.lines {
                table.add_row([
                    text().text(&format!("measure-{}", line.what.replace('_', "-"))),
                    line.source.clone().unwrap_or_else(|| "–".to_owned()),
                    line.mirror.clone().unwrap_or_else(|| "–".to_owned()),
                    line.difference.clone().unwrap_or_else(|| "–".to_owned()),
                ]);
                for cause in &line.causes {
                    let rule = text().text(&format!("reject-{}", cause.rule));
                    table.add_row([
                        format!("  {rule}"),
                        table::count(cause.count),
                        String::new(),
                        cause.amount.clone().unwrap_or_default(),
                    ]);
                }
            }
            println!("{table}");
        }
        println!(
            "\n{}",
            text().text(if document.agree { "cli-in-agreement" } else { "cli-not-in-agreement" })
        );
    }
    Ok(if document.agree { End::Fine } else { End::Disagree })
}

/// Holds these systems against their sources.
pub async fn systems(app: &App, names: &[String]) -> Result<VerifyDoc> {
    let mut document = VerifyDoc { agree: true, items: Vec::new() };
    for name in names {
        let Some(source) = app.source(name) else { continue };
        let items = parity::system(&app.store, source)
            .await
            .map_err(|error| anyhow::anyhow!("{}", text().message(&error.message())))?;
        document.agree &= items.iter().flat_map(|item| &item.lines).all(|line| line.equal);
        document.items.extend(items);
    }
    Ok(document)
}
