//! [`Texts`]: the input of `vigie classify`, in batches of what is available: a pipe gets each result at once, and a
//! file is processed at full speed.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context;

use crate::dump::input::not_growing_text;
use crate::dump::{
    DumpError, DumpReader, Input, Inputs, ReadOptions, Reader, Reject, RejectSummary, RejectsFile, RequiredFields, Row,
};

/// Maximum number of texts per batch.
const BATCH: usize = 256;

/// A text to classify.
pub(in crate::cli) struct TextItem {
    /// The identifier in the input, or the number of the text, from 1.
    pub(in crate::cli) id: String,
    pub(in crate::cli) text: String,
}

enum Message {
    TextItem(TextItem),
    Failed(anyhow::Error),
    /// The end of the dump, with its rejected rows.
    Done(Box<(RejectsFile, RejectSummary)>),
}

/// Texts read by another thread.
pub(in crate::cli) struct Texts {
    messages: Receiver<Message>,
    rejects: Option<(RejectsFile, RejectSummary)>,
    /// Reported after the texts before it are classified.
    failed: Option<anyhow::Error>,
}

impl Texts {
    /// Texts from the command line.
    pub(in crate::cli) fn from_arguments(texts: Vec<String>) -> anyhow::Result<Self> {
        Self::read(move |items| {
            for (number, text) in (1..).zip(texts) {
                send(items, number, None, text)?;
            }
            Some(())
        })
    }

    /// Standard input: a dump if it begins with `{` or is packed, otherwise one text per line.
    pub(in crate::cli) fn standard_input(options: ReadOptions, rejects: Option<PathBuf>) -> anyhow::Result<Self> {
        Self::read(move |items| {
            let mut input = io::BufReader::new(io::stdin());
            let is_dump = input
                .fill_buf()
                .map(|bytes| bytes.trim_ascii_start().first() == Some(&b'{') || not_growing_text(bytes).is_some());
            match is_dump {
                Ok(true) => {
                    let needs = RequiredFields::default();
                    let name = Input::Stdin.to_string();
                    let mut reader = match Reader::from_bytes(name.clone(), Box::new(input), None, &options, needs) {
                        Ok(reader) => reader,
                        Err(error) => return failed(items, error),
                    };
                    rows(items, &name, || reader.next_row(), rejects)
                }
                Ok(false) => lines(items, input),
                Err(error) => failed(items, error),
            }
        })
    }

    /// The rows of a dump.
    pub(in crate::cli) fn dump(inputs: Inputs, options: ReadOptions, rejects: Option<PathBuf>) -> anyhow::Result<Self> {
        Self::read(move |items| match DumpReader::open(&inputs, &options, RequiredFields::default()) {
            Ok(mut reader) => rows(items, &inputs.to_string(), || reader.next_row(), rejects),
            Err(error) => failed(items, error),
        })
    }

    fn read(read: impl FnOnce(&SyncSender<Message>) -> Option<()> + Send + 'static) -> anyhow::Result<Self> {
        let (sender, messages) = sync_channel(BATCH);
        // Not joined: the thread ends with its input, or when the receiver is dropped.
        thread::Builder::new()
            .name("texts".into())
            .spawn(move || read(&sender))
            .context("no thread to read the texts")?;
        Ok(Self { messages, rejects: None, failed: None })
    }

    /// The texts that are there, at least one; none at the end.
    pub(in crate::cli) fn next_batch(&mut self) -> anyhow::Result<Vec<TextItem>> {
        let mut batch = Vec::new();
        // Waits for the first text only.
        while let Ok(message) = self.messages.recv() {
            self.take(message, &mut batch);
            while batch.len() < BATCH
                && let Ok(message) = self.messages.try_recv()
            {
                self.take(message, &mut batch);
            }
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
        self.failed.take().map_or(Ok(batch), Err)
    }

    fn take(&mut self, message: Message, batch: &mut Vec<TextItem>) {
        match message {
            Message::TextItem(item) => batch.push(item),
            Message::Failed(error) => self.failed = Some(error),
            Message::Done(rejects) => self.rejects = Some(*rejects),
        }
    }

    /// The bad rows of a dump, once it was read.
    pub(in crate::cli) fn rejects(&self) -> Option<&(RejectsFile, RejectSummary)> {
        self.rejects.as_ref()
    }
}

/// `None` when nobody takes items any more.
fn send(items: &SyncSender<Message>, number: u64, id: Option<String>, text: String) -> Option<()> {
    let id = id.unwrap_or_else(|| number.to_string());
    items.send(Message::TextItem(TextItem { id, text })).ok()
}

fn failed(items: &SyncSender<Message>, error: impl Into<anyhow::Error>) -> Option<()> {
    items.send(Message::Failed(error.into())).ok()
}

fn lines(items: &SyncSender<Message>, mut input: impl BufRead) -> Option<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                send(items, number, None, text)?;
            }
            Err(error) => return failed(items, error),
        }
    }
    Some(())
}

type NextRow = Result<Option<Result<Row, Reject>>, DumpError>;

/// Sends the rows of a dump that is called `name` in errors.
fn rows(
    items: &SyncSender<Message>,
    name: &str,
    next: impl FnMut() -> NextRow,
    rejects: Option<PathBuf>,
) -> Option<()> {
    let mut rejects = RejectsFile::new(rejects);
    match send_rows(items, name, next, &mut rejects) {
        Ok(summary) => items.send(Message::Done(Box::new((rejects, summary)))).ok(),
        Err(error) => failed(items, error),
    }
}

fn send_rows(
    items: &SyncSender<Message>,
    name: &str,
    mut next: impl FnMut() -> NextRow,
    rejects: &mut RejectsFile,
) -> Result<RejectSummary, DumpError> {
    let (mut number, mut summary) = (0, RejectSummary::new(name.to_owned()));
    while let Some(row) = next()? {
        match row {
            Ok(row) => {
                number += 1;
                summary.add_row();
                if send(items, number, row.id, row.text).is_none() {
                    return Ok(summary);
                }
            }
            Err(reject) => {
                summary.add(&reject);
                rejects.add(&reject)?;
            }
        }
    }
    rejects.finish()?;
    if number == 0 { Err(rejects.no_usable_rows_error(name)) } else { Ok(summary) }
}
