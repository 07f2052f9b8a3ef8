//! JSON lines: posts and pages of X API v2, and plain objects.

use super::*;

fn short(row: &Row) -> (u64, Option<&str>, Option<&str>, &str) {
    (row.line, row.id.as_deref(), row.author.as_deref(), row.text.as_str())
}

const PAGE: &str = r#"{"data":[
 {"id":"10","text":"cut …","created_at":"2026-10-01T10:00:00.000Z","author_id":"7","lang":"fr",
  "note_tweet":{"text":"cut no more"},"public_metrics":{"like_count":1},"edit_history_tweet_ids":["10"]},
 {"id":"11","created_at":"2026-10-01T10:00:01.000Z","author_id":"7"},
 {"id":"12","text":5,"created_at":"2026-10-01T10:00:02.000Z"},
 {"id":"13","text":"kept","created_at":"2026-10-01T10:00:03.000Z","author_id":"8"}],
 "includes":{"users":[{"id":"7","name":"Seven","username":"seven"}]},"meta":{"result_count":4,"newest_id":"13"}}"#;

#[test]
fn a_page_yields_its_posts_and_rejects_only_bad_ones() {
    let compact = PAGE.replace('\n', "");
    for (text, first) in [(compact.clone(), 1), (PAGE.to_owned(), 1), (format!("\n{compact}\n"), 2)] {
        let (rows, rejects) = read(&text);
        let found: Vec<_> = rows.iter().map(short).collect();
        assert_eq!(found, [(first, Some("10"), Some("seven"), "cut no more"), (first, Some("13"), Some("8"), "kept")]);
        assert_eq!(rows[0].lang.as_deref(), Some("fr"));
        assert_eq!(reasons(&rejects), [(first, RejectReason::MissingField), (first, RejectReason::Json)]);
        assert_eq!(rejects[1].detail, "text is a number; expected a string");
        assert!(rejects[1].row.contains("\"12\"") && !rejects[1].row.contains("\"13\""), "{}", rejects[1].row);
    }
}

#[test]
fn bare_posts_stream_objects_and_plain_objects_are_read() {
    let text = r#"{"data":{"id":"1","text":"stream","created_at":"2026-10-01T10:00:00Z","author_id":"7"},"includes":{"users":[{"id":"7","username":"seven"}]},"matching_rules":[{"id":"1"}]}
{"id":"2","text":"bare","created_at":"2026-10-01T10:00:00Z","author_id":"7"}
{"meta":{"result_count":0}}
{"errors":[{"title":"operational-disconnect"}]}

{"id":3,"text":"plain","created_at":1424777752,"username":"@bob","label":"Negative","probabilities":{"negative":0.9},"model":"m"}
{"id_str":"4","id":4,"full_text":"old","created_at":"Wed Aug 27 13:08:45 +0000 2008","user":{"screen_name":"al"},"lang":null}
[{"id":"5","text":"in an array","created_at":"2026-10-01T10:00:00Z"}]
"#;
    let (rows, rejects) = read(text);
    assert!(rejects.is_empty(), "{rejects:?}");
    let found: Vec<_> = rows.iter().map(short).collect();
    let expected = [
        (1, Some("1"), Some("seven"), "stream"),
        (2, Some("2"), Some("7"), "bare"),
        (6, Some("3"), Some("bob"), "plain"),
        (7, Some("4"), Some("al"), "old"),
        (8, Some("5"), None, "in an array"),
    ];
    assert_eq!(found, expected);
    assert_eq!((rows[2].label.as_deref(), rows[2].created_at), (Some("negative"), "2015-02-24T11:35:52Z".parse().ok()));
}

#[test]
fn keys_can_be_mapped() {
    let options = ReadOptions { columns: Columns::parse("text=corps,topic=marque").unwrap(), ..ReadOptions::default() };
    let text = r#"{"text":"x","corps":"retard","marque":"Air Paradis"}"#;
    let (rows, _) = read_with(text.as_bytes(), &options, RequiredFields { topic: true, ..NOTHING });
    assert_eq!((rows[0].text.as_str(), rows[0].topic.as_deref()), ("retard", Some("Air Paradis")));
}

#[test]
fn a_bad_line_does_not_affect_others() {
    let good = r#"{"text":"good","created_at":"2026-10-01T10:00:00Z"}"#;
    let text =
        format!("{good}\n{{\"text\":\"cut\n{good}\n{{\"text\":[\n{good}\nnonsense\n7\n{{\"text\":\"a\"}}\n{good}");
    let (rows, rejects) = read(&text);
    assert_eq!(lines(&rows), [1, 3, 5, 9]);
    use RejectReason::{Json, MissingField};
    assert_eq!(reasons(&rejects), [(2, Json), (4, Json), (6, Json), (7, Json), (8, MissingField)]);
    assert_eq!(rejects[3].detail, "found a number; expected an object with a post or a page");
    let latin = b"{\"text\":\"caf\xe9\"}\n{\"text\":\"a\"}\n";
    let (rows, rejects) = read_with(latin, &ReadOptions::default(), NOTHING);
    assert_eq!((rows[0].text.as_str(), lines(&rows), rejects.len()), ("café", vec![1, 2], 0));
}
