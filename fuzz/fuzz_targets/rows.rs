//! Any bytes through the source readers: each record a row or a reject, and an end to them.
//!
//! The first two bytes choose how the rest is read, so that the fuzzer reaches every layout, encoding and dialect.
#![no_main]

#[path = "support/read_all.rs"]
mod read_all;

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use read_all::read_all;
use vigie::dump::{Columns, Encoding, Header, Layout, Quote, ReadOptions, Reader, RequiredFields};

fuzz_target!(|input: &[u8]| {
    let [choice, dialect, bytes @ ..] = input else { return };
    let (choice, dialect) = (*choice, *dialect);
    let headerless = dialect & 32 != 0;
    let options = ReadOptions {
        layout: [Layout::Auto, Layout::Csv, Layout::Sentiment140, Layout::Json][usize::from(choice & 3)],
        encoding: [Encoding::Auto, Encoding::Utf8, Encoding::Latin1, Encoding::Auto][usize::from(choice >> 2 & 3)],
        delimiter: (choice & 16 != 0).then_some([';', '\t', '|', ','][usize::from(dialect & 3)]),
        quote: [None, Some(Quote::None), Some(Quote::Char('\'')), Some(Quote::Char('"'))][usize::from(dialect >> 2 & 3)],
        escape: (dialect & 16 != 0).then_some('\\'),
        header: if headerless { Header::None } else { Header::Auto },
        columns: Columns { text: headerless.then(|| "2".to_owned()), ..Columns::default() },
        skip_lines: u32::from(dialect >> 6),
        ..ReadOptions::default()
    };
    let needs = RequiredFields { created_at: choice & 32 != 0, label: choice & 64 != 0, topic: choice & 128 != 0 };
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let Ok(mut reader) = Reader::from_bytes("fuzz".to_owned(), stream, None, &options, needs) else { return };
    read_all(&mut reader, needs);
});
