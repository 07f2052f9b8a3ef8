//! Any bytes as a packed file or archive: a dump, rows or an error, and an end to it, in bounded memory.
//!
//! The first byte chooses what is put in front, so that the fuzzer reaches every decoder.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vigie::dump::{ReadOptions, Reader, RequiredFields};

/// Rows that are read at most: a bomb takes time, not memory.
const MAX_ROWS: usize = 100_000;

const MAGIC: [&[u8]; 8] = [
    b"",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46",
    b"BZh91AY&SY",
    b"PK\x03\x04",
    b"\xff\xfe",
    b"text\n",
];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let magic = MAGIC[usize::from(choice) % MAGIC.len()];
    let stream = Box::new(Cursor::new([magic, bytes].concat()));
    let options = ReadOptions::default();
    let reader = Reader::from_bytes("fuzz".to_owned(), stream, None, &options, RequiredFields::default());
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => return assert!(!error.to_string().contains('\n'), "{error}"),
    };
    for _ in 0..MAX_ROWS {
        if !matches!(reader.next_row(), Ok(Some(_))) {
            return;
        }
    }
});
