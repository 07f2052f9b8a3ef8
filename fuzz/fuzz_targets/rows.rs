//! Any bytes through the source readers: each record a row or a reject, and an end to them.
//!
//! The first byte chooses how the rest is read, so that the fuzzer reaches every layout and encoding.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vigie::dump::{Encoding, Layout, RequiredFields, ReadOptions, Reader};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let options = ReadOptions {
        layout: [Layout::Auto, Layout::Csv, Layout::Sentiment140, Layout::XJsonl][usize::from(choice & 3)],
        encoding: [Encoding::Auto, Encoding::Utf8, Encoding::Latin1, Encoding::Auto][usize::from(choice >> 2 & 3)],
        delimiter: (choice & 16 != 0).then_some(';'),
        ..ReadOptions::default()
    };
    let needs = RequiredFields { created_at: choice & 32 != 0, label: choice & 64 != 0, topic: choice & 128 != 0 };
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let Ok(mut reader) = Reader::from_bytes("fuzz".to_owned(), stream, None, &options, needs) else { return };
    let mut last = 0;
    while let Ok(Some(read)) = reader.next_row() {
        let line = match read {
            Ok(row) => {
                assert!(!row.text.trim().is_empty(), "a row without text");
                assert!(row.created_at.is_some() || !needs.created_at, "a row without its time");
                assert!(row.label.is_some() || !needs.label, "a row without its label");
                row.line
            }
            Err(reject) => reject.line,
        };
        assert!(line >= last, "line {line} after line {last}");
        last = line;
    }
});
