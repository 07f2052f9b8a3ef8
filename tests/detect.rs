//! `vigie detect` as an analyst runs it: a score for every row, from earlier rows only, and the quality of the alarms on the
//! tweet volumes of the Numenta Anomaly Benchmark.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;
#[path = "detect/nab.rs"]
mod nab;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use common::{failure, success, vigie};

/// Six days of 5-minute counts with a rhythm, and half an hour of very many.
fn series() -> String {
    let mut text = "timestamp,value\n".to_owned();
    let mut seed = 7_u32;
    for row in 0..6 * 288 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let rhythm = if (row / 12) % 24 < 12 { 4 } else { 12 };
        let spike = if (1_500..1_506).contains(&row) { 300 } else { 0 };
        let (day, hour, minute) = (1 + row / 288, row / 12 % 24, row % 12 * 5);
        writeln!(text, "2026-03-{day:02} {hour:02}:{minute:02}:00,{}", seed % rhythm + spike).unwrap();
    }
    text
}

fn detect(dir: &Path, text: &str, flags: &[&str]) -> Output {
    fs::write(dir.join("series.csv"), text).unwrap();
    vigie(dir).args(["detect", "series.csv", "--out", "-"]).args(flags).output().unwrap()
}

fn scores(text: &str) -> Vec<f64> {
    text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn every_row_has_its_score_and_its_timestamp_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let text = series();
    let output = detect(dir.path(), &text, &[]);
    let scored = success(&output);
    assert_eq!(scored.lines().next(), Some("timestamp,anomaly_score"));
    let timestamps = |text: &str| text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect();
    let (read, written): (Vec<String>, Vec<String>) = (timestamps(&text), timestamps(&scored));
    assert_eq!(read, written);
    let alarms: Vec<usize> =
        (0..).zip(scores(&scored)).filter(|(_, score)| *score >= 0.5).map(|(row, _)| row).collect();
    assert_eq!(alarms, [1_500], "one alarm for one incident");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message, "vigie: 1728 rows scored, 1 alarm (0.5 or more), 0 unusable rows\n");
}

#[test]
fn a_file_is_written_whole_and_twice_the_same() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("series.csv"), series()).unwrap();
    for out in ["a.csv", "b.csv"] {
        success(&vigie(dir.path()).args(["detect", "series.csv", "--out", out]).output().unwrap());
    }
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("a.csv"), read("b.csv"));
    let onto = vigie(dir.path()).args(["detect", "series.csv", "--out", "./series.csv"]).output().unwrap();
    assert!(failure(&onto).contains("set another output file"), "{}", failure(&onto));
    assert_eq!(read("series.csv"), series());
}

#[test]
fn no_score_knows_what_comes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let text = series();
    let whole = success(&detect(dir.path(), &text, &[]));
    for rows in [1, 10, 700, 1_501, 1_600] {
        let prefix: String = text.lines().take(rows + 1).map(|line| line.to_owned() + "\n").collect();
        let scored = success(&detect(dir.path(), &prefix, &[]));
        assert_eq!(scored.lines().count(), rows + 1);
        assert!(whole.starts_with(&scored), "the first {rows} rows score otherwise without the rest");
    }
}

#[test]
fn what_cannot_be_used_is_named_and_scores_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let text = "timestamp,value\n2026-03-01 00:00:00,1\nyesterday,2\n2026-03-01 00:10:00,many\n2026-03-01 00:15:00,\n\
                2026-03-01 00:20:00\n2026-03-01 00:25:00,-4\n2026-03-01 00:30:00,NaN\n2026-03-01 00:00:00,5\n2026-03-01 00:40:00,5\n";
    let output = detect(dir.path(), text, &[]);
    let scored = success(&output);
    assert_eq!(scored.lines().count(), 10);
    assert!(scored.contains("\nyesterday,0.000000\n"), "{scored}");
    let message = String::from_utf8(output.stderr).unwrap();
    let expected = [
        "series.csv:3: `timestamp` is not a date with a time",
        "series.csv:4: `value` is not a number",
        "series.csv:5: `value` is empty",
        "series.csv:6: `value` is missing",
        "series.csv:7: `value` is negative; the row scores 0",
        "series.csv:8: `value` is not a number",
        "series.csv:9: `timestamp` is not after the row before",
        "9 rows scored, 0 alarms (0.5 or more), 7 unusable rows",
    ];
    for expected in expected {
        assert!(message.contains(expected), "{message}\n does not say {expected}");
    }
}

#[test]
fn many_bad_rows_are_counted_and_not_all_named() {
    let dir = tempfile::tempdir().unwrap();
    let text = "timestamp,value\n2026-03-01,1\n".to_owned() + &"x,y\n".repeat(500);
    let output = detect(dir.path(), &text, &[]);
    success(&output);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message.lines().count(), 12, "{message}");
    assert!(message.contains("490 more unusable rows"), "{message}");
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let expected = success(&detect(dir.path(), &series(), &[]));
    let turned = |header: &str, mark: &str| -> String {
        let text = series();
        let rows = text.lines().skip(1).filter_map(|line| line.split_once(','));
        let rows: String = rows.map(|(time, value)| format!("{value}{mark}x{mark}{time}\r\n")).collect();
        format!("\u{feff}{header}\r\n{rows}")
    };
    assert_eq!(success(&detect(dir.path(), &turned("Count,note,Date", ","), &[])), expected);
    assert_eq!(success(&detect(dir.path(), &turned("value;note;timestamp", ";"), &[])), expected);
    let flags = ["--time-column", "when", "--value-column", "much"];
    assert_eq!(success(&detect(dir.path(), &turned("much,note,when", ","), &flags)), expected);
    let headless: String = series().lines().skip(1).map(|line| line.to_owned() + "\n").collect();
    assert_eq!(success(&detect(dir.path(), &headless, &[])), expected);
    let message = failure(&detect(dir.path(), &turned("much,note,when", ","), &[]));
    assert!(message.contains("`much`, `note`, `when`") && message.contains("--time-column"), "{message}");
}

#[test]
fn exports_of_google_trends_are_read_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let days: String =
        (1..=30).map(|day| format!("2021-05-{day:02},{}\n", if day % 5 == 0 { "<1" } else { "21" })).collect();
    let output = detect(dir.path(), &format!("Category: All categories\n\nDay,air paradis: (France)\n{days}"), &[]);
    assert_eq!(success(&output).lines().count(), 31);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("lines before the header are skipped: 1") && message.contains("6 values `<1` count as 0"),
        "{message}"
    );
    assert!(message.contains("30 rows scored,") && message.contains(" 0 unusable rows"), "{message}");
    for (header, rows) in [
        ("Catégorie : Toutes\n\nSemaine,air paradis: (France)", "2021-05-02,3\n2021-05-09,<1\n"),
        ("Month,air paradis: (France)", "2021-05,3\n2021-06,4\n"),
        ("Category: All\n\nTime,air paradis: (France)", "2021-05-04T20,3\n2021-05-04T21,4\n"),
        ("Week,air paradis", "2021-05-02 - 2021-05-08,3\n2021-05-09 - 2021-05-15,4\n"),
    ] {
        let output = detect(dir.path(), &format!("{header}\n{rows}"), &[]);
        assert_eq!(success(&output).lines().count(), 3);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(" 0 unusable rows"), "{header}: {message}");
    }
    let two = detect(dir.path(), "Day,a: (France),b: (France)\n2021-05-01,1,2\n", &[]);
    assert!(failure(&two).contains("--value-column"), "{}", failure(&two));
}

#[test]
fn a_daily_series_may_have_dates_alone() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |day: usize| {
        format!("2026-{:02}-{:02},{}\n", 1 + day / 28, 1 + day % 28, if day == 90 { 900 } else { 20 + day % 7 })
    };
    let text = "date,posts\n".to_owned() + &(0..112).map(rows).collect::<String>();
    let scored = success(&detect(dir.path(), &text, &[]));
    let alarms: Vec<usize> =
        (0..).zip(scores(&scored)).filter(|(_, score)| *score >= 0.5).map(|(row, _)| row).collect();
    assert_eq!(alarms, [90]);
}

#[test]
fn times_are_read_by_their_format() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--time-format", "%d/%m/%Y %H:%M"];
    let message = success(&detect(dir.path(), "timestamp,value\n28/02/2026 23:55,1\n01/03/2026 00:00,2\n", &flags));
    assert_eq!(message.lines().nth(2), Some("01/03/2026 00:00,0.000000"));
}

#[test]
fn a_series_without_any_row_of_use_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    assert!(failure(&detect(dir.path(), "", &[])).contains("series.csv: empty file"));
    assert!(failure(&detect(dir.path(), "timestamp,value\na,b\n", &[])).contains("no usable rows"));
    assert_eq!(success(&detect(dir.path(), "timestamp,value\n", &[])), "timestamp,anomaly_score\n");
    let missing = vigie(dir.path()).args(["detect", "absent.csv", "--out", "-"]).output().unwrap();
    assert!(failure(&missing).contains("cannot read absent.csv"));
}

#[test]
fn explaining_adds_what_was_expected_and_what_would_have_been_an_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let scored = success(&detect(dir.path(), &series(), &["--explain"]));
    let row: Vec<&str> = scored.lines().nth(1_501).unwrap().split(',').collect();
    let [_, score, expected, upper] = row[..] else { panic!("{row:?}") };
    let number = |text: &str| text.parse::<f64>().unwrap();
    assert!(number(score) >= 0.5);
    assert!(number(expected) < 12.0 && number(upper) < 300.0 && number(upper) > 12.0, "{row:?}");
    assert_eq!(scored.lines().nth(1).unwrap(), "2026-03-01 00:00:00,0.000000,,");
}

/// What `../shared/tools/nab_score.py` prints, at the threshold 0.5, and the false alarms in each series-week.
#[test]
fn the_benchmark_is_reached() {
    let Some(series) = nab::series() else {
        eprintln!("skipped: ../shared/data/nab is not here");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let total = series.iter().map(|series| {
        let scored = success(&vigie(dir.path()).arg("detect").arg(&series.path).args(["--out", "-"]).output().unwrap());
        let judged = series.judge(&scores(&scored));
        println!("{}: {judged:?}", series.path.display());
        judged
    });
    let total = total.reduce(nab::Judged::plus).unwrap();
    assert!(total.windows == 15, "all windows are scored: {total:?}");
    assert!(total.score() >= 85.0, "{:.1}: {total:?}", total.score());
    assert!(total.false_alarms_a_week() < 0.8, "{:.2}: {total:?}", total.false_alarms_a_week());
}

/// The test's own rule is the one that counts.
#[test]
fn the_benchmark_is_judged_as_its_tool_does() {
    let Some(series) = nab::series() else {
        eprintln!("skipped: ../shared/data/nab is not here");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut total = nab::Judged::default();
    for series in &series {
        // Alarms everywhere, so that every branch of the rule is used.
        let text = fs::read_to_string(&series.path).unwrap();
        let scores: Vec<f64> = (0..text.lines().count() - 1).map(|row| f64::from(u8::from(row % 370 == 7))).collect();
        let rows = text.lines().skip(1).zip(&scores).map(|(line, score)| (line.split(',').next().unwrap(), score));
        let written: String = rows.map(|(time, score)| format!("{time},{score}\n")).collect();
        let out = dir.path().join(series.path.file_name().unwrap());
        fs::write(out, format!("timestamp,anomaly_score\n{written}")).unwrap();
        total = total.plus(series.judge(&scores));
    }
    let shared = common::repository("../shared");
    let tool = std::process::Command::new("python3")
        .arg(shared.join("tools/nab_score.py"))
        .arg(shared.join("data/nab/windows.json"))
        .arg(dir.path())
        .output();
    let Ok(output) = tool else {
        eprintln!("skipped: no python3 here");
        return;
    };
    let printed = success(&output);
    assert!(printed.contains(&format!("NAB standard score {:.1}", total.score())), "{printed}\n{total:?}");
}
