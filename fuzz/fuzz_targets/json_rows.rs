//! Any bytes as JSON, in small steps: each record a row, a deletion or a reject, lines that only grow, and an end.
//!
//! The first byte chooses the steps, the second the layout.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use vigie::dump::{Layout, ReadOptions, Reader, RequiredFields};

/// Returns its bytes in steps.
struct Steps {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Read for Steps {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.step.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..read].copy_from_slice(&self.bytes[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}

const LAYOUTS: [Layout; 4] = [Layout::Json, Layout::Reddit, Layout::Twint, Layout::Auto];

fuzz_target!(|input: &[u8]| {
    let [step, layout, bytes @ ..] = input else { return };
    let options = ReadOptions { layout: LAYOUTS[usize::from(layout & 3)], ..ReadOptions::default() };
    let steps = Box::new(Steps { bytes: bytes.to_vec(), at: 0, step: usize::from(*step).max(1) });
    let needs = RequiredFields { created_at: layout & 4 != 0, ..RequiredFields::default() };
    let Ok(mut reader) = Reader::from_bytes("fuzz".to_owned(), steps, None, &options, needs) else { return };
    let mut last = 0;
    while let Ok(Some(read)) = reader.next_row() {
        let line = match read {
            Ok(row) => {
                assert!(!row.text.trim().is_empty(), "a row without text");
                assert!(row.created_at.is_some() || !needs.created_at, "a row without its time");
                row.line
            }
            Err(reject) => reject.line,
        };
        assert!(line >= last, "line {line} after line {last}");
        last = line;
    }
    assert!(reader.notes().sentences().iter().all(|note| !note.is_empty()));
});
