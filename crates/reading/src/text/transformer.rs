//! The `transformer` profile: users become `@user` and links `http`, as in the training data of TweetEval's models.
//!
//! Emoji, case, accents, hashtags and punctuation are kept, because the tokenizer handles them. E-mail addresses are kept too:
//! they are not users of the platform.

use super::scan::{Piece, scan};

pub(super) fn render(normal: &str) -> String {
    let mut out = String::with_capacity(normal.len() + 8);
    scan(normal, |piece| match piece {
        Piece::Text(text) | Piece::Email(text) => out.push_str(text),
        Piece::Mention => out.push_str("@user"),
        Piece::Link => {
            if out.ends_with(char::is_alphanumeric) {
                out.push(' ');
            }
            out.push_str("http");
        }
    });
    out
}
