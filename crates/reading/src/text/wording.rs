//! What a text says, for telling copies: lower-case words between single spaces, without links, mentions and punctuation,
//! and without what stands before an `RT @name:` or a quoted `"@name:`, which is only how somebody passes it on.

use super::normalise::normalise;
use super::scan::{Piece, scan};

/// The words of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    pub words: String,
    /// The text says itself that these are another's words.
    pub quoted: bool,
}

/// The words of `text`, or, where it passes another's on, of that other.
pub fn wording(text: &str) -> Wording {
    let normal = normalise(text);
    let (mut before, mut words) = (String::new(), String::with_capacity(normal.len()));
    let (mut marked, mut quoted) = (false, false);
    scan(&normal, |piece| match piece {
        Piece::Text(text) => {
            push_words(&mut words, text);
            marked = passes_on(text);
        }
        Piece::Mention if marked => {
            before = std::mem::take(&mut words);
            let kept = before.strip_suffix("rt").filter(|kept| kept.is_empty() || kept.ends_with(' '));
            before.truncate(kept.map_or(before.len(), |kept| kept.trim_end().len()));
            (marked, quoted) = (false, true);
        }
        Piece::Mention | Piece::Link | Piece::Email(_) => marked = false,
    });
    if words.contains(' ') || before.is_empty() {
        Wording { words, quoted }
    } else {
        Wording { words: before, quoted: false }
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

/// Whether a mention right behind `text` names who is passed on.
fn passes_on(text: &str) -> bool {
    let text = text.trim_end();
    let word = text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    word.eq_ignore_ascii_case("rt") || text.ends_with(['"', '\u{201C}', '\u{AB}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoration_and_who_passes_it_on_go() {
        let says = |text: &str| {
            let wording = wording(text);
            (wording.words, wording.quoted)
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
            assert_eq!(says(text), (words.to_owned(), quoted), "{text}");
        }
    }
}
