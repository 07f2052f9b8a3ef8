//! What is erased is gone from memory, from every table and from every byte of every file, and does not come back.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::classify::{ClassifiedPost, Label, Prediction};
use crate::monitor::{Retention, post_of_id, window};
use crate::post::{Details, Post, RejectedRecord};
use crate::store::Store;

const RULES: &str = r#"
    [[rule]]
    name = "Volume"
    condition = { type = "negative_volume", window = "10m", min_posts = 5, above = 0.4 }
"#;
const TEXT: &str = "never flying with this lot again";

fn open(dir: &Path) -> Monitor {
    let config = window::Config { lateness: SignedDuration::from_mins(5), ..window::Config::default() };
    let rules = toml::from_str(RULES).unwrap();
    let mut monitor = Monitor::open(Store::open(dir).unwrap(), config, rules).unwrap();
    monitor.keep_posts(true);
    monitor
}

fn commit(monitor: &mut Monitor) {
    monitor.set_cursor("test", &0).unwrap();
    monitor.commit().unwrap();
    monitor.flush().unwrap();
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60 + 30).unwrap()
}

/// Words that no other post has, so that it is nobody's copy.
fn wording(id: &str) -> String {
    (0..20).map(|i| format!("{:x} ", id_hash(&format!("{id} {i}")))).collect()
}

/// Post `id` by `author`, whose own identifier is given too where there is one; `negative` decides which are kept.
fn post(id: &str, minute: i64, author: &str, author_id: Option<&str>, negative: f32) -> ClassifiedPost {
    let details = Details { author_id: author_id.map(Into::into), ..Details::default() };
    let (id, text) = (id.to_owned(), format!("{TEXT}, says {author} in post {id} {}", wording(id)));
    let post = Post { id, created_at: at(minute), author: Some(author.into()), text, details, ..Post::default() };
    let prediction =
        Prediction { label: Label::Negative, probabilities: [negative, 1.0 - negative, 0.0], reason: None };
    ClassifiedPost { post, prediction }
}

/// Ann's posts are the most negative, in an alert of the past, one that fires, notifications on their way, and rows.
fn with_ann(dir: &Path) -> Monitor {
    let mut monitor = open(dir);
    for (start, minutes) in [(0, 15), (60, 5)] {
        for minute in start..start + minutes {
            monitor.advance(at(minute));
            for i in 0..4 {
                let crowd = format!("bob_{minute}_{i}");
                let (author, id, negative) =
                    if i == 0 { ("Ann_Smith", Some("4242"), 0.99) } else { (crowd.as_str(), None, 0.6) };
                monitor.observe("x", &["t"], &post(&format!("{minute}-{i}"), minute, author, id, negative)).unwrap();
            }
        }
        monitor.advance(at(start + minutes));
        if start == 0 {
            monitor.advance(at(start + 40));
        }
        commit(&mut monitor);
    }
    let row = |raw: &str| RejectedRecord { reason: "json".into(), detail: "cut".into(), raw: raw.into() };
    monitor.add_dead_letter("x", at(66), &row("{\"author\": \"ann_smith\", \"text\": \"cut off"));
    monitor.add_dead_letter("x", at(66), &row("{\"author\": \"bob\", \"text\": \"cut off"));
    commit(&mut monitor);
    monitor
}

fn holds(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        let bytes = fs::read(path).unwrap().to_ascii_lowercase();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn an_author_is_gone_from_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = with_ann(dir.path());
    assert_eq!(monitor.outbox.len(), 3, "fired, resolved, fired again");
    let totals = *monitor.totals();
    for trace in ["ann_smith", "4242", "in post 3-0"] {
        assert!(holds(dir.path(), trace), "{trace} is there to be forgotten");
    }
    let receipt = monitor.forget(&Selector::Author("@ANN_smith".into()), at(66)).unwrap();
    assert!(receipt.rewritten && receipt.what == ErasureTarget::Author && receipt.copies.is_empty());
    let removed = receipt.removed;
    assert!(removed.samples > 0 && removed.alert_samples > 0 && removed.outbox_samples > 0, "{removed:?}");
    assert_eq!((removed.dead_letters, removed.posts), (1, 20));
    assert_eq!(post_of_id(&monitor.store.reader().view(), "3-0").unwrap(), None);
    assert_eq!(post_of_id(&monitor.store.reader().view(), "3-1").unwrap().unwrap().author.as_deref(), Some("bob_3_1"));
    for trace in ["ann_smith", "4242", "in post 3-0"] {
        assert!(!holds(dir.path(), trace), "{trace} is still there");
    }
    assert!(holds(dir.path(), "bob"), "others are kept");
    let stored = monitor.store.scan::<(u64, Vec<(i64, u64, bool)>)>(&Key::new(Table::Author));
    let votes: Vec<u64> =
        stored.flat_map(|entry| entry.unwrap().1.1.into_iter().map(|(_, author, _)| author)).collect();
    let ann = ["ann_smith", "4242"].map(name_hash);
    assert!(!votes.is_empty() && !votes.iter().any(|author| ann.contains(author)), "nor as a hash");
    assert_eq!(*monitor.totals(), totals, "counts are not personal data");
    assert!(
        format!("{:?} {:?} {:?}", monitor.outbox, monitor.topics, monitor.new_transitions).matches("Ann").count() == 0
    );

    // Later commits write none of it again.
    monitor.advance(at(67));
    commit(&mut monitor);
    drop(monitor);
    let monitor = open(dir.path());
    assert!(!holds(dir.path(), "ann_smith"));
    let receipts = monitor.store.scan::<Receipt>(&Key::new(Table::Receipt)).map(|entry| entry.unwrap().1);
    assert_eq!(receipts.collect::<Vec<_>>(), [receipt]);
}

#[test]
fn who_is_forgotten_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = with_ann(dir.path());
    monitor.forget(&Selector::Author("Ann_Smith".into()), at(66)).unwrap();
    monitor.forget(&Selector::Post("900".into()), at(66)).unwrap();
    drop(monitor);
    let mut monitor = open(dir.path());
    let before = monitor.totals().posts;
    // By handle, by the identifier under another handle, by the post's id, and as another's repost.
    monitor.observe("x", &["t"], &post("901", 66, "ann_smith", None, 1.0)).unwrap();
    monitor.observe("x", &["t"], &post("902", 66, "ann_renamed", Some("4242"), 1.0)).unwrap();
    monitor.observe("x", &["t"], &post("900", 66, "carl", None, 1.0)).unwrap();
    let mut repost = post("903", 66, "dora", None, 1.0);
    repost.post.text = "RT @Ann_Smith: late".into();
    monitor.observe("x", &["t"], &repost).unwrap();
    monitor.observe("x", &["t"], &post("904", 66, "emil", None, 1.0)).unwrap();
    monitor.add_dead_letter(
        "x",
        at(66),
        &RejectedRecord { reason: "json".into(), detail: "".into(), raw: "@Ann_Smith: a".into() },
    );
    commit(&mut monitor);
    assert_eq!(monitor.totals().posts, before + 5, "all are counted");
    for trace in ["ann_", "carl", "dora"] {
        assert!(!holds(dir.path(), trace), "{trace}");
    }
    assert!(holds(dir.path(), "emil"));
}

#[test]
fn a_handle_leads_to_the_posts_under_another_handle() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    monitor.observe("x", &["t"], &post("1", 1, "ann_old", Some("4242"), 1.0)).unwrap();
    monitor.observe("x", &["t"], &post("2", 1, "ann_new", Some("4242"), 1.0)).unwrap();
    commit(&mut monitor);
    let receipt = monitor.forget(&Selector::Author("ann_new".into()), at(2)).unwrap();
    assert_eq!((receipt.removed.samples, receipt.removed.posts), (2, 2));
    assert!(!holds(dir.path(), "ann_old"));
}

#[test]
fn what_was_not_committed_yet_is_forgotten_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    monitor.advance(at(1));
    for i in 0..40 {
        monitor.observe("x", &["t"], &post(&i.to_string(), 1, "ann", None, 1.0)).unwrap();
        monitor.observe("x", &["t"], &post(&format!("{i}-of-many"), 1, &format!("fan_{i}"), None, 0.6)).unwrap();
    }
    monitor.advance(at(2));
    let receipt = monitor.forget(&Selector::Author("ann".into()), at(2)).unwrap();
    let removed = receipt.removed;
    // Of one author, an alert shows one post.
    assert_eq!((removed.samples, removed.outbox_samples, removed.posts), (5, 1, 40));
    commit(&mut monitor);
    assert!(!holds(dir.path(), "says ann") && monitor.outbox().next().unwrap().alert.samples.is_empty());
}

#[test]
fn compliance_events_of_sources_are_applied() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = with_ann(dir.path());
    let events = [
        ComplianceEvent::PostGone { id: "61-1".into() },
        ComplianceEvent::AuthorGone { author_id: "4242".into() },
        ComplianceEvent::PostEdited { id: "61-2".into(), by: "1000".into() },
        ComplianceEvent::PostGone { id: "".into() },
    ];
    assert!(monitor.apply_compliance(&events, at(66)).unwrap() > 0);
    assert_eq!(monitor.apply_compliance(&events, at(66)).unwrap(), 0, "said again, nothing is left to do");
    monitor.observe("x", &["t"], &post("1000", 66, "bob", None, 1.0)).unwrap();
    commit(&mut monitor);
    let kept: Vec<String> = monitor.topics["t"].window.kept().map(|sample| sample.id.clone()).collect();
    assert!(!kept.contains(&"61-1".into()) && !kept.contains(&"61-2".into()) && kept.contains(&"1000".into()));
    // The files are rewritten with what expires next.
    let expired = monitor.expire(at(70), &Retention::default()).unwrap();
    assert!(expired.rewritten && expired.samples == 0);
    assert!(!holds(dir.path(), "ann_smith") && !holds(dir.path(), "post 61-2"));
    assert!(!monitor.expire(at(71), &Retention::default()).unwrap().rewritten);
}

#[test]
fn nothing_selects_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = with_ann(dir.path());
    for who in [Selector::Author(" @ ".into()), Selector::Post(" ".into())] {
        let before = holds(dir.path(), "bob");
        assert!(matches!(monitor.forget(&who, at(66)), Err(MonitorError::NobodySelected)) && before);
    }
    let receipt = monitor.forget(&Selector::Author("nobody".into()), at(66)).unwrap();
    assert_eq!(receipt.removed, ErasedCounts::default());
}

#[test]
fn what_is_older_than_the_retention_goes() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = with_ann(dir.path());
    monitor.forget(&Selector::Post("77".into()), at(66)).unwrap();
    let retention = Retention { posts_days: 2, history_days: 400 };
    let days = |days: i64| at(66) + SignedDuration::from_hours(24 * days);
    let early = monitor.expire(days(1), &retention).unwrap();
    assert_eq!((early.posts, early.samples, early.dead_letters, early.alerts, early.more), (0, 0, 0, 0, false));

    let report = monitor.report().unwrap();
    let expired = monitor.expire(days(3), &retention).unwrap();
    assert!(expired.samples > 0 && expired.rewritten && !expired.more, "{expired:?}");
    assert_eq!(expired.posts, 80);
    assert_eq!((expired.dead_letters, expired.alerts, expired.hours, expired.tombstones), (2, 0, 0, 0));
    for trace in ["ann_", "bob", TEXT] {
        assert!(!holds(dir.path(), trace), "{trace}");
    }
    let after = monitor.report().unwrap();
    assert_eq!(after.topics[0].hours, report.topics[0].hours);
    assert_eq!(after.topics[0].alerts.len(), report.topics[0].alerts.len());
    assert!(after.topics[0].alerts.iter().all(|alert| alert.samples.is_empty()));

    assert_eq!(monitor.expire(days(31), &retention).unwrap().tombstones, 1);
    let late = monitor.expire(days(401), &retention).unwrap();
    assert_eq!((late.hours, late.alerts), (2, 1));
    assert_eq!(open_again(monitor, dir.path()).report().unwrap().topics[0].hours, []);
}

fn open_again(monitor: Monitor, dir: &Path) -> Monitor {
    drop(monitor);
    open(dir)
}

#[test]
fn a_call_removes_a_bounded_part_and_says_that_there_is_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    let row = RejectedRecord { reason: "json".into(), detail: "cut".into(), raw: "something".into() };
    for _ in 0..1_500 {
        monitor.add_dead_letter("x", at(0), &row);
    }
    commit(&mut monitor);
    let later = at(0) + SignedDuration::from_hours(24 * 40);
    let first = monitor.expire(later, &Retention::default()).unwrap();
    assert!(first.more && first.dead_letters == 1_000 && !first.rewritten);
    let second = monitor.expire(later, &Retention::default()).unwrap();
    assert!(!second.more && second.dead_letters == 500 && second.rewritten);
}

#[test]
fn what_is_set_aside_is_bounded_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    for round in 0..3 {
        for i in 0..5_000 {
            let raw = format!("row {round}-{i} {}", "é".repeat(if i == 0 { 5_000 } else { 0 }));
            monitor.add_dead_letter("x", at(i), &RejectedRecord { reason: "json".into(), detail: String::new(), raw });
        }
        commit(&mut monitor);
        monitor = open_again(monitor, dir.path());
    }
    let kept = monitor.store.scan::<crate::monitor::dead_letters::DeadLetter>(&Key::new(Table::DeadLetter));
    let kept: Vec<_> = kept.map(|entry| entry.unwrap().1).collect();
    assert_eq!(kept.len(), 10_000);
    assert!(
        kept[0].unusable.raw.starts_with("row 1-0 é") && kept[0].unusable.raw.len() <= RejectedRecord::MAX_RAW_BYTES
    );
    assert_eq!(kept[9_999].unusable.raw.trim(), "row 2-4999");
}

#[test]
fn backups_of_a_repair_are_reported_and_expire() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_ann(dir.path()));
    let repaired = crate::monitor::state::repair::repair(dir.path(), true, at(66)).unwrap();
    assert!(repaired.backup.is_some() && repaired.removed == 0 && repaired.salvaged.is_none());
    let mut monitor = open(dir.path());
    let receipt = monitor.forget(&Selector::Author("ann_smith".into()), at(66)).unwrap();
    assert_eq!(receipt.copies.len(), 1);
    assert!(holds(dir.path(), "ann_smith"), "in the backup");
    // By the file's own time, which is the clock's and not that of the posts here.
    let expired = monitor.expire(Timestamp::MAX - SignedDuration::from_hours(24), &Retention::default()).unwrap();
    assert_eq!(expired.copies, 1);
    assert!(!holds(dir.path(), "ann_smith"));
}
