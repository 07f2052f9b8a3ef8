//! Calls sled and turns its panics into errors: on damaged files it panics in places.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use super::StoreError;

/// sled's page cache. The working set is small and mostly rewritten: a small cache costs nothing.
const CACHE_BYTES: u64 = 16 << 20;
/// How long sled's own threads may hold its lock after an earlier store was dropped.
const LOCK_TIMEOUT: Duration = Duration::from_millis(700);
const LOCK_RETRY: Duration = Duration::from_millis(20);

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// An open database, and its configuration, which also holds the error that stopped it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) db: sled::Db,
    config: sled::Config,
}

/// Opens sled's files in `home`, those of the store `path`.
pub(super) fn open(path: &Path, home: &Path) -> Result<Opened, StoreError> {
    let started = Instant::now();
    loop {
        let config = sled::Config::new().path(home).cache_capacity(CACHE_BYTES);
        let opened = catch_panic(path, || config.open())
            .and_then(|opened| opened.map_err(|error| StoreError::from_opening(path, &error)));
        match opened {
            Err(StoreError::InUse { .. }) if started.elapsed() < LOCK_TIMEOUT => thread::sleep(LOCK_RETRY),
            result => return result.map(|db| Opened { db, config }),
        }
    }
}

/// Closes `opened`, which flushes it.
pub(super) fn close(opened: Opened, has_failed: bool) {
    let Opened { db, config } = opened;
    // sled lost a write without noticing: a flush would wait for it for ever, with a lock that every store of the process
    // needs. It is left as it is.
    if has_failed && config.global_error().is_ok() {
        tracing::warn!("failed store cannot be closed: its files will be copied");
        std::mem::forget(db);
    }
}

/// Runs `work` on the store `path`.
pub(super) fn guarded<T>(path: &Path, work: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    catch_panic(path, work)?.map_err(|error| StoreError::from_sled(path, &error))
}

fn catch_panic<T>(path: &Path, work: impl FnOnce() -> T) -> Result<T, StoreError> {
    silence_guarded_panics();
    let before = GUARDED.replace(true);
    // The store is not used after an error of this kind, so what sled leaves half done does no harm.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.map_err(|panic| StoreError::Corrupt { path: path.into(), reason: panic_message(&*panic) })
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.unwrap_or_default().lines().next().unwrap_or_default();
    format!("sled failed on it ({})", line.chars().take(200).collect::<String>())
}

/// The error reports the panic: the panic's own message would repeat it.
fn silence_guarded_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
}
