//! [`Role`]: which files of a folder or an archive are read, by their names. Content decides later about the rest.

/// Endings of files that hold rows. Such a file is read, or the dump is refused: a month must not be missing.
const DATA: [&str; 7] = ["csv", "tsv", "json", "jsonl", "ndjson", "geojson", "tab"];
/// Endings of packed files.
const PACKED: [&str; 13] = ["gz", "gzip", "zst", "zstd", "xz", "bz2", "zip", "tar", "tgz", "txz", "tbz2", "tzst", "bz"];
/// Endings of files that hold anything but rows.
const OTHER: [&str; 52] = [
    "md",
    "rst",
    "pdf",
    "html",
    "htm",
    "css",
    "py",
    "ipynb",
    "r",
    "rmd",
    "sh",
    "bat",
    "c",
    "h",
    "rs",
    "java",
    "yml",
    "yaml",
    "toml",
    "ini",
    "cfg",
    "bib",
    "tex",
    "doc",
    "docx",
    "ppt",
    "pptx",
    "rtf",
    "odt",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "svg",
    "bmp",
    "ico",
    "tif",
    "tiff",
    "heic",
    "mp3",
    "mp4",
    "mov",
    "webm",
    "part",
    "crdownload",
    "tmp",
    "md5",
    "sha1",
    "sha256",
    "sig",
    "log",
];
/// Names, without an ending, of files about the data.
const ABOUT: [&str; 11] = [
    "readme",
    "license",
    "licence",
    "copying",
    "notice",
    "changelog",
    "authors",
    "citation",
    "makefile",
    "dockerfile",
    "sha256sums",
];

/// What the name of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dump) enum Role {
    /// The user named the file itself.
    Named,
    /// It has the ending of a dump: a fault in it is an error.
    Data,
    /// It is read if it is a dump.
    Unknown,
    /// It is not read.
    Skipped,
    /// It is not read, and not mentioned: what systems keep beside files.
    Hidden,
}

impl Role {
    /// `path` is inside the folder or archive, with `/` between its parts.
    pub(super) fn of(path: &str) -> Self {
        let mut parts = path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != "." && *part != "..");
        if parts.clone().any(|part| part.starts_with('.') || part == "__MACOSX" || part == "@eaDir") {
            return Self::Hidden;
        }
        let name = parts.next_back().unwrap_or_default().to_ascii_lowercase();
        if matches!(name.as_str(), "thumbs.db" | "desktop.ini") {
            return Self::Hidden;
        }
        // What vigie wrote itself.
        if name.ends_with(".rejects.csv") || is_about(&name) {
            return Self::Skipped;
        }
        match unpacked_ending(&name) {
            Some(ending) if DATA.contains(&ending) => Self::Data,
            Some(ending) if OTHER.contains(&ending) => Self::Skipped,
            _ => Self::Unknown,
        }
    }
}

fn is_about(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    ABOUT.iter().any(|about| stem == *about || stem.strip_prefix(about).is_some_and(|rest| rest.starts_with(['-', '_'])))
        // `authors.csv` is data.
        && !unpacked_ending(name).is_some_and(|ending| DATA.contains(&ending))
}

/// The ending below those of packings: `csv` of `a.csv.gz`.
fn unpacked_ending(name: &str) -> Option<&str> {
    let mut name = name;
    while let Some((stem, ending)) = name.rsplit_once('.') {
        if !PACKED.contains(&ending) {
            return Some(ending);
        }
        name = stem;
    }
    None
}

/// The posts in an archive of a person's data from X (`data/tweets.js` and its parts). All its other files are about that
/// person, messages included, and must not be read as posts.
pub(super) fn is_x_archive_posts(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(stem) = name.strip_suffix(".js") else { return false };
    let stem = stem.split_once("-part").map_or(stem, |(stem, _)| stem);
    matches!(stem, "tweet" | "tweets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_about_what_is_surely_no_dump() {
        for (path, expected) in [
            ("a.csv", Role::Data),
            ("../a.csv", Role::Data),
            ("2020/01/tweets.JSONL.gz", Role::Data),
            ("authors.csv", Role::Data),
            ("hashes.txt", Role::Unknown),
            ("RC_2019-01", Role::Unknown),
            ("RC_2019-01.zst", Role::Unknown),
            ("data.tar.gz", Role::Unknown),
            ("database.sqlite", Role::Unknown),
            ("README", Role::Skipped),
            ("docs/README.fr.txt", Role::Skipped),
            ("LICENSE-MIT", Role::Skipped),
            ("cat.PNG", Role::Skipped),
            ("t.csv.rejects.csv", Role::Skipped),
            (".DS_Store", Role::Hidden),
            ("__MACOSX/._a.csv", Role::Hidden),
            (".git/config.csv", Role::Hidden),
            ("./a.csv", Role::Data),
        ] {
            assert_eq!(Role::of(path), expected, "{path}");
        }
    }

    #[test]
    fn the_posts_of_an_archive_of_x_are_found() {
        for path in ["data/tweets.js", "tweet.js", "data/tweets-part1.js"] {
            assert!(is_x_archive_posts(path), "{path}");
        }
        for path in ["data/like.js", "data/direct-messages.js", "data/tweets.json", "data/tweet-headers.js"] {
            assert!(!is_x_archive_posts(path), "{path}");
        }
    }
}
