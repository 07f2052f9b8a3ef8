//! [`ByteStream`]: the unpacked UTF-8 (or windows-1252) bytes of one file, which `RecordSplitter` splits into records.

use std::io::{self, Read};

use super::foreign::Foreign;
use super::kind::{Kind, Utf16};
use super::raw::Tally;
use super::unpack::Unpacked;

/// The bytes of one file.
pub struct ByteStream {
    bytes: Box<dyn Read + Send>,
    foreign: Option<Foreign>,
    utf16: Option<Utf16>,
    /// Bytes removed; none where they stay, because offsets into the file are kept.
    nuls: Option<u64>,
    tally: Tally,
}

impl ByteStream {
    pub(super) fn new(unpacked: Unpacked, tally: Tally) -> Self {
        let foreign = match unpacked.kind {
            Kind::Foreign(foreign) => Some(foreign),
            Kind::Packed(_) | Kind::Tar | Kind::Zip | Kind::Utf16(_) | Kind::Text => None,
        };
        Self { bytes: Box::new(unpacked.bytes), foreign, utf16: unpacked.utf16, nuls: Some(0), tally }
    }

    /// The bytes of a file that is tailed: unmodified, and without an end.
    pub fn tailed(bytes: Box<dyn Read + Send>) -> Self {
        Self { bytes, foreign: None, utf16: None, nuls: None, tally: Tally::default() }
    }

    /// What it is if it is not a dump.
    pub(in crate::dump) fn foreign(&self) -> Option<Foreign> {
        self.foreign
    }

    /// Whether it was converted to UTF-8.
    pub(in crate::dump) fn is_converted(&self) -> bool {
        self.utf16.is_some()
    }

    pub(in crate::dump) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What was changed in it so far, in sentences for the user.
    pub(in crate::dump) fn notes(&self) -> Vec<String> {
        let utf16 = self.utf16.filter(|utf16| !utf16.marked).map(|utf16| {
            let order = if utf16.big_endian { "big" } else { "little" };
            format!("it looks like UTF-16 ({order} endian) without a byte order mark and was read so")
        });
        let nuls = self.nuls.filter(|nuls| *nuls > 0).map(|nuls| match nuls {
            1 => "1 NUL byte was removed".to_owned(),
            nuls => format!("{nuls} NUL bytes were removed"),
        });
        utf16.into_iter().chain(nuls).collect()
    }
}

impl Read for ByteStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.bytes.read(buffer)?;
            let (Some(nuls), Some(bytes)) = (&mut self.nuls, buffer.get_mut(..read)) else { return Ok(read) };
            if !bytes.contains(&0) {
                return Ok(read);
            }
            let kept = remove_nuls(bytes);
            *nuls += (read - kept) as u64;
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// Moves the other bytes to the start and returns their number.
fn remove_nuls(bytes: &mut [u8]) -> usize {
    let mut kept = 0;
    for at in 0..bytes.len() {
        if bytes[at] != 0 {
            bytes[kept] = bytes[at];
            kept += 1;
        }
    }
    kept
}
