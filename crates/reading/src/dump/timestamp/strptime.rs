//! [`TimeFormat`]: times in the format of `--time-format`.

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;
use jiff::{Timestamp, civil};

use crate::dump::options_error::OptionsError;

/// The directives that are read. `jiff` has more: they are not understood by everybody, or would be ignored.
const DIRECTIVES: &str = "%AaBbhDdeFfHIjklMmNnPpRSsTtYyz";

/// A strptime format such as `%d/%m/%Y %H:%M`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeFormat(String);

/// A time in the format.
pub(super) enum FormattedTime {
    Instant(Timestamp),
    /// The format has no offset.
    Civil(DateTime),
}

impl TimeFormat {
    /// Checks that a time written in this format can be read again.
    pub(super) fn new(format: &str) -> Result<Self, OptionsError> {
        let invalid = |cause: String| OptionsError::TimeFormat(format.to_owned(), cause);
        if let Some(directive) = unknown_directive(format) {
            return Err(invalid(format!("unknown directive `{directive}`")));
        }
        let error = |cause: jiff::Error| invalid(cause.to_string());
        let sample = civil::datetime(2015, 2, 24, 11, 35, 52, 0);
        let sample = Offset::UTC.to_timestamp(sample).map_err(error)?;
        let written = BrokenDownTime::from(sample).to_string(format).map_err(error)?;
        let read = BrokenDownTime::parse(format, written).map_err(error)?;
        read.to_timestamp().map(|_| ()).or_else(|_| read.to_date().map(|_| ())).map_err(error)?;
        Ok(Self(format.to_owned()))
    }

    /// `None` if the text does not have the format.
    pub(super) fn parse(&self, text: &str) -> Option<FormattedTime> {
        let read = BrokenDownTime::parse(&self.0, text).ok()?;
        if let Ok(instant) = read.to_timestamp() {
            return Some(FormattedTime::Instant(instant));
        }
        let civil = read.to_datetime().or_else(|_| read.to_date().map(DateTime::from)).ok()?;
        Some(FormattedTime::Civil(civil))
    }
}

/// The first directive that is not read.
fn unknown_directive(format: &str) -> Option<String> {
    let mut rest = format;
    while let Some((_, directive)) = rest.split_once('%') {
        let flags = directive.find(|c: char| !"_-0^#.:123456789".contains(c)).unwrap_or(directive.len());
        let (flags, tail) = directive.split_at_checked(flags)?;
        let Some(letter) = tail.chars().next() else { return Some(format!("%{flags}")) };
        let known = DIRECTIVES.contains(letter) && (letter == 'z' || !flags.contains(':'));
        if !known {
            return Some(format!("%{flags}{letter}"));
        }
        rest = tail.get(letter.len_utf8()..)?;
    }
    None
}
