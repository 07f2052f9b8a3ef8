//! word2vec's binary format.

use std::collections::HashSet;
use std::io::{BufRead, Read, Write};

use super::bytes::Source;
use super::{Fault, Place, Vectors, read_header};

/// Longest word, in bytes: a file read by the wrong width soon shows a longer one.
const LONGEST_WORD: u64 = 4096;

pub(super) fn read(source: &mut Source<impl Read>, wanted: &dyn Fn(&str) -> bool) -> Result<Vectors, Fault> {
    let (words, width) = read_header(source)?;
    let mut vectors = Vectors { width, ..Vectors::default() };
    let mut seen = HashSet::new();
    let mut values = vec![0; 4 * width];
    for number in 1..=words {
        let broken = |reason: String| Fault::Broken(Place::Word(number), reason);
        let word = read_word(source.bytes(), words).map_err(|fault| match fault {
            WordFault::Io(cause) => Fault::Io(cause),
            WordFault::Broken(reason) => broken(reason),
        })?;
        source.bytes().read_exact(&mut values).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                broken(format!("the file ends within its {width} values: it was cut short"))
            }
            _ => Fault::Io(cause),
        })?;
        let (fields, _) = values.as_chunks::<4>();
        let mut read = fields.iter().map(|bytes| f32::from_le_bytes(*bytes));
        if let Some(column) = read.clone().position(|value| !value.is_finite()) {
            return Err(broken(format!("value {} is not a finite number", column + 1)));
        }
        if wanted(&word) && !seen.contains(&word) {
            vectors.values.extend(&mut read);
            vectors.words.push(word.clone());
            seen.insert(word);
        }
    }
    let mut rest = Vec::new();
    source.bytes().take(2).read_to_end(&mut rest)?;
    if rest.iter().any(|byte| *byte != b'\n') {
        return Err(Fault::Broken(Place::Word(words + 1), format!("more than the {words} words that the header says")));
    }
    Ok(vectors)
}

enum WordFault {
    Io(std::io::Error),
    Broken(String),
}

/// A word up to its space. Some writers end a word's values with a line break, which then comes before the next.
fn read_word(bytes: &mut impl BufRead, words: u64) -> Result<String, WordFault> {
    let mut word = Vec::new();
    let read = bytes.take(LONGEST_WORD).read_until(b' ', &mut word).map_err(WordFault::Io)?;
    if word.pop() != Some(b' ') {
        let ended = (read as u64) < LONGEST_WORD;
        return Err(WordFault::Broken(if ended {
            format!("the file ends here; its header says {words} words: it was cut short")
        } else {
            format!(
                "no space within {LONGEST_WORD} bytes: not a word, so the header's width is wrong or the file broken"
            )
        }));
    }
    let word = word.strip_prefix(b"\n").unwrap_or(&word);
    Ok(String::from_utf8_lossy(word).into_owned())
}

pub(super) fn write(vectors: &Vectors, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{} {}", vectors.words.len(), vectors.width)?;
    for (word, values) in vectors.rows() {
        write!(out, "{word} ")?;
        for value in values {
            out.write_all(&value.to_le_bytes())?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
