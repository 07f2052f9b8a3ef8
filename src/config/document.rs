//! Parses TOML into a [`Node`] tree, with the line of every key and every syntax error.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::node::{Node, Value};
use super::problem::{ConfigProblem, Location};

/// Maximum number of dots in a line: deeply nested keys would overflow the stack.
const MAX_DOTS: usize = 1_000;

/// A parsed file. `tree` holds everything that could be parsed, even if there are `problems`.
pub(super) struct Document {
    pub(super) tree: Node,
    pub(super) problems: Vec<ConfigProblem>,
}

/// Parses `bytes`, the content of the file `path`.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Document {
    // Editors of Windows begin a file with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let path: Arc<Path> = path.into();
    let text = String::from_utf8_lossy(bytes);
    let lines = SourceText::new(path, &text);
    let mut problems = Vec::new();
    if let Err(error) = std::str::from_utf8(bytes) {
        let message = "not valid UTF-8; save the file as UTF-8";
        problems.push(ConfigProblem::new(&lines.location(error.valid_up_to()), "", message));
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.bytes().filter(|byte| *byte == b'.').count() > MAX_DOTS {
            problems.push(ConfigProblem::new(
                &lines.location(start),
                "",
                format!("the line has more than {MAX_DOTS} dots"),
            ));
            return Document { tree: Node::table(lines.location(0)), problems };
        }
        start += line.len();
    }
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        let location = lines.location(error.span().map_or(0, |span| span.start));
        let Location::File { column, .. } = &location else { continue };
        let message = format!("column {column}: invalid TOML: {}", error.message());
        problems.push(ConfigProblem::new(&location, "", message));
    }
    let tree = Node { at: lines.location(0), value: lines.table(table.get_ref(), &mut problems) };
    Document { tree, problems }
}

struct SourceText<'a> {
    path: Arc<Path>,
    text: &'a str,
    /// Where each line starts: with thousands of topics, counting lines for every key would take seconds.
    starts: Vec<usize>,
}

impl<'a> SourceText<'a> {
    fn new(path: Arc<Path>, text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { path, text, starts: std::iter::once(0).chain(ends).collect() }
    }
}

impl SourceText<'_> {
    /// The location of byte `offset`.
    fn location(&self, offset: usize) -> Location {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..offset).unwrap_or_default().chars().count() + 1;
        Location::File { path: self.path.clone(), line, column }
    }

    fn table(&self, table: &DeTable<'_>, problems: &mut Vec<ConfigProblem>) -> Value {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &Spanned<std::borrow::Cow<'_, str>> = key;
            let at = self.location(key.span().start);
            let value = self.value(&at, value, problems)?;
            Some((key.get_ref().to_string(), Node { at, value }))
        };
        Value::Table(table.iter().filter_map(entry).collect())
    }

    fn value(&self, at: &Location, value: &Spanned<DeValue<'_>>, problems: &mut Vec<ConfigProblem>) -> Option<Value> {
        match value.get_ref() {
            DeValue::Table(table) => return Some(self.table(table, problems)),
            DeValue::Array(items) if !items.is_empty() && items.iter().all(|item| item.get_ref().is_table()) => {
                let node = |item: &Spanned<DeValue<'_>>| {
                    let at = self.location(item.span().start);
                    let value = self.value(&at, item, problems)?;
                    Some(Node { at, value })
                };
                return Some(Value::Tables(items.iter().filter_map(node).collect()));
            }
            _ => {}
        }
        match toml::Value::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(plain) => Some(Value::Leaf(plain)),
            Err(error) => {
                problems.push(ConfigProblem::new(at, "", format!("invalid value: {}", error.message())));
                None
            }
        }
    }
}
