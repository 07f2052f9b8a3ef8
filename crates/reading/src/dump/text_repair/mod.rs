//! [`repair_text`]: undoes what tools do to texts before vigie sees them: Python's bytes literals, texts decoded twice, HTML.
//! Called by `RowBuilder` for every layout; a text without such a sign is not copied.

mod bytes_literal;
mod html;
mod mojibake;

use std::borrow::Cow;

use super::notes::NoteKind;

/// The text as its author wrote it. Each repair is passed to `note`.
pub(super) fn repair_text<'a>(text: Cow<'a, str>, mut note: impl FnMut(NoteKind)) -> Cow<'a, str> {
    let mut text = text;
    let mut apply = |kind, repair: fn(&str) -> Option<String>, text: &mut Cow<'a, str>| {
        // What has nothing but a sign, such as "<A>", is a text.
        if let Some(repaired) = repair(text).filter(|repaired| !repaired.trim().is_empty()) {
            *text = Cow::Owned(repaired);
            note(kind);
        }
    };
    // In the order in which the damage was not done: the last is undone first.
    if bytes_literal::may_be(&text) {
        apply(NoteKind::BytesLiteral, bytes_literal::decode, &mut text);
    }
    if !text.is_ascii() {
        apply(NoteKind::Mojibake, mojibake::repair, &mut text);
    }
    if text.contains('<') {
        apply(NoteKind::Html, html::to_plain, &mut text);
    }
    text
}
