//! The `classic` and `words` profiles, for TF-IDF and word vectors: lower-case words between single spaces, nothing else.
//!
//! - Links, mentions, e-mail addresses, emoji and punctuation are removed; hashtags keep their word, letters their accents.
//! - Words of digits only are removed; `a320` stays.
//! - Stopwords of both languages are removed, negations stay (see `stopwords`); `words` keeps all of them.
//! - Negations with an apostrophe are kept: `don't` becomes `not` (its auxiliary is removed), `n'est` becomes `ne`.
//! - French elisions (`l'`, `qu'`...) and English clitics (`'s`, `'ll`...) are removed. Any other apostrophe is deleted
//!   (`aujourd'hui` becomes `aujourdhui`): cleaned text contains none, which makes cleaning idempotent.

use super::scan::{Piece, scan};
use super::stopwords::is_stopword;

const ELISIONS: [&str; 14] =
    ["c", "d", "j", "jusqu", "l", "lorsqu", "m", "n", "puisqu", "qu", "quelqu", "quoiqu", "s", "t"];
const CLITICS: [&str; 6] = ["d", "ll", "m", "re", "s", "ve"];

pub(super) fn render(normal: &str, stopwords: Stopwords) -> String {
    let mut writer = WordWriter { out: String::with_capacity(normal.len()), word: String::new(), stopwords };
    scan(normal, |piece| match piece {
        Piece::Text(text) => writer.read(text),
        Piece::Link | Piece::Mention | Piece::Email(_) => writer.end_word(),
    });
    writer.end_word();
    writer.out
}

/// Whether stopwords are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopwords {
    Dropped,
    Kept,
}

/// The words written so far and the word being read: lower case, with straight apostrophes.
struct WordWriter {
    out: String,
    word: String,
    stopwords: Stopwords,
}

impl WordWriter {
    fn read(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_ascii_alphanumeric() {
                self.word.push(c.to_ascii_lowercase());
            } else if matches!(c, '\'' | '\u{2019}' | '\u{2BC}') {
                self.word.push('\'');
            } else if c.is_alphanumeric() {
                self.word.extend(c.to_lowercase());
            } else if is_accent(c) && !self.word.is_empty() {
                self.word.push(c);
            } else {
                self.end_word();
            }
        }
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            let word = std::mem::take(&mut self.word);
            self.write_parts(&word);
            self.word = word;
            self.word.clear();
        }
    }

    /// Writes the parts to keep of a word that may contain apostrophes.
    fn write_parts(&mut self, word: &str) {
        if !word.contains('\'') {
            return self.write(word);
        }
        let mut rest = word.trim_matches('\'');
        while let Some((elided, tail)) = rest.split_once('\'').filter(|(head, _)| ELISIONS.contains(head)) {
            if elided == "n" {
                self.write("ne");
            }
            rest = tail.trim_start_matches('\'');
        }
        while let Some((head, _)) = rest.rsplit_once('\'').filter(|(_, clitic)| CLITICS.contains(clitic)) {
            rest = head.trim_end_matches('\'');
        }
        if rest.ends_with("n't") {
            self.write("not");
        } else {
            self.write(&rest.replace('\'', ""));
        }
    }

    fn write(&mut self, word: &str) {
        let word = word.trim_start_matches(is_accent);
        let dropped = self.stopwords == Stopwords::Dropped && is_stopword(word);
        if dropped || word.chars().all(char::is_numeric) {
            return;
        }
        if !self.out.is_empty() {
            self.out.push(' ');
        }
        self.out.push_str(word);
    }
}

/// Combining accents, for texts that encode `é` as two characters.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}
