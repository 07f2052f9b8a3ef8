//! A bad row does not affect other rows; a bad input is one clear error.

use super::*;

const HEADER: &str = "id,created_at,text\n";

#[test]
fn bad_rows_are_named_by_line_and_reason() {
    let text = format!(
        "{HEADER}1,2015-02-17T07:48:48Z,good\n\
         2,2015-02-17T07:48:48Z\n\
         3,2015-02-17T07:48:48Z,too,many\n\
         \n\
         4,2015-02-37T07:48:48Z,bad day\n\
         5,,no time\n\
         6,2015-02-17T07:48:48Z,\"  \n \"\n\
         7,2015-02-17T07:48:48Z,\"good\nagain\"\n\
         8,soon,who knows\n"
    );
    let (rows, rejects) = read(&text);
    assert_eq!(lines(&rows), [2, 10]);
    use RejectReason::{EmptyText, FieldCount, MissingField, Time};
    assert_eq!(
        reasons(&rejects),
        [(3, FieldCount), (4, FieldCount), (6, Time), (7, MissingField), (8, EmptyText), (12, Time)]
    );
    assert_eq!(rejects[0].detail, "2 fields; expected 3");
    assert!(
        rejects[2].detail.starts_with("created_at \"2015-02-37T07:48:48Z\" is not a date with a time"),
        "{}",
        rejects[2].detail
    );
    assert!(
        rejects[5].detail.starts_with("created_at is not a date with a time"),
        "a word could be a handle: {}",
        rejects[5].detail
    );
    assert_eq!(rejects[3].detail, "created_at is missing");
    assert_eq!(rejects[4].row, "6,2015-02-17T07:48:48Z,\"  \n \"");
}

#[test]
fn missing_required_labels_and_topics_reject_their_rows() {
    let options = ReadOptions { columns: Columns::parse("topic=airline").unwrap(), ..ReadOptions::default() };
    let required = RequiredFields { created_at: false, label: true, topic: true };
    let text = "text,label,airline\na,NEUTRAL,x\nb,,x\nc,bad,x\nd,positive, \ne,\"so long, and thanks\",x\n";
    let (rows, rejects) = read_with(text.as_bytes(), &options, required);
    assert_eq!(lines(&rows), [2]);
    use RejectReason::{Label, MissingField};
    assert_eq!(reasons(&rejects), [(3, MissingField), (4, Label), (5, MissingField), (6, Label)]);
    assert_eq!(rejects[1].detail, "label \"bad\" is not one of negative, neutral, positive (--labels-map decides)");
    assert_eq!(
        rejects[3].detail,
        "label of 19 characters is not one of negative, neutral, positive (--labels-map decides)"
    );
}

#[test]
fn a_stray_quote_changes_only_its_line() {
    let good = |id: u32| format!("{id},2015-02-17T07:48:48Z,good\n");
    let bad = "2,2015-02-17T07:48:48Z,\"never closed\n";
    // Closed by the quote of a later row, and never: the quote is text.
    for rest in [format!("{}4,2015-02-17T07:48:48Z,\"x, y\"\n", good(3)), good(3) + &good(4)] {
        let (rows, rejects) = read(&format!("{HEADER}{}{bad}{rest}", good(1)));
        assert_eq!(reasons(&rejects), []);
        assert_eq!(lines(&rows), [2, 3, 4, 5]);
        assert_eq!(rows[1].text, "\"never closed");
    }
}

#[test]
fn a_long_file_after_a_stray_quote_is_read() {
    let row = "1,2015-02-17T07:48:48Z,good\n";
    let text = format!("{HEADER}0,2015-02-17T07:48:48Z,\"open\n{}", row.repeat(20_000));
    let (rows, rejects) = read(&text);
    assert_eq!((rows.len(), reasons(&rejects)), (20_001, vec![]));
    assert_eq!(rows.last().map(|row| row.line), Some(20_002));
}

#[test]
fn each_of_many_open_quotes_is_text() {
    let text = format!("text,id\n{}", "\"a\",\"b\n".repeat(5_000));
    let (rows, rejects) = read_with(text.as_bytes(), &ReadOptions::default(), NOTHING);
    assert_eq!((rows.len(), rejects.len()), (5_000, 0));
    assert!(rows.iter().all(|row| row.text == "a" && row.id.as_deref() == Some("\"b")));
}

#[test]
fn a_line_without_an_end_is_rejected_in_bounded_memory() {
    let long = "x".repeat(3 << 20);
    let (rows, rejects) = read(&format!("{HEADER}1,2015-02-17T07:48:48Z,{long}\n2,2015-02-17T07:48:48Z,good\n"));
    assert_eq!((lines(&rows), reasons(&rejects)), (vec![3], vec![(2, RejectReason::TooLong)]));
    assert_eq!(rejects[0].row.chars().count(), 500);
    let brackets = "[".repeat(20 << 20);
    let (rows, rejects) = read(&format!("{{\"text\":\n{brackets}\n{{\"text\":\"a\",\"created_at\":1424159328}}\n"));
    assert_eq!((lines(&rows), reasons(&rejects)), (vec![3], vec![(1, RejectReason::TooLong)]));
}

fn error(bytes: &[u8], options: &ReadOptions, needs: RequiredFields) -> String {
    open(bytes, options, needs).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn missing_columns_are_one_error_that_says_what_to_do() {
    let options =
        ReadOptions { columns: Columns::parse("text=corps,topic=airline").unwrap(), ..ReadOptions::default() };
    let header = format!("id;tweet;@someone;{}\n", "a long post ".repeat(5));
    assert_eq!(
        error(header.as_bytes(), &options, RequiredFields { created_at: true, label: false, topic: true }),
        "tweets.csv has no column for created_at (expected one of created_at, tweet_created, timestamp, timestamp_utc, datetime, \
         date_time, ...; map it with `--columns created_at=NAME`), no column for text (expected \"corps\"; \
         map it with `--columns text=NAME`), no column for topic (expected \"airline\"; \
         map it with `--columns topic=NAME`); found columns \"id\", \"tweet\", (8 characters), (59 characters)"
    );
    let unmapped = error(b"text\nx\n", &ReadOptions::default(), RequiredFields { topic: true, ..NOTHING });
    assert_eq!(
        unmapped,
        "tweets.csv has no column for topic (none is mapped; map it with `--columns topic=NAME`); found columns \"text\""
    );
}

#[test]
fn other_files_are_one_error() {
    let default = ReadOptions::default();
    assert!(error(b"", &default, REPLAY).starts_with("tweets.csv is empty"));
    assert!(error(b"\xef\xbb\xbf \n\n", &default, REPLAY).starts_with("tweets.csv is empty"));
    assert!(error(&gzip(b""), &default, REPLAY).starts_with("tweets.csv is empty"));
    let error_of_zip = error(b"PK\x03\x04....", &default, REPLAY);
    assert!(
        error_of_zip.starts_with("tweets.csv cannot be read: the zip archive is truncated or damaged"),
        "{error_of_zip}"
    );
    let options = ReadOptions { delimiter: Some('"'), ..ReadOptions::default() };
    assert!(error(b"text\n", &options, NOTHING).starts_with("delimiter '\"'"));
    let missing = DumpReader::open(&Input::parse("no/such.csv").into(), &default, REPLAY).err().unwrap();
    assert!(matches!(missing, DumpError::Missing { .. }), "{missing}");
}

#[test]
fn a_truncated_gzip_file_is_an_error() {
    let text = format!("{HEADER}{}", "1,2015-02-17T07:48:48Z,good\n".repeat(50_000));
    let packed = gzip(text.as_bytes());
    let mut reader = open(&packed[..packed.len() - 20], &ReadOptions::default(), REPLAY).unwrap();
    let error = loop {
        match reader.next_row() {
            Ok(Some(row)) => assert!(row.is_ok()),
            Ok(None) => panic!("the end was missed"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, DumpError::Unpack { .. }), "{error}");
    assert!(error.to_string().starts_with("tweets.csv starts like gzip but cannot be decompressed"), "{error}");
    let foreign = open(b"\x1f\x8bnot gzip at all", &ReadOptions::default(), REPLAY).err().unwrap();
    assert!(matches!(foreign, DumpError::Unpack { .. }), "{foreign}");
}

#[test]
fn no_usable_rows_says_why() {
    let mut rejects = RejectsFile::new(None);
    for reject in read(&format!("{HEADER}1,soon,a\n2,late,b\n3\n")).1 {
        rejects.add(&reject).unwrap();
    }
    let message = rejects.no_usable_rows_error("tweets.csv").to_string();
    let start = "tweets.csv has no usable rows: 3 read, rejected 1 field_count, 2 time; first at line 2: created_at is not a date with a time";
    assert!(message.starts_with(start), "{message}");
    assert!(!message.contains("soon"), "{message}");
    let none = RejectsFile::new(None).no_usable_rows_error("tweets.csv").to_string();
    assert_eq!(none, "tweets.csv has no usable rows: it is only a header, or an empty list");
}
