//! What holds for every row of every input, for the targets that read rows.

use vigie::dump::{Reader, RequiredFields};

/// Reads to the end: each record is a row with what is needed, or a reject, and lines only grow.
pub fn read_all(reader: &mut Reader, needs: RequiredFields) {
    let mut last = 0;
    while let Ok(Some(read)) = reader.next_row() {
        let line = match read {
            Ok(row) => {
                assert!(!row.text.trim().is_empty(), "a row without text");
                assert!(row.created_at.is_some() || !needs.created_at, "a row without its time");
                assert!(row.label.is_some() || !needs.label, "a row without its label");
                row.line
            }
            Err(reject) => reject.line,
        };
        assert!(line >= last, "line {line} after line {last}");
        last = line;
    }
    assert!(reader.notes().sentences().iter().all(|note| !note.is_empty()));
}
