//! [`Shape`]: how a file is read, for `vigie inspect`.

use super::columns::Field;

/// How a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// In words, e.g. "CSV, delimiter `;`".
    pub format: String,
    /// The column or the path of keys that each field is read from.
    pub fields: Vec<(Field, String)>,
    /// Columns or keys that no field is read from, safe to show.
    pub unused: Vec<String>,
}
