//! Merges the sorted runs of the temp file: one small buffer per run, one file handle for all.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::key;
use super::key::{Key, compare};

/// Bounds of a run's read buffer, in bytes.
const LEAST: usize = 1 << 12;
const MOST: usize = 1 << 18;

/// The posts of all runs, the earliest first.
pub(super) struct Merge {
    file: File,
    heap: BinaryHeap<Run>,
}

impl Merge {
    /// Runs follow each other in the file; `ends` is where each one stops.
    pub(super) fn new(file: File, ends: &[u64], memory: usize) -> io::Result<Self> {
        let buffer = (memory / ends.len().max(1)).clamp(LEAST, MOST);
        let mut heap = BinaryHeap::with_capacity(ends.len());
        let mut next = 0;
        for end in ends {
            let mut run = Run { next, end: *end, buffer: Vec::with_capacity(buffer), at: 0, head: Head::default() };
            next = *end;
            if run.advance(&file)? {
                heap.push(run);
            }
        }
        Ok(Self { file, heap })
    }

    /// The earliest post, packed.
    pub(super) fn head(&self) -> Option<&[u8]> {
        self.heap.peek().map(Run::packed)
    }

    /// Goes on to the next.
    pub(super) fn pass(&mut self) -> io::Result<()> {
        let Some(mut earliest) = self.heap.peek_mut() else { return Ok(()) };
        if !earliest.advance(&self.file)? {
            PeekMut::pop(earliest);
        }
        Ok(())
    }
}

/// One sorted run, read through a buffer.
struct Run {
    /// What is still to be read of the file.
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes behind the head begin.
    at: usize,
    head: Head,
}

#[derive(Default)]
struct Head {
    millisecond: i64,
    id_number: u64,
    length: usize,
}

impl Run {
    fn packed(&self) -> &[u8] {
        self.buffer.get(self.at - self.head.length..self.at).unwrap_or_default()
    }

    fn key(&self) -> Key<'_> {
        Key { millisecond: self.head.millisecond, id_number: self.head.id_number, packed: self.packed() }
    }

    /// Makes the next post the head. `false` at the end of the run.
    fn advance(&mut self, file: &File) -> io::Result<bool> {
        if self.at == self.buffer.len() && self.next == self.end {
            return Ok(false);
        }
        let mut prefix = [0; 4];
        prefix.copy_from_slice(self.bytes(4, file)?);
        self.head.length = usize::try_from(u32::from_le_bytes(prefix)).map_err(io::Error::other)?;
        let packed = self.bytes(self.head.length, file)?;
        let (id, millisecond) = key::head(packed).ok_or_else(|| io::Error::other("the temp file was changed"))?;
        (self.head.id_number, self.head.millisecond) = (key::id_number(id), millisecond);
        Ok(true)
    }

    /// The next bytes of the run.
    fn bytes(&mut self, wanted: usize, file: &File) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < wanted {
            self.refill(wanted, file)?;
        }
        let start = self.at;
        self.at += wanted;
        self.buffer.get(start..self.at).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn refill(&mut self, wanted: usize, mut file: &File) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let room = self.buffer.capacity().max(wanted) - self.buffer.len();
        let read = (self.end - self.next).min(room as u64);
        file.seek(SeekFrom::Start(self.next))?;
        let got = file.take(read).read_to_end(&mut self.buffer)?;
        self.next += got as u64;
        Ok(())
    }
}

/// The heap gives its greatest: the run with the earliest head is that.
impl Ord for Run {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&other.key(), &self.key())
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Run {}
