//! [`KeySample`]: which keys the objects of an input have, for the error about one that none of them has.

use serde_json::Value;

use super::Object;
use super::wrappers::PostIn;
use crate::dump::columns::{Columns, Field};
use crate::dump::csv::{describe_column, is_shown, most_similar};
use crate::dump::error::MissingColumn;
use crate::dump::options::RequiredFields;
use crate::dump::row_builder::RowBuilder;

/// Objects whose keys are kept.
const SAMPLED: u64 = 5;
const MAX_KEYS: usize = 40;
/// How deep keys are listed: `commit.record.text`.
const MAX_DEPTH: usize = 3;
/// A key that none of so many posts has is in none.
const MAX_POSTS: u64 = 10_000;

/// The keys of the first objects, and the fields that were found in any.
#[derive(Debug, Default)]
pub(super) struct KeySample {
    posts: u64,
    keys: Vec<String>,
    found: Vec<Field>,
    /// The path of each field in the first post that has it.
    paths: Vec<(Field, String)>,
}

impl KeySample {
    /// Counts a post. `row` is `None` if its text is not a string.
    pub(super) fn add(&mut self, at: &PostIn<'_>, row: Option<&RowBuilder<'_>>) {
        self.posts += 1;
        if self.posts <= SAMPLED {
            self.list(at.root, "", 1);
        }
        let Some(row) = row else { return self.found(Field::Text) };
        let cells = [
            (Field::Id, row.id.is_some()),
            (Field::CreatedAt, row.created_at.is_some() || (row.date.is_some() && row.time.is_some())),
            (Field::Text, row.text.is_some()),
            (Field::Author, row.author.is_some()),
            (Field::Label, row.label.is_some()),
            (Field::Topic, row.topic.is_some()),
            (Field::Lang, row.lang.is_some()),
            (Field::Reason, row.reason.is_some()),
            (Field::Incident, row.incident.is_some()),
        ];
        cells.into_iter().filter(|(_, is_there)| *is_there).for_each(|(field, _)| self.found(field));
    }

    /// Keeps the paths of a post's fields, if it is one of the first.
    pub(super) fn add_paths<'a>(&mut self, paths: impl Iterator<Item = (Field, &'a str)>) {
        if self.posts > SAMPLED {
            return;
        }
        for (field, path) in paths {
            if !self.paths.iter().any(|(known, _)| *known == field) {
                self.paths.push((field, path.to_owned()));
            }
        }
    }

    /// The path of each field, and the other keys.
    pub(super) fn describe(&self) -> (Vec<(Field, String)>, Vec<String>) {
        let is_used = |key: &&String| self.paths.iter().any(|(_, path)| path == *key);
        let unused = self.keys.iter().filter(|key| !is_used(key)).map(|key| describe_column(key)).collect();
        (self.paths.iter().map(|(field, path)| (*field, format!("{path:?}"))).collect(), unused)
    }

    fn found(&mut self, field: Field) {
        if !self.found.contains(&field) {
            self.found.push(field);
        }
    }

    /// The fields that no object has although they are mapped or required, and the keys that are there. `ended`: there are
    /// no more objects.
    pub(super) fn missing(
        &self,
        columns: &Columns,
        required: RequiredFields,
        ended: bool,
    ) -> Option<(Vec<MissingColumn>, Vec<String>)> {
        if self.posts == 0 || !(ended || self.posts >= MAX_POSTS) {
            return None;
        }
        let is_needed = |field| match field {
            Field::Text => true,
            Field::CreatedAt if required.created_at => true,
            Field::Label if required.label => true,
            Field::Topic => required.topic,
            _ => columns.mapped(field).is_some(),
        };
        let missing = Field::ALL.into_iter().filter(|field| is_needed(*field) && !self.found.contains(field));
        let missing: Vec<MissingColumn> = missing
            .map(|field| {
                let expected: Vec<String> = columns.names(field).map(str::to_owned).collect();
                let similar = most_similar(self.keys.iter().map(String::as_str), &expected);
                MissingColumn { field, similar: similar.filter(|key| is_shown(key)).map(str::to_owned), expected }
            })
            .collect();
        (!missing.is_empty()).then(|| (missing, self.keys.iter().map(|key| describe_column(key)).collect()))
    }

    fn list(&mut self, object: &Object, prefix: &str, depth: usize) {
        for (key, value) in object {
            let inner = match value {
                Value::Array(items) => items.first().and_then(Value::as_object).map(|item| (item, ".0")),
                Value::Object(object) => Some((object, "")),
                _ => None,
            };
            let path = format!("{prefix}{key}");
            match inner {
                Some((object, index)) if depth < MAX_DEPTH && !object.is_empty() => {
                    self.list(object, &format!("{path}{index}."), depth + 1);
                }
                _ if self.keys.len() < MAX_KEYS && !self.keys.contains(&path) => self.keys.push(path),
                _ => {}
            }
        }
    }
}
