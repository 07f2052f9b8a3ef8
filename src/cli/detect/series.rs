//! [`Series`]: reads a `timestamp,value` file row by row; finds its columns by name.

use std::io::{BufRead, Read};

use anyhow::{Context, bail};
use csv::ByteRecord;

use crate::dump::TimeRules;

/// The second row are those of Google Trends, in English and French.
const TIMES: [&str; 17] = [
    "timestamp",
    "time",
    "datetime",
    "date",
    "created_at",
    "ts",
    "t",
    "ds",
    "at",
    "day",
    "week",
    "month",
    "hour",
    "jour",
    "semaine",
    "mois",
    "heure",
];
const VALUES: [&str; 10] = ["value", "values", "volume", "count", "posts", "tweets", "n", "v", "y", "total"];

/// Names of the columns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) time: String,
    pub(super) value: String,
}

/// Records that may come before the header, such as the category of Google Trends.
const MAX_PREAMBLE: u64 = 10;
/// What Google Trends writes for little.
const BELOW_ONE: &str = "<1";

pub(super) struct Series<R> {
    times: TimeRules,
    reader: csv::Reader<R>,
    pub(super) name: String,
    pub(super) columns: Columns,
    time: usize,
    value: usize,
    /// The first line, if it is a row and not a header.
    first: Option<ByteRecord>,
    /// Records before the header.
    pub(super) preamble: u64,
    /// Values `<1`, which count as 0.
    pub(super) below_one: u64,
}

/// Flags about the columns.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ColumnFlags<'a> {
    pub(super) time_column: Option<&'a str>,
    pub(super) value_column: Option<&'a str>,
    pub(super) time_format: Option<&'a str>,
}

/// One row.
pub(super) struct Row {
    pub(super) line: u64,
    /// As written in the file.
    pub(super) timestamp: Vec<u8>,
    /// Unix seconds and value, or why the row is not usable.
    pub(super) read: Result<(i64, f64), String>,
}

impl<R: BufRead> Series<R> {
    /// Reads the header, if there is one.
    pub(super) fn read(mut input: R, name: &str, given: ColumnFlags<'_>) -> anyhow::Result<Self> {
        let delimiter = delimiter(input.fill_buf().with_context(|| format!("cannot read {name}"))?);
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(input);
        let mut first = ByteRecord::new();
        if !reader.read_byte_record(&mut first).with_context(|| format!("cannot read {name}"))? {
            bail!("{name}: empty file; expected CSV with a header such as `timestamp,value`");
        }
        let times = TimeRules::new(given.time_format, None)?;
        let first_cells: Vec<String> = first.iter().map(cell).collect();
        let with = |reader, columns, time, value, first, preamble| {
            Ok(Self {
                times: times.clone(),
                reader,
                name: name.to_owned(),
                columns,
                time,
                value,
                first,
                preamble,
                below_one: 0,
            })
        };
        if given.time_column.is_none() && given.value_column.is_none() && is_row(&first_cells, &times) {
            let columns = Columns { time: "column 1".into(), value: "column 2".into() };
            return with(reader, columns, 0, 1, Some(first), 0);
        }
        let (mut cells, mut preamble) = (first_cells.clone(), 0);
        while preamble <= MAX_PREAMBLE {
            if let Some((time, value)) = find_columns(&cells, given) {
                let columns = Columns { time: quoted(&cells, time), value: quoted(&cells, value) };
                return with(reader, columns, time, value, None, preamble);
            }
            if !reader.read_byte_record(&mut first).with_context(|| format!("cannot read {name}"))? {
                break;
            }
            cells = first.iter().map(cell).collect();
            preamble += 1;
        }
        bail!(
            "{name}:1: found the columns {}, expected `{}` and `{}`, here or in one of the next {MAX_PREAMBLE} lines; \
             set them with --time-column and --value-column",
            first_cells.iter().map(|cell| format!("`{cell}`")).collect::<Vec<_>>().join(", "),
            given.time_column.unwrap_or("timestamp"),
            given.value_column.unwrap_or("value"),
        )
    }
}

impl<R: Read> Series<R> {
    pub(super) fn next_row(&mut self) -> anyhow::Result<Option<Row>> {
        let mut record = ByteRecord::new();
        match self.first.take() {
            Some(first) => record = first,
            None if self
                .reader
                .read_byte_record(&mut record)
                .with_context(|| format!("cannot read {}", self.name))? => {}
            None => return Ok(None),
        }
        let line = record.position().map_or(0, csv::Position::line);
        let timestamp = record.get(self.time).unwrap_or_default().to_vec();
        Ok(Some(Row { line, timestamp, read: self.parse(&record) }))
    }

    fn parse(&mut self, record: &ByteRecord) -> Result<(i64, f64), String> {
        let field = |at: usize, name: &String| record.get(at).map(cell).ok_or_else(|| format!("{name} is missing"));
        let (time, value) = (field(self.time, &self.columns.time)?, field(self.value, &self.columns.value)?);
        let time = instant(&time, &self.times).map_err(|error| format!("{} {error}", self.columns.time))?;
        if value.is_empty() {
            return Err(format!("{} is empty", self.columns.value));
        }
        if value == BELOW_ONE {
            self.below_one += 1;
            return Ok((time, 0.0));
        }
        let number = value.parse().map_err(|_| format!("{} is not a number", self.columns.value))?;
        Ok((time, number))
    }
}

/// The text of a cell, without a byte order mark and surrounding spaces.
fn cell(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').trim().to_owned()
}

fn quoted(cells: &[String], at: usize) -> String {
    cells.get(at).map(|cell| format!("`{cell}`")).unwrap_or_default()
}

fn find(cells: &[String], name: Option<&str>, usual: &[&str]) -> Option<usize> {
    let position = |name: &str| cells.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    match name {
        Some(name) => position(name),
        None => usual.iter().find_map(|name| position(name)),
    }
}

/// The columns of time and value in a header. A value of no usual name is known if it is the only other column.
fn find_columns(cells: &[String], given: ColumnFlags<'_>) -> Option<(usize, usize)> {
    let time = find(cells, given.time_column, &TIMES)?;
    let only_other = || (given.value_column.is_none() && cells.len() == 2).then_some(1 - time.min(1));
    let value = find(cells, given.value_column, &VALUES).or_else(only_other)?;
    Some((time, value))
}

fn is_row(cells: &[String], times: &TimeRules) -> bool {
    matches!(cells, [time, value, ..] if instant(time, times).is_ok() && value.parse::<f64>().is_ok())
}

/// Unix seconds; for a date without a time, as in daily series, those of midnight.
fn instant(text: &str, times: &TimeRules) -> Result<i64, &'static str> {
    let read = times.parse(text).or_else(|error| {
        // Google Trends: a month, an hour, a week by its first and last day.
        let whole = match (text.len(), text.split_once(" - ")) {
            (_, Some((first, _))) => first.to_owned(),
            (7, None) => format!("{text}-01"),
            (13, None) => format!("{text}:00"),
            _ => return Err(error),
        };
        times.parse(&whole).map_err(|_| error)
    });
    read.map(|read| read.instant.as_second())
}

/// The most frequent delimiter in the first line that has one; a comma if there is none.
fn delimiter(start: &[u8]) -> u8 {
    let has_one = |line: &&[u8]| line.iter().any(|byte| matches!(byte, b'\t' | b';' | b','));
    let line = start.split(|byte| *byte == b'\n').find(has_one).unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}
