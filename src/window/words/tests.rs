//! What stands out, what is kept in letters, and that a restart changes nothing.

use super::*;

fn words() -> WordCounts {
    WordCounts::new(TermKind::Word)
}

/// A week of posts, in which one in ten is about food and each holds "flight"; then an hour in which half are about
/// bags.
fn distinctive_word(words: &mut WordCounts) -> i64 {
    let start = 7 * 86_400;
    for i in 0..2_000 {
        let about = if i % 10 == 0 { "food" } else { "seat" };
        words.add(i * start / 2_000, ["flight", about].into_iter());
        words.fold_before(i * start / 2_000 - 3_600);
    }
    for i in 0..40 {
        let about = if i % 2 == 0 { "bags" } else { "seat" };
        words.add(start + i * 60, ["flight", about].into_iter());
    }
    words.fold_before(start);
    start
}

#[test]
fn what_is_new_stands_out_and_what_is_always_said_does_not() {
    let mut words = words();
    let start = distinctive_word(&mut words);
    let distinctive_word = words.distinctive(start, 5);
    assert_eq!(distinctive_word.len(), 1, "{distinctive_word:?}");
    assert_eq!(
        (distinctive_word[0].word.as_str(), distinctive_word[0].posts, distinctive_word[0].normal),
        ("bags", 20, 0.0)
    );
    let frequent = words.most_frequent(start, 2);
    assert_eq!((frequent[0].word.as_str(), frequent[0].posts), ("flight", 40));
    assert!((frequent[0].normal - 40.0).abs() < 1e-6);
}

#[test]
fn without_a_past_nothing_stands_out() {
    let mut words = words();
    (0..20).for_each(|i| words.add(i, ["late"].into_iter()));
    assert_eq!(words.distinctive(0, 5), []);
}

/// `scipy.stats.chi2_contingency([[20, 30], [10, 190]], correction=False, lambda_="log-likelihood")` says 36.755.
#[test]
fn the_deviance_is_that_of_scipy() {
    let found = deviance(20.0, 50.0, 10.0, 200.0);
    assert!((found - 36.755).abs() < 0.01, "{found}");
}

#[test]
fn what_one_person_wrote_is_kept_in_no_letters() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut words = WordCounts::new(TermKind::Word).load(&store, "t").unwrap();
    words.add(0, ["ann", "late"].into_iter());
    words.add(5, ["late", "late"].into_iter());
    words.add(9, ["late"].into_iter());
    let mut batch = Batch::default();
    words.save(&mut batch, "t").unwrap();
    store.commit(batch).unwrap();
    let names =
        |store: &Store| -> Vec<String> { store.scan(&Key::new(Table::Word)).map(|entry| entry.unwrap().1).collect() };
    assert_eq!(names(&store), ["late"]);
    words.expire(1_000);
    let mut batch = Batch::default();
    words.save(&mut batch, "t").unwrap();
    store.commit(batch).unwrap();
    assert_eq!(names(&store), [""; 0], "nobody used it since");
}

#[test]
fn a_slot_is_bounded_and_keeps_what_is_frequent() {
    let mut words = words();
    for i in 0..5_000 {
        let (rare, frequent) = (format!("rare{i}"), format!("frequent{}", i % 50));
        words.add(0, [rare.as_str(), frequent.as_str()].into_iter());
    }
    let slot = &words.slots[&0];
    assert!(slot.words.len() <= MAX_WORDS && words.recent.len() == slot.words.len());
    assert!(slot.words[&hash("frequent7")] >= 90, "{}", slot.words[&hash("frequent7")]);
    assert!(words.names.len() <= 50);
}

#[test]
fn a_restart_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut words = WordCounts::new(TermKind::Word).load(&store, "t").unwrap();
    let start = distinctive_word(&mut words);
    let mut batch = Batch::default();
    words.save(&mut batch, "t").unwrap();
    store.commit(batch).unwrap();
    let loaded = WordCounts::new(TermKind::Word).load(&store, "t").unwrap();
    assert_eq!(loaded.slots, words.slots);
    assert_eq!(loaded.baseline, words.baseline);
    assert_eq!((&loaded.recent, &loaded.names), (&words.recent, &words.names));
    assert_eq!(loaded.distinctive(start, 5), words.distinctive(start, 5));
}
