//! The formats of docs/import.md: each line of its table is tried on its example, with one command and the flags of the
//! line. `tests/data/import/make.py` writes the examples: the same four posts in every format.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{repository, success, vigie};

/// The four posts: end of the id, time, handle, label, a word that only its text has.
const POSTS: [(&str, &str, &str, &str, &str); 4] = [
    ("101", "2026-10-03T08:15:00", "marie_lyon", "negative", "égaré"),
    ("102", "2026-10-03T08:20:30", "tom_b", "negative", "tarmac"),
    ("103", "2026-10-03T08:31:11", "ana_ruiz", "neutral", "Lisbon"),
    ("104", "2026-10-03T08:47:59", "lune_rousse", "positive", "parfait"),
];
/// Columns of `vigie clean`.
type Record = BTreeMap<String, String>;

/// One line of the table.
struct Format {
    example: String,
    flags: Vec<String>,
    fields: Vec<String>,
}

fn formats() -> Vec<Format> {
    let page = fs::read_to_string(repository("docs/import.md")).unwrap();
    // The first table; the others are about doubts.
    let table = page.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows = table.skip(2);
    let cells = rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect());
    let format = |cells: Vec<String>| {
        let [_, example, flags, fields] = cells.try_into().unwrap();
        let split = |text: String, by: &str| {
            text.split(by).filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        Format { example, flags: split(flags, " "), fields: split(fields, ", ") }
    };
    cells.map(format).collect()
}

/// What `vigie clean` makes of an example.
fn read(format: &Format) -> Vec<Record> {
    let dir = tempfile::tempdir().unwrap();
    let example = repository("tests/data/import").join(&format.example);
    let mut command = vigie(dir.path());
    let output = command.arg("clean").arg(example).args(["--profile", "transformer"]).args(&format.flags).output();
    let text = success(&output.unwrap());
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|record| record.unwrap()).collect()
}

fn problem(format: &Format) -> Option<String> {
    let records = read(format);
    // The file of the French Excel has a fifth post, whose day cannot be a month.
    let expected = if format.example == "excel_french.csv" { 5 } else { 4 };
    if records.len() != expected {
        return Some(format!("{} posts", records.len()));
    }
    POSTS.iter().zip(&records).find_map(|((id, time, author, label, word), record)| {
        let is_right = |field: &String| match field.as_str() {
            "id" => record["id"].ends_with(id),
            "time" => record["created_at"].starts_with(time) && record["created_at"].ends_with('Z'),
            "author" => record["author"] == *author,
            "label" => record["label"] == *label,
            "text" => record["text"].contains(word) && !record["text"].contains(['<', '…', 'Ã']),
            other => panic!("docs/import.md: unknown field {other}"),
        };
        let wrong = format.fields.iter().find(|field| !is_right(field))?;
        Some(format!("{wrong} of post {id}: {record:?}"))
    })
}

#[test]
fn every_format_of_the_table_is_read() {
    let problems: Vec<String> = formats()
        .iter()
        .filter_map(|format| problem(format).map(|problem| format!("{}: {problem}", format.example)))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_example_is_in_the_table() {
    let listed: Vec<String> = formats().into_iter().map(|format| format.example).collect();
    let files = fs::read_dir(repository("tests/data/import")).unwrap();
    for name in files.map(|file| file.unwrap().file_name().into_string().unwrap()).filter(|name| name != "make.py") {
        assert!(listed.contains(&name), "{name} is not in docs/import.md");
    }
}

#[test]
fn inspect_shows_in_one_screen_what_would_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let example = repository("tests/data/import/kaggle_airline.csv");
    let screen = success(&vigie(dir.path()).arg("inspect").arg(&example).output().unwrap());
    for expected in [
        "format    CSV, delimiter `,`",
        "id from \"tweet_id\"",
        "text from \"text\"",
        "rows      4 posts",
        "times     2026-10-03 08:15:00 to 2026-10-03 08:47:59 UTC",
        "labels    negative 2, neutral 1, positive 1",
        "2026-10-03 08:15:00  @marie_lyon  negative",
    ] {
        assert!(screen.contains(expected), "{expected}: {screen}");
    }
    assert!(screen.lines().count() <= 24, "{screen}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is written");
}

#[test]
fn inspect_says_every_doubt_with_the_flag_that_decides() {
    let dir = tempfile::tempdir().unwrap();
    let example = repository("tests/data/import/excel_french.csv");
    let screen = success(&vigie(dir.path()).arg("inspect").arg(&example).output().unwrap());
    let doubts = screen.split("doubts\n").nth(1).unwrap();
    for expected in ["windows-1252 (--encoding decides)", "rounded", "day"] {
        assert!(doubts.contains(expected), "{expected}: {screen}");
    }
    assert!(screen.contains("CSV, delimiter `;`"), "{screen}");
}
