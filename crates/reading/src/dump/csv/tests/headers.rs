//! Where the header is, and what a file without one says.

use super::*;

const ROWS: &str = "77,2021-05-04 20:18:04,negative,\"late, again\"\n78,2021-05-04 20:19:04,neutral,fine\n";

#[test]
fn a_sep_line_is_obeyed() {
    for (text, expected) in [
        ("sep=;\nid;text\n1;a, b\n", "a, b"),
        ("\u{feff}sep=,\r\nid,text\r\n1,a\r\n", "a"),
        ("\"sep=^\"\nid^text\n1^a;b\n", "a;b"),
        ("sep=\t\nid\ttext\n1\ta\n", "a"),
    ] {
        assert_eq!(texts(text), [expected], "{text:?}");
    }
    // A delimiter that is set decides.
    let set = ReadOptions { delimiter: Some('|'), ..ReadOptions::default() };
    assert_eq!(read_by("sep=;\nid|text\n1|a\n", &set, NOTHING).texts, ["a"]);
}

#[test]
fn a_header_after_lines_about_the_file_is_found() {
    let brandwatch = format!(
        "Report:,Bulk Download\nFrom:,Mon May 03 00:00:00 UTC 2021\n\nQuery Id,Date,Sentiment,Full Text\n{ROWS}"
    );
    let note = "the header is on line 4; the lines before it were skipped";
    let outcome = read(&brandwatch);
    assert_eq!(
        (&outcome.texts[..], &outcome.notes[..]),
        (&["late, again".to_owned(), "fine".into()][..], &[note.to_owned()][..])
    );
    for preamble in [
        "Air Paradis\n\n\n",
        "# made by a tool\n# of 2021, \"x\"\n\n",
        "Title;Report\nContent;all;of;it\n\n",
        ",,,\nText,,,\n,,,\n",
    ] {
        let text = format!("{preamble}Id,Date,Sentiment,Text\n{ROWS}");
        let outcome = read(&text);
        assert_eq!(outcome.texts, ["late, again", "fine"], "{text:?}");
        assert_eq!(outcome.notes, [note.to_owned()], "{text:?}");
    }
    let skipped = ReadOptions { skip_lines: 3, ..ReadOptions::default() };
    let outcome = read_by(&brandwatch, &skipped, REPLAY);
    assert_eq!((outcome.texts.len(), outcome.notes), (2, vec![]));
}

#[test]
fn the_columns_of_a_header_further_down_are_in_the_error() {
    let text = format!("Report:,Bulk Download\n\nQuery Id,Date,Sentiment,What they wrote\n{ROWS}");
    let message = error(&text, &ReadOptions::default(), REPLAY);
    assert!(message.contains("no column for text"), "{message}");
    assert!(
        message.ends_with("found columns \"Query Id\", \"Date\", \"Sentiment\", \"What they wrote\" on line 3"),
        "{message}"
    );
}

#[test]
fn a_repeated_header_is_no_post() {
    let text = "id,text\n1,a\nid,text\n2,b\n\u{feff}\"id\",\"text\"\n3,text\n";
    let outcome = read(text);
    assert_eq!((&outcome.texts[..], outcome.rejects), (&["a".to_owned(), "b".into(), "text".into()][..], vec![]));
    assert_eq!(outcome.notes, ["2 rows repeat the header; they were skipped: first at line 3"]);
}

#[test]
fn a_file_without_a_header_is_read_by_numbers() {
    let options = ReadOptions { header: Header::None, ..columns("text=4,label=3,created_at=2") };
    for text in [ROWS.to_owned(), ROWS.replace(',', "\t"), ROWS.replace("late, again", "late").replace(',', ";")] {
        let outcome = read_by(&text, &options, REPLAY);
        assert_eq!((outcome.texts.len(), outcome.rejects, outcome.notes), (2, vec![], vec![]), "{text:?}");
    }
    let lines = "so late, again\nfine\nlost, and found, and lost\n";
    let outcome = read_by(lines, &ReadOptions { header: Header::None, ..columns("text=1") }, NOTHING);
    assert_eq!(outcome.texts, ["so late, again", "fine", "lost, and found, and lost"]);
    // With a header too, a number is a column that no name is.
    assert_eq!(read_by("id,2,words\n7,x,y\n", &columns("text=3"), NOTHING).texts, ["y"]);
    assert_eq!(read_by("id,2,words\n7,x,y\n", &columns("text=2"), NOTHING).texts, ["x"]);
}

#[test]
fn the_error_of_a_file_without_a_header_shows_the_flags() {
    let kaggle =
        "2400,Air Paradis,Negative,\"suitcase lost, day three\"\n2401,Air Paradis,Irrelevant,buy my cards now\n";
    let expected = "tweets.csv has no header: its first line looks like a row; its columns are: \
                    1 number, 2 word, 3 sentiment, 4 text; read it e.g. with `--header none --columns id=1,label=3,text=4`";
    assert_eq!(error(kaggle, &ReadOptions::default(), NOTHING), expected);
    // Who names columns by number knows that there is no header, and the first row is not lost.
    let read = read_by(kaggle, &columns("text=4,label=3"), NOTHING);
    assert_eq!(read.texts, ["suitcase lost, day three", "buy my cards now"]);
    assert!(read.notes.iter().any(|note| note.starts_with("the first line looks like a row")), "{:?}", read.notes);
    let none = ReadOptions { header: Header::None, ..ReadOptions::default() };
    let message = error(ROWS, &none, REPLAY);
    assert!(message.contains("is read without a header, and a column is not mapped by its number"), "{message}");
    assert!(message.ends_with("`--header none --columns id=1,created_at=2,label=3,text=4`"), "{message}");
    assert!(!message.contains("late"), "{message}");
}

#[test]
fn unnamed_columns_and_surplus_delimiters_are_fine() {
    for text in [
        ",id,text\n0,1,a\n1,2,b\n",
        "Unnamed: 0,id,text\n0,1,a\n1,2,b\n",
        "id,text,\n1,a\n2,b,\n",
        "id,text\n1,a,,\n2,b,\n",
        "id,text,,\n1,a,note,\n2,b,,\n",
        "id;text;;\n1;a;;\n;;;\n2;b;;\n",
    ] {
        assert_eq!(texts(text), ["a", "b"], "{text:?}");
    }
    assert_eq!(read("id,text\n1,a,b\n").rejects, [(2, RejectReason::FieldCount)]);
}

#[test]
fn a_file_of_one_column_is_not_split() {
    assert_eq!(
        texts("text\nlate, so late\n\"quoted, too\"\nfine; or not\n"),
        ["late, so late", "quoted, too", "fine; or not"]
    );
}
