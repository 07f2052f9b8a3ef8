//! Turns a [`Notification`] into a [`Message`]: what people read. Stands between the dispatcher and the notifiers.
//!
//! ```text
//! Notification --context--> Values --templates (en.jinja, fr.jinja)--> Digest --+--> mail.txt, mail.html
//!                                                                               +--> card, slack
//!                       Story::trend --chart--> PNG
//! ```
//!
//! Every sentence is a macro of the language's template, so that a directory of the configuration can replace any of
//! them; numbers, times and plurals are written by filters. `Digest` is plain text: each form escapes it for itself.

mod card;
mod chart;
mod context;
mod digest;
mod escape;
mod filters;
mod format;
mod interval;
mod message;
mod sample;
mod sentences;
mod slack;
mod templates;
mod trend;

pub use card::MOST_BYTES as CARD_BYTES;
pub use message::{CHART_CID, Message};
pub use sample::sample;
pub use templates::{Style, TemplateFault, Templates};

use super::Notification;
use crate::language::Language;
use digest::Digest;
use sentences::Sentences;

/// The notification in words. Never fails: where a template of the configuration does, the embedded one stands in, and
/// [`Message::faults`] says so.
pub fn render(notification: &Notification, language: Language, templates: &Templates) -> Message {
    let mut sentences = Sentences::new(notification, language, templates);
    let digest = Digest::new(notification, &mut sentences);
    let chart_png = chart::draw(notification, &digest, language, templates.style());
    let text = sentences.page("mail.txt", &digest, false);
    let html = sentences.page("mail.html", &digest, chart_png.is_some());
    let (card, slack) = (card::card(&digest), slack::blocks(&digest));
    let Digest { lang, subject, summary, chart_alt, link, .. } = digest;
    let chart_alt = if chart_png.is_some() { chart_alt } else { String::new() };
    let faults = sentences.into_faults();
    Message { lang, subject, summary, text, html, chart_png, chart_alt, card, slack, url: link, faults }
}

#[cfg(test)]
mod tests;
