//! [`Spool`]: a directory of runs to be sent, a folder each, in order. A folder appears whole, by a rename, and goes the
//! same way; who sends it holds a lock on it.
//!
//! ```text
//! mlruns-spool/000001-<key>/entry.json, files/0, files/1, ...     to be sent
//!              000002-<key>.rejected/reason.txt, ...              the server will never take it; for a person to judge
//! ```
//!
//! A model's large files are hard links (copies, across file systems): they cost nothing, and outlive a model directory
//! that is replaced. Each is checked against its sha256 before it is sent.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::entry::{Draft, Entry, EntryError, Kept};
use super::files;

const ENTRY: &str = "entry.json";
const FILES: &str = "files";
const REJECTED: &str = ".rejected";

/// Why the spool did not do.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("{}: {cause}", path.display())]
    Entry { path: PathBuf, cause: EntryError },
    #[error("{} is being sent by another vigie", path.display())]
    Busy { path: PathBuf },
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Spool {
    dir: PathBuf,
}

/// A run in the spool that nobody else sends meanwhile.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) dir: PathBuf,
    pub(super) entry: Entry,
    lock: File,
}

impl Drop for Parcel {
    /// A process that is being started elsewhere may have inherited the file, and would hold the lock on.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl Parcel {
    /// Where the `n`th file of the entry is.
    pub(super) fn file(&self, n: usize) -> PathBuf {
        self.dir.join(FILES).join(n.to_string())
    }
}

impl Spool {
    /// The directory need not be there.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Puts a run in; one that is there already stays as it is.
    pub(super) fn put(&self, draft: &Draft<'_>) -> Result<Parcel, SpoolError> {
        let fail = |cause| SpoolError::Io { path: self.dir.clone(), cause };
        fs::create_dir_all(&self.dir).map_err(fail)?;
        let folders = self.pending()?;
        let ending = format!("-{}", draft.entry.folder_key());
        if let Some(there) = folders.iter().find(|folder| name(folder).ends_with(&ending)) {
            return open(there);
        }
        let beside = tempfile::Builder::new().prefix(".new-").tempdir_in(&self.dir).map_err(fail)?;
        let made = beside.path().join("run");
        write(draft, &made)?;
        let last = folders.last().and_then(|folder| number(folder)).unwrap_or_default();
        let folder = self.dir.join(format!("{:06}{ending}", last.saturating_add(1)));
        fs::rename(&made, &folder).map_err(fail)?;
        let _ = File::open(&self.dir).and_then(|dir| dir.sync_all()); // not every file system can
        open(&folder)
    }

    /// The folders of runs to be sent, the first first.
    pub(super) fn pending(&self) -> Result<Vec<PathBuf>, SpoolError> {
        self.folders(|name| !name.ends_with(REJECTED))
    }

    /// The folders of runs that were set aside.
    pub(super) fn rejected(&self) -> Result<Vec<PathBuf>, SpoolError> {
        self.folders(|name| name.ends_with(REJECTED))
    }

    fn folders(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, SpoolError> {
        let fail = |cause| SpoolError::Io { path: self.dir.clone(), cause };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(fail)?,
        };
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(fail)?;
        let is_run = |path: &PathBuf| number(path).is_some() && path.is_dir() && wanted(&name(path));
        let mut folders: Vec<PathBuf> = paths.into_iter().filter(is_run).collect();
        folders.sort_by_key(|folder| (number(folder), name(folder)));
        Ok(folders)
    }

    /// After it was sent: at once as others see it.
    pub(super) fn remove(&self, parcel: Parcel) -> Result<(), SpoolError> {
        let gone = self.dir.join(format!(".sent-{}", name(&parcel.dir)));
        fs::rename(&parcel.dir, &gone).map_err(|cause| SpoolError::Io { path: parcel.dir.clone(), cause })?;
        drop(parcel);
        let _ = fs::remove_dir_all(&gone); // what is left of it is taken by the next `tidy`
        Ok(())
    }

    /// Sets a run aside, with the reason.
    pub(super) fn reject(&self, folder: &Path, reason: &str) -> Result<PathBuf, SpoolError> {
        let fail = |cause| SpoolError::Io { path: folder.to_path_buf(), cause };
        fs::write(folder.join("reason.txt"), format!("{reason}\n")).map_err(fail)?;
        let aside = self.dir.join(name(folder) + REJECTED);
        fs::rename(folder, &aside).map_err(fail)?;
        Ok(aside)
    }

    /// Removes what a kill left of runs that were sent, and the directory where nothing else is in it.
    pub(super) fn tidy(&self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for sent in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".sent-")) {
            let _ = fs::remove_dir_all(sent.path());
        }
        let _ = fs::remove_dir(&self.dir);
    }
}

/// The run in `folder`, locked.
pub(super) fn open(folder: &Path) -> Result<Parcel, SpoolError> {
    let path = folder.join(ENTRY);
    let fail = |cause| SpoolError::Io { path: path.clone(), cause };
    let lock = File::open(&path).map_err(fail)?;
    // A file system without locks has no second vigie either, most likely.
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        return Err(SpoolError::Busy { path: folder.to_path_buf() });
    }
    // By its path, as it may be gone since.
    let bytes = fs::read(&path).map_err(fail)?;
    let entry = Entry::decode(&bytes).map_err(|cause| SpoolError::Entry { path: path.clone(), cause })?;
    Ok(Parcel { dir: folder.to_path_buf(), entry, lock })
}

fn write(draft: &Draft<'_>, folder: &Path) -> Result<(), SpoolError> {
    let mut entry = draft.entry.clone();
    let files = folder.join(FILES);
    fs::create_dir_all(&files).map_err(|cause| SpoolError::Io { path: files.clone(), cause })?;
    for (n, (name, content)) in draft.files.iter().enumerate() {
        let path = match content {
            files::Content::File(path) => path.clone(),
            files::Content::Bytes(_) => files.join(n.to_string()),
        };
        let kept = files::keep(content, &files.join(n.to_string()));
        let (bytes, sha256) = kept.map_err(|cause| SpoolError::Io { path, cause })?;
        entry.files.push(Kept { name: name.clone(), bytes, sha256 });
    }
    let path = folder.join(ENTRY);
    let written = fs::write(&path, entry.encode()).and_then(|()| File::open(&path)?.sync_all());
    written.map_err(|cause| SpoolError::Io { path, cause })
}

fn name(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `000012-...` is 12; none of what is no run's folder.
fn number(folder: &Path) -> Option<u64> {
    name(folder).split_once('-').and_then(|(number, _)| number.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn draft(id: &str) -> Draft<'static> {
        let dir = tempfile::tempdir().unwrap();
        let at = jiff::Timestamp::from_second(7).unwrap();
        Draft::of_promotion(id, &BTreeMap::new(), dir.path(), at, ("lab", "lab")).unwrap()
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
        assert_eq!(open(&pending[0]).unwrap().entry.name, "promote_b");
    }

    #[test]
    fn a_run_that_is_being_sent_is_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path());
        let parcel = spool.put(&draft("a")).unwrap();
        assert!(matches!(open(&parcel.dir), Err(SpoolError::Busy { .. })));
        assert!(matches!(spool.put(&draft("a")), Err(SpoolError::Busy { .. })));
        let folder = parcel.dir.clone();
        drop(parcel);
        spool.remove(open(&folder).unwrap()).unwrap();
        assert!(spool.pending().unwrap().is_empty() && !folder.exists());
    }

    #[test]
    fn what_a_kill_left_is_no_run() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path().join("spool"));
        let parcel = spool.put(&draft("a")).unwrap();
        for left in [".new-x/run", ".sent-000001-a"] {
            fs::create_dir_all(spool.dir().join(left)).unwrap();
        }
        assert_eq!(spool.pending().unwrap().len(), 1);
        spool.tidy();
        assert!(spool.dir().join(".new-x").exists() && !spool.dir().join(".sent-000001-a").exists());
        spool.reject(&parcel.dir, "never").unwrap();
        assert!(spool.pending().unwrap().is_empty());
        assert_eq!(spool.rejected().unwrap().len(), 1);
    }
}
