//! [`fetch`]: downloads one file of the Hub into the cache, resumes an earlier attempt, and verifies the hash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};

use super::cache::{Blobs, Lock, hash_of};
use super::client::RequestFailure;
use super::listing::{Listing, RemoteFile};
use super::{Hub, HubError, RepoName};

/// Consecutive requests without data before the download fails.
const MAX_ATTEMPTS: u32 = 3;

/// Another download of the same file may be about to finish.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The repository and the commit to download from.
#[derive(Clone, Copy)]
pub(super) struct DownloadSource<'a> {
    pub(super) hub: &'a Hub,
    pub(super) name: &'a RepoName,
    pub(super) listing: &'a Listing,
}

/// Path of the complete file in the cache. Bytes that are already there are not downloaded again.
pub(super) fn fetch(
    source: DownloadSource<'_>,
    file: &RemoteFile,
    progress: &ProgressBar,
) -> Result<PathBuf, HubError> {
    let blobs = Blobs::new(&source.hub.settings.cache, source.name);
    let blob = blobs.path(file)?;
    let _lock = Lock::acquire(&blob, LOCK_TIMEOUT)?;
    if is_whole(&blob, file)? {
        progress.inc(file.size);
    } else {
        let part = blob.with_extension("part");
        PartialDownload::open(&part, file, progress)?.complete(source)?;
        check(source.name, &part, file)?;
        fs::rename(&part, &blob).map_err(|cause| HubError::io(&blob, 0, cause))?;
    }
    blobs.link(source.listing, file)?;
    Ok(blob)
}

/// A blob in the cache may be damaged, or truncated by another tool; it is then downloaded again.
fn is_whole(blob: &Path, file: &RemoteFile) -> Result<bool, HubError> {
    match fs::metadata(blob) {
        Ok(found) if found.len() == file.size => Ok(hash_of(blob, &file.hash)? == file.hash),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(HubError::io(blob, file.size, cause)),
    }
}

/// Rejects and removes a file whose hash differs from the listing.
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
        expected: file.hash.hex().to_owned(),
    })
}

/// A file that is partly downloaded.
struct PartialDownload<'a> {
    out: File,
    path: PathBuf,
    file: &'a RemoteFile,
    got: u64,
    progress: &'a ProgressBar,
}

impl<'a> PartialDownload<'a> {
    fn open(path: &Path, file: &'a RemoteFile, progress: &'a ProgressBar) -> Result<Self, HubError> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let out = opened.map_err(|cause| HubError::io(path, file.size, cause))?;
        let got = out.metadata().map_err(|cause| HubError::io(path, file.size, cause))?.len();
        let mut part = Self { out, path: path.to_path_buf(), file, got, progress };
        progress.inc(got);
        if got > file.size {
            part.restart()?;
        }
        Ok(part)
    }

    /// Sends requests until the file is complete, or several in a row bring no data.
    fn complete(mut self, source: DownloadSource<'_>) -> Result<(), HubError> {
        let mut failures = 0;
        while self.got < self.file.size {
            let before = self.got;
            let cause = match self.request(source) {
                Ok(()) if self.got >= self.file.size => break,
                Ok(()) => "the response was too short".to_owned(),
                Err(RequestFailure::Transient(cause)) => cause,
                Err(RequestFailure::Permanent(error)) => return Err(error),
            };
            failures = if self.got > before { 0 } else { failures + 1 };
            if failures >= MAX_ATTEMPTS {
                let (repo, size) = (source.name.repo.clone(), self.file.size);
                return Err(HubError::Incomplete { repo, file: self.file.name.clone(), got: self.got, size, cause });
            }
            thread::sleep(source.hub.pause * failures);
        }
        self.out.sync_all().map_err(|cause| HubError::io(&self.path, 0, cause))
    }

    /// Requests the missing bytes.
    fn request(&mut self, source: DownloadSource<'_>) -> Result<(), RequestFailure> {
        let DownloadSource { hub, name, listing } = source;
        let response = hub.file(&name.repo, &listing.commit, &self.file.name, self.got)?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if starts_at(&response) == Some(self.got) => {}
            // The server ignored the range: start from the beginning.
            StatusCode::OK => self.restart().map_err(RequestFailure::Permanent)?,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                self.restart().map_err(RequestFailure::Permanent)?;
                return Err(RequestFailure::Transient("the server sent another range than requested".to_owned()));
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(RequestFailure::Transient(format!("HTTP status {}", status.as_u16())));
            }
            _ => {
                return Err(RequestFailure::Permanent(hub.refusal(
                    name,
                    &format!("{} of {name}", self.file.name),
                    &response,
                )));
            }
        }
        self.receive(hub, response)
    }

    fn receive(&mut self, hub: &Hub, mut response: Response) -> Result<(), RequestFailure> {
        while let Some(chunk) = hub.chunk(&mut response)? {
            let left = self.file.size - self.got;
            let bytes = chunk.as_ref();
            // Bytes beyond the listed size are ignored.
            let bytes = usize::try_from(left).ok().and_then(|left| bytes.get(..left)).unwrap_or(bytes);
            let written = self.out.write_all(bytes);
            written.map_err(|cause| RequestFailure::Permanent(HubError::io(&self.path, left, cause)))?;
            self.got += bytes.len() as u64;
            self.progress.inc(bytes.len() as u64);
            if self.got >= self.file.size {
                break;
            }
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<(), HubError> {
        self.out.set_len(0).map_err(|cause| HubError::io(&self.path, self.file.size, cause))?;
        self.progress.dec(self.got);
        self.got = 0;
        Ok(())
    }
}

/// The 7 of `Content-Range: bytes 7-99/100`.
fn starts_at(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
