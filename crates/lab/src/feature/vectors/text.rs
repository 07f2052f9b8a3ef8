//! The text formats: one line per word with its values, with word2vec's header or, as in GloVe, without.

use std::collections::HashSet;
use std::io::{Read, Write};

use super::bytes::VectorSource;
use super::{MAX_WIDTH, ReadError, Vectors, read_header, shown};

pub(super) fn read_word2vec(
    source: &mut VectorSource<impl Read>,
    keep: &dyn Fn(&str) -> bool,
) -> Result<Vectors, ReadError> {
    let (words, width) = read_header(source)?;
    let mut kept = KeptVectors::new(width, keep);
    for read in 0..words {
        let Some(line) = source.line()? else {
            let reason = format!("the file ends after {read} words; its header says {words}: it is truncated");
            return Err(source.broken(reason));
        };
        kept.read(&line, source)?;
    }
    while let Some(line) = source.line()? {
        if !line.trim().is_empty() {
            return Err(source.broken(format!("more than the {words} words of the header")));
        }
    }
    Ok(kept.vectors)
}

pub(super) fn read_glove(
    source: &mut VectorSource<impl Read>,
    keep: &dyn Fn(&str) -> bool,
) -> Result<Vectors, ReadError> {
    let Some(first) = source.line()? else { return Err(source.broken("empty; expected word vectors".into())) };
    let width = first.trim_end().split(' ').count().saturating_sub(1);
    if !(1..=MAX_WIDTH).contains(&width) {
        let expected = format!("expected a word and 1 to {MAX_WIDTH} values between spaces");
        return Err(source.broken(format!("found {}; {expected}", shown(&first))));
    }
    let mut kept = KeptVectors::new(width, keep);
    kept.read(&first, source)?;
    while let Some(line) = source.line()? {
        kept.read(&line, source)?;
    }
    Ok(kept.vectors)
}

/// The vectors kept so far, and the words that are kept.
struct KeptVectors<'a> {
    vectors: Vectors,
    seen: HashSet<String>,
    keep: &'a dyn Fn(&str) -> bool,
}

impl<'a> KeptVectors<'a> {
    fn new(width: usize, keep: &'a dyn Fn(&str) -> bool) -> Self {
        Self { vectors: Vectors { width, ..Vectors::default() }, seen: HashSet::new(), keep }
    }

    /// The last `width` fields are values, the text before them is the word. The first of two equal words counts.
    fn read(&mut self, line: &str, source: &VectorSource<impl Read>) -> Result<(), ReadError> {
        let width = self.vectors.width;
        let line = line.trim_end_matches(['\n', '\r', ' ']);
        let Some((at, _)) = line.rmatch_indices(' ').nth(width - 1) else {
            let found = line.split(' ').count() - 1;
            return Err(
                source.broken(format!("{found} values; expected a word and {width} values, like the lines before"))
            );
        };
        let (word, values) = line.split_at(at);
        let from = self.vectors.values.len();
        let is_new = (self.keep)(word) && !self.seen.contains(word);
        for (column, field) in values.split(' ').skip(1).enumerate() {
            match field.parse::<f32>().ok().filter(|value| value.is_finite()) {
                Some(value) if is_new => self.vectors.values.push(value),
                Some(_) => (),
                None => {
                    self.vectors.values.truncate(from);
                    let reason = format!("value {} is {}; expected a finite number", column + 1, shown(field));
                    return Err(source.broken(reason));
                }
            }
        }
        if is_new {
            self.seen.insert(word.to_owned());
            self.vectors.words.push(word.to_owned());
        }
        Ok(())
    }
}

pub(super) fn write(vectors: &Vectors, out: &mut impl Write) -> std::io::Result<()> {
    for (word, values) in vectors.rows() {
        out.write_all(word.as_bytes())?;
        for value in values {
            write!(out, " {value}")?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
