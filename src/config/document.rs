//! TOML text into a [`Node`] tree: every fault of its syntax, and the line of every key.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::fault::{Fault, Place};
use super::node::{Node, Value};

/// Keys nested deeper than this are no configuration; deeper ones would cost the stack.
const MAX_DOTS: usize = 1_000;

/// A file as it was read; `tree` holds what could be made of it even where `faults` is not empty.
pub(super) struct Document {
    pub(super) tree: Node,
    pub(super) faults: Vec<Fault>,
}

/// Reads `bytes`, which came from `path`.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Document {
    let path: Arc<Path> = path.into();
    let text = String::from_utf8_lossy(bytes);
    let lines = Lines { path, text: &text };
    let mut faults = Vec::new();
    if let Err(error) = std::str::from_utf8(bytes) {
        let what = "there is a byte that is not UTF-8; save the file as UTF-8";
        faults.push(Fault::new(&lines.place(error.valid_up_to()), "", what));
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.bytes().filter(|byte| *byte == b'.').count() > MAX_DOTS {
            faults.push(Fault::new(&lines.place(start), "", format!("the line has more than {MAX_DOTS} dots")));
            return Document { tree: Node::table(lines.place(0)), faults };
        }
        start += line.len();
    }
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        let place = lines.place(error.span().map_or(0, |span| span.start));
        let Place::File { column, .. } = &place else { continue };
        let what = format!("column {column}: not TOML: {}", error.message());
        faults.push(Fault::new(&place, "", what));
    }
    let tree = Node { at: lines.place(0), value: lines.table(table.get_ref(), &mut faults) };
    Document { tree, faults }
}

struct Lines<'a> {
    path: Arc<Path>,
    text: &'a str,
}

impl Lines<'_> {
    /// The place of byte `offset`.
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place::File { path: self.path.clone(), line, column }
    }

    fn table(&self, table: &DeTable<'_>, faults: &mut Vec<Fault>) -> Value {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &Spanned<std::borrow::Cow<'_, str>> = key;
            let at = self.place(key.span().start);
            let value = self.value(&at, value, faults)?;
            Some((key.get_ref().to_string(), Node { at, value }))
        };
        Value::Table(table.iter().filter_map(entry).collect())
    }

    fn value(&self, at: &Place, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) -> Option<Value> {
        match value.get_ref() {
            DeValue::Table(table) => return Some(self.table(table, faults)),
            DeValue::Array(items) if !items.is_empty() && items.iter().all(|item| item.get_ref().is_table()) => {
                let node = |item: &Spanned<DeValue<'_>>| {
                    let at = self.place(item.span().start);
                    let value = self.value(&at, item, faults)?;
                    Some(Node { at, value })
                };
                return Some(Value::Tables(items.iter().filter_map(node).collect()));
            }
            _ => {}
        }
        match toml::Value::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(plain) => Some(Value::Leaf(plain)),
            Err(error) => {
                faults.push(Fault::new(at, "", format!("not a value: {}", error.message())));
                None
            }
        }
    }
}
