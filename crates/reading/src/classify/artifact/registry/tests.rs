//! Promotions and rollbacks on directories that look like models, and how both can fail.

use super::*;
use crate::classify::{Origin, Pooling};

fn add(registry: &ModelRegistry, name: &str, content: &str) -> Promotion {
    let dir = registry.model_dir(name);
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

fn registry() -> (tempfile::TempDir, ModelRegistry) {
    let dir = tempfile::tempdir().unwrap();
    let registry = ModelRegistry::new(dir.path());
    (dir, registry)
}

fn read(registry: &ModelRegistry) -> String {
    let dir = ModelRegistry::resolve(registry.dir()).unwrap();
    dir.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn the_default_is_read_until_something_is_promoted_and_rollbacks_go_all_the_way_back() {
    let (_dir, registry) = registry();
    add(&registry, "default", "a");
    assert_eq!(read(&registry), "default");
    for name in ["second", "third"] {
        registry.promote(add(&registry, name, name)).unwrap();
        assert_eq!(read(&registry), name);
    }
    let former: Vec<_> = registry.read_history().unwrap().unwrap().former.into_iter().map(|one| one.model).collect();
    assert_eq!(former, ["default", "second"]);
    for (left, now) in [("third", "second"), ("second", "default")] {
        let (replaced, champion) = registry.rollback().unwrap();
        assert_eq!((replaced.model.as_str(), champion.model.as_str()), (left, now));
        assert_eq!(read(&registry), now);
    }
    let message = registry.rollback().unwrap_err().to_string();
    assert!(message.contains("champion.json: no previous champion"), "{message}");
    assert_eq!(read(&registry), "default");
}

#[test]
fn a_path_to_a_model_resolves_to_itself() {
    let (_dir, registry) = registry();
    registry.promote(add(&registry, "second", "b")).unwrap();
    let other = registry.model_dir("other");
    add(&registry, "other", "c");
    assert_eq!(ModelRegistry::resolve(&other).unwrap(), other);
    let nowhere = registry.model_dir("nowhere");
    assert_eq!(ModelRegistry::resolve(&nowhere).unwrap(), nowhere);
}

#[test]
fn models_are_listed_with_the_champion_marked() {
    let (_dir, registry) = registry();
    add(&registry, "default", "a");
    registry.promote(add(&registry, "second", "b")).unwrap();
    fs::create_dir(registry.model_dir("recipe")).unwrap();
    let listed: Vec<_> =
        registry.list_models().unwrap().into_iter().map(|model| (model.name, model.is_champion)).collect();
    assert_eq!(listed, [("default".to_owned(), false), ("second".to_owned(), true)]);
    assert!(registry.was_promoted("second").unwrap() && registry.was_promoted("default").unwrap());
    assert!(!registry.was_promoted("third").unwrap());
}

#[test]
fn a_champion_that_was_replaced_in_place_is_refused() {
    let (_dir, registry) = registry();
    add(&registry, "default", "a");
    registry.promote(add(&registry, "second", "b")).unwrap();
    add(&registry, "second", "something else");
    let message = ModelRegistry::resolve(registry.dir()).unwrap_err().to_string();
    assert!(message.contains("second contains second-") && message.contains("vigie lab rollback"), "{message}");
    registry.rollback().unwrap();
    assert_eq!(read(&registry), "default");
}

#[test]
fn a_model_that_is_not_there_is_not_promoted() {
    let (_dir, registry) = registry();
    add(&registry, "default", "a");
    let mut gone = add(&registry, "second", "b");
    gone.model = "third".into();
    assert!(registry.promote(gone).unwrap_err().to_string().contains("third contains no model with a manifest"));
    assert_eq!(registry.read_history().unwrap(), None);
}

/// The partial file of a killed promotion is not read and does not block the next promotion.
#[test]
fn half_a_champion_file_changes_nothing() {
    let (_dir, registry) = registry();
    registry.promote(add(&registry, "second", "b")).unwrap();
    fs::write(registry.dir().join(".champion.json.half"), "{\"format\": 1, \"champ").unwrap();
    assert_eq!(read(&registry), "second");
    registry.promote(add(&registry, "third", "c")).unwrap();
    assert_eq!(read(&registry), "third");
    assert!(!registry.dir().join(".champion.json.half").exists());
}

/// A directory in place of the file: the rename fails after everything was written.
#[test]
fn a_promotion_whose_rename_fails_leaves_nothing_behind() {
    let (_dir, registry) = registry();
    let second = add(&registry, "second", "b");
    fs::create_dir_all(registry.dir().join("champion.json/in-the-way")).unwrap();
    // Reading a directory fails too, so the new history is passed in.
    let failed = registry
        .replace_history(|_| Ok(ChampionHistory { format: FORMAT, champion: second.clone(), former: Vec::new() }));
    assert!(failed.unwrap_err().to_string().contains("champion.json: "));
    assert!(!registry.dir().join(".champion.json.half").exists());
}

#[test]
fn a_damaged_champion_file_is_an_error() {
    let (_dir, registry) = registry();
    add(&registry, "default", "a");
    for (content, expected) in [("{", "not a champion.json"), (FUTURE, "format is 2")] {
        fs::write(registry.dir().join("champion.json"), content).unwrap();
        let message = ModelRegistry::resolve(registry.dir()).unwrap_err().to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
    }
}

const FUTURE: &str = r#"{"format": 2, "former": [], "champion": {"model": "a", "model_id": "a-1", "promoted_at": null,
    "forced": false, "evaluation": null}}"#;

/// Readers always see a complete file during promotions.
#[test]
fn readers_never_see_half_a_promotion() {
    let (_dir, registry) = registry();
    let (one, two) = (add(&registry, "one", "a"), add(&registry, "two", "b"));
    registry.promote(one.clone()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                registry.promote(two.clone()).unwrap();
                registry.promote(one.clone()).unwrap();
            }
        });
        while !writer.is_finished() {
            assert!(["one", "two"].contains(&read(&registry).as_str()));
        }
    });
    assert_eq!(registry.read_history().unwrap().unwrap().former.len(), 40);
}
