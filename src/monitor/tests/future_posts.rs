//! Posts that are dated ahead of the clock, and what an earlier vigie stored of them.

use super::*;

/// A sender whose clock runs five hours, or decades, ahead.
#[test]
fn a_post_from_the_future_counts_when_it_arrives_and_makes_no_other_too_late() {
    for ahead in [5 * 60, 36 * 365 * 24 * 60] {
        let dir = tempfile::tempdir().unwrap();
        let mut monitor = monitor(dir.path());
        monitor.keep_posts(true);
        monitor.advance(at(10));
        monitor.observe("x", &["t"], &post("odd", 10 + ahead, Label::Negative)).unwrap();
        for i in 0..60 {
            monitor.observe("x", &["t"], &post(&format!("{i}"), 10, Label::Negative)).unwrap();
        }
        monitor.commit().unwrap();
        // The sender sends it again, also after a restart.
        let monitor = &mut Monitor::reopen(monitor, toml::from_str(RULES).unwrap()).unwrap();
        monitor.advance(at(25));
        let outcome = monitor.observe("x", &["t"], &post("odd", 10 + ahead, Label::Negative)).unwrap();
        assert_eq!(outcome, PostOutcome::Duplicate);
        let totals = monitor.totals();
        assert_eq!((totals.posts, totals.future, totals.too_late, totals.duplicates), (61, 1, 0, 1));
        let records = monitor.store().records().map(Result::unwrap);
        let blocks = records.filter(|(key, _)| key.table() == Some(Table::Post));
        let mut stored = blocks.flat_map(|(_, bytes)| block::decode(&bytes).unwrap());
        let stored = stored.find(|post| post.id == "odd").unwrap();
        assert_eq!((stored.created_at, stored.stated_at), (at(10), Some(at(10 + ahead))));
    }
}

#[test]
fn a_post_within_the_clock_skew_keeps_its_time_and_makes_no_other_too_late() {
    let dir = tempfile::tempdir().unwrap();
    let config = window::Config { lateness: SignedDuration::ZERO, ..window::Config::default() };
    let mut monitor = Monitor::open(Store::open(dir.path()).unwrap(), config, toml::from_str(RULES).unwrap()).unwrap();
    monitor.advance(at(10));
    for (id, minute) in [("ahead", 14), ("next", 11)] {
        let outcome = monitor.observe("x", &["t"], &post(id, minute, Label::Negative)).unwrap();
        assert_eq!(outcome, PostOutcome::Counted, "{id}");
    }
    assert_eq!(monitor.totals().future, 0);
}

/// What an earlier vigie stored, which trusted every time.
#[test]
fn a_stored_watermark_ahead_of_the_clock_is_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = Batch::default();
    batch.put(&Key::new(Table::Topic).text("t"), &(0_i64, Some(2_900_000_000_i64))).unwrap();
    store.commit(batch).unwrap();
    drop(store);
    let mut monitor = monitor(dir.path());
    monitor.advance(at(10));
    let late = |monitor: &mut Monitor, id: &str| monitor.observe("x", &["t"], &post(id, 10, Label::Negative)).unwrap();
    assert_eq!(late(&mut monitor, "a"), PostOutcome::TooLate);
    assert_eq!(monitor.repair_ahead(at(10)).unwrap(), ["t"]);
    assert_eq!(late(&mut monitor, "b"), PostOutcome::Counted);
    assert_eq!(monitor.repair_ahead(at(11)).unwrap(), [""; 0]);
}
