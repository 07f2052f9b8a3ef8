//! [`fetch`]: one file of the hub into the cache, going on where an earlier attempt stopped, and checked by its hash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use ureq::Body;
use ureq::http::{Response, StatusCode, header::CONTENT_RANGE};

use super::cache::{Blobs, Lock, hash_of};
use super::listing::{Listing, RemoteFile};
use super::{Hub, HubError, RepoName};

/// Requests in a row that may bring nothing.
const TRIES: u32 = 3;

/// For another download of the same file, which may be about to end.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Whose files are fetched, and at which commit.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) hub: &'a Hub,
    pub(super) name: &'a RepoName,
    pub(super) listing: &'a Listing,
}

/// The whole file's place in the cache. What is there already is not fetched again, in whole or in part.
pub(super) fn fetch(source: Source<'_>, file: &RemoteFile, progress: &ProgressBar) -> Result<PathBuf, HubError> {
    let blobs = Blobs::new(&source.hub.settings.cache, source.name);
    let blob = blobs.path(file)?;
    let _lock = Lock::of(&blob, LOCK_PATIENCE)?;
    if is_whole(&blob, file)? {
        progress.inc(file.size);
    } else {
        let part = blob.with_extension("part");
        Part::open(&part, file, progress)?.complete(source)?;
        check(source.name, &part, file)?;
        fs::rename(&part, &blob).map_err(|cause| HubError::io(&blob, 0, cause))?;
    }
    blobs.link(source.listing, file)?;
    Ok(blob)
}

/// A blob of the cache may have been damaged, or cut short by another tool: such a one is fetched again.
fn is_whole(blob: &Path, file: &RemoteFile) -> Result<bool, HubError> {
    match fs::metadata(blob) {
        Ok(found) if found.len() == file.size => Ok(hash_of(blob, &file.hash)? == file.hash),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(HubError::io(blob, file.size, cause)),
    }
}

/// Refuses, and removes, what is not what the hub lists.
fn check(name: &RepoName, part: &Path, file: &RemoteFile) -> Result<(), HubError> {
    let found = hash_of(part, &file.hash)?;
    if found == file.hash {
        return Ok(());
    }
    fs::remove_file(part).map_err(|cause| HubError::io(part, 0, cause))?;
    Err(HubError::Mismatch {
        repo: name.repo.clone(),
        file: file.name.clone(),
        kind: found.kind(),
        found: found.hex().to_owned(),
        wanted: file.hash.hex().to_owned(),
    })
}

/// What has come of a file.
struct Part<'a> {
    out: File,
    path: PathBuf,
    file: &'a RemoteFile,
    got: u64,
    progress: &'a ProgressBar,
}

/// Why a request ended before the file was whole.
enum Cut {
    /// Worth asking again.
    Passing(String),
    Final(HubError),
}

impl<'a> Part<'a> {
    fn open(path: &Path, file: &'a RemoteFile, progress: &'a ProgressBar) -> Result<Self, HubError> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let out = opened.map_err(|cause| HubError::io(path, file.size, cause))?;
        let got = out.metadata().map_err(|cause| HubError::io(path, file.size, cause))?.len();
        let mut part = Self { out, path: path.to_path_buf(), file, got, progress };
        progress.inc(got);
        if got > file.size {
            part.start_again()?;
        }
        Ok(part)
    }

    /// Asks until all is there, or nothing comes any more.
    fn complete(mut self, source: Source<'_>) -> Result<(), HubError> {
        let mut in_vain = 0;
        while self.got < self.file.size {
            let before = self.got;
            let cause = match self.request(source) {
                Ok(()) if self.got >= self.file.size => break,
                Ok(()) => "the answer was short".to_owned(),
                Err(Cut::Passing(cause)) => cause,
                Err(Cut::Final(error)) => return Err(error),
            };
            in_vain = if self.got > before { 0 } else { in_vain + 1 };
            if in_vain >= TRIES {
                let (repo, size) = (source.name.repo.clone(), self.file.size);
                return Err(HubError::BrokenOff { repo, file: self.file.name.clone(), got: self.got, size, cause });
            }
            thread::sleep(source.hub.pause * in_vain);
        }
        self.out.sync_all().map_err(|cause| HubError::io(&self.path, 0, cause))
    }

    /// One request for what is missing.
    fn request(&mut self, source: Source<'_>) -> Result<(), Cut> {
        let Source { hub, name, listing } = source;
        let answer = hub.file(&name.repo, &listing.commit, &self.file.name, self.got);
        let response = answer.map_err(|error| Cut::Passing(error.to_string()))?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if starts_at(&response) == Some(self.got) => {}
            // The whole file, or another part of it than was asked for.
            StatusCode::OK => self.start_again().map_err(Cut::Final)?,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                self.start_again().map_err(Cut::Final)?;
                return Err(Cut::Passing("another part was sent than was asked for".to_owned()));
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(Cut::Passing(format!("it answered {}", status.as_u16())));
            }
            _ => return Err(Cut::Final(hub.refusal(name, &format!("{} of {name}", self.file.name), &response))),
        }
        self.receive(response)
    }

    fn receive(&mut self, response: Response<Body>) -> Result<(), Cut> {
        let mut body = response.into_body().into_reader().take(self.file.size - self.got);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = body.read(&mut buffer).map_err(|error| Cut::Passing(error.to_string()))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
            let left = self.file.size - self.got;
            self.out.write_all(bytes).map_err(|cause| Cut::Final(HubError::io(&self.path, left, cause)))?;
            self.got += bytes.len() as u64;
            self.progress.inc(bytes.len() as u64);
        }
    }

    fn start_again(&mut self) -> Result<(), HubError> {
        self.out.set_len(0).map_err(|cause| HubError::io(&self.path, self.file.size, cause))?;
        self.progress.dec(self.got);
        self.got = 0;
        Ok(())
    }
}

/// Of `Content-Range: bytes 7-99/100`, the 7.
fn starts_at(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
