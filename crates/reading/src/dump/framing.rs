//! Where a record ends: one state machine for CSV, one for JSON. Fed chunk by chunk by `record`.

/// Finds the end of one record in bytes that come in chunks.
pub trait Framing {
    /// Bytes a record may have.
    const LIMIT: usize;
    /// Whether a record left open costs only its first line. Otherwise all of it is given up.
    const BY_LINE: bool;

    /// Makes ready for a record's first byte.
    fn reset(&mut self);

    /// Where the record ends in the chunk, if it does.
    fn scan(&mut self, chunk: &[u8]) -> Option<usize>;

    /// Whether the bytes so far leave something open that their end would cut.
    fn is_open(&self) -> bool;
}

/// RFC 4180 as the `csv` crate reads it: a quote counts at a field's start, any of CR, LF and CRLF ends a record.
#[derive(Debug, Clone)]
pub struct CsvFraming {
    delimiter: u8,
    state: CsvState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CsvState {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first half of a doubled one.
    QuoteSeen,
    /// Behind a carriage return that ended the record.
    Returned,
}

impl CsvFraming {
    pub fn new(delimiter: u8) -> Self {
        Self { delimiter, state: CsvState::FieldStart }
    }

    fn step(&self, byte: u8) -> CsvState {
        match (self.state, byte) {
            (CsvState::Quoted, b'"') => CsvState::QuoteSeen,
            (CsvState::Quoted, _) | (CsvState::FieldStart | CsvState::QuoteSeen, b'"') => CsvState::Quoted,
            (_, b'\r') => CsvState::Returned,
            (_, byte) if byte == self.delimiter => CsvState::FieldStart,
            _ => CsvState::Plain,
        }
    }
}

impl Framing for CsvFraming {
    /// Long posts reach 100 kB in UTF-8.
    const LIMIT: usize = 1 << 18;
    const BY_LINE: bool = true;

    fn reset(&mut self) {
        self.state = CsvState::FieldStart;
    }

    fn scan(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = chunk.get(at).copied() {
            if byte == b'\n' && self.state != CsvState::Quoted {
                return Some(at + 1);
            }
            self.state = self.step(byte);
            at += 1;
            match self.state {
                CsvState::Returned => return Some(at + usize::from(chunk.get(at) == Some(&b'\n'))),
                CsvState::Quoted => at += run(&chunk[at..], |byte| byte == b'"'),
                CsvState::Plain => {
                    at += run(&chunk[at..], |byte| byte == self.delimiter || byte == b'\n' || byte == b'\r');
                }
                CsvState::FieldStart | CsvState::QuoteSeen => {}
            }
        }
        None
    }

    fn is_open(&self) -> bool {
        self.state == CsvState::Quoted
    }
}

/// Bytes before the first that ends the run.
fn run(bytes: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| ends(*byte)).unwrap_or(bytes.len())
}

/// One JSON value a record: a line, or several while braces are open (`jq` prints so). A line that begins with a brace
/// in its first column begins a new record in any case, so that a cut line costs no other.
#[derive(Debug, Default)]
pub struct JsonFraming {
    depth: usize,
    in_string: bool,
    escaped: bool,
    at_line_start: bool,
}

impl Framing for JsonFraming {
    /// A full page of a thousand posts has about 2 MB.
    const LIMIT: usize = 1 << 23;
    const BY_LINE: bool = false;

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn scan(&mut self, chunk: &[u8]) -> Option<usize> {
        for (at, byte) in chunk.iter().copied().enumerate() {
            if std::mem::take(&mut self.at_line_start) && byte == b'{' {
                return Some(at);
            }
            match byte {
                b'\n' if self.depth == 0 || self.in_string => return Some(at + 1),
                b'\n' => self.at_line_start = true,
                _ if self.in_string => self.in_string(byte),
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }

    fn is_open(&self) -> bool {
        self.depth > 0 || self.in_string
    }
}

impl JsonFraming {
    fn in_string(&mut self, byte: u8) {
        let escaped = std::mem::take(&mut self.escaped);
        match byte {
            b'\\' if !escaped => self.escaped = true,
            b'"' if !escaped => self.in_string = false,
            _ => {}
        }
    }
}
