//! `concord init`: asks a few questions and writes `concord.toml`.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use clap::Args;
use dialoguer::{Confirm, Input, Select};

use super::{Common, End, text, usage};
use crate::config::{Answers, Config, NewSystem, initial};
use crate::model::Message;

/// What `init` takes.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Ask nothing: write the commented defaults.
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub fn init(common: &Common, args: &InitArgs) -> Result<End> {
    let file = Config::find(common.config.as_deref());
    if file.exists() {
        return Err(usage(&Message::new("cli-init-exists").with("file", file.display())));
    }
    let mut answers = Answers::default();
    if !args.yes {
        if !std::io::stdin().is_terminal() {
            return Err(usage(&Message::new("cli-needs-yes")));
        }
        ask(&mut answers)?;
    }
    std::fs::write(&file, initial(&answers)).with_context(|| format!("writing {}", file.display()))?;
    println!("{}", text().with("cli-init-written", &[("file", &file.display().to_string())]));
    Ok(End::Fine)
}

fn ask(answers: &mut Answers) -> Result<()> {
    let kinds = ["exness", "xm"];
    while Confirm::new()
        .with_prompt(text().text("cli-init-add"))
        .default(answers.systems.is_empty())
        .interact()?
    {
        let kind = kinds
            [Select::new().with_prompt(text().text("cli-init-kind")).items(kinds).default(0).interact()?];
        let name: String = Input::new()
            .with_prompt(text().text("cli-init-name"))
            .default(kind.to_owned())
            .interact_text()?;
        let owner: String =
            Input::new().with_prompt(text().text("cli-init-owner")).allow_empty(true).interact_text()?;
        // Secrets are named, never typed here: the file holds only where to find them.
        let variable = |what: &str| {
            let name: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            toml::Value::String(format!("${{{name}_{what}}}"))
        };
        let mut settings = match kind {
            "xm" => vec![("token".to_owned(), variable("TOKEN"))],
            _ => vec![("login".to_owned(), variable("LOGIN")), ("password".to_owned(), variable("PASSWORD"))],
        };
        if !owner.is_empty() {
            settings.push(("owner".to_owned(), toml::Value::String(owner)));
        }
        settings.push(("every".to_owned(), toml::Value::String("1h".to_owned())));
        answers.systems.push(NewSystem { name, kind: kind.to_owned(), settings });
    }
    Ok(())
}
