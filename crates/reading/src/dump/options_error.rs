//! [`OptionsError`]: a wrong option of a dump reader, or a wrong flag that sets one.

/// A fault in [`ReadOptions`] or in a flag that makes one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error("delimiter {0:?}: wanted one ASCII character that is neither a quote nor a line end, such as \";\"")]
    Delimiter(char),
    #[error("time_format {0:?}: {1}; wanted a strptime format such as \"%d/%m/%Y %H:%M\"")]
    TimeFormat(String, String),
    #[error("layout {0:?}: wanted one of auto, csv, sentiment140, x_jsonl")]
    Layout(String),
    #[error("encoding {0:?}: wanted one of auto, utf-8, latin-1")]
    Encoding(String),
    #[error("columns: {0:?} is no FIELD=COLUMN pair; wanted such as \"text=body,created_at=when\"")]
    Pair(String),
    #[error(
        "columns: unknown field {0:?}; wanted one of id, created_at, text, author, label, topic, lang, reason, incident"
    )]
    Field(String),
    #[error("columns: {0:?} is mapped twice")]
    Twice(String),
}
