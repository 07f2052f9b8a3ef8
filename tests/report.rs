//! Reports as a user gets them: the numbers are those of the dump, counted here once more, and those of the store.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;
#[path = "report/daemon.rs"]
mod daemon;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{failure, repository, success, vigie};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A row of the dump: topic, local day, label, reason.
struct Row {
    topic: String,
    day: jiff::civil::Date,
    label: String,
    reason: String,
}

fn rows() -> Vec<Row> {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let mut reader = csv::Reader::from_path(repository("tests/data/airline.csv")).unwrap();
    let row = |row: csv::StringRecord| Row {
        topic: row[2].to_owned(),
        day: row[1].parse::<Timestamp>().unwrap().to_zoned_datetime(paris.clone()).date(),
        label: row[5].to_owned(),
        reason: row[7].to_owned(),
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// Every post counts: what a copy is cannot be counted here in another way.
fn replay(dir: &Path, more: &[&str]) -> String {
    let dump = repository("tests/data/airline.csv").display().to_string();
    let args = ["replay", &dump, "--labels", "column", "--set", "window.cascade=0s", "--report", "r.html"];
    success(&vigie(dir).args(args).args(more).output().unwrap());
    fs::read_to_string(dir.join("r.html")).unwrap()
}

/// A row of the page's tables, by its first cell.
fn table_row(page: &str, first: &str) -> Vec<String> {
    let start = page.find(&format!("<th scope=\"row\">{first}</th>"));
    assert!(start.is_some(), "no row {first}");
    let row = page[start.unwrap()..].split("</tr>").next().unwrap();
    row.split("<td>").skip(1).map(|cell| cell.split("</td>").next().unwrap().to_owned()).collect()
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.0}%", part as f64 / whole as f64 * 100.0)
}

#[test]
fn the_numbers_of_a_report_are_those_of_the_dump() {
    let dir = tempfile::tempdir().unwrap();
    let page = replay(dir.path(), &["--report-days", "2", "--language", "en"]);
    let rows = rows();
    let last = rows.iter().map(|row| row.day).max().unwrap();
    let first = last.yesterday().unwrap();
    for topic in ["US Airways", "Southwest"] {
        let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| row.topic == topic && is(row)).count();
        let within = |row: &Row| row.day >= first;
        let (posts, negative) = (count(&within), count(&|row| within(row) && row.label == "negative"));
        assert!(posts > 100, "{topic}");
        let found = table_row(&page, topic);
        assert_eq!(
            (found[0].replace(',', ""), found[1].as_str()),
            (posts.to_string(), percent(negative, posts).as_str())
        );
        // The two days before, which the dump begins in.
        let before = |row: &Row| row.day < first;
        let (posts, negative) = (count(&before), count(&|row| before(row) && row.label == "negative"));
        let section = page.split(&format!("<h2>{topic}</h2>")).nth(1).unwrap();
        let found = table_row(section, "Friday 20 to Saturday 21\u{a0}February");
        assert_eq!(
            (found[0].replace(',', ""), found[1].as_str()),
            (posts.to_string(), percent(negative, posts).as_str())
        );
        // Reasons of the negative posts, the most frequent first.
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        let complaints = rows.iter().filter(|row| row.topic == topic && within(row) && row.label == "negative");
        complaints.filter(|row| !row.reason.is_empty()).for_each(|row| *reasons.entry(&row.reason).or_default() += 1);
        let (most, total) = (reasons.values().max().unwrap(), reasons.values().sum::<usize>());
        let first_bar = section.split("<h3>Why people complain</h3>").nth(1).unwrap().split("</li>").next().unwrap();
        assert!(first_bar.contains(&format!("{most} of {total} complaints, {}", percent(*most, total))), "{first_bar}");
    }
    // The storm of 22 February.
    assert!(page.contains("<b>US Airways") && page.contains("still going on"), "an incident that had not ended");
}

#[test]
fn a_report_of_the_store_says_what_the_stored_posts_say_and_a_replay_again_gives_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let page = replay(dir.path(), &["--state", "s", "--report-days", "2", "--language", "en"]);
    let again = replay(dir.path(), &["--report-days", "2", "--language", "en"]);
    assert_eq!(page, again, "byte for byte");
    let time = ["--since", "2015-02-22", "--until", "2015-02-24"];
    let stored = vigie(dir.path()).args(["report", "--state", "s", "--lang", "en", "--out", "-"]).args(time).output();
    let stored = success(&stored.unwrap());
    for topic in ["US Airways", "Southwest"] {
        // What still fires at the end of a replay is in no incident of the store.
        assert_eq!(table_row(&stored, topic)[..4], table_row(&page, topic)[..4]);
        let posts = |label: Option<&str>| {
            let mut command = vigie(dir.path());
            command.args(["posts", "--state", "s", "--json", "--limit", "0", "--topic", topic]);
            command.args(["--since", "2015-02-21T23:00:00Z", "--until", "2015-02-23T23:00:00Z"]);
            command.args(label.iter().flat_map(|label| ["--label", *label]));
            success(&command.output().unwrap()).lines().count()
        };
        let found = table_row(&stored, topic);
        assert_eq!(found[0].replace(',', ""), posts(None).to_string());
        assert_eq!(found[1], percent(posts(Some("negative")), posts(None)));
    }
}

#[test]
fn a_page_is_one_file_and_asks_no_other_host() {
    let dir = tempfile::tempdir().unwrap();
    for language in ["en", "fr"] {
        let page = replay(dir.path(), &["--report-days", "3", "--language", language]);
        assert!(page.contains("default-src 'none'") && page.contains("<svg") && page.contains("color-scheme"));
        for loading in ["src=", "<link", "@import", "url(", "<script", "srcset"] {
            assert!(!page.contains(loading), "{language}: {loading}");
        }
        assert!(page.contains(&format!("<html lang=\"{language}\">")));
    }
    let french = replay(dir.path(), &["--report-days", "3", "--language", "fr"]);
    assert!(french.contains("Vue d’ensemble") && french.contains("De quoi se plaint-on\u{202f}?"));
}

#[test]
fn a_time_that_cannot_be_read_is_named_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    replay(dir.path(), &["--state", "s"]);
    let report = |more: &[&str]| vigie(dir.path()).args(["report", "--state", "s"]).args(more).output().unwrap();
    let said = failure(&report(&["--since", "monday"]));
    assert!(said.contains("--since monday: expected a date such as 2026-11-23"), "{said}");
    let said = failure(&report(&["--since", "2015-02-23", "--until", "2015-02-22"]));
    assert!(said.contains("is not before --until"), "{said}");
}
