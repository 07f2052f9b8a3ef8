//! [`Dataset`]: labelled posts of a dump, cleaned; all of them, or the earlier or later part. First step of fit and
//! evaluate.

use std::collections::HashSet;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use vigie_reading::classify::{Label, normalise_reason};
use vigie_reading::dump::{
    DumpError, DumpReader, Inputs, ReadOptions, Reject, RequiredFields, TimeSpan, TooManyRejects,
};
use vigie_reading::text;
use vigie_reading::text::Profile;

/// Which posts of a dump. Shares are in (0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subset {
    All,
    /// The earliest share by event time. With [`Subset::Last`] of the rest it makes the whole, without overlap.
    First(f64),
    /// The latest share by event time.
    Last(f64),
    /// A share drawn by text: equal texts, ignoring case, are on the same side.
    Sampled(f64),
    /// What [`Subset::Sampled`] of the same share leaves.
    Unsampled(f64),
}

/// A post to learn from or to evaluate on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledPost {
    /// Cleaned, not empty.
    pub text: String,
    pub label: Label,
    /// Why a negative post is negative, if the dump says; as `normalise_reason` of `classify` writes it.
    pub reason: Option<String>,
}

/// Labelled posts of a dump: in order of event time for a subset by time, otherwise in the dump's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    pub posts: Vec<LabelledPost>,
    /// Rows that could not be read or have no label.
    pub rejected: u64,
    /// Of the raw bytes of the dump's files, in hex.
    pub sha256: String,
}

/// Why a dump gives no dataset.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error(transparent)]
    Source(#[from] DumpError),
    #[error(transparent)]
    Rejects(#[from] TooManyRejects),
    #[error("{name} has no labelled post in the selected subset: {rejected} rows were rejected{}", first.as_deref().unwrap_or_default())]
    Empty { name: String, rejected: u64, first: Option<String> },
}

impl Dataset {
    /// Reads the labelled posts of `input`. A subset by time needs an event time on every row. Posts dated far outside the
    /// others are left out, unless the options keep them.
    pub fn read(input: &Inputs, options: &ReadOptions, subset: Subset, profile: Profile) -> Result<Self, DatasetError> {
        let needs = RequiredFields { label: true, created_at: subset.is_by_time(), ..RequiredFields::default() };
        let mut reader = DumpReader::open(input, options, needs)?;
        let (mut posts, mut rejected, mut first) = (Vec::new(), 0, None);
        let mut span = TimeSpan::default();
        while let Some(row) = reader.next_row()? {
            match row {
                Ok(row) => {
                    let text = text::clean(profile, &row.text);
                    row.created_at.into_iter().for_each(|time| span.add(time, row.line));
                    if let Some(label) = row.label.as_deref().and_then(Label::parse).filter(|_| !text.is_empty()) {
                        let reason = row.reason.as_deref().map(normalise_reason);
                        let reason = reason.filter(|reason| label == Label::Negative && !reason.is_empty());
                        posts.push((row.created_at, LabelledPost { text, label, reason }));
                    }
                }
                Err(reject) => {
                    rejected += 1;
                    first.get_or_insert_with(|| describe_reject(&reject));
                }
            }
        }
        if let Some(times) = span.plausible(options.keep_outliers) {
            if let Some(remark) = times.remark("left out (--keep-outliers uses them)") {
                tracing::warn!(file = reader.name(), "{remark}");
            }
            posts.retain(|(time, _)| times.contains(*time));
        }
        let posts = subset.select(posts);
        if posts.is_empty() {
            return Err(DatasetError::Empty { name: reader.name(), rejected, first });
        }
        // Before anything is learned from what is left.
        reader.rejects().check(options.max_rejects)?;
        Ok(Self { posts, rejected, sha256: reader.fingerprint().unwrap_or_default() })
    }

    /// Removes every post whose text, ignoring case, is in one of `sets`; returns how many.
    pub fn drop_texts_of<'a>(&mut self, sets: impl IntoIterator<Item = &'a Self>) -> usize {
        let key = |text: &str| text.to_lowercase();
        let texts: HashSet<String> = sets.into_iter().flat_map(|set| set.texts()).map(key).collect();
        let before = self.posts.len();
        self.posts.retain(|post| !texts.contains(&key(&post.text)));
        before - self.posts.len()
    }

    pub fn labels(&self) -> Vec<Label> {
        self.posts.iter().map(|post| post.label).collect()
    }

    pub fn texts(&self) -> Vec<&str> {
        self.posts.iter().map(|post| post.text.as_str()).collect()
    }
}

pub(crate) fn describe_reject(reject: &Reject) -> String {
    let file = reject.file.as_ref().map(|file| format!(" of {file}")).unwrap_or_default();
    format!("; the first at line {}{file}: {}", reject.line, reject.detail)
}

impl Subset {
    fn is_by_time(self) -> bool {
        matches!(self, Self::First(_) | Self::Last(_))
    }

    /// Posts written at the same time keep the dump's order, so that two subsets never share a post.
    fn select(self, mut posts: Vec<(Option<Timestamp>, LabelledPost)>) -> Vec<LabelledPost> {
        match self {
            Self::Sampled(share) => posts.retain(|(_, post)| is_drawn(&post.text, share)),
            Self::Unsampled(share) => posts.retain(|(_, post)| !is_drawn(&post.text, share)),
            Self::All | Self::First(_) | Self::Last(_) => {}
        }
        if self.is_by_time() {
            posts.sort_by_key(|(created_at, _)| *created_at);
        }
        let count = posts.len();
        let (skipped, taken) = match self {
            Self::All | Self::Sampled(_) | Self::Unsampled(_) => (0, count),
            Self::First(share) => (0, share_of(share, count)),
            Self::Last(share) => (share_of(1.0 - share, count), count),
        };
        posts.into_iter().skip(skipped).take(taken).map(|(_, post)| post).collect()
    }
}

/// By eight bytes of the text's hash that neither calibration nor cross-validation uses.
fn is_drawn(text: &str, share: f64) -> bool {
    let digest: [u8; 32] = Sha256::digest(text.to_lowercase()).into();
    let drawn = digest.iter().skip(8).take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let drawn = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
    drawn < share
}

/// Rounded down, except for what binary fractions lose.
fn share_of(share: f64, count: usize) -> usize {
    (share * count as f64 + 1e-6) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(csv: &str, subset: Subset) -> Result<Dataset, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, csv.as_bytes()).unwrap();
        let input = Inputs::expand(&[file.path()]).unwrap();
        Dataset::read(&input, &ReadOptions::default(), subset, Profile::Transformer).map_err(|error| error.to_string())
    }

    const CSV: &str = "created_at,label,text
2015-02-19T00:00:00Z,negative,third
2015-02-17T00:00:00Z,positive,first https://t.co/a
2015-02-18T00:00:00Z,neutral,second @united
2015-02-18T00:00:00Z,,no label
2015-02-20T00:00:00Z,negative,fourth
2015-02-21T00:00:00Z,negative,fifth
";

    fn texts(subset: Subset) -> Vec<String> {
        read(CSV, subset).unwrap().posts.into_iter().map(|post| post.text).collect()
    }

    #[test]
    fn the_whole_is_in_the_order_of_the_dump_and_cleaned() {
        assert_eq!(texts(Subset::All), ["third", "first http", "second @user", "fourth", "fifth"]);
        let dataset = read(CSV, Subset::All).unwrap();
        assert_eq!((dataset.rejected, dataset.posts[0].label, dataset.sha256.len()), (1, Label::Negative, 64));
    }

    #[test]
    fn parts_are_cut_by_time() {
        assert_eq!(texts(Subset::First(0.8)), ["first http", "second @user", "third", "fourth"]);
        assert_eq!(texts(Subset::Last(0.2)), ["fifth"]);
    }

    #[test]
    fn a_dump_without_labels_is_named() {
        let message = read("label,text\n,a\nwonderful,b\n", Subset::All).unwrap_err();
        assert!(message.contains("2 rows were rejected; the first at line 2 of "), "{message}");
        assert!(read("text\na\n", Subset::All).unwrap_err().contains("no column for label"));
        assert!(read("label,text\nneutral,a\n", Subset::Last(0.2)).unwrap_err().contains("no column for created_at"));
    }

    #[test]
    fn a_sample_keeps_equal_texts_together_and_has_about_the_requested_size() {
        let post = |i: usize| {
            let text = if i.is_multiple_of(2) { format!("late {}", i / 2) } else { format!("LATE {}", i / 2) };
            (None, LabelledPost { text, label: Label::Neutral, reason: None })
        };
        let posts: Vec<_> = (0..2000).map(post).collect();
        let texts = |subset: Subset| -> std::collections::BTreeSet<String> {
            subset.select(posts.clone()).into_iter().map(|post| post.text.to_lowercase()).collect()
        };
        let (drawn, rest) = (texts(Subset::Sampled(0.2)), texts(Subset::Unsampled(0.2)));
        assert!(drawn.is_disjoint(&rest) && drawn.len() + rest.len() == 1000);
        assert!((150..250).contains(&drawn.len()), "{}", drawn.len());
    }

    proptest! {
        #[test]
        fn the_two_parts_make_the_whole(percent in 1_u32..100, count in 0_usize..300) {
            let share = f64::from(percent) / 100.0;
            let post = |i: usize| {
                let at = Timestamp::from_second((i * 7 % 5) as i64).ok();
                (at, LabelledPost { text: i.to_string(), label: Label::Neutral, reason: None })
            };
            let posts: Vec<_> = (0..count).map(post).collect();
            let mut parts = Subset::First(share).select(posts.clone());
            parts.extend(Subset::Last(1.0 - share).select(posts.clone()));
            let mut sorted = posts;
            sorted.sort_by_key(|(at, _)| *at);
            prop_assert_eq!(parts, sorted.into_iter().map(|(_, post)| post).collect::<Vec<_>>());
        }
    }
}
