//! `concord cases`: what waits for a person.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, actor, app, print_json, table, text, usage};
use crate::model::Message;
use crate::report;
use crate::store::case::Case;
use crate::sync::decide::{Refused, decide};

/// What `cases` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CasesArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Decided and settled ones too.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Open cases (this is the default).
    List(ListArgs),
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
    match args.action.unwrap_or(Action::List(args.list)) {
        Action::List(ListArgs { all }) => {
            let only = (!all).then_some("open");
            let cases = app.store.cases(only, None, 500).await?;
            if common.json {
                let total = app.store.count_cases(only, None).await?;
                let items: Vec<_> = cases.iter().map(|case| report::case(case, text())).collect();
                print_json(&serde_json::json!({ "items": items, "total": total, "next": null }))?;
            } else if cases.is_empty() {
                println!("{}", text().text("cli-no-cases"));
            } else {
                for case in &cases {
                    let what = text().message(&case.message);
                    println!("{:>4}  {}", case.id, table::clean(&format!("{what}  [{}]", state(case))));
                }
            }
            Ok(End::Fine)
        }
        Action::Show { id } => {
            let case = app.store.case(id).await?;
            let case = case.ok_or_else(|| usage(&Message::new("case-unknown").with("case", id)))?;
            if common.json {
                print_json(&report::case(&case, text()))?;
            } else {
                show(&case);
            }
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

/// What has become of a case, in short.
fn state(case: &Case) -> String {
    match case.state.as_str() {
        "open" => text().with("cli-case-open", &[("choices", &case.choices.join(" | "))]),
        "decided" => {
            let (choice, by) = decision(case);
            text().with("cli-case-was-decided", &[("choice", &choice), ("by", by)])
        }
        _ => text().text("cli-case-settled"),
    }
}

/// What was chosen, in words, and by whom.
fn decision(case: &Case) -> (String, &str) {
    let choice = case.choice.as_deref().unwrap_or_default();
    (report::choice(choice, text()), case.decided_by.as_deref().unwrap_or_default())
}

/// A case for people: what happened, what it is about, and how it is or was decided.
fn show(case: &Case) {
    let line = |text: String| println!("{}", table::clean(&text));
    line(format!("{} {}: {}", text().text("cli-case"), case.id, text().message(&case.message)));
    if let Some(help) = text().aside(&case.message, "help") {
        line(help);
    }
    println!();
    let about = [("system", case.system.as_str()), ("subject", case.subject.as_str())];
    line(text().with("cli-case-about", &about));
    let at = report::time(case.opened_at);
    line(match case.run {
        Some(run) => text().with("cli-case-opened-by", &[("at", &at), ("run", &run.to_string())]),
        None => text().with("cli-case-opened", &[("at", &at)]),
    });
    for (name, value) in report::case_detail(case) {
        line(format!("{name}: {value}"));
    }
    match (case.state.as_str(), case.decided_at) {
        ("open", _) => show_choices(case),
        ("decided", Some(at)) => {
            let (choice, by) = decision(case);
            let args = [("choice", choice.as_str()), ("by", by), ("at", &report::time(at))];
            line(text().with("cli-case-decided-at", &args));
        }
        _ => line(state(case)),
    }
}

/// The commands that decide a case, each with what it does.
fn show_choices(case: &Case) {
    println!("\n{}", text().text("cli-case-decide"));
    for value in &case.choices {
        let words = report::choice(value, text());
        let does = if words == *value { String::new() } else { format!("   ({words})") };
        let command = format!("    concord cases decide {} --choose {value}{does}", case.id);
        println!("{}", table::clean(&command));
    }
}
