//! Sending mail.

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor};

use crate::model::Message;

/// A mail server, and who writes to whom.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// `smtps://user:password@host` or `smtp://host:587`.
    pub server: &'a str,
    /// Whether it may be spoken to without encryption.
    pub allow_plaintext: bool,
    /// Who writes; the user of the server when that is an address, else the first of those written to.
    pub from: Option<&'a str>,
    /// Who is written to.
    pub to: &'a [String],
}

impl Post<'_> {
    /// Sends one mail in plain text to everybody. What the server said of it is not repeated: it may hold
    /// addresses.
    pub async fn send(&self, subject: &str, text: String) -> Result<(), Message> {
        let problem = |what: &str| Message::new("alert-not-mailed").with("problem", what);
        let mut mail = Mail::builder().subject(subject);
        let address = |text: &str| text.parse::<Mailbox>().map_err(|_| problem("an address is not one"));
        mail = mail.from(address(self.from.or(self.to.first().map(String::as_str)).unwrap_or_default())?);
        for to in self.to {
            mail = mail.to(address(to)?);
        }
        let mail = mail.body(text).map_err(|_| problem("the mail cannot be written"))?;
        let url = match self.server.strip_prefix("smtp://") {
            // Without this it would be sent in the open.
            Some(_) if !self.allow_plaintext && !self.server.contains('?') => {
                format!("{}?tls=required", self.server)
            }
            _ => self.server.to_owned(),
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
            .map_err(|_| problem("the setting `smtp` cannot be read"))?
            .build();
        match transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_timeout() => Err(problem("time-out")),
            Err(error) if error.is_permanent() => Err(problem("the server refused it")),
            Err(error) if error.is_transient() => Err(problem("the server put it off")),
            Err(error) if error.is_tls() => Err(problem("no encrypted connection")),
            Err(_) => Err(problem("no connection")),
        }
    }
}
