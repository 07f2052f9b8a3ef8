//! [`comparable_text`] reduces a text to what its copies share, so that reposts by hand are recognised: lower-case words
//! between single spaces, without links, mentions and punctuation, and without the comment before an `RT @name:` or a quoted
//! `"@name:`.

use super::normalise::normalise;
use super::scan::{Piece, scan};

/// The words of a text, for comparison with other texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComparableText {
    pub words: String,
    /// The text itself marks these words as a quotation.
    pub quoted: bool,
}

/// The words of `text`, or of the text that it reposts or quotes.
pub fn comparable_text(text: &str) -> ComparableText {
    let normal = normalise(text);
    let (mut before, mut words) = (String::new(), String::with_capacity(normal.len()));
    let (mut is_marked, mut quoted) = (false, false);
    scan(&normal, |piece| match piece {
        Piece::Text(text) => {
            push_words(&mut words, text);
            is_marked = introduces_quote(text);
        }
        Piece::Mention if is_marked => {
            before = std::mem::take(&mut words);
            let kept = before.strip_suffix("rt").filter(|kept| kept.is_empty() || kept.ends_with(' '));
            before.truncate(kept.map_or(before.len(), |kept| kept.trim_end().len()));
            (is_marked, quoted) = (false, true);
        }
        Piece::Mention | Piece::Link | Piece::Email(_) => is_marked = false,
    });
    if words.contains(' ') || before.is_empty() {
        ComparableText { words, quoted }
    } else {
        ComparableText { words: before, quoted: false }
    }
}

fn push_words(words: &mut String, text: &str) {
    let mut in_word = false;
    for c in text.chars() {
        if c.is_alphanumeric() {
            if !in_word && !words.is_empty() {
                words.push(' ');
            }
            in_word = true;
            words.extend(c.to_lowercase());
        } else if !matches!(c, '\'' | '\u{2019}' | '\u{2BC}') {
            in_word = false;
        }
    }
}

/// Whether a mention directly after `text` names the quoted author.
fn introduces_quote(text: &str) -> bool {
    let text = text.trim_end();
    let word = text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    word.eq_ignore_ascii_case("rt") || text.ends_with(['"', '\u{201C}', '\u{AB}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoration_and_comments_are_removed() {
        let compare = |text: &str| {
            let ComparableText { words, quoted } = comparable_text(text);
            (words, quoted)
        };
        for (text, words, quoted) in [
            ("Our fleet's on fleek. http://t.co/x", "our fleets on fleek", false),
            ("RT @JetBlue: Our fleet's on fleek. http://t.co/x", "our fleets on fleek", true),
            ("lol RT @JetBlue: Our fleet's on fleek!", "our fleets on fleek", true),
            ("\u{201C}@JetBlue: Our fleet\u{2019}s on fleek.\u{201D} why", "our fleets on fleek why", true),
            ("a RT @b: one two RT @c: three four", "three four", true),
            ("Retardé &amp; annulé, @AirParadis !!", "retardé annulé", false),
            ("start @united it now", "start it now", false),
            ("my own words RT @united", "my own words", false),
            ("@united", "", false),
            ("", "", false),
        ] {
            assert_eq!(compare(text), (words.to_owned(), quoted), "{text}");
        }
    }
}
