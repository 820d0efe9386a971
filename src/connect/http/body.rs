//! Reading an answer's body within its bounds, and deciding whether it can be what was asked for.

use std::time::Duration;

use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::Limits;

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// More bytes than allowed, counted after decompression.
    TooLarge,
    /// Slower than the least rate.
    Slow,
    /// The connection or the compression broke.
    Broken(reqwest::Error),
}

/// Reads the whole body, at most `most` bytes.
pub(super) async fn read(mut response: Response, limits: &Limits, most: usize) -> Result<Vec<u8>, Stopped> {
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(Stopped::TooLarge);
    }
    let start = Instant::now();
    let mut body = Vec::new();
    loop {
        let chunk = match due(start, body.len(), limits) {
            Some(due) => timeout_at(due, response.chunk()).await.map_err(|_| Stopped::Slow)?,
            None => response.chunk().await,
        };
        let Some(chunk) = chunk.map_err(Stopped::Broken)? else { return Ok(body) };
        if body.len() + chunk.len() > most {
            return Err(Stopped::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
}

/// When the next byte must have come, after `read` of them.
fn due(start: Instant, read: usize, limits: &Limits) -> Option<Instant> {
    if limits.min_rate == 0 {
        return None;
    }
    let earned = Duration::try_from_secs_f64(read as f64 / limits.min_rate as f64).ok()?;
    start.checked_add(limits.patience)?.checked_add(earned)
}

/// What is wrong with a body that should be JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotText {
    /// Nothing in it.
    Empty,
    /// A web page.
    Html,
    /// A byte order mark, or not UTF-8.
    Encoding,
}

/// The text of a body that should be JSON. That it parses is for the reader of the page to say.
pub(super) fn text(body: Vec<u8>, html: bool) -> Result<String, NotText> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None => return Err(NotText::Empty),
        Some(b'<') => return Err(NotText::Html),
        Some(_) if html => return Err(NotText::Html),
        Some(_) => {}
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        // A firewall's page may begin with a mark too.
        let page = body[3..].trim_ascii_start().starts_with(b"<");
        return Err(if page { NotText::Html } else { NotText::Encoding });
    }
    String::from_utf8(body).map_err(|_| NotText::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_text_passes() {
        for (body, html, expected) in [
            (&b"{\"data\":[]}"[..], false, Ok("{\"data\":[]}".to_owned())),
            (b"", false, Err(NotText::Empty)),
            (b" \r\n", false, Err(NotText::Empty)),
            (b" <!doctype html>", false, Err(NotText::Html)),
            (b"[]", true, Err(NotText::Html)),
            (b"\xef\xbb\xbf[]", false, Err(NotText::Encoding)),
            (b"\xef\xbb\xbf<html>", false, Err(NotText::Html)),
            (b"[\"\xff\"]", false, Err(NotText::Encoding)),
        ] {
            assert_eq!(text(body.to_vec(), html), expected, "{body:?}");
        }
    }

    #[test]
    fn every_byte_earns_time() {
        let limits = Limits { min_rate: 100, patience: Duration::from_secs(1), ..Limits::default() };
        let start = Instant::now();
        assert_eq!(due(start, 0, &limits), Some(start + Duration::from_secs(1)));
        assert_eq!(due(start, 200, &limits), Some(start + Duration::from_secs(3)));
    }
}
