//! `concord cases`: what waits for a person.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, actor, app, print_json, table, text, usage};
use crate::model::Message;
use crate::report;
use crate::sync::decide::{Refused, decide};

/// What `cases` takes.
#[derive(Debug, Args)]
pub struct CasesArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Open cases (this is the default).
    List {
        /// Decided and settled ones too.
        #[arg(long)]
        all: bool,
    },
    /// One case, whole.
    Show {
        /// Its number.
        id: i64,
    },
    /// Decide a case.
    Decide {
        /// Its number.
        id: i64,
        /// One of the case's choices.
        #[arg(long, value_name = "VALUE")]
        choose: String,
    },
}

/// Runs the command.
pub async fn cases(common: &Common, args: CasesArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action.unwrap_or(Action::List { all: false }) {
        Action::List { all } => {
            let state = (!all).then_some("open");
            let cases = app.store.cases(state, None, 500).await?;
            if common.json {
                let total = app.store.count_cases(state, None).await?;
                let items: Vec<_> = cases.iter().map(|case| report::case(case, text())).collect();
                print_json(&serde_json::json!({ "items": items, "total": total, "next": null }))?;
            } else if cases.is_empty() {
                println!("{}", text().text("cli-no-cases"));
            } else {
                for case in &cases {
                    let what = table::clean(&text().message(&case.message));
                    println!("{:>4}  {}  [{}]", case.id, what, case.choices.join(" | "));
                }
            }
            Ok(End::Fine)
        }
        Action::Show { id } => {
            let case = app.store.case(id).await?;
            let case = case.ok_or_else(|| usage(&Message::new("case-unknown").with("case", id)))?;
            print_json(&report::case(&case, text()))?;
            Ok(End::Fine)
        }
        Action::Decide { id, choose } => {
            match decide(&app.store, &app.sources, &app.owners, id, &choose, &actor()).await {
                Ok(case) if common.json => print_json(&report::case(&case, text()))?,
                Ok(_) => println!("{}", text().with("cli-case-decided", &[("case", &id.to_string())])),
                Err(Refused::Because(message)) => return Err(usage(&message)),
                Err(Refused::Internal(error)) => return Err(error),
            }
            Ok(End::Fine)
        }
    }
}
