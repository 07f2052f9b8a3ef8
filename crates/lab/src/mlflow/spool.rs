//! [`Spool`]: a directory of runs to send, one folder each, in order. A folder is created and removed atomically, by a
//! rename; the process that sends it holds a lock on it.
//!
//! ```text
//! mlruns-spool/000001-<key>/entry.json, files/0, files/1, ...     to be sent
//!              000002-<key>.rejected/reason.txt, ...              refused by the server; to be checked by a person
//! ```
//!
//! A model's large files are hard links (copies, across file systems): they take no space, and outlive a model
//! directory that is replaced. Each is checked against its SHA-256 before it is sent.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::files;
use super::spooled_run::{RunDraft, SpooledFile, SpooledRun, SpooledRunError};

const ENTRY: &str = "entry.json";
const FILES: &str = "files";
const REJECTED: &str = ".rejected";

/// Why a spool operation failed.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("{}: {cause}", path.display())]
    Invalid { path: PathBuf, cause: SpooledRunError },
    #[error("{} is being sent by another vigie", path.display())]
    Busy { path: PathBuf },
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Spool {
    dir: PathBuf,
}

/// A run in the spool that no other process sends at the same time.
#[derive(Debug)]
pub(super) struct LockedRun {
    pub(super) dir: PathBuf,
    pub(super) spooled: SpooledRun,
    lock: File,
}

impl Drop for LockedRun {
    /// A child process may have inherited the file and would keep the lock.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl LockedRun {
    /// Path of the `n`th file of the run.
    pub(super) fn file(&self, n: usize) -> PathBuf {
        self.dir.join(FILES).join(n.to_string())
    }
}

impl Spool {
    /// The directory need not exist.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Adds a run; one that is already there stays as it is.
    pub(super) fn put(&self, draft: &RunDraft<'_>) -> Result<LockedRun, SpoolError> {
        let fail = |cause| SpoolError::Io { path: self.dir.clone(), cause };
        fs::create_dir_all(&self.dir).map_err(fail)?;
        let folders = self.pending()?;
        let ending = format!("-{}", draft.spooled.folder_key());
        if let Some(existing) = folders.iter().find(|folder| name(folder).ends_with(&ending)) {
            return open(existing);
        }
        let temporary = tempfile::Builder::new().prefix(".new-").tempdir_in(&self.dir).map_err(fail)?;
        let new = temporary.path().join("run");
        write(draft, &new)?;
        let last = folders.last().and_then(|folder| number(folder)).unwrap_or_default();
        let folder = self.dir.join(format!("{:06}{ending}", last.saturating_add(1)));
        fs::rename(&new, &folder).map_err(fail)?;
        let _ = File::open(&self.dir).and_then(|dir| dir.sync_all()); // not supported by every file system
        open(&folder)
    }

    /// The folders of runs to send, in order.
    pub(super) fn pending(&self) -> Result<Vec<PathBuf>, SpoolError> {
        self.folders(|name| !name.ends_with(REJECTED))
    }

    /// The folders of rejected runs.
    pub(super) fn rejected(&self) -> Result<Vec<PathBuf>, SpoolError> {
        self.folders(|name| name.ends_with(REJECTED))
    }

    fn folders(&self, select: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, SpoolError> {
        let fail = |cause| SpoolError::Io { path: self.dir.clone(), cause };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(fail)?,
        };
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(fail)?;
        let is_run = |path: &PathBuf| number(path).is_some() && path.is_dir() && select(&name(path));
        let mut folders: Vec<PathBuf> = paths.into_iter().filter(is_run).collect();
        folders.sort_by_key(|folder| (number(folder), name(folder)));
        Ok(folders)
    }

    /// Removes a sent run, atomically for other processes.
    pub(super) fn remove(&self, locked: LockedRun) -> Result<(), SpoolError> {
        let sent = self.dir.join(format!(".sent-{}", name(&locked.dir)));
        fs::rename(&locked.dir, &sent).map_err(|cause| SpoolError::Io { path: locked.dir.clone(), cause })?;
        drop(locked);
        let _ = fs::remove_dir_all(&sent); // the next `tidy` removes the rest
        Ok(())
    }

    /// Moves a run to the rejected ones, with the reason.
    pub(super) fn reject(&self, folder: &Path, reason: &str) -> Result<PathBuf, SpoolError> {
        let fail = |cause| SpoolError::Io { path: folder.to_path_buf(), cause };
        fs::write(folder.join("reason.txt"), format!("{reason}\n")).map_err(fail)?;
        let rejected = self.dir.join(name(folder) + REJECTED);
        fs::rename(folder, &rejected).map_err(fail)?;
        Ok(rejected)
    }

    /// Removes remains of sent runs after a kill, and the directory if it is empty.
    pub(super) fn tidy(&self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for sent in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".sent-")) {
            let _ = fs::remove_dir_all(sent.path());
        }
        let _ = fs::remove_dir(&self.dir);
    }
}

/// The run in `folder`, locked.
pub(super) fn open(folder: &Path) -> Result<LockedRun, SpoolError> {
    let path = folder.join(ENTRY);
    let fail = |cause| SpoolError::Io { path: path.clone(), cause };
    let lock = File::open(&path).map_err(fail)?;
    // A file system without locks is unlikely to be shared with a second vigie.
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        return Err(SpoolError::Busy { path: folder.to_path_buf() });
    }
    // Read by path, as it may have been removed before the lock was taken.
    let bytes = fs::read(&path).map_err(fail)?;
    let spooled = SpooledRun::decode(&bytes).map_err(|cause| SpoolError::Invalid { path: path.clone(), cause })?;
    Ok(LockedRun { dir: folder.to_path_buf(), spooled, lock })
}

fn write(draft: &RunDraft<'_>, folder: &Path) -> Result<(), SpoolError> {
    let mut spooled = draft.spooled.clone();
    let files = folder.join(FILES);
    fs::create_dir_all(&files).map_err(|cause| SpoolError::Io { path: files.clone(), cause })?;
    for (n, (name, content)) in draft.files.iter().enumerate() {
        let path = match content {
            files::Content::File(path) => path.clone(),
            files::Content::Bytes(_) => files.join(n.to_string()),
        };
        let stored = files::store(content, &files.join(n.to_string()));
        let (bytes, sha256) = stored.map_err(|cause| SpoolError::Io { path, cause })?;
        spooled.files.push(SpooledFile { name: name.clone(), bytes, sha256 });
    }
    let path = folder.join(ENTRY);
    let written = fs::write(&path, spooled.encode()).and_then(|()| File::open(&path)?.sync_all());
    written.map_err(|cause| SpoolError::Io { path, cause })
}

fn name(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// 12 for `000012-...`; `None` for anything but a run's folder.
fn number(folder: &Path) -> Option<u64> {
    name(folder).split_once('-').and_then(|(number, _)| number.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn draft(id: &str) -> RunDraft<'static> {
        let dir = tempfile::tempdir().unwrap();
        let at = jiff::Timestamp::from_second(7).unwrap();
        RunDraft::from_promotion(id, &BTreeMap::new(), dir.path(), at, ("lab", "lab")).unwrap()
    }

    #[test]
    fn runs_are_numbered_in_order_and_each_is_there_once() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path().join("deep/spool"));
        assert!(spool.pending().unwrap().is_empty());
        for id in ["b", "a", "b"] {
            spool.put(&draft(id)).unwrap();
        }
        let pending = spool.pending().unwrap();
        let numbers: Vec<_> = pending.iter().map(|folder| number(folder)).collect();
        assert_eq!(numbers, [Some(1), Some(2)]);
        assert_eq!(open(&pending[0]).unwrap().spooled.name, "promote_b");
    }

    #[test]
    fn a_run_that_is_being_sent_is_locked() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path());
        let locked = spool.put(&draft("a")).unwrap();
        assert!(matches!(open(&locked.dir), Err(SpoolError::Busy { .. })));
        assert!(matches!(spool.put(&draft("a")), Err(SpoolError::Busy { .. })));
        let folder = locked.dir.clone();
        drop(locked);
        spool.remove(open(&folder).unwrap()).unwrap();
        assert!(spool.pending().unwrap().is_empty() && !folder.exists());
    }

    #[test]
    fn remains_of_a_kill_are_not_runs() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path().join("spool"));
        let locked = spool.put(&draft("a")).unwrap();
        for left in [".new-x/run", ".sent-000001-a"] {
            fs::create_dir_all(spool.dir().join(left)).unwrap();
        }
        assert_eq!(spool.pending().unwrap().len(), 1);
        spool.tidy();
        assert!(spool.dir().join(".new-x").exists() && !spool.dir().join(".sent-000001-a").exists());
        spool.reject(&locked.dir, "never").unwrap();
        assert!(spool.pending().unwrap().is_empty());
        assert_eq!(spool.rejected().unwrap().len(), 1);
    }
}
