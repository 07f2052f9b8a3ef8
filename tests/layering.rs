//! The import order of the design, checked on the source itself: a module imports only modules below it, in all crates of the
//! workspace. Also checks that public type names have one meaning.
#![allow(clippy::unwrap_used, reason = "a panic in a test is the intended failure")]

#[path = "layering/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use source::{EVERYTHING, public_types, reached};

/// The layers, importers first: a module may import modules of later layers, but not of the same layer. Add a new module
/// here, and to the picture in `src/lib.rs`.
const LINE: [&[&str]; 16] = [
    &["main"],
    &["cli"],
    &["web"],
    &["pipeline"],
    &["config"],
    &["report", "telemetry"],
    &["notify", "query"],
    &["monitor"],
    &["alert"],
    &["rule"],
    &["window"],
    &["classify", "source"],
    &["dump"],
    &["post"],
    &["text", "store", "http_client"],
    &["stats", "chart", "secret", "clock", "duration", "language", "metrics", "logging"],
];

/// Modules outside the line: who may import them, and what they may import.
const SIDE_LAYERS: [(&str, &[&str], &[&str]); 3] = [
    ("lab", &["cli"], &["classify", "dump", "post", "text", "stats", "chart"]),
    ("simulate", &["cli"], &["classify", "dump", "post"]),
    ("kernels", &["classify"], &[]),
];

/// Imports that the line would allow, but the design does not: `classify` works on posts, however they were read.
const FORBIDDEN: [(&str, &str); 1] = [("classify", "dump")];

/// The source folders: where they are, and the layer that each stands for if it is one.
const ROOTS: [(&str, Option<&str>); 5] = [
    ("src", None),
    ("crates/reading/src", None),
    ("crates/lab/src", Some("lab")),
    ("crates/chart/src", Some("chart")),
    ("crates/kernels/src", Some("kernels")),
];

/// Public type names that may be declared more than once, with the reason.
const SHARED_NAMES: [(&str, &str); 2] = [
    ("Config", "each module has its own section of the configuration"),
    ("Context", "each kind of integration gets its own dependencies from the pipeline"),
];

fn rank(module: &str) -> Option<usize> {
    LINE.iter().position(|layer| layer.contains(&module))
}

fn side_layer(module: &str) -> Option<&'static (&'static str, &'static [&'static str], &'static [&'static str])> {
    SIDE_LAYERS.iter().find(|(name, ..)| *name == module)
}

fn is_listed(module: &str) -> bool {
    side_layer(module).is_some() || rank(module).is_some()
}

fn may_import(from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    if let Some((_, _, imports)) = side_layer(from) {
        return imports.contains(&to);
    }
    if let Some((_, importers, _)) = side_layer(to) {
        return importers.contains(&from);
    }
    rank(from) < rank(to) && !FORBIDDEN.contains(&(from, to))
}

/// The forbidden imports of `source`: the file `shown`, the module `path` of a crate that stands for the layer `krate`.
fn violations(shown: &str, path: &[&str], krate: Option<&str>, source: &str) -> Vec<String> {
    let from = path.first().copied().unwrap_or("main");
    reached(source, path, krate)
        .into_iter()
        .filter_map(|reached| {
            let (to, line) = (reached.module.as_str(), reached.line);
            if to == EVERYTHING {
                Some(format!("{shown}:{line}: imports the whole crate: name the modules"))
            } else if !is_listed(to) {
                Some(format!("{shown}:{line}: `{to}` is not a module of the list: add it to LINE in tests/layering.rs"))
            } else {
                (!may_import(from, to)).then(|| format!("{shown}:{line}: `{from}` must not import `{to}`"))
            }
        })
        .collect()
}

/// A Rust file of the workspace.
struct SourceFile {
    /// Relative to the repository.
    shown: String,
    /// Relative to the source folder of its crate.
    file: PathBuf,
    krate: Option<&'static str>,
    text: String,
}

impl SourceFile {
    /// `text/stopwords.rs` is the module `text`, `stopwords`; `text/mod.rs` is `text`.
    fn module_path(&self) -> Vec<&str> {
        let mut path: Vec<&str> = self.krate.into_iter().collect();
        path.extend(self.file.iter().map(|part| part.to_str().unwrap().trim_end_matches(".rs")));
        if matches!(path.last(), Some(&"mod" | &"lib" | &"main")) {
            path.pop();
        }
        path
    }

    /// The root of a crate whose modules are layers: it declares all of them.
    fn is_root(&self) -> bool {
        self.krate.is_none() && self.file == Path::new("lib.rs")
    }
}

/// Every Rust file of the workspace.
fn files() -> Vec<SourceFile> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for (root, krate) in ROOTS {
        let folder = repository.join(root);
        let mut folders = vec![folder.clone()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(&next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let file = path.strip_prefix(&folder).unwrap().to_owned();
                    let text = fs::read_to_string(&path).unwrap();
                    files.push(SourceFile { shown: format!("{root}/{}", file.display()), file, krate, text });
                }
            }
        }
    }
    files.sort_by(|a, b| a.shown.cmp(&b.shown));
    files
}

#[test]
fn imports_go_down_the_line() {
    let files = files();
    for (root, _) in ROOTS {
        assert!(files.iter().any(|file| file.shown.starts_with(root)), "no files in {root}");
    }
    let violations: Vec<String> = files
        .iter()
        .filter(|file| !file.is_root())
        .flat_map(|file| violations(&file.shown, &file.module_path(), file.krate, &file.text))
        .collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn every_module_is_listed_and_drawn() {
    let files = files();
    let root = files.iter().find(|file| file.shown == "src/lib.rs").unwrap();
    let diagram: String = root.text.lines().filter(|line| line.starts_with("//!")).collect();
    let drawn: Vec<&str> = diagram.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for file in &files {
        let Some(&module) = file.module_path().first() else { continue };
        assert!(is_listed(module), "{}: add `{module}` to LINE in tests/layering.rs", file.shown);
        assert!(drawn.contains(&module), "src/lib.rs: `{module}` is missing in the picture of the layers");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let without: Vec<String> =
        files().into_iter().filter(|file| !file.text.starts_with("//! ")).map(|file| file.shown).collect();
    assert!(without.is_empty(), "these files do not start with a `//!` line: {without:?}");
}

/// Durations of configuration types in `text` that are not read by `crate::duration`.
fn plain_durations(text: &str) -> Vec<&str> {
    let (mut attributes, mut is_config, mut found) = (String::new(), false, Vec::new());
    for line in text.lines().map(str::trim_end) {
        let is_duration = line.ends_with(": SignedDuration,") || line.ends_with(": Option<SignedDuration>,");
        if line.trim_start().starts_with("#[") {
            attributes.push_str(line);
            continue;
        }
        if line.contains("struct ") && line.ends_with('{') {
            is_config = attributes.contains("deny_unknown_fields");
        } else if is_config && is_duration && !attributes.contains("\"crate::duration") {
            found.push(line.trim());
        }
        is_config &= line != "}";
        attributes.clear();
    }
    found
}

/// Otherwise a key would not take days, and would take a negative duration.
#[test]
fn every_duration_of_the_configuration_is_read_in_one_way() {
    let fields = "#[serde(deny_unknown_fields)]\nstruct A {\n    a: SignedDuration,\n    #[serde(with = \"crate::duration\")]\n    b: \
                  SignedDuration,\n}\nstruct B {\n    c: SignedDuration,\n}";
    assert_eq!(plain_durations(fields), ["a: SignedDuration,"]);
    for file in files() {
        assert_eq!(plain_durations(&file.text), [""; 0], "{}", file.shown);
    }
}

/// Public type names declared more than once, with their files.
fn duplicates<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, Vec<&'a str>> {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (shown, text) in files {
        for name in public_types(text) {
            names.entry(name).or_default().push(shown);
        }
    }
    names.retain(|name, files| files.len() > 1 && !SHARED_NAMES.iter().any(|(shared, _)| shared == name));
    names
}

#[test]
fn public_type_names_have_one_meaning() {
    let files = files();
    let files = files.iter().filter(|file| !file.module_path().contains(&"tests"));
    let duplicates = duplicates(files.map(|file| (file.shown.as_str(), file.text.as_str())));
    assert!(duplicates.is_empty(), "rename one, or add the name to SHARED_NAMES with a reason: {duplicates:#?}");
}

#[test]
fn duplicate_type_names_are_found() {
    let files = [("a.rs", "pub struct Page; pub struct Config;"), ("b.rs", "pub enum Page {} pub struct Config;")];
    assert_eq!(duplicates(files), BTreeMap::from([("Page".to_owned(), vec!["a.rs", "b.rs"])]));
}

#[test]
fn imports_against_the_order_are_found() {
    for (path, source, expected) in [
        (&["text"][..], "\nuse crate::cli::run;", "x.rs:2: `text` must not import `cli`"),
        (&["source", "csv"], "use super::super::classify::clean;", "x.rs:1: `source` must not import `classify`"),
        (&["metrics"], "use crate::store::Store;", "x.rs:1: `metrics` must not import `store`"),
        (&["pipeline"], "use crate::lab::fit;", "x.rs:1: `pipeline` must not import `lab`"),
        (&["pipeline"], "use vigie_lab::fit::Recipe;", "x.rs:1: `pipeline` must not import `lab`"),
        (&["lab", "fit"], "use vigie::window::Span;", "x.rs:1: `lab` must not import `window`"),
        (&["lab"], "use vigie_kernels::dot;", "x.rs:1: `lab` must not import `kernels`"),
        (&["classify"], "use crate::dump::Reader;", "x.rs:1: `classify` must not import `dump`"),
        (&["post"], "use vigie_reading::dump::Row;", "x.rs:1: `post` must not import `dump`"),
        (&["simulate"], "use crate::rule::Rules;", "x.rs:1: `simulate` must not import `rule`"),
        (&["monitor"], "use crate::query::Page;", "x.rs:1: `monitor` must not import `query`"),
        (&["query"], "use crate::notify::Incident;", "x.rs:1: `query` must not import `notify`"),
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
            "x.rs:1: `util` is not a module of the list: add it to LINE in tests/layering.rs",
        ),
    ] {
        assert_eq!(violations("x.rs", path, None, source), [expected], "{source}");
    }
}

#[test]
fn imports_down_the_line_pass() {
    for (path, krate, source) in [
        (&[][..], None, "use vigie::{cli, logging};"),
        (&["cli", "lab"], None, "use vigie_lab::fit; use crate::pipeline; use super::reader_flags;"),
        (&["lab", "fit"], Some("lab"), "use vigie_reading::classify::Label; use crate::score::Interval;"),
        (&["classify", "tests"], None, "use super::*; use crate::post::Post; use vigie_kernels::dot;"),
        (&["source", "tail"], None, "use crate::dump::Reader; use crate::secret::Secret;"),
    ] {
        assert_eq!(violations("x.rs", path, krate, source), [""; 0], "{source}");
    }
}
