//! The `csv` and `sentiment140` layouts: columns from a header, by number, or fixed columns.
//!
//! ```text
//! open (sep=, preamble, header) -> Dialect, ColumnIndexes -> CsvRows: CsvFraming -> CsvFields -> RowBuilder -> Row
//!                                                                     \-> stray_quotes, where the quotes do not fit
//! ```

mod dialect;
mod fields;
mod find_header;
mod framing;
mod header;
mod header_names;
mod headerless;
mod indexes;
mod rows;
mod sample;
mod similar;
mod stray_quotes;

#[cfg(test)]
mod tests;

pub use dialect::Dialect;
pub use framing::{CsvFraming, LineFraming};
pub use header::{CsvStart, StartProblem, is_as_wide_as_rows, open, peek_record, reopen, skip_lines};
pub use header_names::HeaderNames;
pub use headerless::Headerless;
pub use indexes::ColumnIndexes;
pub use rows::CsvRows;

pub(super) use header_names::{describe_column, is_shown};
pub(super) use similar::most_similar;

#[cfg(test)]
pub(super) use fields::CsvFields;

use fields::CsvFields as Fields;

/// The columns of the Sentiment140 dump, which has no header.
pub const SENTIMENT140: [&str; 6] = ["polarity", "id", "date", "query", "user", "text"];

/// Whether a first record has the form of a Sentiment140 row.
pub fn is_sentiment140(record: &[u8]) -> bool {
    let text = String::from_utf8_lossy(record);
    let mut fields = Fields::default();
    fields.split(&text, Dialect::default());
    let cell = |index| fields.get(index, &text).unwrap_or_default().trim();
    fields.len() == SENTIMENT140.len()
        && matches!(cell(0), "0" | "2" | "4")
        && super::timestamp::is_twitter_date(cell(2))
}
