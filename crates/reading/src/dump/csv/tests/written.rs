//! What `csv::Writer` writes in any dialect is read back.

use proptest::prelude::*;

use super::*;
use crate::dump::text_repair::repair_text;

const TIME: &str = "2021-05-04T20:18:04Z";

#[derive(Debug, Clone, Copy)]
struct Written {
    delimiter: u8,
    quote: u8,
    escape: bool,
    always: bool,
    crlf: bool,
}

fn any_dialect() -> impl Strategy<Value = Written> {
    let delimiter = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    let quote = prop::sample::select(vec![b'"', b'\'']);
    (delimiter, quote, any::<[bool; 3]>()).prop_map(|(delimiter, quote, [escape, always, crlf])| Written {
        delimiter,
        quote,
        escape,
        always,
        crlf,
    })
}

fn write(written: Written, rows: &[[&str; 3]]) -> Vec<u8> {
    let terminator = if written.crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
    let style = if written.always { ::csv::QuoteStyle::Always } else { ::csv::QuoteStyle::Necessary };
    let mut writer = ::csv::WriterBuilder::new()
        .delimiter(written.delimiter)
        .quote(written.quote)
        .escape(b'\\')
        .double_quote(!written.escape)
        .terminator(terminator)
        .quote_style(style)
        .from_writer(Vec::new());
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn rows_in_any_dialect_are_read_back(
        written in any_dialect(),
        cells in prop::collection::vec(("[a-z0-9]{1,6}", "[^\u{0}\\\\]{1,24}|[ab,;|\t\"'\n]{1,16}"), 1..8),
        last in any::<bool>(),
    ) {
        let mut rows = vec![if last { ["id", "created_at", "text"] } else { ["id", "text", "created_at"] }];
        rows.extend(cells.iter().map(|(id, text)| if last { [id, TIME, text] } else { [id, text.as_str(), TIME] }));
        let bytes = write(written, &rows);
        let options = ReadOptions {
            quote: (written.quote != b'"').then(|| Quote::Char(char::from(written.quote))),
            escape: written.escape.then_some('\\'),
            ..ReadOptions::default()
        };
        let mut reader = open(&bytes, &options, REPLAY).unwrap();
        let (read, rejects) = drain(&mut reader);
        let texts: Vec<&str> = read.iter().map(|row| row.text.as_str()).collect();
        let written = cells.iter().map(|(_, text)| text.as_str());
        // Some random texts look like HTML or like a text that was decoded twice.
        let repaired = written.filter(|text| !text.trim().is_empty()).map(|text| repair_text(text.into(), |_| ()));
        prop_assert_eq!(texts, repaired.collect::<Vec<_>>());
        prop_assert!(rejects.iter().all(|reject| reject.reason == RejectReason::EmptyText), "{:?}", rejects);
    }

    #[test]
    fn a_file_that_does_not_quote_loses_no_row(
        // Not `b"..."`, which is a literal of Python.
        texts in prop::collection::vec("[\"a (]{0,6}(a|c|é)[\"a )]{0,6}", 1..12),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        last in any::<bool>(),
    ) {
        let row = |id: usize, text: &str| match last {
            true => format!("{id},{TIME},neutral,{text}\n"),
            false => format!("{id},{TIME},{text},neutral\n"),
        };
        let header = if last { "id,created_at,label,text\n" } else { "id,created_at,text,label\n" };
        let rows: String = texts.iter().enumerate().map(|(id, text)| row(id, text)).collect();
        let bytes = format!("{header}{rows}").replace(',', &delimiter.to_string());
        let (read, rejects) = drain(&mut open(bytes.as_bytes(), &ReadOptions::default(), REPLAY).unwrap());
        prop_assert_eq!(rejects.len(), 0, "{:?}", rejects);
        let ids: Vec<String> = read.iter().filter_map(|row| row.id.clone()).collect();
        prop_assert_eq!(ids, (0..texts.len()).map(|id| id.to_string()).collect::<Vec<_>>());
        for (row, text) in read.iter().zip(&texts) {
            let plain = |text: &str| text.replace('"', "");
            prop_assert_eq!(plain(&row.text), plain(text));
        }
    }
}
