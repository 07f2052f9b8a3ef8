//! The files of a store in its directory, the lock on it, and how one set of files replaces another.
//!
//! ```text
//!   lock                held by the vigie that has the store open
//!   db/                 sled's files
//!   db.new/             a copy being made
//!   db.ready/           a complete copy that will replace `db`
//!   db.old/             the files it replaces
//!   backup-*  db.damaged-*  damaged-*.jsonl   made by `vigie store repair`
//! ```
//!
//! The directory itself is never renamed: systemd's StateDirectory could not be. After a crash between any two steps
//! [`settle`] continues: `db.ready` is complete, and holds everything that was committed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::StoreError;

const DB: &str = "db";
const NEW: &str = "db.new";
const READY: &str = "db.ready";
const OLD: &str = "db.old";
/// An empty file beside sled's own, made once something is stored.
const MARK: &str = "in-use";
/// How long, and how often, a held lock is tried: a vigie may be about to end.
const LOCK_TIMEOUT: Duration = Duration::from_millis(700);
const LOCK_RETRY: Duration = Duration::from_millis(20);
/// How long sled's own threads may hold its files after it was dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The steps that turn a copy in `db.new` into the store, in this order. A crash between any two loses nothing.
pub(super) const SWAP: [fn(&Path) -> io::Result<()>; 4] = [seal, retire, install, clear];

/// The directory of sled's files.
pub(super) fn home(path: &Path) -> PathBuf {
    path.join(DB)
}

pub(super) fn is_store(path: &Path) -> bool {
    path.join(DB).exists() || path.join(READY).exists()
}

/// Marks sled's files in `home` as not empty.
pub(super) fn mark(home: &Path) -> io::Result<()> {
    if is_marked(home) {
        return Ok(());
    }
    let file = File::create(home.join(MARK))?;
    file.sync_all()?;
    sync(home)
}

pub(super) fn is_marked(home: &Path) -> bool {
    home.join(MARK).exists()
}

/// A new, empty directory for a copy.
pub(super) fn new_home(path: &Path) -> io::Result<PathBuf> {
    let new = path.join(NEW);
    remove_all(&new)?;
    private_directory(&new)?;
    Ok(new)
}

/// Locks the directory `path` for this process.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    private_directory(path).map_err(|cause| StoreError::Unwritable { path: path.into(), cause })?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let unwritable = |cause| StoreError::Unwritable { path: path.into(), cause };
    let file = options.open(path.join("lock")).map_err(unwritable)?;
    match wait_for(&file, LOCK_TIMEOUT) {
        Ok(true) => Ok(file),
        Ok(false) => Err(StoreError::InUse { path: path.into() }),
        Err(cause) => Err(unwritable(cause)),
    }
}

/// Returns once sled's threads have closed the files in `home`.
pub(super) fn wait_closed(home: &Path) -> io::Result<()> {
    let file = match File::open(home.join(DB)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match wait_for(&file, CLOSE_TIMEOUT)? {
        true => Ok(()),
        false => Err(io::Error::other("sled did not close its files in time")),
    }
}

fn wait_for(file: &File, timeout: Duration) -> io::Result<bool> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if started.elapsed() < timeout => thread::sleep(LOCK_RETRY),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Replaces sled's files by a copy of them, byte by byte: for files that something else in this process holds open. sled reads
/// the copy as it would read the files after a crash.
pub(super) fn replace_by_copy(path: &Path) -> io::Result<()> {
    copy_all(&home(path), &new_home(path)?)?;
    SWAP.iter().try_for_each(|step| step(path))
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            private_directory(&target)?;
            copy_all(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
            File::open(&target)?.sync_all()?;
        }
    }
    sync(to)
}

/// Finishes what a crash interrupted.
pub(super) fn settle(path: &Path) -> io::Result<()> {
    remove_all(&path.join(NEW))?;
    if path.join(READY).exists() {
        retire(path)?;
        install(path)?;
    }
    clear(path)
}

fn seal(path: &Path) -> io::Result<()> {
    sync(&path.join(NEW))?;
    fs::rename(path.join(NEW), path.join(READY))?;
    sync(path)
}

fn retire(path: &Path) -> io::Result<()> {
    let (db, old) = (path.join(DB), path.join(OLD));
    // A crash may have come after this step already.
    if db.exists() {
        remove_all(&old)?;
        fs::rename(db, old)?;
    }
    sync(path)
}

fn install(path: &Path) -> io::Result<()> {
    fs::rename(path.join(READY), path.join(DB))?;
    sync(path)
}

fn clear(path: &Path) -> io::Result<()> {
    remove_all(&path.join(OLD))
}

/// Moves sled's files aside, under a name that nothing else has.
pub(super) fn move_aside(path: &Path, name: &str) -> io::Result<PathBuf> {
    let (away, home) = (path.join(name), home(path));
    if home.exists() {
        fs::rename(home, &away)?;
    }
    sync(path)?;
    Ok(away)
}

/// Removes the store's files, except the lock.
pub(super) fn discard(path: &Path) -> io::Result<()> {
    wait_closed(&path.join(DB))?;
    remove_all(&path.join(DB))
}

/// The copies that `vigie store repair` made in the directory, which hold what the store held.
pub(super) fn copies(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for prefix in ["backup-", "damaged-", "db.damaged-"] {
        found.extend(entries(path, prefix)?);
    }
    found.sort();
    Ok(found)
}

/// Removes the copies made before `time` (Unix seconds); returns how many.
pub(super) fn remove_copies_before(path: &Path, time: i64) -> io::Result<u64> {
    let before = UNIX_EPOCH + Duration::from_secs(u64::try_from(time).unwrap_or_default());
    let mut removed = 0;
    for copy in copies(path)? {
        if fs::symlink_metadata(&copy)?.modified()? < before {
            remove_all(&copy)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Bytes of all files below `path`.
pub(super) fn size(path: &Path) -> io::Result<u64> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        // sled may remove files meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

/// Copies sled's files from one directory to another, readable by the owner only.
pub(super) fn copy_sled(from: &Path, to: &Path) -> io::Result<()> {
    private_directory(&to.join("blobs"))?;
    let blobs = if from.join("blobs").is_dir() { entries(&from.join("blobs"), "")? } else { Vec::new() };
    for file in ["db", "conf"].iter().map(|name| from.join(name)).chain(entries(from, "snap.")?).chain(blobs) {
        if let Ok(name) = file.strip_prefix(from)
            && file.is_file()
        {
            fs::copy(&file, to.join(name))?;
            File::open(to.join(name))?.sync_all()?;
        }
    }
    sync(to)
}

/// Keeps of sled's files only the log, from which it rebuilds the others, and of that only `part` in `whole`.
pub(super) fn truncate_log(home: &Path, part: u64, whole: u64) -> io::Result<()> {
    entries(home, "snap.")?.iter().try_for_each(|snapshot| remove_all(snapshot))?;
    remove_all(&home.join("conf"))?;
    let log = OpenOptions::new().write(true).open(home.join(DB))?;
    log.set_len(log.metadata()?.len() / whole * part)
}

/// Creates `path` unless it exists, for its owner only: the store holds texts and authors.
pub(super) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Removes a file, or a directory and everything in it; it need not exist.
pub(super) fn remove_all(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn entries(path: &Path, prefix: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// A rename is durable once its directory is synced.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
