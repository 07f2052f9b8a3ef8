//! Any bytes: no panic, an end, and CSV parsed as by the `csv` crate.

use proptest::prelude::*;

use super::*;
use crate::dump::csv::{CsvFields, CsvFraming, Dialect};
use crate::dump::input::ByteStream;
use crate::dump::record_splitter::{RecordEnd, RecordSplitter};
use crate::dump::text_repair::repair_text;

fn any_options() -> impl Strategy<Value = (ReadOptions, RequiredFields)> {
    let layout = prop_oneof![Just(Layout::Auto), Just(Layout::Csv), Just(Layout::Sentiment140), Just(Layout::Json)];
    let encoding = prop_oneof![Just(Encoding::Auto), Just(Encoding::Utf8), Just(Encoding::Latin1)];
    let dialect = (
        prop::option::of(prop::sample::select(vec![',', ';', '\t', '|'])),
        prop::option::of(prop_oneof![Just(Quote::None), Just(Quote::Char('"')), Just(Quote::Char('\''))]),
        prop::option::of(Just('\\')),
    );
    let start = (any::<bool>(), prop_oneof![4 => Just(0_u32), 1 => 1..4_u32]);
    (layout, encoding, dialect, start, any::<(bool, bool)>()).prop_map(
        |(layout, encoding, (delimiter, quote, escape), (headerless, skip_lines), (created_at, label))| {
            let header = if headerless { Header::None } else { Header::Auto };
            let text = headerless.then(|| "2".to_owned());
            let columns = Columns { topic: Some("id".into()), text, ..Columns::default() };
            let options = ReadOptions {
                layout,
                encoding,
                columns,
                delimiter,
                quote,
                escape,
                header,
                skip_lines,
                ..ReadOptions::default()
            };
            (options, RequiredFields { created_at, label, topic: false })
        },
    )
}

/// Bytes that resemble a dump.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let near = "(text|id|date|,|;|\"|\n|\r|\r\n|\\{\"text\":|\\{|\\}|\\[|\\]|0|é|2015-02-24T11:35:52Z|Mon Apr 06 22:19:45 PDT 2009){0,40}";
    let gzipped = prop::collection::vec(any::<u8>(), 0..80).prop_map(|rest| [&[0x1f, 0x8b, 8][..], &rest].concat());
    let mixed =
        (near, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(near, rest)| [near.as_bytes(), &rest].concat());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        mixed.clone(),
        mixed.clone().prop_map(|rest| [b"id,text,date,label\n".as_slice(), &rest].concat()),
        mixed.prop_map(|bytes| gzip(&bytes)),
        gzipped,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_bytes_are_read_to_an_end(bytes in any_bytes(), (options, required) in any_options()) {
        if let Ok(mut reader) = open(&bytes, &options, required) {
            let mut line = 0;
            while let Ok(Some(read)) = reader.next_row() {
                let at = match read {
                    Ok(row) => {
                        prop_assert!(!row.text.trim().is_empty());
                        prop_assert!(row.created_at.is_some() || !required.created_at);
                        row.line
                    }
                    Err(reject) => reject.line,
                };
                prop_assert!(at >= line, "lines only grow");
                line = at;
            }
        }
    }

    #[test]
    fn written_rows_are_read_back(rows in prop::collection::vec(("[^\u{0}]{1,20}", "[ -~é\n\"]{0,10}"), 1..8), step in 1usize..40) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["text", "negative_reason"]).unwrap();
        rows.iter().for_each(|(text, reason)| writer.write_record([text, reason]).unwrap());
        let bytes = writer.into_inner().unwrap();
        let pipe = Box::new(Steps(bytes, 0, step));
        let mut reader = Reader::from_bytes("t".into(), pipe, None, &ReadOptions::default(), NOTHING).unwrap();
        let (read, rejects) = drain(&mut reader);
        let texts: Vec<&str> = read.iter().map(|row| row.text.as_str()).collect();
        // Some random texts look like HTML.
        let written = rows.iter().filter(|(text, _)| !text.trim().is_empty());
        let repaired: Vec<_> = written.map(|(text, _)| repair_text(text.as_str().into(), |_| ())).collect();
        prop_assert_eq!(texts, repaired);
        prop_assert!(rejects.iter().all(|reject| reject.reason == RejectReason::EmptyText));
    }

    #[test]
    fn records_and_fields_are_those_of_the_csv_crate(text in "((a|b,|,|\r|\n|\r\n|(\"(a|,|\"\"|\r|\n){0,6}\"(,|\n))){0,12})|[ab,\"\r\n]{0,40}", step in 1usize..9) {
        let mut theirs = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let theirs: Vec<Vec<String>> =
            theirs.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        let stream = ByteStream::tailed(Box::new(Steps(text.clone().into_bytes(), 0, step)));
        let (mut splitter, mut framing) = (RecordSplitter::new(stream), CsvFraming::new(Dialect::default()));
        let (mut ours, mut fields) = (Vec::new(), CsvFields::default());
        while let Some(record) = splitter.next(&mut framing).unwrap() {
            if record.end == RecordEnd::Unclosed {
                // The `csv` crate reads everything that follows as the field; here one line is rejected.
                prop_assert!(theirs.len() > ours.len());
                return Ok(());
            }
            let record = std::str::from_utf8(record.bytes).unwrap();
            if !record.is_empty() {
                fields.split(record, Dialect::default());
                if fields.is_stray() {
                    // The `csv` crate drops the quotes of a field with something behind its closing quote.
                    return Ok(());
                }
                ours.push((0..fields.len()).map(|at| fields.get(at, record).unwrap().to_owned()).collect::<Vec<_>>());
            }
        }
        prop_assert_eq!(ours, theirs);
    }
}

/// Returns its bytes in steps.
pub(in crate::dump) struct Steps(pub(in crate::dump) Vec<u8>, pub(in crate::dump) usize, pub(in crate::dump) usize);

impl Read for Steps {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.2.min(buffer.len()).min(self.0.len() - self.1);
        buffer[..read].copy_from_slice(&self.0[self.1..self.1 + read]);
        self.1 += read;
        Ok(read)
    }
}
