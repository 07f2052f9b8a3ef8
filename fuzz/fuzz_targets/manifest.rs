//! Any bytes as a model's manifest: an error or a manifest, never a panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vigie::classify::Manifest;

static DIR: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary directory"));

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(DIR.path().join("manifest.json"), bytes).expect("the directory is ours");
    match Manifest::read(DIR.path()) {
        Ok(manifest) => drop(manifest.expect("the file is there").model_id()),
        Err(error) => assert!(!error.to_string().contains('\n'), "an error of several lines: {error}"),
    }
});
