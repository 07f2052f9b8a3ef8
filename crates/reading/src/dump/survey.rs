//! [`Survey`]: a first look at the start of an input, or at all of it, for what single rows do not say: whether the day or the
//! month is first, what numbers in the label column mean, whether identifiers were rounded. Before the reader's own pass.

use std::collections::HashMap;
use std::hash::Hasher;

use twox_hash::XxHash64;

use super::error::DumpError;
use super::event_time::TimeCells;
use super::ids;
use super::ids::{IdCell, IdEvidence};
use super::labels::{LabelEvidence, Scale};
use super::options::Layout;
use super::row_builder::RowRules;
use super::timestamp::{OrderEvidence, TimeRules};

/// Identifiers that are remembered to find equal ones.
const MAX_IDS: usize = 20_000;
/// So many rows may share the identifier of another post before it is worth a word.
const MAX_CLASHES: u64 = 3;

/// What the rows of an input say together.
#[derive(Debug, Clone, Default)]
pub(super) struct Survey {
    pub(super) rows: u64,
    pub(super) order: OrderEvidence,
    pub(super) labels: LabelEvidence,
    pub(super) ids: IdEvidence,
    /// Hashes of author and text by identifier.
    posts: HashMap<String, (u64, u64)>,
    clashes: u64,
}

/// The cells of a row that a survey looks at, trimmed; empty ones are `None`.
#[derive(Debug, Clone, Copy)]
pub(super) struct SurveyedCells<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) times: TimeCells<'a>,
    pub(super) label: Option<&'a str>,
    pub(super) author: Option<&'a str>,
    pub(super) text: &'a str,
}

impl Survey {
    pub(super) fn look_at(&mut self, cells: SurveyedCells<'_>, rules: &TimeRules) {
        self.rows += 1;
        cells.times.look_at(rules, &mut self.order);
        if let Some(label) = cells.label {
            self.labels.add(label);
        }
        if let Some(id) = cells.id {
            self.ids.add(id);
            // A rounded one is not compared: it gets another note.
            if ids::read(id, false) != IdCell::Rounded {
                self.compare_posts(id, hash(cells.author.unwrap_or_default()), hash(cells.text));
            }
        }
    }

    /// A post that occurs twice keeps its author, and an edited one too.
    fn compare_posts(&mut self, id: &str, author: u64, text: u64) {
        match self.posts.get(id) {
            Some((first_author, first_text)) => {
                self.clashes += u64::from(*first_author != author && *first_text != text);
            }
            None if self.posts.len() < MAX_IDS => {
                self.posts.insert(id.to_owned(), (author, text));
            }
            None => {}
        }
    }

    /// Whether more rows may say how to read dates or numeric labels.
    pub(super) fn leaves_a_doubt(&self, labels_are_known: bool) -> bool {
        self.rows == 0 || self.order.doubt().is_some() || (self.labels.is_needed() && !labels_are_known)
    }

    /// Sets how the rows are read, and returns the decisions in words.
    ///
    /// # Errors
    /// When dates or labels are needed, and the rows leave it open how to read them.
    pub(super) fn decide(&self, name: &str, layout: Layout, rules: &mut RowRules) -> Result<Vec<String>, DumpError> {
        let mut remarks = Vec::new();
        rules.long_ids_are_rounded = self.ids.long_are_rounded();
        rules.times.set_order(self.order.order());
        match self.order.doubt() {
            Some(doubt) if rules.required.created_at => {
                return Err(DumpError::AmbiguousDates { name: name.to_owned(), doubt: Box::new(doubt) });
            }
            Some(doubt) => remarks.push(format!("dates are not read: {doubt}")),
            None => remarks.extend(self.order.remark()),
        }
        // A layout without a header says what its numbers mean.
        let scale = if layout == Layout::Sentiment140 { Ok(Scale::ZeroTwoFour) } else { self.labels.scale() };
        match scale {
            _ if rules.labels.is_mapped() => {}
            Ok(scale) => {
                rules.labels.set_scale(scale);
                remarks.extend(scale.remark().filter(|_| layout != Layout::Sentiment140));
            }
            Err(cause) if rules.required.label => {
                return Err(DumpError::AmbiguousLabels { name: name.to_owned(), cause });
            }
            Err(cause) => remarks.push(format!("labels are not read: {cause}")),
        }
        remarks.extend(self.clash_remark().filter(|_| !rules.long_ids_are_rounded));
        Ok(remarks)
    }

    /// A sentence about identifiers that different posts share, which are not rounded ones.
    fn clash_remark(&self) -> Option<String> {
        (self.clashes > MAX_CLASHES).then(|| {
            format!(
                "{} rows at the start have the id of a row with another author and text, and count as its duplicates; \
                 is another column the id (--columns id=NAME)?",
                self.clashes
            )
        })
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = XxHash64::with_seed(0);
    hasher.write(text.as_bytes());
    hasher.finish()
}
