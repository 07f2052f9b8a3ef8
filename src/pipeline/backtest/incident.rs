//! [`TrueIncident`]: a span of time in which an alert is expected, and the file that lists such spans.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// What rules are to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrueIncident {
    /// None where it concerns all topics.
    pub topic: Option<String>,
    pub begins: Timestamp,
    pub ends: Timestamp,
}

impl TrueIncident {
    pub(super) fn concerns(&self, topic: &str) -> bool {
        self.topic.as_deref().is_none_or(|own| own == topic)
    }
}

/// Why a list of incidents cannot be used. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    #[error("{} cannot be read: {cause}", path.display())]
    Read { path: PathBuf, cause: csv::Error },
    #[error("{} has no column {column}; expected a header `start,end` or `start,end,topic`", path.display())]
    Column { path: PathBuf, column: &'static str },
    #[error("{}, line {line}: {column} {found:?} is not a time; expected e.g. 2015-02-22T14:00:00Z", path.display())]
    Time { path: PathBuf, line: u64, column: &'static str, found: String },
    #[error("{}, line {line}: the incident ends before it begins", path.display())]
    Order { path: PathBuf, line: u64 },
    #[error("{} lists no incident", path.display())]
    Empty { path: PathBuf },
}

/// Reads a CSV file with the columns `start`, `end` and, where incidents concern one topic each, `topic`.
///
/// # Errors
/// When it cannot be read, or with the first line that is none.
pub fn read_incidents(path: &Path) -> Result<Vec<TrueIncident>, IncidentError> {
    let unreadable = |cause| IncidentError::Read { path: path.into(), cause };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(unreadable)?;
    let header = reader.headers().map_err(unreadable)?.clone();
    let place = |column: &str| header.iter().position(|name| name.eq_ignore_ascii_case(column));
    let expected = |column| place(column).ok_or(IncidentError::Column { path: path.into(), column });
    let (start, end, topic) = (expected("start")?, expected("end")?, place("topic"));
    let mut incidents = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let time = |index: usize, column| {
            let found = record.get(index).unwrap_or_default();
            found.parse().map_err(|_| IncidentError::Time { path: path.into(), line, column, found: found.into() })
        };
        let (begins, ends) = (time(start, "start")?, time(end, "end")?);
        if ends < begins {
            return Err(IncidentError::Order { path: path.into(), line });
        }
        let topic = topic.and_then(|index| record.get(index)).filter(|topic| !topic.is_empty()).map(str::to_owned);
        incidents.push(TrueIncident { topic, begins, ends });
    }
    if incidents.is_empty() { Err(IncidentError::Empty { path: path.into() }) } else { Ok(incidents) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<TrueIncident>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("incidents.csv");
        std::fs::write(&path, text).unwrap();
        read_incidents(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_read() {
        let found = read("topic,start,end\nUnited, 2015-02-22T14:00:00Z,2015-02-22T16:00:00+01:00\n,2015-02-23T00:00:00Z,2015-02-23T01:00:00Z\n").unwrap();
        assert_eq!((found[0].topic.as_deref(), found[1].topic.as_deref()), (Some("United"), None));
        assert_eq!(found[0].ends.to_string(), "2015-02-22T15:00:00Z");
        assert!(found[0].concerns("United") && !found[0].concerns("Delta") && found[1].concerns("Delta"));
    }

    #[test]
    fn faults_are_named() {
        for (text, expected) in [
            ("begin,end\na,b\n", "no column start"),
            ("start,end\n2015-02-22T14:00:00Z,tomorrow\n", "line 2: end \"tomorrow\" is not a time"),
            ("start,end\n2015-02-22T14:00:00Z,2015-02-22T13:00:00Z\n", "line 2: the incident ends before it begins"),
            ("start,end\n", "lists no incident"),
            ("start,end\n2015-02-22T14:00:00Z\n", "cannot be read"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected) && error.contains("incidents.csv"), "{error}");
        }
        assert!(read_incidents(Path::new("gone.csv")).unwrap_err().to_string().contains("gone.csv"));
    }
}
