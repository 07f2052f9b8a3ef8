//! What truly happened: the incidents of `truth.csv`.

use std::path::Path;

use jiff::Timestamp;

/// How much an incident matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// A team should hear of it.
    Warning,
    /// Too small or too short to be missed; an alert about it is not false.
    Info,
    /// Nobody can say: an alert is neither right nor false.
    Unscored,
}

pub(crate) struct Incident {
    pub(crate) topic: String,
    pub(crate) begins: Timestamp,
    pub(crate) ends: Timestamp,
    pub(crate) severity: Severity,
}

pub(crate) fn read(path: &Path) -> Vec<Incident> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let incident = |row: csv::StringRecord| Incident {
        topic: row[0].to_owned(),
        begins: row[1].parse().unwrap(),
        ends: row[2].parse().unwrap(),
        severity: match &row[3] {
            "warning" => Severity::Warning,
            "info" => Severity::Info,
            "unscored" => Severity::Unscored,
            other => panic!("{other}: no severity"),
        },
    };
    reader.records().map(|row| incident(row.unwrap())).collect()
}
