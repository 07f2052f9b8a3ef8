//! [`DumpReader`]: streams the rows of all files of a dump, one file after another, as if they were one.
//!
//! Each file, and each file in an archive, is detected by itself: they may differ in packing, encoding, layout and columns.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::error::{DumpError, list_files};
use super::input::Inputs;
use super::input::members::Role;
use super::input::parts::Parts;
use super::input::raw::{Progress, Tally, hex};
use super::notes::ReadNotes;
use super::options::{Layout, ReadOptions, RequiredFields};
use super::reader::Reader;
use super::reject::Reject;
use super::reject_summary::RejectSummary;
use super::row::Row;
use super::shape::Shape;

/// Streams the rows of a dump.
pub struct DumpReader {
    inputs: Inputs,
    options: ReadOptions,
    required: RequiredFields,
    /// Index of the next file.
    next: usize,
    parts: Option<Parts>,
    /// The file that is read; none at the end.
    reader: Option<Reader>,
    /// Its name.
    file: Arc<str>,
    layout: Layout,
    progress: Progress,
    digests: Vec<[u8; 32]>,
    /// Files that were skipped, with the reason where the name alone does not say it.
    skipped: Vec<String>,
    /// Why the first of them is not a dump.
    first_error: Option<DumpError>,
    /// Files that were opened.
    opened: u64,
    rejects: RejectSummary,
    /// The files that were read to their end, where they are kept.
    read_files: Option<Vec<ReadFile>>,
}

/// A file that was read to its end.
#[derive(Debug, Clone)]
pub struct ReadFile {
    pub name: String,
    pub shape: Shape,
    pub notes: ReadNotes,
}

impl DumpReader {
    /// Opens the first file, and reads its header or first record.
    ///
    /// # Errors
    /// When it cannot be read, or has not the required columns.
    pub fn open(inputs: &Inputs, options: &ReadOptions, required: RequiredFields) -> Result<Self, DumpError> {
        let mut reader = Self {
            inputs: inputs.clone(),
            options: options.clone(),
            required,
            next: 0,
            parts: None,
            reader: None,
            file: Arc::from(""),
            layout: options.layout,
            progress: Progress::new(inputs.total_bytes()),
            digests: Vec::new(),
            skipped: inputs.skipped().to_vec(),
            first_error: None,
            opened: 0,
            rejects: RejectSummary::new(inputs.to_string()),
            read_files: None,
        };
        reader.open_next()?;
        if let Some(opened) = &reader.reader {
            reader.layout = opened.layout();
        }
        Ok(reader)
    }

    /// Keeps what was found in each file instead of logging it.
    #[must_use]
    pub fn with_read_files(self) -> Self {
        Self { read_files: Some(Vec::new()), ..self }
    }

    /// The files that were read to their end; none without [`DumpReader::with_read_files`].
    pub fn read_files(&self) -> &[ReadFile] {
        self.read_files.as_deref().unwrap_or_default()
    }

    /// Files that were left out.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The next row, or a record that was rejected. `Ok(None)` is the end of the dump; after an error reading cannot continue.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, DumpError> {
        while let Some(reader) = &mut self.reader {
            match reader.next_row()? {
                Some(Err(reject)) => {
                    let reject = Reject { file: Some(Arc::clone(&self.file)), ..reject };
                    self.rejects.add(&reject);
                    return Ok(Some(Err(reject)));
                }
                Some(row) => {
                    self.rejects.add_row();
                    return Ok(Some(row));
                }
                None => {
                    let file =
                        ReadFile { name: reader.name().to_owned(), shape: reader.shape(), notes: reader.notes() };
                    match &mut self.read_files {
                        Some(files) => files.push(file),
                        None => log_notes(&file.name, &file.notes),
                    }
                    self.open_next()?;
                }
            }
        }
        Ok(None)
    }

    /// The dump's name in messages.
    pub fn name(&self) -> String {
        self.inputs.to_string()
    }

    /// The name of the file of the last row.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The configured layout, or that of the first file; never [`Layout::Auto`].
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// What was repaired, skipped or guessed so far in the current file.
    pub fn notes(&self) -> ReadNotes {
        self.reader.as_ref().map(Reader::notes).unwrap_or_default()
    }

    /// The rejects so far.
    pub fn rejects(&self) -> &RejectSummary {
        &self.rejects
    }

    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// SHA-256 in hex of the raw (still packed) bytes, after they were read to their end. Of several files: over the hashes of
    /// all of them, in their order.
    pub fn fingerprint(&self) -> Option<String> {
        if self.reader.is_some() {
            return None;
        }
        match self.digests.as_slice() {
            [] => None,
            [only] => Some(hex(only)),
            several => Some(hex(&Sha256::digest(several.concat()))),
        }
    }

    /// Opens the next file that is a dump.
    fn open_next(&mut self) -> Result<(), DumpError> {
        self.reader = None;
        loop {
            if self.parts.is_none() && !self.open_input()? {
                return self.finish();
            }
            let Some(parts) = &mut self.parts else { return Ok(()) };
            let part = parts.next()?;
            self.skipped.append(&mut parts.take_skipped());
            let Some(part) = part else {
                self.close_input();
                continue;
            };
            let (name, role) = (part.name.clone(), part.role);
            match Reader::from_part(part, &self.options, self.required) {
                Ok(reader) => {
                    self.file = Arc::from(name);
                    self.reader = Some(reader);
                    self.opened += 1;
                    return Ok(());
                }
                Err(error) if may_skip(&error, role) => {
                    self.skipped.push(name);
                    self.first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens the next input. False at the end of the dump.
    fn open_input(&mut self) -> Result<bool, DumpError> {
        let Some(file) = self.inputs.files.get(self.next) else { return Ok(false) };
        self.next += 1;
        let (name, opened) = (file.input.to_string(), file.input.open()?);
        self.parts = Some(Parts::new(name, file.role, opened, Tally::new(self.progress.clone())));
        Ok(true)
    }

    fn close_input(&mut self) {
        let digest = self.parts.take().and_then(|parts| parts.tally().digest());
        self.digests.extend(digest);
    }

    /// At the end: a dump without a single file that can be read is an error.
    fn finish(&mut self) -> Result<(), DumpError> {
        if self.opened == 0 {
            let skipped = std::mem::take(&mut self.skipped);
            // The reason says more than a list, if there is one file only.
            return Err(match self.first_error.take() {
                Some(error) if skipped.len() == 1 => error,
                _ => DumpError::NoDumps { name: self.name(), skipped },
            });
        }
        if self.read_files.is_some() {
            return Ok(());
        }
        // Where no row is left, the error of the command says the same.
        if (1..self.rejects.rows).contains(&self.rejects.rejected()) {
            tracing::warn!("{}", self.rejects);
        }
        if !self.skipped.is_empty() {
            let files = list_files(&self.skipped);
            tracing::warn!(dump = %self.inputs, "{} skipped: {files}", count_files(self.skipped.len()));
        }
        Ok(())
    }
}

/// Whether the dump is read without this file. One that the user named, or whose name says that it holds rows, must not be
/// left out, except for one in a folder or archive that has none.
fn may_skip(error: &DumpError, role: Role) -> bool {
    match role {
        Role::Named => false,
        Role::Data => matches!(error, DumpError::Empty(_)),
        Role::Unknown | Role::Skipped | Role::Hidden => error.is_about_content(),
    }
}

fn count_files(files: usize) -> String {
    if files == 1 {
        "1 file that is not a dump was".to_owned()
    } else {
        format!("{files} files that are not dumps were")
    }
}

fn log_notes(name: &str, notes: &ReadNotes) {
    notes.sentences().iter().for_each(|note| tracing::warn!(file = name, "{note}"));
}
