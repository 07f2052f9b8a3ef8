//! [`Framing`]: finds where a record ends; its state machines are in `csv::framing` and `json::framing`. `record_splitter` feeds
//! them chunk by chunk.

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

    /// Where an open record that has reached [`MAX_BYTES`](Self::MAX_BYTES) can be split, if it can.
    fn split_long(&mut self, _record: &[u8]) -> Option<usize> {
        None
    }
}
