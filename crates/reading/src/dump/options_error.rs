//! [`OptionsError`]: an invalid read option, from the configuration or from a flag.

/// An invalid value in [`ReadOptions`](super::ReadOptions) or in a flag that sets one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error("delimiter {0:?}: expected one ASCII character except quotes and line ends, e.g. \";\"")]
    Delimiter(char),
    #[error("quote {0:?}: expected `none` or one ASCII punctuation mark that is not the delimiter, e.g. \"'\"")]
    Quote(String),
    #[error("escape {0:?}: expected one ASCII punctuation mark that is neither quote nor delimiter, e.g. \"\\\\\"")]
    Escape(char),
    #[error("header {0:?}: expected auto or none")]
    Header(String),
    #[error("time_format {0:?}: {1}; expected a strptime format, e.g. \"%d/%m/%Y %H:%M\"")]
    TimeFormat(String, String),
    #[error("time_zone {0:?}: expected the name of a time zone, e.g. \"Europe/Paris\", or an offset, e.g. \"+02:00\"")]
    TimeZone(String),
    #[error(
        "labels_map {0:?}: expected VALUE=LABEL pairs with the labels negative, neutral, positive or none, \
         e.g. 0=negative,1=positive or <=-0.05=negative,>=0.05=positive,*=neutral"
    )]
    LabelsMap(String),
    #[error("max_rejects {0:?}: expected a share such as 0.9 or 90%, or a number of rows such as 1000")]
    MaxRejects(String),
    #[error(
        "layout {0:?}: expected one of auto, csv, sentiment140, json, x_v2, x_v1, twarc2, x_archive, snscrape, twint, reddit, \
         mastodon, bluesky, telegram, facebook, youtube, mongoexport, zeeschuimer, elasticsearch"
    )]
    Layout(String),
    #[error("encoding {0:?}: expected one of auto, utf-8, latin-1")]
    Encoding(String),
    #[error("columns: {0:?} is not a FIELD=COLUMN pair; expected e.g. \"text=body,created_at=when\"")]
    Pair(String),
    #[error(
        "columns: unknown field {0:?}; expected one of id, created_at, text, author, label, topic, lang, reason, incident"
    )]
    Field(String),
    #[error("columns: {0:?} is mapped twice")]
    Duplicate(String),
}
