//! [`ReaderFlags`]: flags about the format of a dump, the same for all subcommands that read one.

use std::mem;
use std::path::PathBuf;

use clap::Args;

use crate::dump::{Columns, Encoding, Header, Inputs, LabelsMap, Layout, MaxRejects, OptionsError, Quote, ReadOptions};

/// Flags that override `[dump]` of the configuration. Flatten them last: they have their own heading in the help.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Format of the dump")]
pub(super) struct ReaderFlags {
    /// Columns of fields by name or number, or paths of keys in JSON, e.g. `text=body,created_at=2`, `text=record.text` or
    /// `created_at=date+time+timezone` [fields: id, created_at, text, author, label, topic, lang, reason, incident; default:
    /// their usual names]
    #[arg(long, value_name = "FIELD=COLUMN,...", value_parser = Columns::parse)]
    columns: Option<Columns>,
    /// Column with the topic of a post; each of its values is a topic
    #[arg(long, value_name = "COLUMN")]
    pub(super) topic_column: Option<String>,
    /// Delimiter of CSV: a character, or `tab` [default: detected from the header and the first rows]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<char>,
    /// Quote of CSV: a character, or `none` for a file that does not quote [default: "]
    #[arg(long, value_name = "CHAR")]
    quote: Option<Quote>,
    /// Character before a quote inside a field of CSV, where quotes are not doubled [default: a backslash is detected]
    #[arg(long, value_name = "CHAR")]
    escape: Option<char>,
    /// Header of CSV: `auto`, or `none` for a file without one, whose columns are mapped by number
    #[arg(long, value_name = "WHICH")]
    header: Option<Header>,
    /// Number of lines to skip at the start of the file
    #[arg(long, value_name = "N")]
    skip_lines: Option<u32>,
    /// Text encoding: auto, utf-8 or latin-1
    #[arg(long)]
    encoding: Option<Encoding>,
    /// File layout: auto, csv, sentiment140, json, or the tool that wrote it: x_v2, x_v1, twarc2, x_archive, snscrape, twint,
    /// reddit, mastodon, bluesky, telegram, facebook, youtube, mongoexport, zeeschuimer or elasticsearch
    #[arg(long, value_name = "NAME")]
    layout: Option<Layout>,
    /// Format of times in an unknown form, e.g. `%d/%m/%Y %H:%M`; in --time-zone without `%z`
    #[arg(long, value_name = "STRPTIME")]
    time_format: Option<String>,
    /// Time zone of times without one, e.g. `Europe/Paris` [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Meaning of the values of the label column, e.g. `0=negative,1=positive`; also `<=-0.05=negative` and `*=neutral`
    /// [default: by their words; numbers by the scale that all of them make]
    #[arg(long, value_name = "VALUE=LABEL,...", value_parser = LabelsMap::parse, allow_hyphen_values = true)]
    labels_map: Option<LabelsMap>,
    /// Fail if more rows are rejected: a share such as 0.9 or 90%, or a number of rows [default: 50%]
    #[arg(long, value_name = "SHARE|COUNT")]
    max_rejects: Option<MaxRejects>,
    /// Use posts dated far outside the rest of the dump as they are
    #[arg(long)]
    keep_outliers: bool,
}

impl ReaderFlags {
    /// Overrides `options` with the flags, and validates the result.
    pub(super) fn apply(&self, options: &mut ReadOptions) -> Result<(), OptionsError> {
        if let Some(columns) = &self.columns {
            if columns.topic.is_some() && self.topic_column.is_some() {
                return Err(OptionsError::Duplicate("topic".to_owned()));
            }
            options.columns = mem::take(&mut options.columns).overridden_by(columns);
        }
        if self.topic_column.is_some() {
            options.columns.topic.clone_from(&self.topic_column);
        }
        if self.time_format.is_some() {
            options.time_format.clone_from(&self.time_format);
        }
        if self.time_zone.is_some() {
            options.time_zone.clone_from(&self.time_zone);
        }
        if let Some(map) = &self.labels_map {
            options.labels_map = map.clone();
        }
        options.max_rejects = self.max_rejects.unwrap_or(options.max_rejects);
        options.keep_outliers |= self.keep_outliers;
        options.delimiter = self.delimiter.or(options.delimiter);
        options.quote = self.quote.or(options.quote);
        options.escape = self.escape.or(options.escape);
        options.header = self.header.unwrap_or(options.header);
        options.skip_lines = self.skip_lines.unwrap_or(options.skip_lines);
        options.encoding = self.encoding.unwrap_or(options.encoding);
        options.layout = self.layout.unwrap_or(options.layout);
        options.check()
    }
}

/// The default rejects file: in the working directory, as the directory of the dump may not be writable.
pub(super) fn default_rejects(inputs: &Inputs) -> PathBuf {
    PathBuf::from(format!("{}.rejects.csv", inputs.file_name()))
}

fn delimiter(flag: &str) -> Result<char, String> {
    let mut chars = flag.chars();
    match (flag, chars.next(), chars.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(c), None) => Ok(c),
        _ => Err("expected one character, or `tab`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        reader: ReaderFlags,
    }

    fn applied(flags: &[&str], mut options: ReadOptions) -> Result<ReadOptions, String> {
        let command = Command::try_parse_from(["vigie"].iter().chain(flags)).map_err(|error| error.to_string())?;
        command.reader.apply(&mut options).map_err(|error| error.to_string())?;
        Ok(options)
    }

    #[test]
    fn flags_override_the_configuration() {
        Command::command().debug_assert();
        let config = ReadOptions {
            columns: Columns { text: Some("body".into()), label: Some("mood".into()), ..Columns::default() },
            delimiter: Some(';'),
            layout: Layout::Csv,
            ..ReadOptions::default()
        };
        assert_eq!(applied(&[], config.clone()).unwrap(), config);
        let flags =
            ["--columns", "text=tweet", "--topic-column", "airline", "--delimiter", "tab", "--encoding", "latin-1"];
        let expected = ReadOptions {
            columns: Columns {
                text: Some("tweet".into()),
                label: Some("mood".into()),
                topic: Some("airline".into()),
                ..Columns::default()
            },
            delimiter: Some('\t'),
            encoding: Encoding::Latin1,
            ..config.clone()
        };
        assert_eq!(applied(&flags, config.clone()).unwrap(), expected);
        let flags = ["--quote", "none", "--escape", "\\", "--header", "none", "--skip-lines", "2"];
        let expected = ReadOptions {
            quote: Some(Quote::None),
            escape: Some('\\'),
            header: Header::None,
            skip_lines: 2,
            ..config.clone()
        };
        assert_eq!(applied(&flags, config.clone()).unwrap(), expected);
        let flags = ["--layout", "x_jsonl", "--time-format", "%d/%m/%Y"];
        let expected = ReadOptions { layout: Layout::XV2, time_format: Some("%d/%m/%Y".into()), ..config.clone() };
        assert_eq!(applied(&flags, config.clone()).unwrap(), expected);
        let flags =
            ["--time-zone", "Europe/Paris", "--labels-map", "0=negative", "--max-rejects", "90%", "--keep-outliers"];
        let expected = ReadOptions {
            time_zone: Some("Europe/Paris".into()),
            labels_map: LabelsMap::parse("0=negative").unwrap(),
            max_rejects: MaxRejects::Share(900_000),
            keep_outliers: true,
            ..config.clone()
        };
        assert_eq!(applied(&flags, config).unwrap(), expected);
    }

    #[test]
    fn invalid_flags_are_named() {
        for (flags, expected) in [
            (&["--columns", "txt=a"][..], "unknown field \"txt\""),
            (&["--delimiter", "ab"], "expected one character, or `tab`"),
            (&["--delimiter", "é"], "expected one ASCII character"),
            (&["--quote", "ab"], "expected `none` or one ASCII punctuation mark"),
            (&["--escape", "n"], "expected one ASCII punctuation mark"),
            (&["--header", "2"], "expected auto or none"),
            (&["--layout", "xml"], "expected one of auto, csv"),
            (&["--encoding", "utf-16"], "expected one of auto, utf-8"),
            (&["--columns", "topic=a", "--topic-column", "b"], "\"topic\" is mapped twice"),
            (&["--time-format", "%d/%m/%Y %Q"], "unknown directive `%Q`"),
            (&["--time-zone", "Paris"], "expected the name of a time zone"),
            (&["--labels-map", "0=bad"], "expected VALUE=LABEL pairs"),
            (&["--max-rejects", "most"], "expected a share such as 0.9 or 90%"),
        ] {
            let error = applied(flags, ReadOptions::default()).unwrap_err();
            assert!(error.contains(expected), "{flags:?}: {error}");
        }
    }
}
