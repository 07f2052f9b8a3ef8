//! [`RejectSummary`]: how many rows of an input were rejected, why, and which one was the first. Every reader counts; a batch
//! command ends with an error when it is too much.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::max_rejects::MaxRejects;
use super::reject::{Reject, RejectReason};

/// The rejects of an input so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectSummary {
    /// The name of the input.
    pub name: String,
    /// Rows read, rejected ones included.
    pub rows: u64,
    pub counts: BTreeMap<RejectReason, u64>,
    /// File, line and detail of the first one.
    first: Option<(Option<Arc<str>>, u64, String)>,
}

impl RejectSummary {
    pub fn new(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// Counts a row that was read.
    pub fn add_row(&mut self) {
        self.rows += 1;
    }

    /// Counts a rejected row.
    pub fn add(&mut self, reject: &Reject) {
        self.rows += 1;
        *self.counts.entry(reject.reason).or_default() += 1;
        self.first.get_or_insert_with(|| (reject.file.clone(), reject.line, reject.detail.clone()));
    }

    pub fn rejected(&self) -> u64 {
        self.counts.values().sum()
    }

    /// # Errors
    /// When more rows were rejected than `max` allows.
    pub fn check(&self, max: MaxRejects) -> Result<(), TooManyRejects> {
        if max.is_exceeded(self.rejected(), self.rows) {
            return Err(TooManyRejects { summary: Box::new(self.clone()), max });
        }
        Ok(())
    }
}

impl fmt::Display for RejectSummary {
    /// `3 of 10 rows of tweets.csv were rejected: 2 time, 1 empty_text; the first at line 3: created_at is missing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<String> = self.counts.iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
        let were = if self.rejected() == 1 { "was" } else { "were" };
        write!(f, "{} of {} rows of {} {were} rejected: ", self.rejected(), self.rows, self.name)?;
        f.write_str(&reasons.join(", "))?;
        match &self.first {
            // The name of a single file stands before.
            Some((Some(file), line, detail)) if **file != *self.name => {
                write!(f, "; the first at line {line} of {file}: {detail}")
            }
            Some((_, line, detail)) => write!(f, "; the first at line {line}: {detail}"),
            None => Ok(()),
        }
    }
}

/// More rows were rejected than allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{summary}; more than {max} is too much for a result that can be trusted (--max-rejects decides)")]
pub struct TooManyRejects {
    summary: Box<RejectSummary>,
    max: MaxRejects,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reject_is_named_and_too_many_are_an_error() {
        let mut summary = RejectSummary::new("tweets.csv".into());
        let reject = |line, reason| Reject { file: None, line, reason, detail: "why".into(), row: String::new() };
        summary.add(&reject(3, RejectReason::Time));
        summary.add_row();
        assert_eq!(summary.check(MaxRejects::default()), Ok(()));
        summary.add(&reject(5, RejectReason::EmptyText));
        let text = "2 of 3 rows of tweets.csv were rejected: 1 time, 1 empty_text; the first at line 3: why";
        assert_eq!(summary.to_string(), text);
        let error = summary.check(MaxRejects::default()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{text}; more than 50% is too much for a result that can be trusted (--max-rejects decides)")
        );
        assert_eq!(summary.check(MaxRejects::Count(2)), Ok(()));
    }
}
