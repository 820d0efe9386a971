//! The first `concord.toml`, from a few answers: the manual with the answers filled in.

use super::MANUAL;

/// What `concord init` was told.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The database's address; `None` = the default.
    pub database: Option<String>,
    /// Partner account or campaign → owner.
    pub owners: Vec<(String, String)>,
    /// The systems to read.
    pub systems: Vec<NewSystem>,
}

impl Answers {
    /// The environment variables that the settings of the systems name, in their order.
    pub fn variables(&self) -> Vec<String> {
        let settings = self.systems.iter().flat_map(|system| &system.settings);
        let named = settings.filter_map(|(_, value)| value.as_str()?.strip_prefix("${")?.strip_suffix('}'));
        named.map(str::to_owned).collect()
    }
}

/// A system for a new configuration.
#[derive(Debug, Clone)]
pub struct NewSystem {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Further settings (`owner`, `login`, `every`, …). Secrets as references, not as themselves.
    pub settings: Vec<(String, toml::Value)>,
}

const HEADER: &str = "\
# Concord's configuration, written by `concord init`.
#
# Everything that is commented out has the value shown, or is an example.
#
";

/// The text of a commented `concord.toml` for these answers. What is not answered stands there as
/// a comment.
pub fn initial(answers: &Answers) -> String {
    let mut paragraphs: Vec<String> = Vec::new();
    for (at, paragraph) in MANUAL.trim_end().split("\n\n").enumerate() {
        if at == 0 {
            let rules = paragraph.find("# ${NAME}").unwrap_or(0);
            paragraphs.push(format!("{HEADER}{}", &paragraph[rules..]));
        } else if let Some(kind) = example_kind(paragraph) {
            paragraphs.extend(systems(paragraph, kind, &answers.systems));
        } else if paragraph.contains("\n[owners]") && !answers.owners.is_empty() {
            paragraphs.push(owners(paragraph, &answers.owners));
        } else if let (Some(database), Some(line)) = (&answers.database, paragraph.find("database = ")) {
            paragraphs.push(format!("{}database = {}", &paragraph[..line], quoted(database)));
        } else {
            paragraphs.push(paragraph.to_owned());
        }
    }
    once_commented(&(paragraphs.join("\n\n") + "\n"))
}

/// The manual marks with ## what is not a default; here one mark is enough, and the paragraph above
/// each line says what it does.
fn once_commented(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.map(|line| line.strip_prefix('#').filter(|rest| rest.starts_with('#')).unwrap_or(line)).collect()
}

/// The kind a paragraph of the manual is the example of.
fn example_kind(paragraph: &str) -> Option<&str> {
    paragraph.lines().find_map(|line| line.strip_prefix("#kind = \"")?.strip_suffix('"'))
}

fn systems(example: &str, kind: &str, systems: &[NewSystem]) -> Vec<String> {
    let mut filled: Vec<String> = Vec::new();
    for system in systems.iter().filter(|system| system.kind == kind) {
        let text = fill(example, system);
        // The explanations once are enough.
        let settings = |line: &&str| !line.starts_with('#');
        filled.push(if filled.is_empty() {
            text
        } else {
            text.lines().filter(settings).collect::<Vec<_>>().join("\n")
        });
    }
    if filled.is_empty() { vec![example.to_owned()] } else { filled }
}

fn fill(example: &str, system: &NewSystem) -> String {
    let mut open: Vec<(&str, String)> =
        system.settings.iter().map(|(key, value)| (key.as_str(), written(value))).collect();
    let mut lines: Vec<String> = Vec::new();
    for line in example.lines() {
        let setting = line.trim_start_matches('#');
        let key = setting.split_once(" = ").map(|(key, _)| key);
        if line.starts_with("#[systems.") {
            lines.push(format!("[systems.{}]", system.name));
        } else if key == Some("kind") && line.starts_with("#kind") {
            lines.push(setting.to_owned());
        } else if let Some(at) = open.iter().position(|(open, _)| Some(*open) == key) {
            let (key, value) = open.remove(at);
            lines.push(format!("{key} = {value}"));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.extend(open.into_iter().map(|(key, value)| format!("{key} = {value}")));
    lines.join("\n")
}

fn owners(paragraph: &str, owners: &[(String, String)]) -> String {
    let mut lines: Vec<String> =
        paragraph.lines().filter(|line| !line.starts_with("#\"")).map(str::to_owned).collect();
    lines.extend(owners.iter().map(|(name, owner)| format!("{} = {}", quoted(name), quoted(owner))));
    lines.join("\n")
}

fn written(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), quoted)
}

/// A text as a TOML string on one line, fit for keys as well.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
