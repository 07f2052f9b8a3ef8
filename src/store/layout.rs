//! Where a store's files lie in its directory, who holds it, and how one set of files takes the place of another.
//!
//! ```text
//!   lock                held by the vigie that has the store open
//!   db/                 sled's files; in layout version 1 they lay in the directory itself, `db` being one of them
//!   db.new/             a copy being made
//!   db.ready/           a copy that is complete and is to take the place of `db`
//!   db.old/             what it took the place of
//!   backup-*  db.damaged-*  damaged-*.jsonl   left by `vigie store repair`
//! ```
//!
//! The directory itself need not be renamed, which systemd's StateDirectory could not be. After a crash between any two
//! steps [`settle`] goes on: what is called `db.ready` is whole, and everything that was committed is in it.

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
/// Files of sled's in layout version 1 beside `db`, which is taken away last.
const FIRST_LAYOUT: [&str; 2] = ["blobs", "conf"];

/// How long, and how often, a held lock is tried: a vigie may be just ending.
const LOCK_PATIENCE: Duration = Duration::from_millis(700);
const LOCK_RETRY: Duration = Duration::from_millis(20);
/// How long sled's own threads may hold its files after it was dropped.
const CLOSING: Duration = Duration::from_secs(10);

/// What turns a copy in `db.new` into the store, in this order; each is safe to be cut off by a crash.
pub(super) const SWAP: [fn(&Path) -> io::Result<()>; 4] = [seal, retire, install, clear];

/// The directory of sled's files, wherever the layout has it.
pub(super) fn home(path: &Path) -> PathBuf {
    if path.join(DB).is_file() { path.into() } else { path.join(DB) }
}

pub(super) fn is_store(path: &Path) -> bool {
    path.join(DB).exists() || path.join(READY).exists()
}

/// Marks sled's files in `home` as ones that hold something.
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

/// A fresh directory for a copy.
pub(super) fn new_home(path: &Path) -> io::Result<PathBuf> {
    let new = path.join(NEW);
    remove_all(&new)?;
    private_directory(&new)?;
    Ok(new)
}

/// Makes the directory `path` the store of this process alone.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    private_directory(path).map_err(|cause| StoreError::Unwritable { path: path.into(), cause })?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let unwritable = |cause| StoreError::Unwritable { path: path.into(), cause };
    let file = options.open(path.join("lock")).map_err(unwritable)?;
    match wait_for(&file, LOCK_PATIENCE) {
        Ok(true) => Ok(file),
        Ok(false) => Err(StoreError::InUse { path: path.into() }),
        Err(cause) => Err(unwritable(cause)),
    }
}

/// Returns once no thread of sled's holds the files in `home` any more.
pub(super) fn wait_closed(home: &Path) -> io::Result<()> {
    let file = match File::open(home.join(DB)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match wait_for(&file, CLOSING)? {
        true => Ok(()),
        false => Err(io::Error::other("sled does not close its files")),
    }
}

fn wait_for(file: &File, patience: Duration) -> io::Result<bool> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if started.elapsed() < patience => thread::sleep(LOCK_RETRY),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Finishes what a crash cut off.
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
    if db.is_dir() {
        remove_all(&old)?;
        fs::rename(db, old)?;
    } else {
        move_first_layout(path, &old)?;
    }
    sync(path)
}

/// `db` goes last: as long as it is there, the rest is known to be sled's.
fn move_first_layout(path: &Path, to: &Path) -> io::Result<()> {
    private_directory(to)?;
    let parts = FIRST_LAYOUT.iter().map(|name| path.join(name)).chain(entries(path, "snap.")?);
    for part in parts.chain([path.join(DB)]).filter(|part| part.exists()) {
        if let Some(name) = part.file_name() {
            fs::rename(&part, to.join(name))?;
        }
    }
    Ok(())
}

fn install(path: &Path) -> io::Result<()> {
    fs::rename(path.join(READY), path.join(DB))?;
    sync(path)
}

fn clear(path: &Path) -> io::Result<()> {
    remove_all(&path.join(OLD))
}

/// Takes sled's files out of the way, under a name that nothing else has.
pub(super) fn put_away(path: &Path, name: &str) -> io::Result<PathBuf> {
    let (away, home) = (path.join(name), home(path));
    if home == path {
        move_first_layout(path, &away)?;
    } else if home.exists() {
        fs::rename(home, &away)?;
    }
    sync(path)?;
    Ok(away)
}

/// Removes the store's files but for the lock.
pub(super) fn discard(path: &Path) -> io::Result<()> {
    wait_closed(&path.join(DB))?;
    remove_all(&path.join(DB))
}

/// What `vigie store repair` left in the directory: copies that hold what the store held.
pub(super) fn copies(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for prefix in ["backup-", "damaged-", "db.damaged-"] {
        found.extend(entries(path, prefix)?);
    }
    found.sort();
    Ok(found)
}

/// Removes those of them that were made before `time` (Unix seconds); returns how many.
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
        // sled removes files of its own while this goes on.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

/// Copies sled's files from one directory to another, for the owner alone.
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

/// Leaves of sled's files only the log, from which it makes the others anew, and of that only `part` in `whole`.
pub(super) fn reduce_to_log(home: &Path, part: u64, whole: u64) -> io::Result<()> {
    entries(home, "snap.")?.iter().try_for_each(|snapshot| remove_all(snapshot))?;
    remove_all(&home.join("conf"))?;
    let log = OpenOptions::new().write(true).open(home.join(DB))?;
    log.set_len(log.metadata()?.len() / whole * part)
}

/// Makes `path` where it is not there yet, for its owner alone: what is stored holds texts and authors.
pub(super) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Removes a file, or a directory with all in it; it need not be there.
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

/// A rename is on disk once its directory is.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
