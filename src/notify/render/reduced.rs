//! Smaller forms of a message, for a receiver that refuses the whole one: without what may be too long, too many or not
//! understood.

use serde_json::json;

use super::Message;
use super::digest::{Digest, Section};
use super::escape::{markdown, mrkdwn};

/// Headline, state, facts and links: no posts, words, lists or reasons.
pub(super) fn short(digest: Digest) -> Digest {
    fn empty<T>(section: &mut Section<T>) {
        section.items.clear();
    }
    let mut digest = Digest { spark: None, ..digest };
    empty(&mut digest.others);
    empty(&mut digest.reasons);
    empty(&mut digest.words);
    empty(&mut digest.samples);
    empty(&mut digest.why);
    digest
}

/// The summary and the link, as text without layout. No template takes part.
pub(super) fn plain(digest: Digest, template_errors: Vec<String>) -> Message {
    let Digest { lang, subject, summary, link, .. } = digest;
    let lines: Vec<&str> = [summary.as_str()].into_iter().chain(link.as_deref()).collect();
    let text = lines.join("\n");
    let card = json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.2",
        "body": [{"type": "TextBlock", "text": markdown(&text), "wrap": true}],
    });
    let slack = json!({"text": mrkdwn(&text)});
    Message {
        lang,
        subject,
        summary,
        text,
        html: String::new(),
        chart_png: None,
        chart_alt: String::new(),
        card,
        slack,
        url: link,
        template_errors,
    }
}
