//! Finds rotated versions of a tailed file, in the order in which they were written.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Age of a file according to its name. Later variants and greater values are newer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    /// `posts.csv.bak`: not a name of a rotated file.
    Unknown,
    /// `posts.csv.2` was written before `posts.csv.1`.
    Numbered(Reverse<u32>),
    /// `posts.csv-20261123`.
    Dated(String),
    /// The file itself.
    Current,
}

/// A regular file whose name starts with that of the tailed file.
#[derive(Debug)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    pub(super) age: Age,
    pub(super) metadata: Metadata,
}

/// The file and its siblings, oldest first; the file itself is last, if it exists.
///
/// # Errors
/// When their directory cannot be read; a missing directory has no files.
pub(super) fn siblings(path: &Path) -> io::Result<Vec<Sibling>> {
    let Some(name) = path.file_name() else { return Ok(Vec::new()) };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(age) = age(name, &entry.file_name()) else { continue };
        // Follows links, as the file itself may be one; skips a file that was just removed.
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        if metadata.is_file() {
            found.push(Sibling { path: directory.join(entry.file_name()), age, metadata });
        }
    }
    found.sort_by(|a, b| a.age.cmp(&b.age));
    Ok(found)
}

/// Age of the file `other` relative to the file `name`; `None` for an unrelated file.
fn age(name: &OsStr, other: &OsStr) -> Option<Age> {
    let suffix = other.as_encoded_bytes().strip_prefix(name.as_encoded_bytes())?;
    let Some((separator, rest)) = suffix.split_first() else { return Some(Age::Current) };
    let rest = std::str::from_utf8(rest).unwrap_or_default();
    let is_time = |c: char| c.is_ascii_digit() || "-_.:TZ".contains(c);
    Some(match rest.parse() {
        _ if !b".-_".contains(separator) => Age::Unknown,
        Ok(number) if rest.len() <= 5 => Age::Numbered(Reverse(number)),
        _ if rest.len() >= 6 && rest.chars().all(is_time) => Age::Dated(rest.to_owned()),
        _ => Age::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_sorted_by_age() {
        let dir = tempfile::tempdir().unwrap();
        let names =
            ["p.csv", "p.csv.1", "p.csv.10", "p.csv.2", "p.csv-20261123", "p.csv-20261122", "p.csv.bak", "p.csv.2.gz"];
        for name in names.iter().chain(&["other.csv", "q.csv.1"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir(dir.path().join("p.csv.d")).unwrap();
        let found = siblings(&dir.path().join("p.csv")).unwrap();
        let mut found: Vec<_> = found.iter().map(|found| found.path.file_name().unwrap().to_str().unwrap()).collect();
        found[..2].sort_unstable();
        assert_eq!(
            found,
            ["p.csv.2.gz", "p.csv.bak", "p.csv.10", "p.csv.2", "p.csv.1", "p.csv-20261122", "p.csv-20261123", "p.csv"]
        );
    }

    #[test]
    fn a_missing_directory_has_no_files() {
        assert!(siblings(Path::new("/no/such/p.csv")).unwrap().is_empty());
    }
}
