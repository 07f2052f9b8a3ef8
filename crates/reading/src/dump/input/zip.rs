//! [`ZipMembers`]: the files in a zip archive, by name. The list of files is at the archive's end, so it needs a real file.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::archive::Member;
use super::foreign::Foreign;
use super::kind::Packing;
use super::members::is_x_archive_posts;
use super::peek::Peeked;
use super::raw::Progress;
use super::unpack::{UnpackError, decoder, describe};

const BUFFER_BYTES: usize = 1 << 16;

/// The files in an archive.
pub(super) struct ZipMembers {
    archive: ZipArchive<BufReader<File>>,
    /// The same file, to read from.
    file: Arc<File>,
    /// Index and path of the files that were not read yet, last first.
    files: Vec<(usize, String)>,
    /// Where compressed bytes are counted.
    progress: Option<Progress>,
}

impl ZipMembers {
    pub(super) fn open(file: File, progress: Option<Progress>) -> io::Result<Self> {
        let archive = ZipArchive::new(BufReader::new(file.try_clone()?)).map_err(zip_error)?;
        let mut files: Vec<(usize, String)> = (0..archive.len())
            .filter_map(|index| Some((index, path_of(&archive, index)?)))
            .filter(|(_, path)| !path.ends_with(['/', '\\']))
            .collect();
        // An archive of a person's data from X has much that is not posts.
        if files.iter().any(|(_, path)| is_x_archive_posts(path)) {
            files.retain(|(_, path)| is_x_archive_posts(path));
        }
        files.sort_by(|(_, left), (_, right)| right.cmp(left));
        Ok(Self { archive, file: Arc::new(file), files, progress })
    }

    /// What the archive is if it is an Office document.
    pub(super) fn document(&self) -> Option<Foreign> {
        let has = |start: &str| self.files.iter().any(|(_, path)| path.starts_with(start));
        if has("Index/") && self.files.iter().any(|(_, path)| path.ends_with(".iwa")) {
            return Some(Foreign::Spreadsheet);
        }
        match has("[Content_Types].xml") {
            true if has("xl/") => Some(Foreign::Spreadsheet),
            true => Some(Foreign::Document),
            false => None,
        }
    }

    /// The next file.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let Some((index, path)) = self.files.pop() else { return Ok(None) };
        let file = match self.find(index) {
            Ok(file) => file,
            Err(cause) => return Ok(Some(Member { path, bytes: Err(cause), again: None })),
        };
        let bytes = file.open(self.progress.clone());
        Ok(Some(Member { path, bytes, again: Some(Box::new(move || file.open(None))) }))
    }

    fn find(&mut self, index: usize) -> io::Result<ZipFile> {
        let entry = self.archive.by_index_raw(index).map_err(zip_error)?;
        if entry.encrypted() {
            return Err(UnpackError::Encrypted.into());
        }
        let start = entry.data_start().ok_or_else(|| zip_error(ZipError::FileNotFound))?;
        Ok(ZipFile {
            archive: Arc::clone(&self.file),
            method: entry.compression(),
            start,
            end: start.saturating_add(entry.compressed_size()),
            size: entry.size(),
            crc: entry.crc32(),
        })
    }
}

/// Where a file is in the archive, and how it is packed.
struct ZipFile {
    archive: Arc<File>,
    method: CompressionMethod,
    /// Bytes of the archive.
    start: u64,
    end: u64,
    /// Unpacked.
    size: u64,
    crc: u32,
}

impl ZipFile {
    fn open(&self, progress: Option<Progress>) -> io::Result<Box<dyn Read + Send>> {
        let packed = FileRange { file: Arc::clone(&self.archive), at: self.start, end: self.end, progress };
        let packed = Box::new(BufReader::with_capacity(BUFFER_BYTES, packed));
        let unpacked = inflate(self.method, packed)?;
        Ok(Box::new(Checked { bytes: CrcReader::new(unpacked), left: self.size, crc: self.crc }))
    }
}

fn path_of(archive: &ZipArchive<BufReader<File>>, index: usize) -> Option<String> {
    match archive.name_for_index(index)? {
        Ok(name) => Some(name.into_owned()),
        Err(_) => None,
    }
}

fn inflate(method: CompressionMethod, packed: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    Ok(match method {
        CompressionMethod::STORE => packed,
        CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(packed)),
        CompressionMethod::BZIP2 => decoder(Packing::Bzip2, Peeked::new(packed)?),
        CompressionMethod::ZSTD => decoder(Packing::Zstd, Peeked::new(packed)?),
        CompressionMethod::XZ => decoder(Packing::Xz, Peeked::new(packed)?),
        other => return Err(UnpackError::Method(format!("zip method {other}")).into()),
    })
}

fn zip_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(cause) if cause.raw_os_error().is_some() => cause,
        ZipError::Io(cause) => damaged(describe(&cause)),
        error => damaged(error.to_string()),
    }
}

fn damaged(cause: String) -> io::Error {
    UnpackError::DamagedArchive { archive: "zip", cause }.into()
}

/// A part of a file, counted as it is read. It has its own position: another reader may be elsewhere in the file.
struct FileRange {
    file: Arc<File>,
    at: u64,
    end: u64,
    progress: Option<Progress>,
}

impl Read for FileRange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        if let Some(progress) = &self.progress {
            progress.add(read as u64);
        }
        Ok(read)
    }
}

/// Compares what was unpacked with the size and the checksum in the archive.
struct Checked {
    bytes: CrcReader<Box<dyn Read + Send>>,
    left: u64,
    crc: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer).map_err(|cause| match cause.kind() {
            ErrorKind::Interrupted => cause,
            _ if cause.raw_os_error().is_some() => cause,
            _ => damaged(describe(&cause)),
        })?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| damaged("a file in it is too long".into()))?;
        if read == 0 && !buffer.is_empty() {
            if self.left > 0 {
                return Err(damaged("a file in it ends too early".into()));
            }
            if self.bytes.crc().sum() != self.crc {
                return Err(damaged("a checksum does not match".into()));
            }
        }
        Ok(read)
    }
}
