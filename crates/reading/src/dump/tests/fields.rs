//! What single rows do not say and the file decides: dates, labels, identifiers.

use std::io::Write as _;

use super::*;

const LABELS: RequiredFields = RequiredFields { created_at: false, label: true, topic: false };

/// A file, because a pipe is not looked at ahead.
fn open_file(text: &str, options: &ReadOptions, needs: RequiredFields) -> Result<Reader, DumpError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Reader::of_file(file.path(), options, needs)
}

fn file(text: &str, needs: RequiredFields) -> (Vec<Row>, Vec<Reject>, Vec<String>) {
    let mut reader = open_file(text, &ReadOptions::default(), needs).unwrap();
    let (rows, rejects) = drain(&mut reader);
    let notes = reader.notes().sentences();
    (rows, rejects, notes)
}

fn times(rows: &[Row]) -> Vec<String> {
    rows.iter().filter_map(|row| row.created_at).map(|time| time.to_string()).collect()
}

fn labels(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.label.as_deref()).collect()
}

#[test]
fn the_order_of_dates_is_decided_by_a_late_row_of_a_file() {
    let text = format!("created_at,text\n{}04/13/2021 10:00,late\n", "04/05/2021 10:00,late\n".repeat(20_000));
    let (rows, rejects, notes) = file(&text, REPLAY);
    assert_eq!((rows.len(), rejects.len()), (20_001, 0));
    assert_eq!(times(&rows[..1]), ["2021-04-05T10:00:00Z"]);
    assert_eq!(notes, ["dates are read month first, as \"04/13/2021 10:00\" shows (--time-format decides)"]);
}

#[test]
fn dates_that_nothing_decides_are_refused_with_both_readings() {
    let text = "created_at,text\n04/05/2021 22:18,a\n05/06/2021 22:18,b\n";
    let error = open_file(text, &ReadOptions::default(), REPLAY).err().unwrap().to_string();
    for part in ["2021-05-04 (day first)", "2021-04-05 (month first)", "--time-format \"%d/%m/%Y %H:%M\""] {
        assert!(error.contains(part), "{error}");
    }
    let options = ReadOptions { time_format: Some("%m/%d/%Y %H:%M".into()), ..ReadOptions::default() };
    let (rows, _) = drain(&mut open_file(text, &options, REPLAY).unwrap());
    assert_eq!(times(&rows), ["2021-04-05T22:18:00Z", "2021-05-06T22:18:00Z"]);
    // Where no time is needed, rows keep it as it is.
    let (rows, rejects, notes) = file(text, NOTHING);
    assert_eq!((rows.len(), rejects.len(), times(&rows).len()), (2, 0, 0));
    assert_eq!(rows[0].unread.as_ref().unwrap().created_at.as_deref(), Some("04/05/2021 22:18"));
    assert!(notes[0].starts_with("dates are not read: dates such as"), "{notes:?}");
}

#[test]
fn a_row_that_contradicts_the_order_is_rejected() {
    let text = "created_at,text\n24/05/2021 22:18,a\n25/05/2021 22:18,b\n05/26/2021 22:18,c\n";
    let (rows, rejects, _) = file(text, REPLAY);
    assert_eq!((lines(&rows), reasons(&rejects)), (vec![2, 3], vec![(4, RejectReason::Time)]));
    assert!(rejects[0].detail.contains("which are day first"), "{}", rejects[0].detail);
}

#[test]
fn a_date_and_a_time_column_are_read_together() {
    let text = "id,created_at,date,time,timezone,tweet\n\
                1,2021-05-05 01:48:04 Heure d'Inde,2021-05-05,01:48:04,+0530,a\n";
    assert_eq!(times(&file(text, REPLAY).0), ["2021-05-04T20:18:04Z"]);
    assert_eq!(times(&file("date,time,text\n2021-05-04,20:18:04,a\n", REPLAY).0), ["2021-05-04T20:18:04Z"]);
    let json = "{\"date\":\"2021-05-04\",\"time\":\"22:18:04\",\"timezone\":\"+0200\",\"text\":\"a\"}\n";
    assert_eq!(times(&file(json, REPLAY).0), ["2021-05-04T20:18:04Z"]);
    let mapped = |flag: &str| ReadOptions { columns: Columns::parse(flag).unwrap(), ..ReadOptions::default() };
    let text = "jour,heure,zone,text\n04.05.2021,22:18,Europe/Paris,a\n";
    for (flag, expected) in
        [("created_at=jour+heure", "2021-05-04T22:18:00Z"), ("created_at=jour+heure+zone", "2021-05-04T20:18:00Z")]
    {
        let (rows, rejects) = drain(&mut open_file(text, &mapped(flag), REPLAY).unwrap());
        assert_eq!((times(&rows), rejects.len()), (vec![expected.to_owned()], 0), "{flag}");
    }
    let error = open_file(text, &mapped("created_at=jour+time"), REPLAY).err().unwrap().to_string();
    assert!(error.contains("no column for created_at (expected \"time\";"), "{error}");
}

#[test]
fn a_date_alone_is_midnight_and_counted() {
    let (rows, _, notes) = file("date,text\n2021-05-04,a\n2021-05-05,b\n", REPLAY);
    assert_eq!(times(&rows), ["2021-05-04T00:00:00Z", "2021-05-05T00:00:00Z"]);
    assert_eq!(notes, ["2 rows have a date without a time; midnight is used: first at line 2"]);
}

#[test]
fn numbers_are_labels_by_the_scale_of_the_whole_file() {
    let (rows, rejects, notes) = file("polarity,text\n-1,a\n0,b\n1,c\n", LABELS);
    assert_eq!((labels(&rows), rejects.len()), (vec!["negative", "neutral", "positive"], 0));
    assert_eq!(notes, ["labels -1, 0, 1 are read as negative, neutral, positive (--labels-map decides)"]);
    // The third label stands at the end of a long file.
    let text = format!("label,text\n{}2,a\n", "0,late\n1,late\n".repeat(10_000));
    let (rows, rejects, _) = file(&text, LABELS);
    assert_eq!((rows.len(), rejects.len()), (20_001, 0));
    assert_eq!(labels(&rows[..2]), ["negative", "neutral"]);
    let error = open_file("polarity,text\n0,a\n2,b\n", &ReadOptions::default(), LABELS).err().unwrap().to_string();
    assert!(error.contains("the labels 0, 2, a scale that may mean several things"), "{error}");
    assert!(error.ends_with("--labels-map 0=negative,2=positive"), "{error}");
    let (rows, _, notes) = file("polarity,text\n0,a\n2,b\n", NOTHING);
    assert_eq!(labels(&rows), [] as [&str; 0]);
    assert!(notes[0].starts_with("labels are not read: the labels 0, 2"), "{notes:?}");
}

#[test]
fn a_labels_map_decides_and_other_values_reject_their_rows() {
    let options =
        ReadOptions { labels_map: LabelsMap::parse("0=negative,2=positive").unwrap(), ..ReadOptions::default() };
    let (rows, rejects) = drain(&mut open_file("polarity,text\n0,a\n2,b\n4,c\n", &options, LABELS).unwrap());
    assert_eq!((labels(&rows), reasons(&rejects)), (vec!["negative", "positive"], vec![(4, RejectReason::Label)]));
    assert_eq!(rejects[0].detail, "label \"4\" is not mapped by --labels-map (0, 2)");
}

#[test]
fn rows_without_a_sentiment_are_counted() {
    let (rows, rejects, notes) = file("label,text\nPositive,a\nIrrelevant,b\nmixed,c\n", LABELS);
    assert_eq!((labels(&rows), reasons(&rejects)), (vec!["positive", "neutral"], vec![(3, RejectReason::Label)]));
    assert_eq!(rejects[0].detail, "label \"Irrelevant\" is not a sentiment: the row is unlabelled");
    assert_eq!(notes.len(), 2, "{notes:?}");
}

#[test]
fn rounded_ids_do_not_make_duplicates() {
    let text = "id,created_at,author,text\n\
                7.91557E+17,2021-05-04T20:18:04Z,a,late\n\
                7.91557E+17,2021-05-04T20:18:04Z,b,late\n\
                7.91557E+17,2021-05-04T20:18:04Z,a,late\n\
                1101.0,2021-05-04T20:18:04Z,a,late\n";
    let (rows, _, notes) = file(text, REPLAY);
    assert_eq!(rows[0].unread.as_ref().unwrap().id.as_deref(), Some("7.91557E+17"));
    let ids: Vec<String> = rows.into_iter().filter_map(Row::into_post).map(|post| post.id).collect();
    assert_ne!(ids[0], ids[1], "another author");
    assert_eq!((&ids[0], ids[3].as_str()), (&ids[2], "1101"), "the same row is still a duplicate");
    assert!(notes[0].starts_with("3 rows have an id that a spreadsheet or pandas rounded"), "{notes:?}");
    let long = "id,text\n791557083012345000,a\n791557083012346000,b\n791557083012345000,c\n";
    assert!(file(long, NOTHING).0.iter().all(|row| row.id.is_none()));
    let numbers = "{\"id\":7.91557e+17,\"text\":\"a\"}\n{\"id\":791557083012345600.0,\"text\":\"b\"}\n{\"id\":12.0,\"text\":\"c\"}\n";
    let ids: Vec<_> = file(numbers, NOTHING).0.into_iter().map(|row| row.id).collect();
    assert_eq!(ids, [None, None, Some("12".to_owned())]);
}

#[test]
fn an_id_that_different_posts_share_is_remarked() {
    let rows: String = (0..6).map(|row| format!("1,a{row},text {row}\n")).collect();
    let (_, _, notes) = file(&format!("id,author,text\n{rows}"), NOTHING);
    assert!(notes[0].starts_with("5 rows at the start have the id of a row with another author and text"), "{notes:?}");
    let same: String = (0..6).map(|row| format!("1,a{row},text\n2,a,text {row}\n")).collect();
    assert_eq!(file(&format!("id,author,text\n{same}"), NOTHING).2, [] as [String; 0]);
}

#[test]
fn a_pipe_is_read_by_what_has_arrived() {
    let options = ReadOptions::default();
    let (rows, rejects) = read_with(b"label,text\n0,a\n1,b\n", &options, LABELS);
    assert_eq!((labels(&rows), rejects.len()), (vec!["negative", "positive"], 0));
    let pipe = Box::new(Pipe(Cursor::new(b"label,text\n0,a\n".to_vec()), 1));
    let mut reader = Reader::from_bytes("pipe".into(), pipe, None, &options, LABELS).unwrap();
    let reject = reader.next_row().unwrap().unwrap().unwrap_err();
    assert_eq!(reject.detail, "label \"0\" is not one of negative, neutral, positive (--labels-map decides)");
}
