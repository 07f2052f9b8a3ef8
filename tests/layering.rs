//! The import order of the design, checked on the source itself: a module imports only what stands below it.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

#[path = "layering/source.rs"]
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::{EVERYTHING, reached};

/// The top-level modules, importers first: each may import those of any later line, none of its own. A new module is
/// added here at its place, and to the picture in `src/lib.rs`.
const LINE: [&[&str]; 14] = [
    &["main"],
    &["cli"],
    &["web"],
    &["pipeline"],
    &["config"],
    &["notify"],
    &["monitor"],
    &["alert"],
    &["rule"],
    &["window"],
    &["classify"],
    &["text"],
    &["source"],
    &["store", "logging", "metrics", "canvas"],
];

/// The lab stands beside the line: it is imported by `cli` alone, and imports these.
const LAB: &str = "lab";
const LAB_IMPORTS: [&str; 6] = ["classify", "text", "source", "store", "logging", "canvas"];

fn rank(module: &str) -> Option<usize> {
    LINE.iter().position(|layer| layer.contains(&module))
}

fn is_listed(module: &str) -> bool {
    module == LAB || rank(module).is_some()
}

fn may_import(from: &str, to: &str) -> bool {
    match (from, to) {
        (from, to) if from == to => true,
        (LAB, to) => LAB_IMPORTS.contains(&to),
        (from, LAB) => from == "cli",
        (from, to) => rank(from) < rank(to),
    }
}

/// What is wrong with the imports of `source`, the file `shown` at the module path `path`.
fn faults(shown: &str, path: &[&str], source: &str) -> Vec<String> {
    let from = path.first().copied().unwrap_or("main");
    reached(source, path)
        .into_iter()
        .filter_map(|reached| {
            let (to, line) = (reached.module.as_str(), reached.line);
            if to == EVERYTHING {
                Some(format!("{shown}:{line}: imports the whole crate: name the modules"))
            } else if !is_listed(to) {
                Some(format!("{shown}:{line}: `{to}` is no module of the list: add it to LINE in tests/layering.rs"))
            } else {
                (!may_import(from, to)).then(|| format!("{shown}:{line}: `{from}` must not import `{to}`"))
            }
        })
        .collect()
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file under `src`, as its path from there.
fn files() -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![src()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(src()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// `text/stopwords.rs` is the module `text`, `stopwords`; `text/mod.rs` is `text`.
fn module_path(file: &Path) -> Vec<&str> {
    let mut path: Vec<&str> = file.iter().map(|part| part.to_str().unwrap().trim_end_matches(".rs")).collect();
    if matches!(path.last(), Some(&"mod" | &"lib" | &"main")) {
        path.pop();
    }
    path
}

fn read(file: &Path) -> String {
    fs::read_to_string(src().join(file)).unwrap()
}

#[test]
fn imports_go_down_the_line() {
    // The root may name everything: it is where the modules are declared.
    let files = files();
    let faults: Vec<String> = files
        .iter()
        .filter(|file| file.as_path() != Path::new("lib.rs"))
        .flat_map(|file| faults(&format!("src/{}", file.display()), &module_path(file), &read(file)))
        .collect();
    assert!(files.len() > 1 && faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_module_is_listed_and_drawn() {
    let diagram: String = read(Path::new("lib.rs")).lines().filter(|line| line.starts_with("//!")).collect();
    let drawn: Vec<&str> = diagram.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for file in files() {
        let Some(&module) = module_path(&file).first() else { continue };
        assert!(is_listed(module), "src/{}: add `{module}` to LINE in tests/layering.rs", file.display());
        assert!(drawn.contains(&module), "src/lib.rs: its picture of the flow lacks `{module}`");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<PathBuf> = files().into_iter().filter(|file| !read(file).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "these files under src start with no `//!` line: {silent:?}");
}

#[test]
fn imports_against_the_order_are_found() {
    for (path, source, wanted) in [
        (&["text"][..], "\nuse crate::cli::run;", "x.rs:2: `text` must not import `cli`"),
        (&["source", "csv"], "use super::super::text::clean;", "x.rs:1: `source` must not import `text`"),
        (&["store"], "use crate::metrics::Series;", "x.rs:1: `store` must not import `metrics`"),
        (&["pipeline"], "use crate::lab::fit;", "x.rs:1: `pipeline` must not import `lab`"),
        (&["config"], "use crate::lab::fit;", "x.rs:1: `config` must not import `lab`"),
        (&["lab", "fit"], "use crate::window::Bucket;", "x.rs:1: `lab` must not import `window`"),
        (&["lab"], "use crate::metrics::Series;", "x.rs:1: `lab` must not import `metrics`"),
        (&[], "use vigie::lab::fit;", "x.rs:1: `main` must not import `lab`"),
        (
            &["rule"],
            "#[cfg(test)]\nmod tests {\n    use crate::alert::Alert;\n}",
            "x.rs:3: `rule` must not import `alert`",
        ),
        (&["rule"], "use crate::*;", "x.rs:1: imports the whole crate: name the modules"),
        (
            &["rule"],
            "use crate::util::f;",
            "x.rs:1: `util` is no module of the list: add it to LINE in tests/layering.rs",
        ),
    ] {
        assert_eq!(faults("x.rs", path, source), [wanted], "{source}");
    }
}

#[test]
fn imports_down_the_line_pass() {
    for (path, source) in [
        (&[][..], "use vigie::{cli, logging};"),
        (&["cli", "lab"], "use crate::lab::fit; use crate::pipeline; use super::reader_flags;"),
        (&["lab"], "use crate::classify::Label; use crate::store::Store; use super::super::text;"),
        (&["text", "tests"], "use super::*; use crate::source::Post; use crate::text::clean;"),
    ] {
        assert_eq!(faults("x.rs", path, source), [""; 0], "{source}");
    }
}
