//! Small parts that many pages show: states, figures, messages.

use askama::Template;

use crate::model::{Disposition, Message, RunStatus, StageStatus};
use crate::sync::health::Health;
use crate::words::Words;

/// A state by icon, word and colour.
#[derive(Template, Clone)]
#[template(path = "part/state.html")]
pub struct State {
    tone: &'static str,
    icon: &'static str,
    text: String,
}

impl State {
    pub(super) fn new(words: &Words, id: &str, tone: &'static str, icon: &'static str) -> State {
        State { tone, icon, text: words.text(id) }
    }

    /// How a system is.
    pub fn health(health: Health, words: &Words) -> State {
        let (tone, icon) = match health {
            Health::Healthy => ("good", "check"),
            Health::Running => ("busy", "turn"),
            Health::Late => ("warn", "clock"),
            Health::Incomplete => ("bad", "gap"),
            Health::NeedsYou => ("bad", "hand"),
            Health::Paused => ("calm", "pause"),
        };
        State::new(words, &format!("health-{}", health.word()), tone, icon)
    }

    /// How a run is.
    pub fn run(status: RunStatus, words: &Words) -> State {
        let (tone, icon) = run_look(status);
        State::new(words, &format!("run-status-{}", status.word()), tone, icon)
    }

    /// How a stage is.
    pub fn stage(status: StageStatus, words: &Words) -> State {
        let (tone, icon) = match status {
            StageStatus::Waiting => ("calm", "dots"),
            StageStatus::Running => ("busy", "turn"),
            StageStatus::Succeeded => ("good", "check"),
            StageStatus::Incomplete => ("bad", "gap"),
            StageStatus::Failed => ("bad", "cross"),
        };
        State::new(words, &format!("web-stage-{}", status.word()), tone, icon)
    }

    /// How a case is.
    pub fn case(state: &str, words: &Words) -> State {
        let (id, tone, icon) = match state {
            "open" => ("web-case-open", "bad", "hand"),
            "decided" => ("web-case-decided", "good", "check"),
            _ => ("web-case-settled", "calm", "check"),
        };
        State::new(words, id, tone, icon)
    }

    /// Whether it says that something is wrong.
    pub fn is_bad(&self) -> bool {
        self.tone == "bad"
    }

    /// Whether two sides say the same.
    pub fn equal(yes: bool, words: &Words) -> State {
        match yes {
            true => State::new(words, "web-equal", "good", "check"),
            false => State::new(words, "web-differs", "bad", "gap"),
        }
    }

    /// Whether something adds up; `None` = not known yet.
    pub fn agrees(yes: Option<bool>, words: &Words) -> State {
        match yes {
            Some(true) => State::new(words, "web-adds-up", "good", "check"),
            Some(false) => State::new(words, "web-does-not-add-up", "bad", "gap"),
            None => State::new(words, "web-not-all-read", "calm", "dots"),
        }
    }
}

/// Colour and icon of a run.
pub fn run_look(status: RunStatus) -> (&'static str, &'static str) {
    match status {
        RunStatus::Queued => ("calm", "dots"),
        RunStatus::Running => ("busy", "turn"),
        RunStatus::Succeeded => ("good", "check"),
        RunStatus::Incomplete => ("bad", "gap"),
        RunStatus::Failed => ("bad", "cross"),
        RunStatus::Cancelled => ("calm", "stop"),
    }
}

/// A figure of a table, with its link if there is something behind it.
#[derive(Template, Clone, Default)]
#[template(path = "part/figure.html")]
pub struct Figure {
    text: String,
    href: Option<String>,
    tone: &'static str,
}

impl Figure {
    /// A figure as written.
    pub fn plain(text: String) -> Figure {
        Figure { text, ..Figure::default() }
    }

    /// A figure that leads somewhere, unless it is zero: then there is nothing to see.
    pub fn count(value: i64, href: impl Into<String>) -> Figure {
        let href = (value != 0).then(|| href.into());
        let tone = if value == 0 { "zero" } else { "" };
        Figure { text: super::show::number(value), href, tone }
    }

    /// A count of what should not be: loud unless it is zero.
    pub fn loss(value: i64, href: impl Into<String>) -> Figure {
        let mut figure = Figure::count(value, href);
        if value != 0 {
            figure.tone = "loud";
        }
        figure
    }

    /// Marks it as a difference.
    #[must_use]
    pub fn loud(mut self, loud: bool) -> Figure {
        self.tone = if loud { "loud" } else { "zero" };
        self
    }
}

/// A disposition in words.
pub fn disposition(disposition: Disposition, words: &Words) -> String {
    words.text(&format!("disposition-{}", disposition.word()))
}

/// A message that was stored, in words; as it is when it is none.
pub fn stored_message(text: &str, words: &Words) -> String {
    serde_json::from_str::<Message>(text).map_or_else(|_| text.to_owned(), |message| words.message(&message))
}

/// A stream in words.
pub fn stream(name: &str, words: &Words) -> String {
    let id = format!("stage-{name}");
    if words.knows(&id) { words.text(&id) } else { name.to_owned() }
}
