//! [`look_ahead`]: what the rows at the start of a file say together about dates, identifiers and labels, before the reader
//! returns the first one.

use std::io;

use super::error::DumpError;
use super::input::ByteStream;
use super::input::parts::Again;
use super::options::{Layout, ReadOptions, RequiredFields};
use super::record_splitter::RecordSplitter;
use super::row_builder::RowRules;
use super::rows::{Rows, skip_start};
use super::survey::Survey;

/// Bytes of a file that are looked at before it is read.
const LOOK_AHEAD: usize = 1 << 16;

/// Looks at the start of an input: of a file at [`LOOK_AHEAD`] bytes, and at all of it where they leave a doubt; of a pipe at
/// what has arrived, because a row must not wait for later ones. `splitter` stands at the first record.
pub(super) fn look_ahead(
    name: &str,
    splitter: &mut RecordSplitter,
    layout: Layout,
    options: &ReadOptions,
    again: Option<&Again>,
) -> Result<Survey, DumpError> {
    // Then the whole file says nothing more about labels.
    let labels_are_known = layout == Layout::Sentiment140 || !options.labels_map.is_empty();
    let wanted = if again.is_some() { LOOK_AHEAD } else { 1 };
    let ahead = splitter.peek(wanted).map_err(|cause| DumpError::from_read(name, cause))?;
    let is_whole = again.is_some() && ahead.len() < wanted;
    // The last line may not be complete.
    let end = ahead.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).filter(|_| !is_whole).unwrap_or(ahead.len());
    let sample = io::Cursor::new(ahead.get(..end).unwrap_or(ahead).to_vec());
    let found = survey(name, RecordSplitter::new(ByteStream::tailed(Box::new(sample))), layout, options);
    match again {
        Some(again) if !is_whole && found.leaves_a_doubt(labels_are_known) => {
            let stream = again.open().map_err(|cause| DumpError::from_read(name, cause))?;
            let mut splitter = RecordSplitter::new(stream);
            skip_start(&mut splitter, options).map_err(|cause| DumpError::from_read(name, cause))?;
            Ok(survey(name, splitter, layout, options))
        }
        _ => Ok(found),
    }
}

/// What the rows say together. Errors are those of the reader that follows.
fn survey(name: &str, mut splitter: RecordSplitter, layout: Layout, options: &ReadOptions) -> Survey {
    let open = |splitter: &mut RecordSplitter| {
        let rules = RowRules::new(RequiredFields::default(), options)?;
        let rules = RowRules { survey: Some(Box::default()), ..rules };
        Rows::open(name, layout, options, rules, splitter)
    };
    let Ok(mut rows) = open(&mut splitter) else { return Survey::default() };
    while let Ok(Some(_)) = rows.next_row(&mut splitter) {}
    rows.rules_mut().survey.take().map(|survey| *survey).unwrap_or_default()
}
