//! [`Series`]: reads a `timestamp,value` file row by row; finds its columns by name.

use std::io::{BufRead, Read};

use anyhow::{Context, bail};
use csv::ByteRecord;

use crate::dump::parse_timestamp;

const TIMES: [&str; 9] = ["timestamp", "time", "datetime", "date", "created_at", "ts", "t", "ds", "at"];
const VALUES: [&str; 10] = ["value", "values", "volume", "count", "posts", "tweets", "n", "v", "y", "total"];

/// Names of the columns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) time: String,
    pub(super) value: String,
}

pub(super) struct Series<R> {
    time_format: Option<String>,
    reader: csv::Reader<R>,
    pub(super) name: String,
    pub(super) columns: Columns,
    time: usize,
    value: usize,
    /// The first line, if it is a row and not a header.
    first: Option<ByteRecord>,
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
    pub(super) fn read(mut input: R, name: String, given: ColumnFlags<'_>) -> anyhow::Result<Self> {
        let delimiter = delimiter(input.fill_buf().with_context(|| format!("cannot read {name}"))?);
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(input);
        let mut first = ByteRecord::new();
        if !reader.read_byte_record(&mut first).with_context(|| format!("cannot read {name}"))? {
            bail!("{name}: empty file; expected CSV with a header such as `timestamp,value`");
        }
        let time_format = given.time_format.map(str::to_owned);
        let cells: Vec<String> = first.iter().map(cell).collect();
        let found = find(&cells, given.time_column, &TIMES).zip(find(&cells, given.value_column, &VALUES));
        let (time, value) = match found {
            Some(found) => found,
            None if given.time_column.is_none()
                && given.value_column.is_none()
                && is_row(&cells, given.time_format) =>
            {
                let columns = Columns { time: "column 1".into(), value: "column 2".into() };
                return Ok(Self { time_format, reader, name, columns, time: 0, value: 1, first: Some(first) });
            }
            None => bail!(
                "{name}:1: found the columns {}, expected `{}` and `{}`; set them with --time-column and --value-column",
                cells.iter().map(|cell| format!("`{cell}`")).collect::<Vec<_>>().join(", "),
                given.time_column.unwrap_or("timestamp"),
                given.value_column.unwrap_or("value"),
            ),
        };
        let columns = Columns { time: quoted(&cells, time), value: quoted(&cells, value) };
        Ok(Self { time_format, reader, name, columns, time, value, first: None })
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

    fn parse(&self, record: &ByteRecord) -> Result<(i64, f64), String> {
        let field = |at: usize, name: &String| record.get(at).map(cell).ok_or_else(|| format!("{name} is missing"));
        let (time, value) = (field(self.time, &self.columns.time)?, field(self.value, &self.columns.value)?);
        let time =
            instant(&time, self.time_format.as_deref()).map_err(|error| format!("{} {error}", self.columns.time))?;
        if value.is_empty() {
            return Err(format!("{} is empty", self.columns.value));
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

fn is_row(cells: &[String], format: Option<&str>) -> bool {
    matches!(cells, [time, value, ..] if instant(time, format).is_ok() && value.parse::<f64>().is_ok())
}

/// Unix seconds; for a date without a time, as in daily series, those of midnight.
fn instant(text: &str, format: Option<&str>) -> Result<i64, &'static str> {
    let is_date = format.is_none() && text.len() == "2026-03-01".len() && !text.contains(':');
    let whole = is_date.then(|| format!("{text} 00:00:00"));
    let read = parse_timestamp(text, format)
        .or_else(|error| parse_timestamp(whole.as_deref().unwrap_or(text), None).map_err(|_| error));
    read.map(jiff::Timestamp::as_second)
}

/// The most frequent delimiter in the first line; a comma if there is none.
fn delimiter(start: &[u8]) -> u8 {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}
