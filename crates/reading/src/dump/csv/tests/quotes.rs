//! Quotes that do not close, and texts of several lines: neither swallows the other.

use super::*;

const STRAY_NOTE: &str = "row has a quote that does not close";

fn stray(text: &str) -> Outcome {
    let outcome = read_by(text, &ReadOptions::default(), REPLAY);
    assert!(outcome.notes.iter().any(|note| note.contains("quote that does not close")), "{outcome:?}");
    assert_eq!(outcome.rejects, [], "{text:?}");
    outcome
}

#[test]
fn a_text_that_begins_with_a_quote_is_read_as_it_is() {
    let text = "id\tcreated_at\tlabel\ttext\n\
        1\t2021-05-04T20:01:04Z\tnegative\t\"day three and still no suitcase\n\
        2\t2021-05-04T20:02:04Z\tpositive\tlovely crew\n\
        3\t2021-05-04T20:03:04Z\tnegative\t\"soon\" they say, for two hours\n\
        4\t2021-05-04T20:04:04Z\tneutral\tboarding now\n";
    let outcome = stray(text);
    assert_eq!(
        outcome.texts,
        ["\"day three and still no suitcase", "lovely crew", "\"soon\" they say, for two hours", "boarding now"]
    );
    let note = "2 rows have a quote that does not close; it was kept as text \
                (--quote none for a file that does not quote): first at line 2";
    assert_eq!(outcome.notes, [note]);
}

#[test]
fn a_quote_at_the_end_of_a_later_row_does_not_join_them() {
    for delimiter in ["\t", ",", ";", "|"] {
        for end in ["\n", "\r\n"] {
            let lines = [
                "id,created_at,text",
                "1,2021-05-04T20:01:04Z,\"day three",
                "2,2021-05-04T20:02:04Z,lovely crew",
                "3,2021-05-04T20:03:04Z,they said \"soon\"",
                "4,2021-05-04T20:04:04Z,and \"late again\"",
                "5,2021-05-04T20:05:04Z,fine",
            ];
            let text = lines.join(end).replace(',', delimiter) + end;
            let outcome = stray(&text);
            assert_eq!(
                outcome.texts,
                ["\"day three", "lovely crew", "they said \"soon\"", "and \"late again\"", "fine"],
                "{text:?}"
            );
            assert!(outcome.notes[0].contains(STRAY_NOTE));
        }
    }
}

#[test]
fn a_stray_quote_in_a_middle_column_does_not_join_rows() {
    let text = "id,text,label\n1,\"day three,negative\n\
        2,lovely crew,positive\n3,they said \"soon\",neutral\n4,\"so, late\",negative\n";
    assert_eq!(read(text).texts, ["\"day three", "lovely crew", "they said \"soon\"", "so, late"]);
    // No column whose cells could be recognised, but tabs separate nothing in a text.
    let text =
        "brand\ttext\tregion\nair\t\"day three\tnorth\nair\tlovely crew\tsouth\nair\tthey said \"soon\"\tsouth\n";
    assert_eq!(read(text).texts, ["\"day three", "lovely crew", "they said \"soon\""]);
}

#[test]
fn texts_of_several_lines_stay_whole() {
    for delimiter in [",", "\t", ";", "|"] {
        let last = "id,created_at,text\n\
                    1,2021-05-04T20:01:04Z,\"late, again\nand \"\"again\"\"\n\n2, he said; not 3\"\n\
                    2,2021-05-04T20:02:04Z,fine\n";
        let middle = "id,text,label\n1,\"late\nand again, 2\",negative\n2,\"\nlost\n\",neutral\n3,fine,positive\n";
        let first = "text,label\n\"late\nagain\",negative\n\"so\nlong\",positive\nfine,neutral\n";
        let with = |text: &str| text.replace(',', delimiter);
        assert_eq!(texts(&with(last)), [with("late, again\nand \"again\"\n\n2, he said; not 3"), "fine".into()]);
        assert_eq!(texts(&with(middle)), [with("late\nand again, 2"), "\nlost\n".into(), "fine".into()]);
        assert_eq!(texts(&with(first)), ["late\nagain", "so\nlong", "fine"]);
    }
    assert_eq!(texts("text\n\"late\nagain\"\n\"fine\"\n"), ["late\nagain", "fine"]);
}

#[test]
fn a_damaged_line_is_rejected_alone() {
    let text = "id,created_at,text\n1,\"never closed\n2,2021-05-04T20:02:04Z,fine\n3,2021-05-04T20:03:04Z,\"x, y\"\n";
    let outcome = read_by(text, &ReadOptions::default(), REPLAY);
    assert_eq!(
        (outcome.texts, outcome.rejects),
        (vec!["fine".into(), "x, y".into()], vec![(2, RejectReason::UnclosedQuote)])
    );
}

#[test]
fn quotes_escaped_by_a_backslash_are_noticed() {
    let text = "id,text,label\n1,fine,positive\n\
        2,\"he said \\\"soon\\\", and left\",negative\n\
        3,\"ends with \\\"soon\\\"\",negative\n4,\"two\nlines \\\"\",neutral\n5,ok,neutral\n";
    let outcome = read(text);
    assert_eq!(outcome.rejects, []);
    assert_eq!(outcome.texts, ["fine", "he said \"soon\", and left", "ends with \"soon\"", "two\nlines \"", "ok"]);
    assert_eq!(
        outcome.notes,
        ["quotes inside fields are escaped by a backslash; the file is read as with --escape '\\'"]
    );
}

#[test]
fn quote_and_escape_can_be_set() {
    let none = ReadOptions { quote: Some(Quote::None), ..ReadOptions::default() };
    let outcome = read_by("id\ttext\n1\t\"a\n2\tb\"\n3\t\"c\"\n", &none, NOTHING);
    assert_eq!((&outcome.texts[..], outcome.notes.len()), (&["\"a".to_owned(), "b\"".into(), "\"c\"".into()][..], 0));
    let single = ReadOptions { quote: Some(Quote::Char('\'')), ..ReadOptions::default() };
    assert_eq!(read_by("id,text\n1,'it''s, \"so\"'\n", &single, NOTHING).texts, ["it's, \"so\""]);
    let mysql = ReadOptions { quote: Some(Quote::None), escape: Some('\\'), ..ReadOptions::default() };
    let outcome = read_by("id\ttext\tlang\n1\ttwo\\\nlines\\\tand a tab\t\\N\n", &mysql, NOTHING);
    assert_eq!((outcome.texts, outcome.rejects), (vec!["two\nlines\tand a tab".into()], vec![]));
}

#[test]
fn a_quoted_text_of_several_lines_is_not_torn() {
    let labelled = "label,text\nnegative,\"my top:\n1, the crew\n2, the food\"\n";
    assert_eq!(texts(labelled), ["my top:\n1, the crew\n2, the food"]);
    assert_eq!(texts("id,text\n5,\"Bilan:\n2021, quelle année\"\n"), ["Bilan:\n2021, quelle année"]);
    let outcome = read("id,text\n1,\"line one\nline two\",extra\n");
    assert_eq!((outcome.texts.len(), &outcome.rejects[..]), (0, &[(2, RejectReason::FieldCount)][..]));
}

#[test]
fn many_quotes_that_never_close_are_read() {
    let rows: String = (0..20_000).map(|id| format!("{id}\t2021-05-04T20:01:04Z\t\"a \"b\n")).collect();
    let outcome = read_by(&format!("id\tcreated_at\ttext\n{rows}"), &ReadOptions::default(), REPLAY);
    assert_eq!((outcome.texts.len(), outcome.rejects.len()), (20_000, 0));
}

#[test]
fn many_stray_quotes_are_read_in_linear_time() {
    let rows: String = (0..20_000).map(|id| format!("{id}\t2021-05-04T20:01:04Z\t\"late {id}\n")).collect();
    let outcome = read_by(&format!("id\tcreated_at\ttext\n{rows}"), &ReadOptions::default(), REPLAY);
    assert_eq!((outcome.texts.len(), outcome.rejects.len()), (20_000, 0));
}
