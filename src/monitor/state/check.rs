//! [`check`]: reads every record of a store and reports which are damaged.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::posts::erase::index_problem;
use super::schema;
use crate::store::{Key, Part, SCHEMA, Store, StoreError, Table, upgraded};

/// The contents of a store, and its problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreCheck {
    /// The layout version; none where nothing was ever stored.
    pub schema: Option<u32>,
    /// By the table's name.
    pub tables: BTreeMap<String, TableCheck>,
    pub problems: Vec<RecordProblem>,
    /// Why reading ended early, if it did.
    pub unread: Option<String>,
    /// Of all files in the directory.
    pub bytes_on_disk: u64,
}

/// How much a table holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TableCheck {
    pub records: u64,
    /// Of keys and values.
    pub bytes: u64,
}

/// A damaged record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordProblem {
    pub table: String,
    /// For people: names no author and no text.
    pub key: String,
    pub problem: String,
    /// What a repair removes; none where it makes an index again.
    #[serde(skip)]
    pub(in crate::monitor) record: Option<(Key, Vec<u8>)>,
}

impl StoreCheck {
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.unread.is_none()
    }
}

/// Reads every record of `store`, opened as is. The records of an older layout are checked as they would be upgraded.
///
/// # Errors
/// When the layout version is unknown, or the directory cannot be read.
pub fn check(store: &Store) -> Result<StoreCheck, StoreError> {
    // A version that cannot be read is one more problem, not the end of the check.
    let schema = store.schema().unwrap_or_default();
    let mut check = StoreCheck {
        schema,
        tables: BTreeMap::new(),
        problems: Vec::new(),
        unread: None,
        bytes_on_disk: store.size_on_disk()?,
    };
    if let Some(found) = schema.filter(|found| *found > SCHEMA) {
        return Err(StoreError::Schema { path: store.path().into(), found });
    }
    let reader = store.reader();
    let mut of_topics: Vec<(String, RecordProblem)> = Vec::new();
    let mut topics = BTreeSet::new();
    for record in store.records() {
        let (key, value) = match record {
            Ok(record) => record,
            Err(error) => {
                check.unread = Some(error.to_string());
                break;
            }
        };
        let table = key.table().map_or("unknown".into(), Table::name);
        let counted = check.tables.entry(table.clone()).or_default();
        counted.records += 1;
        counted.bytes += (key.as_bytes().len() + value.len()) as u64;
        let report = |problem: String| RecordProblem {
            table: table.clone(),
            key: schema::shown(&key),
            problem,
            record: Some((key.clone(), value.clone())),
        };
        let current = match schema {
            Some(found) if found < SCHEMA => upgraded(found, &key, &value),
            _ => Ok(value.clone()),
        };
        let read = match current {
            Ok(current) => schema::read(&key, &current),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok((Table::Topic, ..)) => {
                topics.insert(key.first_text());
            }
            Ok((table, parts, _)) if is_of_topic(table) => {
                // Alerts about vigie itself have no topic.
                if let Some(Part::Text(topic)) = parts.into_iter().next().filter(|part| *part != Part::Text("".into()))
                {
                    of_topics.push((topic, report("its topic is unknown".into())));
                }
            }
            Ok((table, ..)) => {
                let problem = index_problem(&reader.view(), table, &key, &value);
                check.problems.extend(problem.map(|problem| RecordProblem { record: None, ..report(problem) }));
            }
            Err(problem) => check.problems.push(report(problem)),
        }
    }
    if store.is_emptied()? {
        check.unread = Some("its files exist but hold nothing".into());
    }
    if check.unread.is_none() {
        let lost = of_topics.into_iter().filter(|(topic, _)| !topics.contains(topic));
        check.problems.extend(lost.map(|(_, problem)| problem));
    }
    Ok(check)
}

/// Tables whose records begin with a topic, which [`Table::Topic`] must know for them to be found again.
fn is_of_topic(table: Table) -> bool {
    let counted = matches!(table, Table::Bucket | Table::Seen | Table::Sample | Table::History);
    let described = matches!(table, Table::Cascade | Table::Author | Table::Words | Table::WordBaseline | Table::Word);
    counted || described || matches!(table, Table::RuleState | Table::Alert)
}
