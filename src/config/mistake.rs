//! What is wrong with a configuration file, and where: shown with the line it is about.
//!
//! The text that is shown is made once, with every secret in it covered, and only that text goes
//! into errors; the original never leaves [`Source`].

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use super::mask::Masked;
use crate::model::Message;
use crate::words;

/// Everything found wrong in one configuration file: at least one mistake, in the file's order.
#[derive(Debug, Clone)]
pub struct Error(Vec<Mistake>);

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Mistake {
    message: Message,
    place: Option<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    shown: Arc<NamedSource<String>>,
    span: Range<usize>,
    line: usize,
    column: usize,
}

impl Error {
    /// The mistakes, in the order they stand in the file.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }

    /// An error about the file as a whole.
    pub(super) fn of_file(id: &str, file: &Path, detail: Option<String>) -> Error {
        let message = Message::new(id).with("file", file.display());
        let message = match detail {
            Some(detail) => message.with("detail", detail),
            None => message,
        };
        Error(vec![Mistake { message, place: None }])
    }
}

impl Mistake {
    /// What is wrong, as data.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Line and column in the file, from 1; `None` when it is about the file as a whole.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.place.as_ref().map(|place| (place.line, place.column))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words::words(words::DEFAULT).message(&self.message))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.first().map_or(Ok(()), |first| first.fmt(f))
    }
}

impl std::error::Error for Mistake {}
impl std::error::Error for Error {}

impl Diagnostic for Mistake {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = words::words(words::DEFAULT).aside(&self.message, "help")?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &*place.shown as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let label = words::words(words::DEFAULT).aside(&self.message, "label");
        Some(Box::new(std::iter::once(LabeledSpan::new(label, place.span.start, place.span.len()))))
    }
}

impl Diagnostic for Error {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.first().and_then(Diagnostic::help)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.first().and_then(Diagnostic::source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.first().and_then(Diagnostic::labels)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let rest = self.0.get(1..).filter(|rest| !rest.is_empty())?;
        Some(Box::new(rest.iter().map(|mistake| mistake as &dyn Diagnostic)))
    }
}

/// The mistakes of one file as they are gathered.
pub(super) struct Faults<'a> {
    text: &'a str,
    masked: Masked,
    shown: Arc<NamedSource<String>>,
    found: Vec<(Range<usize>, Mistake)>,
}

impl<'a> Faults<'a> {
    /// Gathers mistakes of the file `name` with the content `text`.
    pub(super) fn new(name: &str, text: &'a str, masked: Masked) -> Faults<'a> {
        let shown = Arc::new(NamedSource::new(name, masked.text.clone()));
        Faults { text, masked, shown, found: Vec::new() }
    }

    /// Adds a mistake at `span`. A second one at the same place only follows from the first and is
    /// left out.
    pub(super) fn add(&mut self, span: Range<usize>, message: Message) {
        if self.found.iter().any(|(other, _)| span.start < other.end && other.start < span.end) {
            return;
        }
        let before = &self.text[..self.text.floor_char_boundary(span.start)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let place = Place {
            shown: Arc::clone(&self.shown),
            span: self.masked.span(&span),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        };
        self.found.push((span, Mistake { message, place: Some(place) }));
    }

    /// The text at `span` as it may be shown.
    pub(super) fn shown(&self, span: &Range<usize>) -> &str {
        self.masked.text.get(self.masked.span(span)).unwrap_or_default().trim()
    }

    /// Where `part` stands within `span`, else all of it.
    pub(super) fn within(&self, span: &Range<usize>, part: &str) -> Range<usize> {
        match self.text.get(span.clone()).and_then(|text| text.find(part)) {
            Some(at) => span.start + at..span.start + at + part.len(),
            None => span.clone(),
        }
    }

    /// The file's mistakes as one error, if there are any.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(span, _)| span.start);
        Err(Error(self.found.into_iter().map(|(_, mistake)| mistake).collect()))
    }
}
