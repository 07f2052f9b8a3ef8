//! Tests of the reader as a whole: bytes in, rows and rejects out.

mod fields;
pub(in crate::dump) mod fuzz;
mod json;
mod packed;
mod problems;
mod speed;

use std::io::{Cursor, Read};

use super::*;
use crate::post::Post;

pub(super) const REPLAY: RequiredFields = RequiredFields { created_at: true, label: false, topic: false };
pub(super) const NOTHING: RequiredFields = RequiredFields { created_at: false, label: false, topic: false };

pub(super) fn open(bytes: &[u8], options: &ReadOptions, needs: RequiredFields) -> Result<Reader, DumpError> {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    Reader::from_bytes("tweets.csv".into(), stream, None, options, needs)
}

/// All rows and rejects.
pub(super) fn drain(reader: &mut Reader) -> (Vec<Row>, Vec<Reject>) {
    collect(|| reader.next_row())
}

pub(super) fn drain_dump(reader: &mut DumpReader) -> (Vec<Row>, Vec<Reject>) {
    collect(|| reader.next_row())
}

type Next = Result<Option<Result<Row, Reject>>, DumpError>;

fn collect(mut next: impl FnMut() -> Next) -> (Vec<Row>, Vec<Reject>) {
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    while let Some(read) = next().unwrap() {
        match read {
            Ok(row) => rows.push(row),
            Err(reject) => rejects.push(reject),
        }
    }
    (rows, rejects)
}

pub(super) fn read_with(bytes: &[u8], options: &ReadOptions, needs: RequiredFields) -> (Vec<Row>, Vec<Reject>) {
    drain(&mut open(bytes, options, needs).unwrap())
}

pub(super) fn read(text: &str) -> (Vec<Row>, Vec<Reject>) {
    read_with(text.as_bytes(), &ReadOptions::default(), REPLAY)
}

pub(super) fn reasons(rejects: &[Reject]) -> Vec<(u64, RejectReason)> {
    rejects.iter().map(|reject| (reject.line, reject.reason)).collect()
}

pub(super) fn lines(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| row.line).collect()
}

fn slice() -> Input {
    Input::parse(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/airline.csv"))
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    encoder.read_to_end(&mut packed).unwrap();
    packed
}

pub(super) const TWO: &str = "id,created_at,airline,author,text,label,negative_reason\n\
    7,2015-02-17T07:48:48Z,United,@CPoutloud,\"late,\nlate \"\"again\"\"\",Negative,Late Flight\n\
    8,2015-02-17T07:50:00Z,,b, nice ,positive,\n";

#[test]
fn rows_of_the_airline_layout_are_read_whole() {
    let options = ReadOptions { columns: Columns::parse("topic=airline").unwrap(), ..ReadOptions::default() };
    let (rows, rejects) = read_with(TWO.as_bytes(), &options, REPLAY);
    assert!(rejects.is_empty(), "{rejects:?}");
    let first = Row {
        line: 2,
        id: Some("7".into()),
        created_at: Some("2015-02-17T07:48:48Z".parse().unwrap()),
        author: Some("CPoutloud".into()),
        text: "late,\nlate \"again\"".into(),
        lang: None,
        topic: Some("United".into()),
        label: Some("negative".into()),
        reason: Some("Late Flight".into()),
        incident: None,
        unread: None,
    };
    assert_eq!(rows[0], first);
    assert_eq!((rows[1].line, rows[1].text.as_str()), (4, " nice "), "lines are counted inside quotes, text kept");
    assert_eq!((&rows[1].topic, &rows[1].reason), (&None, &None));
}

#[test]
fn the_slice_of_the_airline_dump_is_read_without_a_reject() {
    let options = ReadOptions { columns: Columns::parse("topic=airline").unwrap(), ..ReadOptions::default() };
    let needs = RequiredFields { created_at: true, label: true, topic: true };
    let mut reader = DumpReader::open(&slice().into(), &options, needs).unwrap();
    let (rows, rejects) = drain_dump(&mut reader);
    assert_eq!((rows.len(), rejects.len()), (2118, 0));
    assert_eq!(rows.iter().filter(|row| row.topic.as_deref() == Some("Southwest")).count(), 904);
    assert!(rows.iter().any(|row| row.text.contains('\n')));
    let progress = reader.progress();
    assert_eq!(Some(progress.bytes_read()), progress.total);
    assert_eq!(reader.layout(), Layout::Csv);
}

#[test]
fn newest_first_and_oldest_first_come_in_one_order() {
    let mut reader = DumpReader::open(&slice().into(), &ReadOptions::default(), REPLAY).unwrap();
    let posts: Vec<Post> = drain_dump(&mut reader).0.into_iter().filter_map(Row::into_post).collect();
    let order = |posts: &mut dyn Iterator<Item = &Post>, memory| {
        let mut order = ExternalSort::new(memory);
        posts.for_each(|post| order.push(post).unwrap());
        order.finish().unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let oldest_first = order(&mut posts.iter(), 1 << 14);
    assert_eq!(oldest_first.len(), posts.len());
    assert!(oldest_first.is_sorted_by_key(|post| post.created_at));
    assert_eq!(order(&mut posts.iter().rev(), ExternalSort::DEFAULT_MEMORY), oldest_first);
}

#[test]
fn delimiters_names_and_a_byte_order_mark_are_found() {
    let expected = ("late, they said", Some("7"), Some("fr"));
    for text in [
        "\u{feff}Tweet_ID;DATE;Tweet;Lang\n7;2015-02-17 07:48:48;late, they said;fr\n",
        "post_id\ttimestamp\tcontent\tlanguage\r\n7\t1424159328\tlate, they said\tfr\r\n",
        "\n\r\nid,time,body,lang\r7,2015-02-17T07:48,\"late, they said\",fr",
    ] {
        let (rows, rejects) = read(text);
        assert!(rejects.is_empty(), "{rejects:?}");
        let found: Vec<_> =
            rows.iter().map(|row| (row.text.as_str(), row.id.as_deref(), row.lang.as_deref())).collect();
        assert_eq!(found, [expected], "{text:?}");
    }
}

#[test]
fn columns_delimiter_and_times_can_be_mapped() {
    let options = ReadOptions {
        columns: Columns::parse("text=corps,created_at=quand").unwrap(),
        delimiter: Some('|'),
        time_format: Some("%d/%m/%Y %H:%M".into()),
        ..ReadOptions::default()
    };
    let (rows, rejects) = read_with("quand|corps|text\n24/02/2015 11:35|retard|x\n".as_bytes(), &options, REPLAY);
    assert!(rejects.is_empty(), "{rejects:?}");
    assert_eq!((rows[0].text.as_str(), rows[0].created_at), ("retard", "2015-02-24T11:35:00Z".parse().ok()));
}

const DUMP: &str = "\"0\",\"1467810369\",\"Mon Apr 06 22:19:45 PDT 2009\",\"NO_QUERY\",\"_TheSpecialOne_\",\"Awww, that's a bummer\"\n\
    4,1467810672,Mon Apr 06 22:19:49 PDT 2009,lufthansa,scotthamilton,caf\u{e9} \u{2019}ere\n";

#[test]
fn sentiment140_is_found_in_utf8_and_latin1() {
    let latin = encoding_rs::WINDOWS_1252.encode(DUMP).0;
    for bytes in [DUMP.as_bytes(), &latin, &gzip(&latin)] {
        let mut reader = open(bytes, &ReadOptions::default(), REPLAY).unwrap();
        assert_eq!(reader.layout(), Layout::Sentiment140);
        let (rows, rejects) = drain(&mut reader);
        assert!(rejects.is_empty(), "{rejects:?}");
        assert_eq!(
            (rows[0].line, rows[0].label.as_deref(), rows[0].id.as_deref()),
            (1, Some("negative"), Some("1467810369"))
        );
        assert_eq!((rows[1].text.as_str(), rows[1].label.as_deref()), ("caf\u{e9} \u{2019}ere", Some("positive")));
        assert_eq!(rows[1].created_at, "2009-04-07T05:19:49Z".parse().ok());
        assert_eq!((rows[1].author.as_deref(), rows[1].topic.as_deref()), (Some("scotthamilton"), None));
    }
    let options = ReadOptions { columns: Columns::parse("topic=query").unwrap(), ..ReadOptions::default() };
    assert_eq!(read_with(DUMP.as_bytes(), &options, REPLAY).0[1].topic.as_deref(), Some("lufthansa"));
}

#[test]
fn windows_1252_beside_utf8_is_read_and_counted() {
    let bytes = b"id,text\n1,caf\xe9\n2,caf\xc3\xa9\n3,l\x92avion\n";
    let mut reader = open(bytes, &ReadOptions::default(), NOTHING).unwrap();
    let (rows, _) = drain(&mut reader);
    assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["café", "café", "l’avion"]);
    assert_eq!(
        reader.notes().sentences(),
        ["2 rows are not valid UTF-8; they were read as windows-1252 (--encoding decides): first at line 2"]
    );
}

#[test]
fn an_encoding_that_is_set_decides() {
    let bytes = b"id,text\n1,caf\xe9\n";
    let options = |encoding| ReadOptions { encoding, ..ReadOptions::default() };
    assert_eq!(read_with(bytes, &options(Encoding::Latin1), NOTHING).0[0].text, "café");
    let (rows, rejects) = read_with(bytes, &options(Encoding::Utf8), NOTHING);
    assert!(rows.is_empty());
    assert_eq!(reasons(&rejects), [(2, RejectReason::Encoding)]);
    assert_eq!(
        rejects[0].detail,
        "byte 6 of the row is not valid UTF-8 (for a windows-1252 file, set encoding latin-1)"
    );
    assert_eq!(rejects[0].row, "1,caf\u{fffd}");
}

#[test]
fn optional_fields_may_be_missing_or_unreadable() {
    let (rows, rejects) = read_with(b"text,date,label\nlate,soon,bad\nnice,,\n", &ReadOptions::default(), NOTHING);
    assert!(rejects.is_empty(), "{rejects:?}");
    assert_eq!(
        rows.iter().map(|row| (row.created_at, row.label.clone())).collect::<Vec<_>>(),
        [(None, None), (None, None)]
    );
    let (rows, _) = read_with(b"label,text\nnegative,late\n", &ReadOptions::default(), NOTHING);
    assert_eq!(rows[0].label.as_deref(), Some("negative"));
}

#[test]
fn gzip_of_several_members_is_read_by_its_first_bytes() {
    let (first, second) = TWO.split_at(80);
    let packed = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
    let mut reader = open(&packed, &ReadOptions::default(), REPLAY).unwrap();
    assert_eq!(reader.fingerprint(), None, "not yet at the end");
    assert_eq!(drain(&mut reader), read(TWO));
    let mut plain = open(&packed, &ReadOptions::default(), REPLAY).unwrap();
    drain(&mut plain);
    assert_eq!(reader.fingerprint(), plain.fingerprint());
    assert_eq!(reader.fingerprint().map(|hex| hex.len()), Some(64));
    assert_eq!(reader.progress().bytes_read(), packed.len() as u64);
}

/// A pipe that returns few bytes at once and fails at the end.
struct Pipe(Cursor<Vec<u8>>, usize);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.1);
        match self.0.read(&mut buffer[..count])? {
            0 => Err(std::io::Error::other("would wait")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_pipe_returns_each_row_at_once() {
    for (text, rows) in [(TWO, 2), (DUMP, 2), ("{\"text\":\"a\",\"created_at\":1424159328}\n", 1)] {
        for step in [1, 7, 4096] {
            let pipe = Box::new(Pipe(Cursor::new(text.as_bytes().to_vec()), step));
            let mut reader =
                Reader::from_bytes("standard input".into(), pipe, None, &ReadOptions::default(), REPLAY).unwrap();
            for _ in 0..rows {
                assert!(matches!(reader.next_row(), Ok(Some(Ok(_)))), "a complete row must not wait for the next");
            }
            let error = reader.next_row().unwrap_err().to_string();
            assert_eq!(error, "cannot read standard input: would wait");
        }
    }
}
