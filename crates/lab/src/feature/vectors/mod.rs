//! [`Vectors`]: word vectors in files: read if they were trained elsewhere, written if they were trained here.
//!
//! ```text
//! word2vec text     "<words> <width>\n", then one line per word: the word and its values, separated by spaces
//! word2vec binary   "<words> <width>\n", then for each word: the word, a space, `width` little-endian f32, often "\n"
//! GloVe             one line per word, no header; a word may contain spaces (glove.840B has `. . .`)
//! ```
//!
//! Each may be compressed with gzip. Only the selected words are kept: memory does not grow with the file.

mod binary;
mod bytes;
mod text;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bytes::VectorSource;

/// Maximum number of values per word.
pub const MAX_WIDTH: usize = 4096;

/// Words and their vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    pub words: Vec<String>,
    /// Values per word.
    pub width: usize,
    /// Row-major, `[words, width]`; finite.
    pub values: Vec<f32>,
}

/// The layout of a vectors file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorFormat {
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
    Broken { path: PathBuf, place: Position, reason: String },
    #[error(
        "{word:?} cannot be written as {format:?}: a word must not be empty or contain a line break, and only GloVe's format allows spaces"
    )]
    Word { word: String, format: VectorFormat },
}

/// The position of an error in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Counted from 1.
    Line(u64),
    /// Counted from 1; binary files have no lines.
    Word(u64),
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Word(word) => write!(f, "word {word}"),
        }
    }
}

/// An error while a stream is read, without the path, which the caller adds.
#[derive(Debug)]
enum ReadError {
    Io(std::io::Error),
    Broken(Position, String),
}

impl From<std::io::Error> for ReadError {
    fn from(cause: std::io::Error) -> Self {
        Self::Io(cause)
    }
}

impl ReadError {
    fn with_path(self, path: &Path) -> VectorsError {
        let path = path.to_path_buf();
        match self {
            Self::Io(cause) => VectorsError::Io { path, cause },
            Self::Broken(place, reason) => VectorsError::Broken { path, place, reason },
        }
    }
}

impl Vectors {
    /// Reads the vectors of the words that `keep` selects; the format is detected.
    pub fn read(path: &Path, keep: impl Fn(&str) -> bool) -> Result<Self, VectorsError> {
        let file = File::open(path).map_err(|cause| VectorsError::Io { path: path.to_path_buf(), cause })?;
        Self::from_bytes(path, file, None, keep)
    }

    /// Like [`Vectors::read`], from bytes; `path` is for messages, `format` skips the detection.
    pub fn from_bytes(
        path: &Path,
        bytes: impl Read,
        format: Option<VectorFormat>,
        keep: impl Fn(&str) -> bool,
    ) -> Result<Self, VectorsError> {
        Self::parse(bytes, format, &keep).map_err(|error| error.with_path(path))
    }

    fn parse(bytes: impl Read, format: Option<VectorFormat>, keep: &dyn Fn(&str) -> bool) -> Result<Self, ReadError> {
        let mut source = VectorSource::open(bytes)?;
        match format.map_or_else(|| source.format(), Ok)? {
            VectorFormat::Word2VecText => text::read_word2vec(&mut source, keep),
            VectorFormat::Word2VecBinary => binary::read(&mut source, keep),
            VectorFormat::Glove => text::read_glove(&mut source, keep),
        }
    }

    /// Writes all vectors as `format`; reading them returns the same bits.
    pub fn write(&self, format: VectorFormat, out: &mut impl Write) -> Result<(), VectorsError> {
        let unwritable = |(index, word): &(usize, &String)| !fits(word, format, *index);
        if let Some((_, word)) = self.words.iter().enumerate().find(unwritable) {
            return Err(VectorsError::Word { word: word.clone(), format });
        }
        let written = match format {
            VectorFormat::Word2VecBinary => binary::write(self, out),
            VectorFormat::Word2VecText => {
                writeln!(out, "{} {}", self.words.len(), self.width).and_then(|()| text::write(self, out))
            }
            VectorFormat::Glove => text::write(self, out),
        };
        written.map_err(|cause| VectorsError::Io { path: PathBuf::from("vectors"), cause })
    }

    fn rows(&self) -> impl Iterator<Item = (&String, &[f32])> {
        self.words.iter().zip(self.values.chunks(self.width.max(1)))
    }
}

/// Whether a word can be separated from its values when it is read again. In GloVe's format the first line sets the
/// width.
fn fits(word: &str, format: VectorFormat, index: usize) -> bool {
    let spaces = format == VectorFormat::Glove && index > 0;
    let splits = |c: char| c.is_whitespace() && !(spaces && c == ' ');
    !word.is_empty() && word.trim() == word && !word.contains(splits)
}

/// The number of words and the width in the header of a word2vec file.
fn header(line: &str) -> Option<(u64, usize)> {
    let (words, width) = line.trim_end().split_once(' ')?;
    let width = width.parse().ok().filter(|width| (1..=MAX_WIDTH).contains(width))?;
    Some((words.parse().ok()?, width))
}

/// Reads the header of a word2vec file.
fn read_header(source: &mut VectorSource<impl Read>) -> Result<(u64, usize), ReadError> {
    let line = source.line()?.unwrap_or_default();
    header(&line).ok_or_else(|| {
        let expected =
            format!("expected the number of words and of values per word (1 to {MAX_WIDTH}), such as `400000 50`");
        ReadError::Broken(Position::Line(1), format!("found {}; {expected}", shown(&line)))
    })
}

/// The beginning of what was found, for messages.
fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    let start: String = text.trim_end_matches(['\n', '\r']).chars().take(MAX_CHARS).collect();
    if text.chars().nth(MAX_CHARS).is_some() { format!("{start:?}...") } else { format!("{start:?}") }
}

#[cfg(test)]
mod tests;
