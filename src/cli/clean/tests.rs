//! `vigie clean` over dumps of every layout, and what it leaves behind when it fails.

use std::fs;

use clap::Parser;
use tempfile::TempDir;

use super::*;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: CleanArgs,
}

/// Cleans `dump` with `flags`; the folder then holds the dump, `out.csv` and, where there are any, `rejects.csv`.
fn cleaned(dump: &str, flags: &[&str]) -> (TempDir, anyhow::Result<()>) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    fs::write(path("dump"), dump).unwrap();
    let (dump, out, rejects) = (path("dump"), path("out.csv"), path("rejects.csv"));
    let standard = ["vigie", &dump, "-o", &out, "--rejects", &rejects];
    let command = Command::try_parse_from(standard.iter().chain(flags)).unwrap();
    let result = run(command.args);
    (dir, result)
}

fn out(dump: &str, flags: &[&str]) -> String {
    let (dir, result) = cleaned(dump, flags);
    result.unwrap();
    fs::read_to_string(dir.path().join("out.csv")).unwrap()
}

const AIRLINE: &str = "id,airline,label,created_at,author,text\n\
    7,United,negative,2015-02-24T19:35:52Z,bob,\"@united I am NOT happy, &amp; late\"\n\
    8,United,positive,2015-02-24T19:36:52+01:00,eve,@united http://t.co/x\n";

#[test]
fn the_profile_is_classic_by_default() {
    assert_eq!(
        out(AIRLINE, &[]),
        "id,created_at,author,airline,label,text\n7,2015-02-24T19:35:52Z,bob,United,negative,not happy late\n"
    );
}

#[test]
fn the_transformer_profile_masks() {
    assert_eq!(
        out(AIRLINE, &["--profile", "transformer"]),
        "id,created_at,author,airline,label,text\n\
         7,2015-02-24T19:35:52Z,bob,United,negative,\"@user I am NOT happy, & late\"\n\
         8,2015-02-24T18:36:52Z,eve,United,positive,@user http\n"
    );
}

#[test]
fn neither_time_nor_label_is_needed() {
    assert_eq!(out("text\nGreat flight\n", &[]), "id,created_at,author,airline,label,text\n,,,,,great flight\n");
}

#[test]
fn posts_made_alike_by_cleaning_stay_two() {
    let dump = "created_at,author,text\n2015-02-24T19:35:52Z,bob,late!\n2015-02-24T19:35:52Z,bob,Late?\n";
    let cleaned = out(dump, &[]);
    let lines: Vec<&str> = cleaned.lines().skip(1).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.starts_with('h') && line.ends_with(",2015-02-24T19:35:52Z,bob,,,late")));
    assert_ne!(lines[0], lines[1]);
}

#[test]
fn what_was_cleaned_is_read_and_cleaned_again_to_the_same() {
    let dump = "0,1,Mon Apr 06 22:19:45 PDT 2009,NO_QUERY,bob,\"a \"\"late\"\" flight, again; &lt;3\"\n\
                4,2,Mon Apr 06 22:19:49 PDT 2009,NO_QUERY,eve,Never better\n";
    for profile in ["classic", "transformer"] {
        let once = out(dump, &["--profile", profile]);
        assert_eq!(once.lines().count(), 3);
        assert_eq!(out(&once, &["--profile", profile]), once);
    }
}

#[test]
fn bad_rows_are_set_aside_and_counted() {
    let (dir, result) = cleaned("text,author\ngood flight,bob\n,eve\ntoo,many,fields\nthe,bob\n", &[]);
    result.unwrap();
    let rejects = fs::read_to_string(dir.path().join("rejects.csv")).unwrap();
    assert_eq!(rejects.lines().count(), 3, "{rejects}");
    assert!(rejects.contains("3,empty_text") && rejects.contains("4,field_count"), "{rejects}");
}

#[test]
fn the_summary_tells_what_became_of_each_row() {
    let dump = tempfile::NamedTempFile::new().unwrap();
    fs::write(dump.path(), "text\nlate\nthe\n\"\"\n").unwrap();
    let inputs = Inputs::expand(&[dump.path()]).unwrap();
    let mut reader =
        DumpReader::open(&inputs, &crate::dump::ReadOptions::default(), RequiredFields::default()).unwrap();
    let mut rejects = RejectsFile::new(None);
    let counts = clean(&mut reader, Profile::Classic, "topic", Vec::new(), &mut rejects).unwrap();
    assert_eq!(counts, Counts { written: 1, emptied: 1, ..Counts::default() });
    assert_eq!(
        summary(&counts, Some(Path::new("out.csv")), &rejects),
        "1 rows written to out.csv, 1 skipped (empty after cleaning), 1 rejected (1 empty_text)"
    );
}

#[test]
fn times_and_ids_that_cannot_be_read_stay_as_they_are() {
    let dump = "id,created_at,text\n7.91557E+17,Q2 2021,late\n8,2021-05-04T20:18:04Z,later\n";
    assert_eq!(
        out(dump, &[]),
        "id,created_at,author,airline,label,text\n7.91557E+17,Q2 2021,,,,late\n8,2021-05-04T20:18:04Z,,,,later\n"
    );
    let counts = Counts { written: 2, raw_times: 1, raw_ids: 1, ..Counts::default() };
    let summary = summary(&counts, None, &RejectsFile::new(None));
    let expected =
        "1 times could not be read and are written as they are; 1 ids could not be read and are written as they are";
    assert!(summary.ends_with(expected), "{summary}");
}

#[test]
fn mostly_rejected_rows_are_an_error_after_the_output() {
    let dump = "text,author\ngood flight,bob\n,eve\n,eve\n";
    let (dir, result) = cleaned(dump, &[]);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("2 of 3 rows of ") && error.contains("; the first at line 3: text is empty"), "{error}");
    assert!(error.ends_with("(--max-rejects decides)"), "{error}");
    assert_eq!(fs::read_to_string(dir.path().join("out.csv")).unwrap().lines().count(), 2);
    for flag in ["90%", "0.7", "2"] {
        cleaned(dump, &["--max-rejects", flag]).1.unwrap();
    }
}

#[test]
fn a_failed_run_leaves_nothing_behind() {
    let (dir, result) = cleaned("text\n\"\"\n", &[]);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("no usable rows"), "{error}");
    let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["dump", "rejects.csv"]);
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let mut output = Output::create(Path::new("/dev/null")).unwrap();
    assert!(matches!(output, Output::Direct(_)));
    output.file().write_all(b"x").unwrap();
    output.keep().unwrap();
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
}

#[test]
fn places_that_cannot_be_written_and_clashes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dump = dir.path().join("dump").to_string_lossy().into_owned();
    fs::write(&dump, "text\nlate\n").unwrap();
    for (flags, expected) in [
        (&["-o", "/no/such/folder/out.csv"][..], "cannot write /no/such/folder/out.csv"),
        (&["-o", "x.csv", "--rejects", "x.csv"], "--output and the rejects file are both x.csv"),
        (&["--rejects", &dump], "the dump and the rejects file are both"),
    ] {
        let command = Command::try_parse_from(["vigie", &dump].iter().chain(flags)).unwrap();
        let error = run(command.args).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
