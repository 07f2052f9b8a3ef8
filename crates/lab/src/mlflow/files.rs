//! Files of a run: walks a model's directory, stores content in the spool, and hashes it.

use std::borrow::Cow;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The bytes of an artifact, or the file that holds them.
#[derive(Debug, Clone)]
pub(super) enum Content<'a> {
    Bytes(Cow<'a, [u8]>),
    File(PathBuf),
}

/// From this size on a file is linked instead of copied: weights are written once, and replaced by renames.
const LINK_THRESHOLD: u64 = 1 << 20;
/// Model directories are flat, or nearly so.
const MAX_DEPTH: usize = 8;

/// Stores the content at `to`, and returns its size and SHA-256 in hex. A large file becomes a hard link if `to` is on
/// the same file system; otherwise it is copied.
pub(super) fn store(content: &Content<'_>, to: &Path) -> io::Result<(u64, String)> {
    match content {
        Content::Bytes(bytes) => {
            let mut file = File::create_new(to)?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        Content::File(from) => {
            let large = fs::metadata(from)?.len() >= LINK_THRESHOLD;
            // A hard link to a symbolic link would follow later changes of that link.
            let linked = large && fs::hard_link(from.canonicalize()?, to).is_ok();
            if !linked {
                let mut file = File::create_new(to)?;
                io::copy(&mut File::open(from)?, &mut file)?;
                file.sync_all()?;
            }
        }
    }
    sha256(to)
}

/// Size, and hash in hex.
pub(super) fn sha256(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut hasher, mut bytes) = (File::open(path)?, Sha256::new(), 0_u64);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, hex(&hasher.finalize())));
        }
        bytes += count as u64;
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

/// The files in `dir` by relative path, sorted, with `/` between directories.
pub(super) fn walk(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    descend(dir, "", MAX_DEPTH, &mut found)?;
    found.sort();
    Ok(found)
}

fn descend(dir: &Path, before: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, name) = (entry.path(), format!("{before}{}", entry.file_name().to_string_lossy()));
        let is = fs::metadata(&path)?;
        if is.is_file() {
            found.push((name, path));
        } else if is.is_dir() && depth > 0 {
            descend(&path, &format!("{name}/"), depth - 1, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn large_files_are_linked_and_small_ones_copied() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("weights"), vec![7; LINK_THRESHOLD as usize]).unwrap();
        fs::write(path("manifest"), "{}").unwrap();
        let (bytes, hash) = store(&Content::File(path("weights")), &path("0")).unwrap();
        assert_eq!((bytes, hash), sha256(&path("weights")).unwrap());
        store(&Content::File(path("manifest")), &path("1")).unwrap();
        let inode = |name: &str| fs::metadata(path(name)).unwrap().ino();
        assert_eq!(inode("weights"), inode("0"));
        assert_ne!(inode("manifest"), inode("1"));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(store(&Content::Bytes(b"".as_slice().into()), &path("2")).unwrap(), (0, empty.to_owned()));
    }

    #[test]
    fn directories_are_walked_in_order() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        for name in ["b/x", "a", "c"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let names: Vec<String> = walk(dir.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b/x", "c"]);
    }
}
