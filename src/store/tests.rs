//! Tests of the store: batches, openers, layouts, crashes between the steps of a rewrite, damaged and full disks.

use std::fs;

use super::*;

#[test]
fn a_batch_is_read_back_in_key_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = Batch::default();
    for time in [5_i64, -3, 70_000] {
        batch.put(&Key::new(Table::Bucket).text("United").time(time), &time).unwrap();
    }
    batch.put(&Key::new(Table::Bucket).text("United Kingdom").time(0), &0_i64).unwrap();
    store.commit(batch).unwrap();

    let found: Vec<i64> = store.scan(&Key::new(Table::Bucket).text("United")).map(|entry| entry.unwrap().1).collect();
    assert_eq!(found, [-3, 5, 70_000]);
}

/// In a run of all tests some of these find the lock still held by sled's threads.
#[test]
fn a_store_can_be_opened_again_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..60_u64 {
        let store = Store::open(dir.path()).unwrap();
        let mut batch = Batch::default();
        (0..200).for_each(|i| batch.put(&Key::new(Table::Bucket).number(i), &round).unwrap());
        store.commit(batch).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_look_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let _store = Store::open(&path).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_second_opener_learns_that_the_store_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Store::open(dir.path()).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::InUse { .. })));
}

#[test]
fn a_store_of_another_layout_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = Store::open(dir.path()).unwrap();
        let mut batch = Batch::default();
        batch.put(&Key::new(Table::Meta).text("schema"), &999_u32).unwrap();
        store.commit(batch).unwrap();
    }
    let error = Store::open(dir.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::Schema { found: 999, .. }) && error.to_string().lines().count() == 1,
        "{error}"
    );
}

#[test]
fn a_record_that_does_not_decode_is_named_by_its_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let key = Key::new(Table::Alert).text("x");
    store.db().unwrap().insert(key.as_bytes(), vec![0xff; 3]).unwrap();
    let error = store.get::<String>(&key).unwrap_err();
    assert!(error.to_string().contains("Alert"), "{error}");
}

fn filled(dir: &Path, records: u64) -> Store {
    let store = Store::open(dir).unwrap();
    let mut batch = Batch::default();
    for i in 0..records {
        batch.put(&Key::new(Table::Outbox).number(i), &format!("{i} {}", "ballast ".repeat(20))).unwrap();
    }
    store.commit(batch).unwrap();
    store.flush().unwrap();
    store
}

fn all(store: &Store) -> Vec<(Key, Vec<u8>)> {
    store.records().map(Result::unwrap).collect()
}

fn holds(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn a_rewrite_leaves_no_byte_of_what_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path(), 2_500);
    let key = Key::new(Table::Sample).text("t").time(0);
    let mut batch = Batch::default();
    batch.put(&key, &"a very personal text").unwrap();
    store.commit(batch).unwrap();
    store.flush().unwrap();
    let mut batch = Batch::default();
    batch.remove(&key);
    store.commit(batch).unwrap();
    store.flush().unwrap();
    assert!(holds(dir.path(), "very personal"), "sled keeps it, or this test shows nothing");

    let before = all(&store);
    store.rewrite().unwrap();
    assert!(!holds(dir.path(), "very personal"));
    assert_eq!(all(&store), before);
    store.commit(Batch::default()).unwrap();
    drop(store);
    assert_eq!(all(&Store::open(dir.path()).unwrap()), before);
}

/// A kill between any two steps of a rewrite leaves a store with all its records.
#[test]
fn a_crash_at_any_step_of_a_rewrite_loses_nothing() {
    for steps in 0..=layout::SWAP.len() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = filled(dir.path(), 100);
        let before = all(&store);
        store.copy_to_new(|_, value| Ok(value)).unwrap();
        store.close().unwrap();
        for step in &layout::SWAP[..steps] {
            step(dir.path()).unwrap();
        }
        drop(store);
        assert_eq!(all(&Store::open(dir.path()).unwrap()), before, "after {steps} steps");
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["db", "lock"], "after {steps} steps");
    }
}

/// An upgrade for tests: every text of the outbox in capitals.
fn capitals(key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    if key.table() != Some(Table::Outbox) {
        return Ok(value.to_vec());
    }
    let text: String = decode(key, value)?;
    postcard::to_stdvec(&text.to_uppercase()).map_err(StoreError::Encode)
}

/// The upgrades of the next version.
fn next_steps() -> Vec<migrate::Step> {
    migrate::STEPS.iter().copied().chain([capitals as migrate::Step]).collect()
}

#[test]
fn an_older_layout_is_upgraded_and_a_newer_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path(), 3));
    let store = Store::open_with(dir.path(), &next_steps()).unwrap();
    assert_eq!(store.schema().unwrap(), Some(SCHEMA + 1));
    let texts: Vec<String> = store.scan(&Key::new(Table::Outbox)).map(|entry| entry.unwrap().1).collect();
    assert!(texts.len() == 3 && texts.iter().all(|text| text.contains("BALLAST")), "{texts:?}");
    drop(store);
    assert_eq!(
        Store::open_with(dir.path(), &next_steps()).unwrap().schema().unwrap(),
        Some(SCHEMA + 1),
        "upgraded once"
    );

    let error = Store::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("unknown layout version {}", SCHEMA + 1)) && error.lines().count() == 1, "{error}");
}

#[test]
fn a_record_that_an_upgrade_cannot_read_leaves_the_store_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 3);
    let mut batch = Batch::default();
    batch.put_raw(&Key::new(Table::Outbox).number(9), vec![0xff; 3]);
    store.commit(batch).unwrap();
    store.flush().unwrap();
    let before = all(&store);
    drop(store);
    assert!(matches!(Store::open_with(dir.path(), &next_steps()), Err(StoreError::Damaged { .. })));
    assert_eq!(all(&Store::open(dir.path()).unwrap()), before);
}

#[test]
fn a_crash_at_any_step_of_an_upgrade_loses_nothing() {
    let whole = tempfile::tempdir().unwrap();
    drop(filled(whole.path(), 60));
    let expected = all(&Store::open_with(whole.path(), &next_steps()).unwrap());
    assert!(expected.len() > 50);
    for steps in 0..=layout::SWAP.len() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = filled(dir.path(), 60);
        store.copy_to_new(|key, value| migrate::upgraded_by(&next_steps(), SCHEMA, key, &value)).unwrap();
        store.close().unwrap();
        for step in &layout::SWAP[..steps] {
            step(dir.path()).unwrap();
        }
        drop(store);
        assert_eq!(all(&Store::open_with(dir.path(), &next_steps()).unwrap()), expected, "after {steps} steps");
    }
}

#[test]
fn a_reader_sees_what_is_committed_from_either_end_and_nothing_of_a_closed_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path(), 5);
    let reader = store.reader();
    let number = |number| Key::new(Table::Outbox).number(number);
    let read = |from: u64, until: u64| -> Vec<u64> {
        let view = reader.view();
        let range = view.range(&number(from), &number(until)).unwrap();
        range.rev().map(|entry| entry.unwrap().0.last_number().unwrap()).collect()
    };
    assert_eq!(read(1, 4), [3, 2, 1]);
    assert!(read(4, 1).is_empty() && read(7, 9).is_empty());
    assert_eq!(reader.view().get::<String>(&number(9)).unwrap(), None);

    store.rewrite().unwrap();
    let mut batch = Batch::default();
    batch.put(&number(9), &"later").unwrap();
    store.commit(batch).unwrap();
    assert_eq!(reader.clone().view().get::<String>(&number(9)).unwrap().as_deref(), Some("later"), "after a rewrite");
    drop(store);
    assert!(reader.view().get::<String>(&number(9)).is_err());
    Store::open(dir.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(filled(&path, 1));
    let mounted = mount(&path, &["--bind", "-o", "ro", &path.display().to_string()]);
    #[cfg(unix)]
    if mounted.is_none() {
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
        fs::remove_file(path.join("lock")).ok();
        if fs::write(path.join("probe"), "").is_ok() {
            println!("skipped: root may write everywhere, and mount is not allowed");
            return;
        }
    }
    let error = Store::open(&path).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, StoreError::Unwritable { .. }) && said.contains(&path.display().to_string()), "{said}");
    drop(mounted);
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _status = std::process::Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn mount<'a>(at: &'a Path, args: &[&str]) -> Option<Mounted<'a>> {
    let mut command = std::process::Command::new("mount");
    let status = command.args(args).arg(at).stderr(std::process::Stdio::null()).status().ok()?;
    let mounted = status.success().then_some(Mounted(at));
    // Some systems take `ro` of a bind mount only when it is mounted again.
    if args.contains(&"--bind") && mounted.is_some() {
        let mut command = std::process::Command::new("mount");
        command.args(["-o", "remount,bind,ro"]).arg(at).stderr(std::process::Stdio::null()).status().ok()?;
    }
    mounted
}

/// A full disk is an error, not a panic; once there is room the store opens with all that was flushed.
#[test]
fn a_full_disk_is_an_error_and_loses_nothing_that_was_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("small");
    fs::create_dir(&path).unwrap();
    let Some(_mounted) = mount(&path, &["-t", "tmpfs", "-o", "size=8m", "tmpfs"]) else {
        println!("skipped: mount is not allowed here");
        return;
    };
    fs::write(path.join("ballast"), vec![0; 4 << 20]).unwrap();
    let state = path.join("state");
    let store = Store::open(&state).unwrap();
    let mut flushed = 0;
    let error = loop {
        let mut batch = Batch::default();
        batch.put(&Key::new(Table::Outbox).number(flushed), &noise(flushed)).unwrap();
        if let Err(error) = store.commit(batch).and_then(|()| store.flush()) {
            break error;
        }
        flushed += 1;
        assert!(flushed < 10_000, "the disk never fills");
    };
    assert!(error.to_string().contains("disk full"), "{error}");
    assert!(store.flush().is_err(), "it fails until it is opened again");
    drop(store);
    fs::remove_file(path.join("ballast")).unwrap();

    let store = Store::open(&state).unwrap();
    for i in 0..flushed {
        assert_eq!(store.get::<Vec<u64>>(&Key::new(Table::Outbox).number(i)).unwrap(), Some(noise(i)), "{i}");
    }
    filled(&path.join("other"), 10);
}

fn noise(seed: u64) -> Vec<u64> {
    (0..500).map(|i| (seed * 1_000 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect()
}

/// After an error of the disk sled may never close, and keeps its lock: seen when a disk was full.
#[test]
fn a_store_that_cannot_be_closed_does_not_hold_its_successor_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let key = Key::new(Table::Topic).text("Air Paradis");
    let mut batch = Batch::default();
    batch.put(&key, &7_u32).unwrap();
    store.commit(batch).unwrap();
    store.flush().unwrap();
    let _never_closed = store.db().unwrap().clone();
    drop(store);

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.get(&key).unwrap(), Some(7_u32));
    let mut batch = Batch::default();
    batch.put(&key, &8_u32).unwrap();
    store.commit(batch).unwrap();
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().get(&key).unwrap(), Some(8_u32));
}
