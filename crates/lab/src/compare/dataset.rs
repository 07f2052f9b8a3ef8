//! [`ComparisonData`]: training and test posts of a comparison, the same rows for every run, cleaned once per profile.
//! First step of the grid.
//!
//! A row that consists of symbols only is empty for word vectors and not for an encoder. It is kept as an empty text:
//! runs scored on different rows could not be compared.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Split;
use crate::dataset::describe_reject;
use vigie_reading::classify::Label;
use vigie_reading::dump::{DumpError, DumpReader, Inputs, ReadOptions, RequiredFields, TimeSpan, TooManyRejects};
use vigie_reading::text;
use vigie_reading::text::Profile;

/// Where the posts come from.
#[derive(Debug, Clone)]
pub enum InputDumps {
    /// One dump for training, one for testing.
    Pair { train: Inputs, test: Inputs },
    /// A single dump, of which `test_share` of the rows, in (0, 1), is the test set. If `split` is unset, it is by time
    /// if every row has one, otherwise random.
    Single { dump: Inputs, split: Option<Split>, test_share: f64 },
}

/// The data of a comparison.
#[derive(Debug)]
pub struct ComparisonData {
    pub train: CleanedPosts,
    pub test: CleanedPosts,
    /// Further texts that word vectors may learn from, cleaned by [`Profile::Words`].
    pub corpus: Vec<String>,
    pub summary: DataSummary,
}

/// Posts in both cleanings; each list has one entry per post.
#[derive(Debug, Default)]
pub struct CleanedPosts {
    pub labels: Vec<Label>,
    /// By [`Profile::Words`]; may be empty.
    pub words: Vec<String>,
    /// By [`Profile::Transformer`]; not empty.
    pub transformer: Vec<String>,
}

/// The data as a report describes it. Counts are rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSummary {
    pub files: Vec<FileSummary>,
    /// How a single dump was split; `null` for two dumps.
    pub split: Option<Split>,
    pub train: SideSummary,
    pub test: SideSummary,
    /// Training rows dropped because their text, ignoring case, is in the test set.
    pub dropped_as_test_text: u64,
    /// Further texts for word vectors, without test texts and empty ones.
    pub corpus_texts: u64,
}

/// A dump that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileSummary {
    /// `train`, `test`, `train and test` or `corpus`.
    pub role: &'static str,
    /// As on the command line.
    pub path: String,
    /// Of its raw bytes, in hex.
    pub sha256: String,
    pub rows: u64,
    /// Records that could not be read, or have no label where one is needed.
    pub rejected: u64,
    /// Rows that are empty after cleaning.
    pub empty: u64,
}

/// One side of the split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideSummary {
    pub rows: u64,
    pub classes: BTreeMap<Label, u64>,
    /// Over the cleaned texts and their labels, in hex, by profile: see [`CleanedPosts::fingerprint`].
    pub sha256: BTreeMap<&'static str, String>,
}

/// Why there is nothing to compare on.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error(transparent)]
    Source(#[from] DumpError),
    #[error(transparent)]
    Rejects(#[from] TooManyRejects),
    #[error("{name} has no labelled post: {rejected} rows were rejected{}", first.as_deref().unwrap_or_default())]
    NoPost { name: String, rejected: u64, first: Option<String> },
    #[error("{name} has one labelled post; expected two or more, to train on one part and test on the other")]
    OnePost { name: String },
    #[error("every training post is also in the test set: name different dumps for --train and --test")]
    NothingLeft,
    #[error("all {rows} training posts are {}; expected two classes or more{hint}", label.as_str())]
    OneClass { rows: usize, label: Label, hint: &'static str },
}

impl ComparisonData {
    /// Reads the dumps and, for word vectors, `corpus`, whose labels do not matter.
    pub fn read(dumps: &InputDumps, corpus: &[Inputs], options: &ReadOptions, seed: u64) -> Result<Self, DataError> {
        let (mut train, test, split, mut files) = match dumps {
            InputDumps::Pair { train, test } => {
                let (train, test) = (
                    LabelledDump::read(train, options, "train", false)?,
                    LabelledDump::read(test, options, "test", false)?,
                );
                (train.rows, test.rows, None, vec![train.summary, test.summary])
            }
            InputDumps::Single { dump, split, test_share } => {
                let dump = LabelledDump::read(dump, options, "train and test", *split == Some(Split::Time))?;
                let split = split.unwrap_or_else(|| dump.default_split());
                let summary = dump.summary.clone();
                let (train, test) = dump.split_rows(split, *test_share, seed)?;
                (train, test, Some(split), vec![summary])
            }
        };
        let held_out: HashSet<String> = test.iter().map(|row| row.transformer.to_lowercase()).collect();
        let before = train.len();
        train.retain(|row| !held_out.contains(&row.transformer.to_lowercase()));
        check(&train, split)?;
        let (texts, read) = read_corpus(corpus, options, &held_out)?;
        files.extend(read);
        let dropped_as_test_text = (before - train.len()) as u64;
        let (train, test) = (CleanedPosts::from_rows(train), CleanedPosts::from_rows(test));
        let corpus_texts = texts.len() as u64;
        let summary = DataSummary {
            files,
            split,
            train: train.summary(),
            test: test.summary(),
            dropped_as_test_text,
            corpus_texts,
        };
        Ok(Self { train, test, corpus: texts, summary })
    }
}

impl CleanedPosts {
    fn from_rows(rows: Vec<CleanedRow>) -> Self {
        let mut side = Self::default();
        for row in rows {
            side.labels.push(row.label);
            side.words.push(row.words);
            side.transformer.push(row.transformer);
        }
        side
    }

    pub fn texts(&self, profile: Profile) -> Vec<&str> {
        let texts = match profile {
            Profile::Transformer => &self.transformer,
            Profile::Classic | Profile::Words => &self.words,
        };
        texts.iter().map(String::as_str).collect()
    }

    /// SHA-256, in hex, over `label TAB text LF` of every post in order: the same rows with the same cleaning have the
    /// same fingerprint, whatever file they came from.
    pub fn fingerprint(&self, profile: Profile) -> String {
        let mut hasher = Sha256::new();
        for (label, text) in self.labels.iter().zip(self.texts(profile)) {
            for part in [label.as_str(), "\t", text, "\n"] {
                hasher.update(part);
            }
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn summary(&self) -> SideSummary {
        let mut classes = BTreeMap::new();
        for label in &self.labels {
            *classes.entry(*label).or_default() += 1;
        }
        let sha256 = [("words", Profile::Words), ("transformer", Profile::Transformer)];
        SideSummary {
            rows: self.labels.len() as u64,
            classes,
            sha256: sha256.map(|(name, profile)| (name, self.fingerprint(profile))).into(),
        }
    }
}

/// A labelled row in both cleanings.
struct CleanedRow {
    label: Label,
    created_at: Option<Timestamp>,
    words: String,
    transformer: String,
}

/// A labelled dump.
struct LabelledDump {
    rows: Vec<CleanedRow>,
    summary: FileSummary,
}

impl LabelledDump {
    fn read(input: &Inputs, options: &ReadOptions, role: &'static str, timed: bool) -> Result<Self, DataError> {
        let needs = RequiredFields { label: true, created_at: timed, ..RequiredFields::default() };
        let (raw, mut summary, first) = read(input, options, role, needs)?;
        let count = raw.len();
        let clean = |(label, created_at, text): RawRow| {
            let transformer = text::clean(Profile::Transformer, &text);
            let words = text::clean(Profile::Words, &text);
            label.filter(|_| !transformer.is_empty()).map(|label| CleanedRow { label, created_at, words, transformer })
        };
        let rows: Vec<CleanedRow> = raw.into_par_iter().filter_map(clean).collect();
        summary.empty = (count - rows.len()) as u64;
        if rows.is_empty() {
            return Err(DataError::NoPost { name: summary.path, rejected: summary.rejected, first });
        }
        Ok(Self { rows, summary })
    }

    /// By time if every row has one, otherwise random.
    fn default_split(&self) -> Split {
        if self.rows.iter().all(|row| row.created_at.is_some()) { Split::Time } else { Split::Random }
    }

    /// Training and test rows, each in the dump's order.
    fn split_rows(self, split: Split, share: f64, seed: u64) -> Result<(Vec<CleanedRow>, Vec<CleanedRow>), DataError> {
        if self.rows.len() < 2 {
            return Err(DataError::OnePost { name: self.summary.path });
        }
        let times: Vec<Option<Timestamp>> = self.rows.iter().map(|row| row.created_at).collect();
        let held_out = split.held_out(&times, share, seed);
        let (test, train): (Vec<_>, Vec<_>) = self.rows.into_iter().zip(held_out).partition(|(_, held_out)| *held_out);
        let rows = |side: Vec<(CleanedRow, bool)>| side.into_iter().map(|(row, _)| row).collect();
        Ok((rows(train), rows(test)))
    }
}

/// The cleaned texts of `corpus` that are not in the test set.
fn read_corpus(
    corpus: &[Inputs],
    options: &ReadOptions,
    held_out: &HashSet<String>,
) -> Result<(Vec<String>, Vec<FileSummary>), DataError> {
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    for input in corpus {
        let (rows, mut summary, _) = read(input, options, "corpus", RequiredFields::default())?;
        let clean = |(_, _, text): RawRow| {
            let is_test_text = held_out.contains(&text::clean(Profile::Transformer, &text).to_lowercase());
            let words = text::clean(Profile::Words, &text);
            (!is_test_text).then_some(words)
        };
        let kept: Vec<String> = rows.into_par_iter().filter_map(clean).collect();
        let written = kept.iter().filter(|text| !text.is_empty()).count();
        summary.empty = (kept.len() - written) as u64;
        texts.extend(kept.into_iter().filter(|text| !text.is_empty()));
        files.push(summary);
    }
    Ok((texts, files))
}

/// A row as read, before cleaning.
type RawRow = (Option<Label>, Option<Timestamp>, String);

/// Every readable row, what is known of the file, and the first record that is none.
fn read(
    input: &Inputs,
    options: &ReadOptions,
    role: &'static str,
    needs: RequiredFields,
) -> Result<(Vec<RawRow>, FileSummary, Option<String>), DataError> {
    let mut reader = DumpReader::open(input, options, needs)?;
    let (mut rows, mut rejected, mut first) = (Vec::new(), 0, None);
    let mut span = TimeSpan::default();
    while let Some(row) = reader.next_row()? {
        match row {
            Ok(row) => {
                row.created_at.into_iter().for_each(|time| span.add(time, row.line));
                rows.push((row.label.as_deref().and_then(Label::parse), row.created_at, row.text));
            }
            Err(reject) => {
                rejected += 1;
                first.get_or_insert_with(|| describe_reject(&reject));
            }
        }
    }
    // A post with a wrong clock would be the whole end of a split by time.
    if let Some(times) = span.plausible(options.keep_outliers) {
        if let Some(remark) = times.remark("left out (--keep-outliers uses them)") {
            tracing::warn!(file = reader.name(), "{remark}");
        }
        rows.retain(|(_, time, _)| times.contains(*time));
    }
    let sha256 = reader.fingerprint().unwrap_or_default();
    if needs.label && !rows.is_empty() {
        // Before hours of work on what is left.
        reader.rejects().check(options.max_rejects)?;
    }
    let summary = FileSummary { role, path: reader.name(), sha256, rows: rows.len() as u64, rejected, empty: 0 };
    Ok((rows, summary, first))
}

/// Nothing can be learned from no rows, or from one class.
fn check(train: &[CleanedRow], split: Option<Split>) -> Result<(), DataError> {
    let Some(first) = train.first() else { return Err(DataError::NothingLeft) };
    if train.iter().any(|row| row.label != first.label) {
        return Ok(());
    }
    let hint = match split {
        Some(Split::Time) => "; the dump is sorted by class over time: try --split random",
        _ => "",
    };
    Err(DataError::OneClass { rows: train.len(), label: first.label, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(csv: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, csv.as_bytes()).unwrap();
        file
    }

    fn input(file: &tempfile::NamedTempFile) -> Inputs {
        Inputs::expand(&[file.path()]).unwrap()
    }

    fn two(train: &str, test: &str, corpus: &[&str]) -> Result<ComparisonData, String> {
        let (train, test) = (file(train), file(test));
        let corpus: Vec<_> = corpus.iter().map(|csv| file(csv)).collect();
        let dumps = InputDumps::Pair { train: input(&train), test: input(&test) };
        let inputs: Vec<Inputs> = corpus.iter().map(input).collect();
        ComparisonData::read(&dumps, &inputs, &ReadOptions::default(), 7).map_err(|error| error.to_string())
    }

    fn one(csv: &str, split: Option<Split>) -> Result<ComparisonData, String> {
        let dump = file(csv);
        let dumps = InputDumps::Single { dump: input(&dump), split, test_share: 0.25 };
        ComparisonData::read(&dumps, &[], &ReadOptions::default(), 7).map_err(|error| error.to_string())
    }

    const TRAIN: &str = "label,text\nnegative,Late again\npositive,Great crew!\nnegative,:)\n,none\nneutral,@a to @b\n";

    #[test]
    fn test_texts_are_dropped_from_training_and_both_cleanings_have_the_same_rows() {
        let data = two(TRAIN, "label,text\nnegative,LATE again\npositive,fine\n", &[]).unwrap();
        assert_eq!(data.train.labels, [Label::Positive, Label::Negative, Label::Neutral]);
        assert_eq!(data.train.words, ["great crew", "", "to"]);
        assert_eq!(data.train.transformer, ["Great crew!", ":)", "@user to @user"]);
        assert_eq!(data.summary.dropped_as_test_text, 1);
        let summary = &data.summary.files[0];
        assert_eq!((summary.role, summary.rows, summary.rejected, summary.sha256.len()), ("train", 4, 1, 64));
        assert_eq!((data.summary.train.rows, data.summary.test.classes[&Label::Negative]), (3, 1));
    }

    #[test]
    fn a_fingerprint_depends_on_texts_and_labels_alone() {
        let of = |train: &str| two(train, "label,text\nnegative,bad\n", &[]).unwrap().summary.train.sha256;
        let first = of("label,text\nnegative,late\npositive,fine\n");
        assert_eq!(first, of("text,id,label\nlate,1,negative\nfine,2,positive\n"));
        assert_ne!(first, of("label,text\nnegative,late\nneutral,fine\n"));
    }

    #[test]
    fn corpus_texts_need_no_label_and_exclude_test_texts() {
        let data =
            two(TRAIN, "label,text\nnegative,bad\n", &["text\nBad\nlost luggage\nthe\n", "label,text\nx,delayed\n"]);
        let data = data.unwrap();
        assert_eq!(data.corpus, ["lost luggage", "the", "delayed"]);
        assert_eq!((data.summary.corpus_texts, data.summary.files[2].empty), (3, 0));
    }

    #[test]
    fn a_single_dump_is_split_by_time_if_it_has_times() {
        let timed = "created_at,label,text
2015-02-19T00:00:00Z,negative,third
2015-02-17T00:00:00Z,positive,first
2015-02-18T00:00:00Z,negative,second
2015-02-20T00:00:00Z,neutral,fourth
";
        let data = one(timed, None).unwrap();
        assert_eq!((data.summary.split, &data.test.words[..]), (Some(Split::Time), &["fourth".to_owned()][..]));
        let data = one("label,text\nnegative,late\npositive,fine\nneutral,gate\nneutral,seat\n", None).unwrap();
        assert_eq!((data.summary.split, data.summary.test.rows), (Some(Split::Random), 1));
    }

    #[test]
    fn unusable_data_is_named() {
        let same = "label,text\nnegative,late\npositive,fine\n";
        assert!(two(same, same, &[]).unwrap_err().contains("also in the test set"));
        assert!(two("text\na\n", same, &[]).unwrap_err().contains("no column for label"));
        assert!(
            two("label,text\nodd,a\n", same, &[]).unwrap_err().contains("1 rows were rejected; the first at line 2")
        );
        assert!(one("label,text\nnegative,a\n", None).unwrap_err().contains("has one labelled post"));
        assert!(
            one("label,text\nnegative,a\npositive,b\n", Some(Split::Time))
                .unwrap_err()
                .contains("no column for created_at")
        );
        let sorted = "created_at,label,text\n2015-02-17T00:00:00Z,negative,a\n2015-02-18T00:00:00Z,negative,b\n2015-02-19T00:00:00Z,positive,c\n";
        let message = one(sorted, Some(Split::Time)).unwrap_err();
        assert!(
            message.contains("all 2 training posts are negative") && message.contains("--split random"),
            "{message}"
        );
    }
}
