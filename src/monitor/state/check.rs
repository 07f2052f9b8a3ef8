//! [`check`]: reads every record of a store and tells which are not as they should be.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::schema;
use crate::store::{Key, Part, SCHEMA, Store, StoreError, Table, upgraded};

/// What a store holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The layout version; none where nothing was ever stored.
    pub schema: Option<u32>,
    /// By the table's name.
    pub tables: BTreeMap<String, TableCheck>,
    pub faults: Vec<Fault>,
    /// Why the reading ended early, where it did.
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

/// A record that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub table: String,
    /// For people: names no author and no text.
    pub key: String,
    pub problem: String,
    #[serde(skip)]
    pub(in crate::monitor) record: (Key, Vec<u8>),
}

impl Check {
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.unread.is_none()
    }
}

/// Reads every record of `store`, opened as it is. One of an older layout is checked as it would be upgraded.
///
/// # Errors
/// When the layout is of a newer version, or the directory cannot be read.
pub fn check(store: &Store) -> Result<Check, StoreError> {
    // A schema that cannot be read is one more fault, not the end of the check.
    let schema = store.schema().unwrap_or_default();
    let mut check = Check {
        schema,
        tables: BTreeMap::new(),
        faults: Vec::new(),
        unread: None,
        bytes_on_disk: store.size_on_disk()?,
    };
    if let Some(found) = schema.filter(|found| *found > SCHEMA) {
        return Err(StoreError::Schema { path: store.path().into(), found });
    }
    let mut of_topics: Vec<(String, Fault)> = Vec::new();
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
        let fault = |problem: String| Fault {
            table: table.clone(),
            key: schema::shown(&key),
            problem,
            record: (key.clone(), value.clone()),
        };
        let present = match schema {
            Some(found) if found < SCHEMA => upgraded(found, &key, &value),
            _ => Ok(value.clone()),
        };
        let read = match present {
            Ok(present) => schema::read(&key, &present),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok((Table::Topic, ..)) => {
                topics.insert(key.first_text());
            }
            Ok((table, parts, _)) if is_of_topic(table) => {
                // Alerts about vigie itself belong to none.
                if let Some(Part::Text(topic)) = parts.into_iter().next().filter(|part| *part != Part::Text("".into()))
                {
                    of_topics.push((topic, fault("its topic is unknown".into())));
                }
            }
            Ok(_) => {}
            Err(problem) => check.faults.push(fault(problem)),
        }
    }
    if store.is_emptied()? {
        check.unread = Some("its files are there and hold nothing".into());
    }
    if check.unread.is_none() {
        check.faults.extend(of_topics.into_iter().filter(|(topic, _)| !topics.contains(topic)).map(|(_, fault)| fault));
    }
    Ok(check)
}

/// Tables whose records begin with a topic, which [`Table::Topic`] must know for them to be found again.
fn is_of_topic(table: Table) -> bool {
    let counted = matches!(table, Table::Bucket | Table::Seen | Table::Sample | Table::History);
    let told = matches!(table, Table::Cascade | Table::Words | Table::UsualWords | Table::Word);
    counted || told || matches!(table, Table::Tracker | Table::Alert)
}
