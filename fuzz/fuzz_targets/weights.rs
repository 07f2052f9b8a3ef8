//! Any bytes as the weights or the configuration of a model: a model or a one-line error, and no panic when it reads a text.
//!
//! The first byte selects the file.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vigie::classify::Encoder;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/tiny-distilbert/classifier");

static DIR: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary directory"));

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let changed = ["model.safetensors", "config.json"][usize::from(choice & 1)];
    for name in ["model.safetensors", "config.json", "tokenizer.json"] {
        let whole = std::fs::read(Path::new(FIXTURE).join(name)).expect("a file of the fixture");
        let content = if name == changed { bytes } else { &whole };
        std::fs::write(DIR.path().join(name), content).expect("the directory is ours");
    }
    match Encoder::load(DIR.path()) {
        Ok(encoder) => drop(encoder.encode(&["late again", ""])),
        Err(error) => assert!(!error.to_string().contains('\n'), "an error of several lines: {error}"),
    }
});
