//! The message catalogue: every text people read, by key and language, for command line, web and
//! exports alike.
//!
//! Texts are Fluent files under `locales/<language>/`, compiled in. A key that a language lacks is
//! taken from English; one that nobody has is shown as itself and logged once, so that a missing
//! text never stops anything. What is *said* is decided elsewhere; here it is only put into words.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::model::Message;

/// The language that has every text.
pub const DEFAULT: &str = "en";

/// A language with its files: name and content.
type Language = (&'static str, &'static [(&'static str, &'static str)]);

/// Adding a language is adding its lines here.
const LANGUAGES: &[Language] = &[(
    "en",
    &[
        ("config.ftl", include_str!("../locales/en/config.ftl")),
        ("connect.ftl", include_str!("../locales/en/connect.ftl")),
        ("cli.ftl", include_str!("../locales/en/cli.ftl")),
        ("run.ftl", include_str!("../locales/en/run.ftl")),
        ("case.ftl", include_str!("../locales/en/case.ftl")),
        ("alert.ftl", include_str!("../locales/en/alert.ftl")),
        ("flow.ftl", include_str!("../locales/en/flow.ftl")),
        ("web.ftl", include_str!("../locales/en/web.ftl")),
        ("flows-web.ftl", include_str!("../locales/en/flows-web.ftl")),
        ("insights.ftl", include_str!("../locales/en/insights.ftl")),
        ("api.ftl", include_str!("../locales/en/api.ftl")),
    ],
)];

/// The texts of one language.
pub struct Words {
    lang: &'static str,
    bundle: FluentBundle<Arc<FluentResource>>,
}

/// For each language: plain, then with direction isolates around arguments.
static ALL: LazyLock<Vec<(Words, Words)>> = LazyLock::new(|| {
    LANGUAGES
        .iter()
        .map(|(lang, files)| {
            let resources: Vec<_> = files.iter().map(|(_, text)| resource(text)).collect();
            (Words::new(lang, &resources, false), Words::new(lang, &resources, true))
        })
        .collect()
});

/// The languages there are, by their tags.
pub fn languages() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(lang, _)| *lang)
}

/// The texts for a language tag (`en`, `th-TH`), English when it is not known. For terminals and
/// files: arguments stand in the text as they are.
pub fn words(lang: &str) -> &'static Words {
    &pair(lang).0
}

/// Like [`words`], with arguments isolated by direction marks, for pages where right-to-left and
/// left-to-right texts meet.
pub fn isolating(lang: &str) -> &'static Words {
    &pair(lang).1
}

fn pair(lang: &str) -> &'static (Words, Words) {
    let base = lang.split(['-', '_']).next().unwrap_or_default();
    ALL.iter()
        .find(|(plain, _)| plain.lang.eq_ignore_ascii_case(base))
        .or_else(|| ALL.first())
        .unwrap_or_else(|| unreachable!("English is compiled in"))
}

impl Words {
    fn new(lang: &'static str, resources: &[Arc<FluentResource>], isolate: bool) -> Words {
        let mut bundle = FluentBundle::new_concurrent(lang.parse().into_iter().collect());
        bundle.set_use_isolating(isolate);
        for resource in resources {
            // An id that comes twice keeps its first text; the tests refuse such a catalogue.
            let _ = bundle.add_resource(Arc::clone(resource));
        }
        Words { lang, bundle }
    }

    /// The language's tag.
    pub fn lang(&self) -> &'static str {
        self.lang
    }

    /// The text of `id`.
    pub fn text(&self, id: &str) -> String {
        self.with(id, &[])
    }

    /// The text of `id` with its arguments. Whole numbers select plural forms.
    pub fn with(&self, id: &str, args: &[(&str, &str)]) -> String {
        self.say(id, None, args.iter().copied()).unwrap_or_else(|| missing(id))
    }

    /// A message in words.
    pub fn message(&self, message: &Message) -> String {
        let args = message.args.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.say(&message.id, None, args).unwrap_or_else(|| missing(&message.id))
    }

    /// What a message says beside its headline (`label`, `help`, `remedy`), if it says that.
    pub fn aside(&self, message: &Message, name: &str) -> Option<String> {
        let args = message.args.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.say(&message.id, Some(name), args)
    }

    /// Whether the catalogue has this key, in this language or in English.
    pub fn knows(&self, id: &str) -> bool {
        self.bundle.has_message(id) || words(DEFAULT).bundle.has_message(id)
    }

    fn say<'a>(
        &'a self,
        id: &str,
        aside: Option<&str>,
        args: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<String> {
        let pattern_in = |words: &'a Words| {
            let message = words.bundle.get_message(id)?;
            let pattern = match aside {
                Some(name) => message.get_attribute(name)?.value(),
                None => message.value()?,
            };
            Some((words, pattern))
        };
        let (words, pattern) = pattern_in(self).or_else(|| pattern_in(words(DEFAULT)))?;
        let args: FluentArgs = args.map(|(name, value)| (name, argument(value))).collect();
        // What cannot be filled in stays visible as `{$name}`.
        let mut errors = Vec::new();
        Some(words.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned())
    }
}

/// Every key of the catalogue, in the order of the English files.
pub fn ids() -> impl Iterator<Item = &'static str> {
    LANGUAGES
        .iter()
        .filter(|(lang, _)| *lang == DEFAULT)
        .flat_map(|(_, files)| files.iter())
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| {
            let (id, _) = line.split_once('=')?;
            let id = id.trim_end();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (line.starts_with(|c: char| c.is_ascii_alphabetic()) && id.chars().all(plain)).then_some(id)
        })
}

/// Small whole numbers go in as numbers, so that plurals work; everything else as the text it is,
/// because a number would lose the digits of a long account number.
fn argument(value: &str) -> FluentValue<'_> {
    let whole = !value.is_empty() && value.len() < 16 && value.bytes().all(|b| b.is_ascii_digit());
    if whole && (value == "0" || !value.starts_with('0')) {
        FluentValue::try_number(value)
    } else {
        FluentValue::from(value)
    }
}

fn resource(text: &str) -> Arc<FluentResource> {
    // A broken entry is left out, the others serve; the tests refuse such a catalogue.
    Arc::new(FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource))
}

fn missing(id: &str) -> String {
    static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.insert(id.to_owned()) {
        tracing::warn!(id, "no text for this key in the message catalogue");
    }
    id.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_and_parses() {
        for (lang, files) in LANGUAGES {
            let folder = format!("{}/locales/{lang}", env!("CARGO_MANIFEST_DIR"));
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(files.iter().any(|(file, _)| *file == name), "{lang}/{name} is not in LANGUAGES");
            }
            for (file, text) in *files {
                if let Err((_, errors)) = FluentResource::try_new((*text).to_owned()) {
                    panic!("{lang}/{file}: {errors:?}");
                }
            }
        }
    }

    #[test]
    fn no_key_comes_twice() {
        let mut seen = BTreeSet::new();
        let twice: Vec<_> = ids().filter(|id| !seen.insert(*id)).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let loaded = words("en");
        assert!(ids().all(|id| loaded.bundle.has_message(id)));
    }

    #[test]
    fn arguments_keep_every_digit_and_plurals_work() {
        let en = words("en");
        assert_eq!(en.with("count-accounts", &[("n", "1")]), "1 account");
        assert_eq!(en.with("count-accounts", &[("n", "1363")]), "1363 accounts");
        let long = "1100000000000000001";
        assert_eq!(en.with("owner-ham-xm", &[("owner", long)]), format!("{long} (incl. XM)"));
        assert_eq!(en.with("owner-ham-xm", &[("owner", "007")]), "007 (incl. XM)");
    }

    #[test]
    fn unknown_languages_read_english_and_unknown_keys_themselves() {
        assert_eq!(words("tlh-KL").text("run-status-queued"), "queued");
        assert_eq!(words("en-GB").lang(), "en");
        assert_eq!(words("en").text("no-such-text"), "no-such-text");
        assert!(!words("en").knows("no-such-text"));
        let message = Message::new("owner-ham-xm").with("owner", "Ham");
        assert_eq!(words("en").message(&message), "Ham (incl. XM)");
        assert_eq!(isolating("en").message(&message), "\u{2068}Ham\u{2069} (incl. XM)");
    }

    #[test]
    fn the_words_of_the_model_have_texts() {
        use crate::model::{Disposition::*, owner::Rule};
        let en = words("en");
        for disposition in [Created, Updated, Unchanged, Duplicate, Excluded, Rejected] {
            assert!(en.knows(&format!("disposition-{}", disposition.word())));
        }
        for rule in [Rule::WholeSystem, Rule::Map, Rule::System, Rule::Nothing] {
            assert!(en.knows(&format!("owner-rule-{}", rule.word())));
        }
    }
}
