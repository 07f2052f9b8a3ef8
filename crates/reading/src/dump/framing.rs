//! Finds where a record ends: one state machine for CSV, one for JSON. `record_splitter` feeds them chunk by chunk.

/// Finds the end of one record in bytes that arrive in chunks.
pub trait Framing {
    /// Maximum size of a record in bytes.
    const MAX_BYTES: usize;
    /// Whether only the first line of an unclosed record is rejected; otherwise all of it is.
    const REJECTS_BY_LINE: bool;

    /// Resets the state for a new record.
    fn reset(&mut self);

    /// The end of the record in the chunk, if it is there.
    fn scan(&mut self, chunk: &[u8]) -> Option<usize>;

    /// Whether a quote or brace is open after the bytes so far.
    fn is_open(&self) -> bool;
}

/// RFC 4180 as in the `csv` crate: a quote opens only at the start of a field; CR, LF and CRLF each end a record.
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
    /// After a quote in a quoted field: the end of the field, or the first half of a doubled quote.
    QuoteSeen,
    /// After a carriage return that ended the record.
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
    const MAX_BYTES: usize = 1 << 18;
    const REJECTS_BY_LINE: bool = true;

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
                CsvState::Quoted => at += run_length(&chunk[at..], |byte| byte == b'"'),
                CsvState::Plain => {
                    at += run_length(&chunk[at..], |byte| byte == self.delimiter || byte == b'\n' || byte == b'\r');
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

/// Number of bytes before the first one that ends the run.
fn run_length(bytes: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| ends(*byte)).unwrap_or(bytes.len())
}

/// One JSON value per record: one line, or several while braces are open (as `jq` prints). A line with a brace in its first
/// column always begins a new record, so that a truncated line does not affect the next.
#[derive(Debug, Default)]
pub struct JsonFraming {
    depth: usize,
    in_string: bool,
    escaped: bool,
    at_line_start: bool,
}

impl Framing for JsonFraming {
    /// A full page of a thousand posts is about 2 MB.
    const MAX_BYTES: usize = 1 << 23;
    const REJECTS_BY_LINE: bool = false;

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
                _ if self.in_string => self.step_in_string(byte),
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
    fn step_in_string(&mut self, byte: u8) {
        let escaped = std::mem::take(&mut self.escaped);
        match byte {
            b'\\' if !escaped => self.escaped = true,
            b'"' if !escaped => self.in_string = false,
            _ => {}
        }
    }
}
