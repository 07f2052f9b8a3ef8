//! Faults of JSON: repaired and counted, or named.

use super::*;
use crate::dump::{DumpError, RejectReason, RequiredFields};

#[test]
fn faults_are_repaired_and_counted() {
    for (text, expected, note) in [
        (r#"{"text":"late","lang":NaN,"x":-Infinity}"#, "late", "NaN or Infinity"),
        (r#"{"data":[{"text":"late \ud83d","id":"1"}]}"#, "late ", "a lone surrogate"),
        ("{\"text\":\"la\tte\"}", "la\tte", "raw control characters"),
        (r#"{"text":"late","x":[1,],}"#, "late", "trailing commas"),
        (r#"{"text":"<p>late &amp; lost</p>"}"#, "late & lost", "HTML in the text"),
        (r#"{"text":"D\u00c3\u00a9\u00c3\u00a7u"}"#, "Déçu", "mojibake"),
        (r#"{"text":"b'caf\\xc3\\xa9'"}"#, "café", "Python bytes"),
    ] {
        let (rows, notes) = read(text);
        assert_eq!(texts(&rows), [expected], "{text}");
        assert!(notes.len() == 1 && notes[0].contains(note) && notes[0].ends_with(": line 1"), "{notes:?}");
    }
    let (rows, notes) = read(r#"{"text":"I <3 it, \ud83d\ude21, a < b, \"c'est où…\""}"#);
    assert_eq!((texts(&rows), notes), (vec!["I <3 it, 😡, a < b, \"c'est où…\""], vec![]));
}

#[test]
fn a_dictionary_of_python_is_named_with_the_way_out() {
    let (rows, rejects) = drain(&mut open(b"{'id': 1, 'text': None}\n{\"text\":\"a\"}\n", &ReadOptions::default()));
    assert_eq!((texts(&rows), rejects[0].reason), (vec!["a"], RejectReason::Json));
    assert!(
        rejects[0].detail.contains("Python") && rejects[0].detail.contains("ast.literal_eval"),
        "{}",
        rejects[0].detail
    );
}

fn failure(text: &str, columns: &str, required: RequiredFields) -> Option<DumpError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    std::fs::write(&path, text).unwrap();
    let columns = if columns.is_empty() { Columns::default() } else { Columns::parse(columns).unwrap() };
    let options = ReadOptions { columns, ..ReadOptions::default() };
    let mut reader = Reader::of_file(&path, &options, required).unwrap();
    loop {
        match reader.next_row() {
            Ok(None) => return None,
            Ok(Some(_)) => {}
            Err(error) => return Some(error),
        }
    }
}

#[test]
fn a_key_that_no_object_has_is_an_error_with_those_that_are_there() {
    let text = "{\"id\":\"1\",\"created_at\":\"2021-05-04T20:18:04Z\",\"text\":\"late\",\"user_handle\":\"ann\",\"a\":{\"b\":[{\"c\":1}]},\"mood\":\"negative\"}\n";
    let message = |columns, required| failure(&text.repeat(3), columns, required).map(|error| error.to_string());
    let unmapped = message("author=user_handel", NOTHING).unwrap();
    let (problem, keys) = unmapped.split_once("; found keys ").unwrap();
    assert!(
        problem.ends_with(
            "t.jsonl has no key for author (expected \"user_handel\"; did you mean \"user_handle\"?; map it with `--columns \
             author=user_handle`)"
        ),
        "{problem}"
    );
    let mut keys: Vec<&str> = keys.split(", ").collect();
    keys.sort_unstable();
    assert_eq!(keys, [r#""a.b.0.c""#, r#""created_at""#, r#""id""#, r#""mood""#, r#""text""#, r#""user_handle""#]);
    let label = message("", RequiredFields { label: true, ..NOTHING }).unwrap();
    assert!(label.contains("no key for label (expected one of ") && label.contains("\"mood\""), "{label}");
    let no_text = message("text=corps", NOTHING).unwrap();
    assert!(no_text.contains("no key for text (expected \"corps\";"), "{no_text}");
    for columns in ["author=user_handle,label=mood", "topic=brand"] {
        assert_eq!(message(columns, REPLAY), None);
    }
    assert!(message("topic=brand", RequiredFields { topic: true, ..NOTHING }).unwrap().contains("no key for topic"));
    let sparse = format!("{}{}", text.repeat(2), "{\"text\":\"x\",\"place\":\"Paris\"}\n");
    assert!(failure(&sparse, "lang=place", NOTHING).is_none(), "one object that has the key is enough");
}
