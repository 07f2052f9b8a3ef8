//! [`Blobs`]: the shared cache of the hub's tools, in the layout of Python's huggingface_hub.
//!
//! ```text
//! models--OWNER--NAME/blobs/HASH             content, under its own hash
//!                     blobs/HASH.part        the part downloaded so far
//!                     snapshots/COMMIT/FILE  link to the blob
//!                     refs/REVISION          the commit
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::listing::{Hash, Listing, RemoteFile};
use super::{HubError, RepoName};

/// Interval between attempts to take a lock.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The cache's part for one model.
pub(super) struct Blobs {
    folder: PathBuf,
    revision: String,
}

impl Blobs {
    pub(super) fn new(cache: &Path, name: &RepoName) -> Self {
        let folder = cache.join(format!("models--{}", name.repo).replace('/', "--"));
        Self { folder, revision: name.revision.clone() }
    }

    /// Path of the content of `file`, present or not. Creates its folder.
    pub(super) fn path(&self, file: &RemoteFile) -> Result<PathBuf, HubError> {
        let blobs = self.folder.join("blobs");
        fs::create_dir_all(&blobs).map_err(|cause| HubError::io(&blobs, file.size, cause))?;
        Ok(blobs.join(file.hash.hex()))
    }

    /// Makes the file visible to other tools.
    pub(super) fn link(&self, listing: &Listing, file: &RemoteFile) -> Result<(), HubError> {
        let folder = self.folder.join("snapshots").join(&listing.commit);
        // A revision may hold slashes, such as refs/pr/3: folders here.
        let reference = self.folder.join("refs").join(&self.revision);
        let link = folder.join(&file.name);
        let made = || {
            fs::create_dir_all(&folder)?;
            match std::os::unix::fs::symlink(Path::new("../../blobs").join(file.hash.hex()), &link) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            fs::create_dir_all(reference.parent().unwrap_or(&folder))?;
            fs::write(&reference, listing.commit.trim())
        };
        made().map_err(|cause| HubError::io(&link, 0, cause))
    }
}

/// Held while a blob is written; other tools of the Hub respect it too.
pub(super) struct Lock(#[expect(dead_code, reason = "its lock goes with it")] File);

impl Lock {
    /// Acquires the lock; waits at most `timeout` if another process holds it.
    pub(super) fn acquire(blob: &Path, timeout: Duration) -> Result<Self, HubError> {
        let path = blob.with_extension("lock");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|cause| HubError::io(&path, 0, cause))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if waited < timeout => {
                    thread::sleep(LOCK_POLL_INTERVAL);
                    waited += LOCK_POLL_INTERVAL;
                }
                Err(TryLockError::WouldBlock) => return Err(HubError::Busy { path: blob.to_path_buf() }),
                Err(TryLockError::Error(cause)) => return Err(HubError::io(&path, 0, cause)),
            }
        }
    }
}

/// The hash of a file on disk, of the same kind as `expected`.
pub(super) fn hash_of(path: &Path, expected: &Hash) -> Result<Hash, HubError> {
    let hashed = || {
        let mut file = File::open(path)?;
        Ok(match expected {
            Hash::Sha256(_) => Hash::Sha256(digest(&mut file, Sha256::new())?),
            Hash::Git(_) => {
                let head = format!("blob {}\0", file.metadata()?.len());
                Hash::Git(digest(&mut file, sha1::Sha1::new_with_prefix(head))?)
            }
        })
    };
    hashed().map_err(|cause| HubError::io(path, 0, cause))
}

/// In hex, as on the Hub and in manifests.
pub(super) fn digest<D: Digest>(reader: &mut impl Read, mut hasher: D) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sha256sum_and_of_git() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "hello\n").unwrap();
        // `git hash-object x` and `sha256sum x`
        let git = Hash::Git("ce013625030ba8dba906f756967f9e9ca394464a".to_owned());
        let sha = Hash::Sha256("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03".to_owned());
        for hash in [git, sha] {
            assert_eq!(hash_of(&path, &hash).unwrap(), hash);
        }
    }

    #[test]
    fn a_blob_that_another_process_writes_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let blob = dir.path().join("abc");
        let held = Lock::acquire(&blob, Duration::ZERO).unwrap();
        assert!(matches!(Lock::acquire(&blob, Duration::ZERO), Err(HubError::Busy { .. })));
        drop(held);
        assert!(Lock::acquire(&blob, Duration::ZERO).is_ok());
    }
}
