//! [`CsvFraming`]: finds where a record of CSV ends. `record_splitter` feeds it chunk by chunk. [`LineFraming`] finds the
//! end of a line, for what stands before a header.

use memchr::{memchr, memchr2, memchr3};

use super::dialect::Dialect;
use crate::dump::framing::Framing;

/// As RFC 4180, and lenient: a quote opens only at the start of a field, and closes only before a delimiter or a line end.
/// CR, LF and CRLF each end a record. `CsvFields` splits by the same rules.
#[derive(Debug, Clone)]
pub struct CsvFraming {
    dialect: Dialect,
    state: State,
    /// The last byte of the chunk before.
    last: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// In a quoted field, inside a quotation that is not doubled: `"he said "hi" to me"`.
    Inner,
    /// After a quote in a quoted field: the end of the field, or the first half of a doubled quote.
    QuoteSeen {
        opens: bool,
        inner: bool,
    },
    /// After an escape character.
    Escaped {
        quoted: bool,
    },
    /// After a carriage return that ended the record.
    Returned,
}

impl CsvFraming {
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, state: State::FieldStart, last: 0 }
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn step(&self, byte: u8, before: u8) -> State {
        use State::{Escaped, FieldStart, Inner, Plain, QuoteSeen, Quoted, Returned};
        let is_quote = self.dialect.quote == Some(byte);
        if self.dialect.escape == Some(byte) && !matches!(self.state, QuoteSeen { .. } | Escaped { .. }) {
            return Escaped { quoted: matches!(self.state, Quoted | Inner) };
        }
        match self.state {
            Quoted | Inner if is_quote => QuoteSeen { opens: is_before_word(before), inner: self.state == Inner },
            Escaped { quoted: true } | Quoted => Quoted,
            Escaped { quoted: false } => Plain,
            Inner => Inner,
            FieldStart if is_quote => Quoted,
            QuoteSeen { inner, .. } if is_quote => {
                if inner {
                    Inner
                } else {
                    Quoted
                }
            }
            _ if byte == b'\r' => Returned,
            _ if byte == self.dialect.delimiter => FieldStart,
            QuoteSeen { inner: true, .. } => Quoted,
            // `"he said "hi": a quotation within the field, and the field goes on.
            QuoteSeen { opens: true, .. } if !byte.is_ascii_whitespace() => Inner,
            // `"soon" they say`: the quotes are part of the text, and the field ends at the next delimiter.
            _ => Plain,
        }
    }

    /// Number of bytes that do not change the state.
    fn run(&self, bytes: &[u8]) -> usize {
        let Dialect { delimiter, quote, escape } = self.dialect;
        let found = match (self.state, quote, escape) {
            (State::Plain, _, None) => memchr3(delimiter, b'\n', b'\r', bytes),
            (State::Plain, _, Some(escape)) => {
                bytes.iter().position(|byte| [delimiter, b'\n', b'\r', escape].contains(byte))
            }
            (State::Quoted | State::Inner, Some(quote), None) => memchr(quote, bytes),
            (State::Quoted | State::Inner, Some(quote), Some(escape)) => memchr2(quote, escape, bytes),
            _ => Some(0),
        };
        found.unwrap_or(bytes.len())
    }

    fn in_quotes(&self) -> bool {
        matches!(self.state, State::Quoted | State::Inner | State::Escaped { .. })
    }
}

/// Whether a quote after this byte opens a quotation rather than closes one.
pub(super) fn is_before_word(before: u8) -> bool {
    // Not a tab or a line end: there a field begins.
    matches!(before, b' ' | b'(' | b'[')
}

impl Framing for CsvFraming {
    /// Long posts reach 100 kB in UTF-8.
    const MAX_BYTES: usize = 1 << 18;
    const REJECTS_BY_LINE: bool = true;

    fn reset(&mut self) {
        self.state = State::FieldStart;
    }

    fn scan(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = chunk.get(at).copied() {
            if byte == b'\n' && !self.in_quotes() {
                return Some(at + 1);
            }
            let before = at.checked_sub(1).and_then(|before| chunk.get(before)).copied().unwrap_or(self.last);
            self.state = self.step(byte, before);
            at += 1;
            match self.state {
                State::Returned => return Some(at + usize::from(chunk.get(at) == Some(&b'\n'))),
                State::Quoted | State::Inner | State::Plain => at += self.run(&chunk[at..]),
                _ => {}
            }
        }
        self.last = chunk.last().copied().unwrap_or(self.last);
        None
    }

    fn is_open(&self) -> bool {
        self.in_quotes()
    }
}

/// Each line is a record.
#[derive(Debug, Default)]
pub struct LineFraming;

impl Framing for LineFraming {
    const MAX_BYTES: usize = 1 << 18;
    const REJECTS_BY_LINE: bool = true;

    fn reset(&mut self) {}

    fn scan(&mut self, chunk: &[u8]) -> Option<usize> {
        let end = memchr2(b'\n', b'\r', chunk)? + 1;
        Some(end + usize::from(chunk[end - 1] == b'\r' && chunk.get(end) == Some(&b'\n')))
    }

    fn is_open(&self) -> bool {
        false
    }
}
