//! The text formats: a word and its values a line, with word2vec's header or, as GloVe has it, without.

use std::collections::HashSet;
use std::io::{Read, Write};

use super::bytes::Source;
use super::{Fault, Vectors, WIDEST, read_header, shown};

pub(super) fn read_word2vec(source: &mut Source<impl Read>, wanted: &dyn Fn(&str) -> bool) -> Result<Vectors, Fault> {
    let (words, width) = read_header(source)?;
    let mut kept = Kept::new(width, wanted);
    for read in 0..words {
        let Some(line) = source.line()? else {
            let reason = format!("the file ends after {read} words; its header says {words}: it was cut short");
            return Err(source.broken(reason));
        };
        kept.read(&line, source)?;
    }
    while let Some(line) = source.line()? {
        if !line.trim().is_empty() {
            return Err(source.broken(format!("a word more than the {words} that the header says")));
        }
    }
    Ok(kept.vectors)
}

pub(super) fn read_glove(source: &mut Source<impl Read>, wanted: &dyn Fn(&str) -> bool) -> Result<Vectors, Fault> {
    let Some(first) = source.line()? else { return Err(source.broken("empty; wanted word vectors".into())) };
    let width = first.trim_end().split(' ').count().saturating_sub(1);
    if !(1..=WIDEST).contains(&width) {
        let wanted = format!("wanted a word and 1 to {WIDEST} values between spaces");
        return Err(source.broken(format!("found {}; {wanted}", shown(&first))));
    }
    let mut kept = Kept::new(width, wanted);
    kept.read(&first, source)?;
    while let Some(line) = source.line()? {
        kept.read(&line, source)?;
    }
    Ok(kept.vectors)
}

/// The words kept so far, and which ones are.
struct Kept<'a> {
    vectors: Vectors,
    seen: HashSet<String>,
    wanted: &'a dyn Fn(&str) -> bool,
}

impl<'a> Kept<'a> {
    fn new(width: usize, wanted: &'a dyn Fn(&str) -> bool) -> Self {
        Self { vectors: Vectors { width, ..Vectors::default() }, seen: HashSet::new(), wanted }
    }

    /// The last `width` fields are values, what stands before them is the word. The first of two equal words counts.
    fn read(&mut self, line: &str, source: &Source<impl Read>) -> Result<(), Fault> {
        let width = self.vectors.width;
        let line = line.trim_end_matches(['\n', '\r', ' ']);
        let Some((at, _)) = line.rmatch_indices(' ').nth(width - 1) else {
            let found = line.split(' ').count() - 1;
            return Err(source.broken(format!("{found} values; wanted a word and {width} values, as the lines before")));
        };
        let (word, values) = line.split_at(at);
        let from = self.vectors.values.len();
        let keep = (self.wanted)(word) && !self.seen.contains(word);
        for (column, field) in values.split(' ').skip(1).enumerate() {
            match field.parse::<f32>().ok().filter(|value| value.is_finite()) {
                Some(value) if keep => self.vectors.values.push(value),
                Some(_) => (),
                None => {
                    self.vectors.values.truncate(from);
                    let reason = format!("value {} is {}; wanted a finite number", column + 1, shown(field));
                    return Err(source.broken(reason));
                }
            }
        }
        if keep {
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
