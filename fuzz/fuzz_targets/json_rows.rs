//! Any bytes as JSON, in small steps: each record a row, a deletion or a reject, lines that only grow, and an end.
//!
//! The first byte chooses the steps, the second the layout.
#![no_main]

#[path = "support/read_all.rs"]
mod read_all;

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use read_all::read_all;
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
    read_all(&mut reader, needs);
});
