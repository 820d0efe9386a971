//! How far a run is, for people who wait for it.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::{table, text};
use crate::model::Run;

/// Progress of one run: a bar on a terminal, a line per stage elsewhere.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    system: String,
    stage: String,
}

impl Progress {
    /// Nothing to show yet.
    pub fn new(bars: &MultiProgress, system: &str) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = bars.add(ProgressBar::new(100));
            let style = ProgressStyle::with_template("{prefix:12} {bar:30} {pos:>3} % {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(system.to_owned());
            bar
        });
        Progress { bar, system: system.to_owned(), stage: String::new() }
    }

    /// Shows where the run is now.
    pub fn show(&mut self, run: &Run) {
        let stage = run.stages.iter().rev().find(|stage| stage.passes > 0);
        let line = stage.map_or_else(String::new, |stage| {
            let done = table::count(stage.done);
            match stage.total {
                Some(total) => format!("{} {done} / {}", stage.name, table::count(total)),
                None => format!("{} {done}", stage.name),
            }
        });
        match &self.bar {
            Some(bar) => {
                bar.set_position(run.progress.unsigned_abs());
                bar.set_message(line);
                if run.status.is_over() {
                    bar.finish_with_message(text().text(&format!("run-status-{}", run.status.word())));
                }
            }
            None => {
                let now = stage.map_or_else(String::new, |stage| stage.name.clone());
                if run.status.is_over() {
                    let status = text().text(&format!("run-status-{}", run.status.word()));
                    eprintln!("{}: {status}", self.system);
                } else if now != self.stage {
                    eprintln!("{}: {now} …", self.system);
                    self.stage = now;
                }
            }
        }
    }
}
