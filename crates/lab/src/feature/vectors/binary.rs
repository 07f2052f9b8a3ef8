//! word2vec's binary format.

use std::collections::HashSet;
use std::io::{BufRead, Read, Write};

use super::bytes::VectorSource;
use super::{Position, ReadError, Vectors, read_header};

/// A file read with the wrong width soon shows a longer word.
const MAX_WORD_BYTES: u64 = 4096;

pub(super) fn read(source: &mut VectorSource<impl Read>, keep: &dyn Fn(&str) -> bool) -> Result<Vectors, ReadError> {
    let (words, width) = read_header(source)?;
    let mut vectors = Vectors { width, ..Vectors::default() };
    let mut seen = HashSet::new();
    let mut values = vec![0; 4 * width];
    for number in 1..=words {
        let broken = |reason: String| ReadError::Broken(Position::Word(number), reason);
        let word = read_word(source.bytes(), words).map_err(|error| match error {
            WordError::Io(cause) => ReadError::Io(cause),
            WordError::Broken(reason) => broken(reason),
        })?;
        source.bytes().read_exact(&mut values).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                broken(format!("the file ends within its {width} values: it is truncated"))
            }
            _ => ReadError::Io(cause),
        })?;
        let (fields, _) = values.as_chunks::<4>();
        let mut read = fields.iter().map(|bytes| f32::from_le_bytes(*bytes));
        if let Some(column) = read.clone().position(|value| !value.is_finite()) {
            return Err(broken(format!("value {} is not a finite number", column + 1)));
        }
        if keep(&word) && !seen.contains(&word) {
            vectors.values.extend(&mut read);
            vectors.words.push(word.clone());
            seen.insert(word);
        }
    }
    let mut rest = Vec::new();
    source.bytes().take(2).read_to_end(&mut rest)?;
    if rest.iter().any(|byte| *byte != b'\n') {
        return Err(ReadError::Broken(Position::Word(words + 1), format!("more than the {words} words of the header")));
    }
    Ok(vectors)
}

enum WordError {
    Io(std::io::Error),
    Broken(String),
}

/// Reads a word up to its space. Some writers end a word's values with a line break, which then precedes the next word.
fn read_word(bytes: &mut impl BufRead, words: u64) -> Result<String, WordError> {
    let mut word = Vec::new();
    let read = bytes.take(MAX_WORD_BYTES).read_until(b' ', &mut word).map_err(WordError::Io)?;
    if word.pop() != Some(b' ') {
        let ended = (read as u64) < MAX_WORD_BYTES;
        return Err(WordError::Broken(if ended {
            format!("the file ends here; its header says {words} words: it is truncated")
        } else {
            format!(
                "no space within {MAX_WORD_BYTES} bytes: not a word; the header's width is wrong or the file is damaged"
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
