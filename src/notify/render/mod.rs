//! Renders a [`Notification`] as a [`Message`], which people read. Stands between the dispatcher and the notifiers.
//!
//! ```text
//! Notification --context--> Values --templates (en.jinja, fr.jinja)--> Digest --+--> mail.txt, mail.html
//!                                                                               +--> card, slack
//!                       AlertContext::trend --chart--> PNG
//! ```
//!
//! Every sentence is a macro of the language's template, so that a directory of the configuration can replace any of
//! them; filters write numbers, times and plurals. `Digest` is plain text: each form does its own escaping.

mod card;
mod chart;
mod context;
mod digest;
mod escape;
mod filters;
mod format;
mod message;
mod reduced;
mod sample;
mod sentences;
mod slack;
mod templates;
mod trend;

pub use card::MAX_BYTES as CARD_BYTES;
pub(crate) use escape::{clip, line, link, markdown};
pub(crate) use filters::add as add_filters;
pub(crate) use format::{clock, days, duration, number, percent, percent_range, typography};
pub use message::{CHART_CID, Message};
pub use sample::sample;
pub(crate) use templates::wording;
pub use templates::{Style, TemplateError, Templates};

use super::{MessageForm, Notification};
use crate::language::Language;
use digest::Digest;
use sentences::Sentences;

/// Renders the notification. Never fails: where a template of the configuration does, the embedded one is used, and
/// [`Message::template_errors`] says so.
pub fn render(notification: &Notification, language: Language, templates: &Templates) -> Message {
    let mut sentences = Sentences::new(notification, language, templates);
    let digest = Digest::new(notification, &mut sentences);
    // A receiver refused the message as it is: it gets less of it.
    match notification.form {
        MessageForm::Full => {}
        MessageForm::Short => return whole(reduced::short(digest), sentences, None),
        MessageForm::Plain => return reduced::plain(digest, sentences.into_errors()),
    }
    let chart_png = chart::draw(notification, &digest, language, templates.style());
    whole(digest, sentences, chart_png)
}

/// The message in every form of the integrations.
fn whole(digest: Digest, mut sentences: Sentences<'_>, chart_png: Option<Vec<u8>>) -> Message {
    let text = sentences.page("mail.txt", &digest, false);
    let html = sentences.page("mail.html", &digest, chart_png.is_some());
    let (card, slack) = (card::card(&digest), slack::blocks(&digest));
    let Digest { lang, subject, summary, chart_alt, link, .. } = digest;
    let chart_alt = if chart_png.is_some() { chart_alt } else { String::new() };
    let template_errors = sentences.into_errors();
    Message { lang, subject, summary, text, html, chart_png, chart_alt, card, slack, url: link, template_errors }
}

#[cfg(test)]
mod tests;
