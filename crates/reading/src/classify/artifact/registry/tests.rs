//! Promotions and rollbacks on directories that look like models, and the ways in which both can fail.

use super::*;
use crate::classify::{Origin, Pooling};

fn add(store: &ModelStore, name: &str, content: &str) -> Promotion {
    let dir = store.model(name);
    fs::create_dir_all(&dir).unwrap();
    for file in ["config.json", "tokenizer.json"] {
        fs::write(dir.join(file), content).unwrap();
    }
    let origin = Origin { name: name.into(), origin: "made by hand".into(), licence: "MIT".into() };
    let mut manifest = Manifest::new(name, Pooling::Mean, 64, origin);
    manifest.write(&dir).unwrap();
    let model_id = manifest.model_id();
    let promoted_at = Some(Timestamp::UNIX_EPOCH);
    Promotion { model: name.into(), model_id, promoted_at, forced: false, evaluation: Value::Null }
}

fn store() -> (tempfile::TempDir, ModelStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = ModelStore::at(dir.path());
    (dir, store)
}

fn read(store: &ModelStore) -> String {
    let dir = ModelStore::resolve(store.dir()).unwrap();
    dir.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn the_default_is_read_until_something_is_promoted_and_rollbacks_go_all_the_way_back() {
    let (_dir, store) = store();
    add(&store, "default", "a");
    assert_eq!(read(&store), "default");
    for name in ["second", "third"] {
        store.promote(add(&store, name, name)).unwrap();
        assert_eq!(read(&store), name);
    }
    let former: Vec<_> = store.champions().unwrap().unwrap().former.into_iter().map(|one| one.model).collect();
    assert_eq!(former, ["default", "second"]);
    for (left, now) in [("third", "second"), ("second", "default")] {
        let told = store.rollback().unwrap();
        assert_eq!((told.0.model.as_str(), told.1.model.as_str()), (left, now));
        assert_eq!(read(&store), now);
    }
    let message = store.rollback().unwrap_err().to_string();
    assert!(message.contains("champion.json: there is no former champion"), "{message}");
    assert_eq!(read(&store), "default");
}

#[test]
fn a_path_that_is_a_model_is_that_model() {
    let (_dir, store) = store();
    store.promote(add(&store, "second", "b")).unwrap();
    let other = store.model("other");
    add(&store, "other", "c");
    assert_eq!(ModelStore::resolve(&other).unwrap(), other);
    let nowhere = store.model("nowhere");
    assert_eq!(ModelStore::resolve(&nowhere).unwrap(), nowhere);
}

#[test]
fn models_are_listed_with_the_champion_marked() {
    let (_dir, store) = store();
    add(&store, "default", "a");
    store.promote(add(&store, "second", "b")).unwrap();
    fs::create_dir(store.model("recipe")).unwrap();
    let listed: Vec<_> = store.models().unwrap().into_iter().map(|model| (model.name, model.is_champion)).collect();
    assert_eq!(listed, [("default".to_owned(), false), ("second".to_owned(), true)]);
    assert!(store.was_promoted("second").unwrap() && store.was_promoted("default").unwrap());
    assert!(!store.was_promoted("third").unwrap());
}

#[test]
fn a_champion_that_was_replaced_in_place_is_refused() {
    let (_dir, store) = store();
    add(&store, "default", "a");
    store.promote(add(&store, "second", "b")).unwrap();
    add(&store, "second", "something else");
    let message = ModelStore::resolve(store.dir()).unwrap_err().to_string();
    assert!(message.contains("second holds second-") && message.contains("vigie lab rollback"), "{message}");
    store.rollback().unwrap();
    assert_eq!(read(&store), "default");
}

#[test]
fn a_model_that_is_not_there_is_not_promoted() {
    let (_dir, store) = store();
    add(&store, "default", "a");
    let mut gone = add(&store, "second", "b");
    gone.model = "third".into();
    assert!(store.promote(gone).unwrap_err().to_string().contains("third holds no model with a manifest"));
    assert_eq!(store.champions().unwrap(), None);
}

/// Whatever a killed promotion leaves half written is neither read nor in the way of the next.
#[test]
fn half_a_champion_file_changes_nothing() {
    let (_dir, store) = store();
    store.promote(add(&store, "second", "b")).unwrap();
    fs::write(store.dir().join(".champion.json.half"), "{\"format\": 1, \"champ").unwrap();
    assert_eq!(read(&store), "second");
    store.promote(add(&store, "third", "c")).unwrap();
    assert_eq!(read(&store), "third");
    assert!(!store.dir().join(".champion.json.half").exists());
}

/// A directory where the file is to be: the rename fails after everything was written.
#[test]
fn a_promotion_whose_rename_fails_leaves_nothing_behind() {
    let (_dir, store) = store();
    let second = add(&store, "second", "b");
    fs::create_dir_all(store.dir().join("champion.json/in-the-way")).unwrap();
    // Reading a directory fails as well, so the change itself is given.
    let failed = store.replace(|_| Ok(Champions { format: FORMAT, champion: second.clone(), former: Vec::new() }));
    assert!(failed.unwrap_err().to_string().contains("champion.json: "));
    assert!(!store.dir().join(".champion.json.half").exists());
}

#[test]
fn a_damaged_champion_file_is_told() {
    let (_dir, store) = store();
    add(&store, "default", "a");
    for (content, wanted) in [("{", "does not say which model is the champion"), (FUTURE, "format is 2")] {
        fs::write(store.dir().join("champion.json"), content).unwrap();
        let message = ModelStore::resolve(store.dir()).unwrap_err().to_string();
        assert!(message.contains(wanted) && !message.contains('\n'), "{message}");
    }
}

const FUTURE: &str = r#"{"format": 2, "former": [], "champion": {"model": "a", "model_id": "a-1", "promoted_at": null,
    "forced": false, "evaluation": null}}"#;

/// Readers during promotions always meet a whole file.
#[test]
fn readers_never_meet_half_a_promotion() {
    let (_dir, store) = store();
    let (one, two) = (add(&store, "one", "a"), add(&store, "two", "b"));
    store.promote(one.clone()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                store.promote(two.clone()).unwrap();
                store.promote(one.clone()).unwrap();
            }
        });
        while !writer.is_finished() {
            assert!(["one", "two"].contains(&read(&store).as_str()));
        }
    });
    assert_eq!(store.champions().unwrap().unwrap().former.len(), 40);
}
