//! [`SyncReport`]: the result of [`super::Tracker::sync`]: the runs that were sent, those that remain, and why.

use std::path::{Path, PathBuf};

use super::request_error::{ErrorScope, RequestError};
use super::send::RunSender;
use super::spool;
use super::spool::{Spool, SpoolError};
use super::spooled_run::SpooledRunError;

/// The result of a sync.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// Names of the runs that were sent, in order.
    pub sent: Vec<String>,
    pub left: Vec<UnsentRun>,
    /// Rejected by earlier syncs, and not tried.
    pub rejected: Vec<PathBuf>,
}

/// A run that remains in the spool.
#[derive(Debug)]
pub struct UnsentRun {
    /// Its folder.
    pub path: PathBuf,
    /// Its name, if it could be read.
    pub name: Option<String>,
    pub reason: String,
    /// The server refused it permanently.
    pub rejected: bool,
}

impl SyncReport {
    pub(super) fn run(spool: &Spool, sender: &RunSender) -> Result<Self, SpoolError> {
        let mut synced = Self { rejected: spool.rejected()?, ..Self::default() };
        let mut down: Option<RequestError> = None;
        for folder in spool.pending()? {
            let locked = match spool::open(&folder) {
                Ok(locked) => locked,
                // Another vigie has sent it in the meantime.
                Err(SpoolError::Io { .. }) if !folder.exists() => continue,
                Err(error @ SpoolError::Invalid { cause: SpooledRunError::Malformed(_), .. }) => {
                    synced.reject(spool, &folder, None, error.to_string());
                    continue;
                }
                Err(error) => {
                    synced.leave(&folder, None, error.to_string());
                    continue;
                }
            };
            let name = locked.spooled.name.clone();
            if let Some(error) = &down {
                synced.leave(&folder, Some(name), format!("not tried: {error}"));
                continue;
            }
            match sender.send(&locked) {
                Ok(()) => match spool.remove(locked) {
                    Ok(()) => synced.sent.push(name),
                    Err(error) => synced.leave(&folder, Some(name), format!("it was sent, but {error}")),
                },
                Err(error) if error.scope == ErrorScope::Permanent => {
                    synced.reject(spool, &folder, Some(name), error.reason);
                }
                Err(error) => {
                    synced.leave(&folder, Some(name), error.reason.clone());
                    down = Some(error).filter(|error| error.scope == ErrorScope::TrackingServer);
                }
            }
        }
        spool.tidy();
        Ok(synced)
    }

    fn leave(&mut self, folder: &Path, name: Option<String>, reason: String) {
        self.left.push(UnsentRun { path: folder.to_path_buf(), name, reason, rejected: false });
    }

    fn reject(&mut self, spool: &Spool, folder: &Path, name: Option<String>, reason: String) {
        match spool.reject(folder, &reason) {
            Ok(path) => self.left.push(UnsentRun { path, name, reason, rejected: true }),
            Err(error) => {
                self.leave(folder, name, format!("{reason}; and it cannot be moved to the rejected runs: {error}"));
            }
        }
    }
}
