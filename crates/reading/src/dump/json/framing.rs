//! [`JsonFraming`] finds the objects of JSON in any layout: one a line, pretty-printed, one behind the other, in a top-level
//! array, after `var x =`. Between `record_splitter`, which feeds it, and [`JsonRows`](super::JsonRows).
//!
//! Brackets, commas and the like between objects separate records, so that an array of any size is read object by object. A
//! page too long to hold is opened the same way: see [`outline`](super::outline).

use super::outline;
use crate::dump::framing::Framing;

/// Pages that may be open at once.
const MAX_PAGES: usize = 8;
/// Bytes of a record that was cut, for a second attempt.
const MAX_WHOLE_BYTES: usize = 1 << 16;
/// Bytes without an object that are skipped at once.
const MAX_SEPARATOR_BYTES: usize = 1 << 16;

/// What follows an object, or precedes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Before an object: only white space, brackets, commas.
    #[default]
    Between,
    /// A name that may be assigned to: `window.YTD.tweets.part0`, or the start of a line without an object.
    Name,
    /// After the `=` or `(` that follows a name.
    Assigned,
    /// A line that does not begin with an object.
    Line,
    Object,
    String,
    /// After a backslash in a string.
    Escape,
    /// After an object, up to the end of its line or the next object.
    After,
    /// What remains of a page after its posts.
    Tail,
}

/// What one record changes for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Pages {
    /// Containers around the posts of each open page.
    levels: [u16; MAX_PAGES],
    open: usize,
    /// Containers of the last page that are still open after its posts.
    tail: u16,
    tail_in_string: bool,
    tail_escaped: bool,
    /// The last byte of the tail that is not white space.
    tail_last: u8,
}

/// One object per record, with what stands before it and, up to the end of the line, behind it. A line with a brace in its
/// first column always begins a new record, and a line end within a string ends one, so that a truncated line does not affect
/// the next.
#[derive(Debug, Default)]
pub struct JsonFraming {
    /// Lines may end within strings and begin with braces: a record that was cut is tried as a whole.
    whole: bool,
    state: State,
    depth: u32,
    at_line_start: bool,
    length: usize,
    object: Option<(usize, usize)>,
    is_cut: bool,
    /// The containers that the record opens, if it is the start of a page too long to hold.
    long_page: Option<u16>,
    /// Before this record.
    before: Pages,
    after: Pages,
}

impl Framing for JsonFraming {
    /// A full page of a thousand posts is about 2 MB.
    const MAX_BYTES: usize = 1 << 23;
    const REJECTS_BY_LINE: bool = false;

    fn reset(&mut self) {
        let (whole, before) = (self.whole, self.before);
        let state = if before.tail > 0 { State::Tail } else { State::Between };
        *self = Self { whole, state, before, after: before, ..Self::default() };
    }

    fn scan(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = 0;
        let max = if self.whole { MAX_WHOLE_BYTES } else { usize::MAX };
        while let Some(byte) = chunk.get(at).copied() {
            if self.length > max {
                return Some(at);
            }
            let line_start = std::mem::take(&mut self.at_line_start);
            let ends = match self.state {
                State::String => {
                    let run = plain_run(chunk.get(at..).unwrap_or_default());
                    if run > 0 {
                        (at, self.length) = (at + run, self.length + run);
                        continue;
                    }
                    self.in_string(byte)
                }
                State::Escape => {
                    self.state = State::String;
                    if byte == b'\n' { self.in_string(byte) } else { None }
                }
                State::Object => self.in_object(byte, line_start),
                State::Between | State::Assigned | State::After => self.between(byte),
                State::Name | State::Line => self.in_line(byte),
                State::Tail => self.in_tail(byte, line_start),
            };
            self.at_line_start = byte == b'\n';
            match ends {
                Some(Ends::Before) => return Some(at),
                Some(Ends::After) => return Some(at + 1),
                None => (at, self.length) = (at + 1, self.length + 1),
            }
        }
        None
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Object | State::String | State::Escape)
    }

    fn split_long(&mut self, record: &[u8]) -> Option<usize> {
        let (start, _) = self.object?;
        let page = outline::long_page(record.get(start..)?)?;
        self.long_page = Some(page.levels);
        Some(start + page.inside)
    }
}

/// Whether a record ends before or after a byte.
enum Ends {
    Before,
    After,
}

impl JsonFraming {
    /// Reads a record that was cut as if its lines had no meaning; for one record.
    pub(super) fn whole(&self) -> Self {
        Self { whole: true, before: self.before, ..Self::default() }
    }

    /// As before, after a record that was read as a whole.
    pub(super) fn into_lines(self) -> Self {
        Self { whole: false, ..self }
    }

    /// Where the object is in the last record; `None` if there is none.
    pub(super) fn object(&self) -> Option<(usize, usize)> {
        self.object
    }

    /// Whether the last record ended before its object did, because of the rules for lines.
    pub(super) fn was_cut(&self) -> bool {
        self.is_cut
    }

    /// The containers that the last record opens, if it is only the start of a page too long to hold.
    pub(super) fn long_page(&self) -> Option<u16> {
        self.long_page
    }

    /// Whether the last record has nothing to read: brackets and commas between objects, or the end of a page.
    pub(super) fn is_separator(&self) -> bool {
        self.object.is_none() && !matches!(self.state, State::Line | State::Name)
    }

    /// Makes the changes of the last record permanent.
    pub(super) fn accept(&mut self) {
        self.before = self.after;
    }

    /// The objects that follow are in the innermost of `levels` containers that the last record opened.
    pub(super) fn open_page(&mut self, levels: u16) {
        let open = self.after.open;
        if let Some(level) = self.after.levels.get_mut(open) {
            *level = levels;
            self.after.open += 1;
        }
    }

    fn in_string(&mut self, byte: u8) -> Option<Ends> {
        match byte {
            b'\\' => self.state = State::Escape,
            b'"' => self.state = State::Object,
            b'\n' if !self.whole => {
                self.is_cut = true;
                return Some(Ends::After);
            }
            _ => {}
        }
        None
    }

    fn in_object(&mut self, byte: u8, line_start: bool) -> Option<Ends> {
        match byte {
            b'{' if line_start && !self.whole => {
                self.is_cut = true;
                return Some(Ends::Before);
            }
            RECORD_SEPARATOR => return Some(Ends::Before),
            b'"' => self.state = State::String,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.state = State::After;
                    self.object = self.object.map(|(start, _)| (start, self.length + 1));
                }
            }
            _ => {}
        }
        None
    }

    fn between(&mut self, byte: u8) -> Option<Ends> {
        match byte {
            b'{' if self.object.is_some() => return Some(Ends::Before),
            b'{' => {
                self.object = Some((self.length, self.length));
                (self.state, self.depth) = (State::Object, 1);
            }
            b'\n' => return Some(Ends::After),
            // A hole of NUL bytes, or nothing but brackets.
            _ if self.object.is_none() && self.length > MAX_SEPARATOR_BYTES => return Some(Ends::After),
            b']' if self.after.open > 0 => {
                self.after.open -= 1;
                let levels = self.after.levels.get(self.after.open).copied().unwrap_or_default();
                self.after.tail = levels.saturating_sub(1);
                self.after.tail_last = b']';
                return Some(Ends::After);
            }
            byte if is_separator(byte) => {
                if self.state == State::Assigned && byte == b'[' {
                    self.state = State::Between;
                }
            }
            // Text after an object is a record.
            _ if self.object.is_some() => return Some(Ends::Before),
            byte => self.state = if is_name(byte) { State::Name } else { State::Line },
        }
        None
    }

    fn in_line(&mut self, byte: u8) -> Option<Ends> {
        match byte {
            b'\n' => return Some(Ends::After),
            b'=' | b'(' if self.state == State::Name => self.state = State::Assigned,
            byte if is_name(byte) => {}
            _ => self.state = State::Line,
        }
        None
    }

    fn in_tail(&mut self, byte: u8, line_start: bool) -> Option<Ends> {
        let tail = &mut self.after;
        // Inside a container, as in `"users":[`, an object is not a record.
        if line_start && byte == b'{' && self.length > 0 && !matches!(tail.tail_last, b'[' | b',' | b':') {
            tail.tail = 0;
            return Some(Ends::Before);
        }
        if !byte.is_ascii_whitespace() {
            tail.tail_last = byte;
        }
        if std::mem::take(&mut tail.tail_escaped) {
            return None;
        }
        match byte {
            b'\\' if tail.tail_in_string => tail.tail_escaped = true,
            b'"' => tail.tail_in_string = !tail.tail_in_string,
            b'\n' if self.length > MAX_SEPARATOR_BYTES => return Some(Ends::After),
            _ if tail.tail_in_string => {}
            b'{' | b'[' => tail.tail = tail.tail.saturating_add(1),
            b'}' | b']' => {
                tail.tail -= 1;
                if tail.tail == 0 {
                    return Some(Ends::After);
                }
            }
            _ => {}
        }
        (self.length > MAX_SEPARATOR_BYTES).then_some(Ends::After)
    }
}

/// Begins a record of a JSON text sequence (RFC 7464).
const RECORD_SEPARATOR: u8 = 0x1e;

/// Bytes that may stand between objects: white space, the brackets and commas of an array, `;`, the prefix `)]}'`, record
/// separators, NUL and byte order marks.
fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'[' | b']' | b'}' | b',' | b';' | b'(' | b')' | b'\'' | RECORD_SEPARATOR | 0)
        || matches!(byte, 0xef | 0xbb | 0xbf)
}

/// Bytes of a name that is assigned to, as in `window.YTD.tweets.part0 = [`.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b' ' | b'\t')
}

/// Number of bytes of a string before the first one that matters.
fn plain_run(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n')).unwrap_or(bytes.len())
}
