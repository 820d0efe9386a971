//! `concord init`: asks a few questions and writes `concord.toml`.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use clap::Args;
use dialoguer::{Confirm, Input, Select};

use super::{Common, End, print_json, text, usage};
use crate::config::{Answers, Config, NewSystem, initial, is_name};
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
            return Err(usage(&Message::new("cli-init-no-terminal").with("file", file.display())));
        }
        ask(&mut answers)?;
    }
    std::fs::write(&file, initial(&answers)).with_context(|| format!("writing {}", file.display()))?;
    tell(common, &file.display().to_string(), &answers)?;
    Ok(End::Fine)
}

/// Says what was written and what is to be done now.
fn tell(common: &Common, file: &str, answers: &Answers) -> Result<()> {
    let variables = answers.variables();
    if common.json {
        let systems: Vec<_> = answers.systems.iter().map(|system| &system.name).collect();
        return print_json(&serde_json::json!({ "file": file, "systems": systems, "variables": variables }));
    }
    println!("{}", text().with("cli-init-written", &[("file", file)]));
    if answers.systems.is_empty() {
        println!("{}", text().text("cli-init-no-system"));
    } else {
        println!("{}", text().text("cli-init-variables"));
        for variable in variables {
            println!("    {variable}");
        }
    }
    Ok(())
}

fn ask(answers: &mut Answers) -> Result<()> {
    let kinds = ["exness", "xm", "onec", "payamgostar", "siagh"];
    while Confirm::new()
        .with_prompt(text().text("cli-init-add"))
        .default(answers.systems.is_empty())
        .interact()?
    {
        let kind = kinds
            [Select::new().with_prompt(text().text("cli-init-kind")).items(kinds).default(0).interact()?];
        let name = ask_name(kind, &answers.systems)?;
        let owner: String =
            Input::new().with_prompt(text().text("cli-init-owner")).allow_empty(true).interact_text()?;
        let zone = if kind == "onec" { ask_zone()? } else { String::new() };
        answers.systems.push(system(name, kind, &owner, &zone));
    }
    Ok(())
}

/// Asks for the zone of a clock until it is one that is known.
fn ask_zone() -> Result<String> {
    let known = |zone: &String| match jiff::tz::TimeZone::get(zone) {
        Ok(_) => Ok(()),
        Err(_) => Err(text().text("cli-init-bad-zone")),
    };
    Ok(Input::new()
        .with_prompt(text().text("cli-init-zone"))
        .default("Europe/Moscow".to_owned())
        .validate_with(known)
        .interact_text()?)
}

/// Asks for a name until it is one that the configuration can be loaded with.
fn ask_name(kind: &str, others: &[NewSystem]) -> Result<String> {
    let taken: Vec<String> = others.iter().map(|system| system.name.clone()).collect();
    let mut input = Input::new().with_prompt(text().text("cli-init-name"));
    if name_problem(kind, &taken).is_none() {
        input = input.default(kind.to_owned());
    }
    Ok(input.validate_with(|name: &String| name_problem(name, &taken).map_or(Ok(()), Err)).interact_text()?)
}

/// Why a system cannot have this name.
fn name_problem(name: &str, taken: &[String]) -> Option<String> {
    if !is_name(name) {
        return Some(text().text("cli-init-bad-name"));
    }
    let is_taken = taken.iter().any(|other| other == name);
    is_taken.then(|| text().with("cli-init-name-taken", &[("name", name)]))
}

/// The networks that no address of the public internet is in.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

fn system(name: String, kind: &str, owner: &str, zone: &str) -> NewSystem {
    // Secrets are named, never typed here: the file holds only where to find them.
    let variable = |what: &str| {
        let name = name.to_ascii_uppercase().replace('-', "_");
        toml::Value::String(format!("${{{name}_{what}}}"))
    };
    let mut settings = match kind {
        "xm" => vec![("token".to_owned(), variable("TOKEN"))],
        "onec" => vec![
            ("base_url".to_owned(), variable("URL")),
            ("username".to_owned(), variable("USER")),
            ("password".to_owned(), variable("PASSWORD")),
            ("timezone".to_owned(), toml::Value::String(zone.to_owned())),
        ],
        "payamgostar" => vec![
            ("base_url".to_owned(), variable("URL")),
            ("username".to_owned(), variable("USERNAME")),
            ("password".to_owned(), variable("PASSWORD")),
        ],
        // It stands in a network of its own, and speaks nothing else.
        "siagh" => vec![
            ("base_url".to_owned(), variable("URL")),
            ("username".to_owned(), variable("USERNAME")),
            ("password".to_owned(), variable("PASSWORD")),
            ("allow_networks".to_owned(), toml::Value::from(PRIVATE.map(str::to_owned).to_vec())),
            ("allow_plaintext".to_owned(), toml::Value::Boolean(true)),
        ],
        _ => vec![("login".to_owned(), variable("LOGIN")), ("password".to_owned(), variable("PASSWORD"))],
    };
    if !owner.trim().is_empty() {
        settings.push(("owner".to_owned(), toml::Value::String(owner.trim().to_owned())));
    }
    let every = match kind {
        "payamgostar" => "5m",
        "siagh" => "15m",
        _ => "1h",
    };
    settings.push(("every".to_owned(), toml::Value::String(every.to_owned())));
    NewSystem { name, kind: kind.to_owned(), settings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_not_be_loaded_are_asked_for_again() {
        let taken = ["ham".to_owned()];
        for name in ["Ham System", "ham.x", "1st", "", "all", "Ham"] {
            assert!(name_problem(name, &taken).unwrap().contains("small letters"), "{name}");
        }
        assert!(name_problem("ham", &taken).unwrap().contains("already"));
        assert_eq!(name_problem("ham-2", &taken), None);
    }

    #[test]
    fn what_is_written_can_be_loaded_and_its_variables_are_told() {
        let systems = vec![
            system("ham".to_owned(), "exness", " Ham ", ""),
            system("ham-2".to_owned(), "exness", "", ""),
            system("xm".to_owned(), "xm", "Ham", ""),
            system("crm".to_owned(), "payamgostar", "", ""),
            system("finance".to_owned(), "siagh", "", ""),
        ];
        let answers = Answers { systems, ..Answers::default() };
        let variables = answers.variables();
        let of = |name: &str, what: &[&str]| -> Vec<String> {
            what.iter().map(|what| format!("{name}_{what}")).collect()
        };
        let expected = [
            of("HAM", &["LOGIN", "PASSWORD"]),
            of("HAM_2", &["LOGIN", "PASSWORD"]),
            of("XM", &["TOKEN"]),
            of("CRM", &["URL", "USERNAME", "PASSWORD"]),
            of("FINANCE", &["URL", "USERNAME", "PASSWORD"]),
        ];
        assert_eq!(variables, expected.concat());
        let env = |name: &str| match name {
            "CRM_URL" => Some("https://crm.example.test".to_owned()),
            "FINANCE_URL" => Some("http://finance.example.test".to_owned()),
            name => variables.iter().any(|known| known == name).then(|| "value".to_owned()),
        };
        let config = Config::parse(&initial(&answers), "concord.toml", &env).unwrap();
        let names: Vec<_> = config.systems.iter().map(|system| system.name.as_str()).collect();
        assert_eq!(names, ["ham", "ham-2", "xm", "crm", "finance"]);
    }
}
