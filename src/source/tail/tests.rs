//! What a tailed file returns, step by step.

mod kit;
mod model;
mod run;
mod speed;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::TailLayout::{Csv, Jsonl};
use super::rotation::TailState;
use crate::dump::{Columns, Header};
use crate::post::ComplianceEvent;
use crate::source::{Cursor, MAX_BATCH};
use kit::{Kit, json, lines};

#[test]
fn lines_are_read_once_and_only_when_complete() {
    let mut kit = Kit::new(Jsonl);
    kit.append(&json(1));
    assert_eq!(kit.drain(), ["1"]);
    let next = json(2);
    let (start, end) = next.split_at(30);
    kit.append(start);
    assert_eq!(kit.drain(), [""; 0]);
    kit.append(end.trim_end());
    assert_eq!(kit.drain(), [""; 0], "a number may continue");
    kit.append("\n\n\n");
    assert_eq!(kit.drain(), ["2"]);
    assert_eq!(kit.drain(), [""; 0]);
}

/// Two processes write: one has the new file open, the other still the renamed one.
#[test]
fn a_renamed_file_is_read_for_a_while_longer() {
    let mut kit = Kit::new(Jsonl);
    kit.append(&json(1));
    assert_eq!(kit.drain(), ["1"]);
    kit.rotate();
    kit.append(&json(2));
    kit.drain();
    kit.drain();
    let late = json(3);
    kit.append_to(1, late.split_at(20).0);
    kit.append(&json(4));
    assert_eq!(kit.drain(), ["4"]);
    kit.append_to(1, late.split_at(20).1);
    assert_eq!(kit.drain(), ["3"]);
    kit.pass_seconds(61);
    kit.drain();
    kit.append_to(1, &json(5));
    assert_eq!(kit.drain(), [""; 0], "a minute later it is left");
    assert_eq!(kit.rejected, []);
}

/// A file truncated under a writer that does not append has a hole of NUL bytes before its next line.
#[test]
fn a_hole_of_nul_bytes_is_skipped() {
    for size in [1, 4_096, 100_000] {
        let hole = "\0".repeat(size);
        let mut kit = Kit::new(Jsonl);
        kit.append(&format!("{hole}{}{hole}{}", json(1), json(2)));
        assert_eq!((kit.drain(), &kit.rejected[..]), (vec!["1".into(), "2".into()], &[][..]), "{size}");
        let mut kit = Kit::new(Csv);
        let row = |id: u64| format!("{id},2015-02-17 07:48:48,late\n");
        kit.append(&format!("{hole}id,created_at,text\n{}{hole}{}", row(1), row(2)));
        assert_eq!((kit.drain(), &kit.rejected[..]), (vec!["1".into(), "2".into()], &[][..]), "{size}");
    }
}

#[test]
fn a_csv_row_means_what_it_means_in_a_replay() {
    let mut kit = Kit::new(Csv);
    kit.append(
        "\u{feff}id;created_at;text;author\r\n7;2015-02-17 07:48:48;\"late;\r\nlate \"\"again\"\"\";@air\r\n8;20",
    );
    assert_eq!(kit.drain(), ["7"]);
    assert_eq!((kit.posts[0].text.as_str(), kit.posts[0].author.as_deref()), ("late;\r\nlate \"again\"", Some("air")));
    kit.append("15-02-17 07:48:49;x;y\r");
    assert_eq!(kit.drain(), [""; 0], "the line feed may follow");
    kit.append("\n9;soon;x;y\n10;2015-02-17;x\n");
    assert_eq!(kit.drain(), ["8"]);
    let rejections: Vec<_> = kit.rejected.iter().map(|one| (one.reason.as_str(), one.detail.as_str())).collect();
    assert_eq!(rejections.iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), ["time", "field_count"]);
    assert!(rejections[0].1.contains("posts, line 5: created_at"), "{rejections:?}");
    assert!(rejections[1].1.ends_with("posts, line 6: 3 fields; expected 4"), "{rejections:?}");
    assert_eq!(kit.rejected[1].raw, "10;2015-02-17;x");
}

#[test]
fn invalid_lines_pages_and_deletions_of_json() {
    let mut kit = Kit::new(Jsonl);
    kit.append("{\"id\": 1, \"te\nno json\n{\"id\":\"2\",\"text\":\"no time\"}\n");
    kit.append("{\"delete\": {\"id\": \"17\"}}\n{\"delete\": {\"id\": 18}}\n{\"delete\": {}}\n{\"meta\":{\"result_count\":0}}\n");
    kit.append(
        "{\"data\":[{\"id\":\"3\",\"created_at\":\"2026-01-02T03:04:05Z\",\"text\":\"cut…\",\"note_tweet\":{\"text\":\"whole\"}}]}\n",
    );
    assert_eq!(kit.drain(), ["3"]);
    assert_eq!(kit.posts[0].text, "whole");
    assert_eq!(kit.posts[0].topic.as_deref(), Some("Air Paradis"));
    let gone = |id: &str| ComplianceEvent::PostGone { id: id.into() };
    assert_eq!(kit.compliance, [gone("17"), gone("18")]);
    let reasons: Vec<_> = kit.rejected.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["json", "json", "missing_field", "json"]);
    assert!(kit.rejected[3].detail.contains("line 6: a deletion without an id"), "{}", kit.rejected[3].detail);
}

#[test]
fn a_batch_is_bounded_and_a_page_is_resumed_in_its_middle() {
    let mut kit = Kit::new(Jsonl);
    let posts: Vec<String> = (0..1_200).map(|id| json(id).trim_end().to_owned()).collect();
    kit.append(&format!("{{\"data\":[{}]}}\n{}", posts.join(","), json(1_200)));
    let step = kit.step();
    assert_eq!((step.batch.posts.len(), step.more), (MAX_BATCH, true));
    kit.restart();
    let second = kit.step();
    assert_eq!(second.batch.posts[0].id, MAX_BATCH.to_string());
    kit.restart();
    let rest = kit.drain();
    assert_eq!((rest.len(), rest.last().map(String::as_str)), (1_201 - 2 * MAX_BATCH, Some("1200")));
}

#[test]
fn a_batch_of_long_posts_ends_sooner() {
    let mut kit = Kit::new(Jsonl);
    let long = "x".repeat(100_000);
    kit.append(&(0..30).map(|id| json(id).replace("hello", &long)).collect::<String>());
    assert_eq!(kit.step().batch.posts.len(), 11, "of 100 kB each, up to 1 MiB");
    assert_eq!(kit.drain().len(), 19);
}

#[test]
fn a_line_over_the_limit_is_rejected_alone_even_across_a_restart() {
    let mut kit = Kit::new(Jsonl);
    kit.append(&json(1));
    let part = "x".repeat(1 << 20);
    kit.append("{\"text\":\"");
    for _ in 0..9 {
        kit.append(&part);
        assert!(kit.drain().len() <= 1);
    }
    kit.restart();
    kit.append(&part);
    assert_eq!(kit.drain(), [""; 0]);
    kit.append(&format!("\"}}\n{}", json(2)));
    assert_eq!(kit.drain(), ["2"]);
    assert_eq!(kit.rejected.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), ["too_long"]);
}

#[test]
fn a_stray_quote_delays_other_rows_for_half_a_minute() {
    let mut kit = Kit::new(Csv);
    kit.append("id,created_at,text\n1,2015-02-17T00:00Z,\"stray\n2,2015-02-17T00:00Z,good\n");
    assert_eq!(kit.drain(), [""; 0]);
    kit.pass_seconds(29);
    assert_eq!(kit.drain(), [""; 0]);
    kit.pass_seconds(2);
    assert_eq!(kit.drain(), ["1", "2"], "the quote is text");
    assert_eq!((kit.posts[0].text.as_str(), kit.rejected.len()), ("\"stray", 0));
    kit.append("3,2015-02-17T00:00Z,\"two\n");
    kit.pass_seconds(100);
    assert_eq!(kit.drain(), [""; 0]);
    kit.append("lines\"\n");
    assert_eq!(kit.drain(), ["3"], "the timeout starts when the open quote is seen");
}

#[test]
fn a_csv_file_is_opened_as_in_a_replay() {
    let mut kit = Kit::new(Csv);
    kit.append("sep=^\nTweet Id^Created At^Tweet Text\n1^2015-02-17T00:00Z^a, b; c\n");
    assert_eq!(kit.drain(), ["1"]);
    kit.restart();
    kit.append("2^2015-02-17T00:00Z^\"d\"\nTweet Id^Created At^Tweet Text\n3^2015-02-17T00:00Z^e\n");
    assert_eq!(kit.drain(), ["2", "3"], "the header again, of a joined file, is skipped");
    assert!(kit.rejected.is_empty(), "{:?}", kit.rejected);
}

#[test]
fn a_csv_file_without_a_header_is_read_by_numbers() {
    let mut kit = Kit::new(Csv);
    kit.configure(|config| {
        config.header = Header::None;
        config.columns = Columns::parse("id=1,created_at=2,text=3").unwrap();
    });
    kit.append("1,2015-02-17T00:00Z,\"a, b\"\n");
    assert_eq!(kit.drain(), ["1"]);
    kit.restart();
    kit.append("2,2015-02-17T00:00Z,c\n");
    assert_eq!(kit.drain(), ["2"]);
    kit.rotate();
    kit.append("3,2015-02-17T00:00Z,d\n");
    kit.drain();
    assert_eq!(kit.posts.last().map(|post| post.id.as_str()), Some("3"));
    assert!(kit.rejected.is_empty(), "{:?}", kit.rejected);
}

#[test]
fn an_absent_file_is_waited_for() {
    let mut kit = Kit::new(Jsonl);
    let step = kit.step();
    let shown = kit.path.display().to_string();
    assert_eq!(step.state, TailState::Waiting(format!("{shown} does not exist yet; waiting for it")));
    assert!(step.batch.cursor.is_none() && !step.more);
    kit.append(&json(1));
    assert_eq!(kit.drain(), ["1"]);
    assert_eq!(kit.step().state, TailState::Reading);
    fs::remove_file(&kit.path).unwrap();
    assert!(matches!(kit.step().state, TailState::Waiting(why) if why.contains("renamed or removed")));
    kit.append(&json(2));
    assert_eq!(kit.drain(), ["2"]);
    fs::remove_file(&kit.path).unwrap();
    fs::create_dir(&kit.path).unwrap();
    kit.restart();
    let step = kit.step();
    assert!(matches!(&step.state, TailState::Waiting(why) if why.contains("not a regular file")), "{step:?}");
}

#[test]
fn a_file_that_may_not_be_read_is_waited_for() {
    let mut kit = Kit::new(Jsonl);
    kit.append(&json(1));
    fs::set_permissions(&kit.path, PermissionsExt::from_mode(0o000)).unwrap();
    if fs::read(&kit.path).is_ok() {
        // Root may read every file, but not a loop of links.
        fs::remove_file(&kit.path).unwrap();
        std::os::unix::fs::symlink(&kit.path, &kit.path).unwrap();
    }
    let step = kit.step();
    assert!(matches!(&step.state, TailState::Waiting(why) if why.contains("cannot read")), "{step:?}");
    let _ = fs::remove_file(&kit.path);
    kit.append(&json(2));
    assert_eq!(kit.drain(), ["2"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_first() {
    let mut kit = Kit::new(Jsonl);
    kit.append(&json(1));
    assert_eq!(kit.drain(), ["1"]);
    kit.append(&json(2));
    kit.rotate();
    assert_eq!(kit.drain(), ["2"], "through the open handle");
    kit.append(&json(3));
    kit.step();
    kit.append_to(1, json(4).trim_end());
    kit.step();
    assert_eq!(kit.drain(), ["3"]);
    let ids: Vec<_> = kit.posts.iter().map(|post| post.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "4", "3"], "the writer still had it open");
}

#[test]
fn after_a_restart_the_renamed_file_is_found_by_its_inode() {
    for name in ["posts.1", "posts.old", "posts-20261123", "posts.2026-11-23"] {
        let mut kit = Kit::new(Jsonl);
        kit.append(&lines(1..=2));
        assert_eq!(kit.drain(), ["1", "2"]);
        kit.append(&json(3));
        fs::rename(&kit.path, kit.path.with_file_name(name)).unwrap();
        kit.append(&json(4));
        kit.restart();
        assert_eq!(kit.drain(), ["3", "4"], "{name}");
    }
}

#[test]
fn rotations_during_a_downtime_are_read_in_order() {
    let mut kit = Kit::new(Jsonl);
    kit.append(&json(1));
    assert_eq!(kit.drain(), ["1"]);
    for id in 2..6 {
        kit.append(&json(id));
        kit.rotate();
    }
    kit.append(&json(6));
    kit.restart();
    assert_eq!(kit.drain(), ["2", "3", "4", "5", "6"]);
}

#[test]
fn newer_files_are_read_when_the_last_file_is_gone() {
    let mut kit = Kit::new(Jsonl);
    kit.append(&json(1));
    kit.rotate();
    kit.append(&json(2));
    assert_eq!(kit.drain(), ["2"]);
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    kit.rotate();
    fs::File::options().write(true).open(kit.numbered(2)).unwrap().set_modified(long_ago).unwrap();
    fs::remove_file(kit.numbered(1)).unwrap();
    let later = fs::File::create(kit.numbered(1)).unwrap();
    std::io::Write::write_all(&mut &later, json(3).as_bytes()).unwrap();
    later.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(5)).unwrap();
    kit.append(&json(4));
    kit.restart();
    assert_eq!(kit.drain(), ["3", "4"], "and not the first one, which is older");
}

#[test]
fn a_truncated_file_is_read_from_its_start() {
    let mut kit = Kit::new(Csv);
    kit.append("id,created_at,text\n1,2015-02-17T00:00Z,a\n");
    assert_eq!(kit.drain(), ["1"]);
    fs::write(&kit.path, "").unwrap();
    kit.append("2,2015-02-17T00:00Z,b\n");
    assert_eq!(kit.drain(), ["2"], "the writer does not know that the header is gone");
    fs::write(&kit.path, "text,id,created_at\nc,3,2015-02-17T00:00Z\n").unwrap();
    assert_eq!(kit.drain(), ["3"]);
    kit.restart();
    kit.append("d,4,2015-02-17T00:00Z\n");
    assert_eq!(kit.drain(), ["4"]);
}

#[test]
fn a_rewritten_file_is_recognised_at_any_length() {
    for posts in [1, 3, 50] {
        for restart in [false, true] {
            let mut kit = Kit::new(Jsonl);
            kit.append(&lines(1..=3));
            assert_eq!(kit.drain().len(), 3);
            fs::write(&kit.path, lines(101..=100 + posts)).unwrap();
            if restart {
                kit.restart();
            }
            assert_eq!(kit.drain().len(), posts as usize, "{posts} posts, restart: {restart}");
        }
    }
}

/// Found by the model: half a row of the old file and half of the new file gave one row.
#[test]
fn half_a_row_is_not_completed_by_another_file() {
    let mut kit = Kit::new(Csv);
    kit.append("id,created_at,text\n1,2015-02-17T00:");
    assert_eq!(kit.drain(), [""; 0]);
    fs::write(&kit.path, "id,created_at,text\n2,2016-02-17T00:00Z,b\n3,2016-02-17T00:00Z,c\n").unwrap();
    assert_eq!(kit.drain(), ["2", "3"]);
    assert!(kit.rejected.is_empty(), "{:?}", kit.rejected);
}

#[test]
fn times_are_read_in_the_form_and_the_zone_of_the_configuration() {
    let mut kit = Kit::new(Csv);
    kit.configure(|config| {
        config.time_format = Some("%d/%m/%Y %H:%M".into());
        config.time_zone = Some("Europe/Paris".into());
    });
    kit.append("id,date,text\n1,03/10/2026 10:15,retard\n");
    assert_eq!(kit.drain(), ["1"]);
    assert_eq!(kit.posts[0].created_at.to_string(), "2026-10-03T08:15:00Z");
    let mut kit = Kit::new(Jsonl);
    kit.configure(|config| config.time_zone = Some("Europe/Paris".into()));
    kit.append("{\"id\":\"1\",\"created_at\":\"2026-10-03 10:15:00\",\"text\":\"retard\"}\n");
    assert_eq!(kit.drain(), ["1"]);
    assert_eq!(kit.posts[0].created_at.to_string(), "2026-10-03T08:15:00Z");
}

#[test]
fn the_copy_made_before_a_truncation_is_read_to_its_end() {
    for restart in [false, true] {
        let mut kit = Kit::new(Jsonl);
        kit.append(&lines(1..=3));
        assert_eq!(kit.drain().len(), 3);
        kit.append(&json(4));
        fs::copy(&kit.path, kit.numbered(1)).unwrap();
        fs::write(&kit.path, "").unwrap();
        if restart {
            kit.restart();
        }
        kit.append(&json(5));
        assert_eq!(kit.drain(), ["4", "5"], "restart: {restart}");
    }
}

#[test]
fn an_unsupported_file_is_rejected_once_until_another_file_exists() {
    let packed = [0x1f, 0x8b, 8, 0, 0, 0];
    let cases: [(&[u8], _, &str); 4] = [
        (&packed, Jsonl, "it is packed with gzip; expected UTF-8 text"),
        (b"a\0b\0", Csv, "it is UTF-16 text; expected UTF-8 text"),
        (
            b"1,2015-02-17T00:00Z,@air was late\n",
            Csv,
            "it has no header; its columns are: 1 number, 2 time, 3 handle; set header = \"none\"",
        ),
        (b"id,text\n", Csv, "no column for created_at (expected one of created_at, tweet_created, timestamp, "),
    ];
    for (bytes, layout, expected) in cases {
        let mut kit = Kit::new(layout);
        fs::write(&kit.path, bytes).unwrap();
        assert_eq!(kit.drain(), [""; 0]);
        let details: Vec<_> = kit.rejected.iter().map(|one| (one.reason.as_str(), one.detail.as_str())).collect();
        assert!(matches!(details[..], [("file", detail)] if detail.contains(expected)), "{details:?}");
        assert!(matches!(kit.step().state, TailState::Unsupported(why) if why.contains(expected)));
        fs::write(&kit.path, "").unwrap();
        kit.append(if layout == Csv { "id,created_at,text\n" } else { "" });
        kit.append(&if layout == Csv { "1,2015-02-17T00:00Z,a\n".to_owned() } else { json(1) });
        assert_eq!(kit.drain(), ["1"]);
    }
}

#[test]
fn a_stored_cursor_of_another_source_type_is_an_error() {
    let kit = Kit::new(Jsonl);
    let reason = kit.source(Some(&Cursor::new(&"page 3").unwrap())).err().unwrap();
    assert!(reason.contains("give the source a new name"), "{reason}");
    assert!(kit.source(None).is_ok());
}
