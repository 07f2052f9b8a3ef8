//! [`Data`]: the posts that a comparison learns from and judges by, the same rows for every run, cleaned once per
//! profile. First step of the grid.
//!
//! A row whose text is nothing but signs is empty for word vectors and not for an encoder. It stays in, as
//! an empty text: runs that were judged on different rows could not be compared.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::split::Split;
use vigie_reading::classify::Label;
use vigie_reading::dump::{Input, Needs, ReadOptions, Reader, SourceError};
use vigie_reading::text;
use vigie_reading::text::Profile;

/// Where the posts come from.
#[derive(Debug, Clone)]
pub enum Dumps {
    /// One to learn from, one to judge by.
    Two { train: Input, test: Input },
    /// One that is parted, judging by `test_share` of its rows, in (0, 1). Without a split it is by time where every row
    /// has one, and else at random.
    One { dump: Input, split: Option<Split>, test_share: f64 },
}

/// What a comparison reads.
#[derive(Debug)]
pub struct Data {
    pub train: Side,
    pub test: Side,
    /// Further texts that word vectors may learn from, cleaned by [`Profile::Words`].
    pub corpus: Vec<String>,
    pub facts: Facts,
}

/// Posts in both cleanings; the three have one entry a post.
#[derive(Debug, Default)]
pub struct Side {
    pub labels: Vec<Label>,
    /// By [`Profile::Words`]; may be empty.
    pub words: Vec<String>,
    /// By [`Profile::Transformer`]; not empty.
    pub transformer: Vec<String>,
}

/// What a report says of the data. Counts are rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    pub files: Vec<FileFacts>,
    /// How a single dump was parted; `null` of two dumps.
    pub split: Option<Split>,
    pub train: SideFacts,
    pub test: SideFacts,
    /// Rows not learnt from because their text, but for case, is judged by.
    pub dropped_as_test_text: u64,
    /// Further texts for word vectors, those judged by and empty ones left out.
    pub corpus_texts: u64,
}

/// A dump that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileFacts {
    /// `train`, `test`, `train and test` or `corpus`.
    pub role: &'static str,
    /// As it was named on the command line.
    pub path: String,
    /// Of its raw bytes, in hex.
    pub sha256: String,
    pub rows: u64,
    /// Records that could not be read, or carry no label where one is needed.
    pub rejected: u64,
    /// Rows of which cleaning leaves nothing.
    pub empty: u64,
}

/// One side of the split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideFacts {
    pub rows: u64,
    pub classes: BTreeMap<Label, u64>,
    /// Over the cleaned texts and their labels, in hex, by profile: see [`Side::fingerprint`].
    pub sha256: BTreeMap<&'static str, String>,
}

/// Why there is nothing to compare on.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{name} has no labelled post: {rejected} rows were rejected{}", first.as_deref().unwrap_or_default())]
    NoPost { name: String, rejected: u64, first: Option<String> },
    #[error("{name} has one labelled post: wanted two or more, to learn from one part and judge by the other")]
    OnePost { name: String },
    #[error("every post to learn from is also judged by: name different dumps for --train and --test")]
    NothingLeft,
    #[error("all {rows} posts to learn from are {}: wanted two classes or more{hint}", label.as_str())]
    OneClass { rows: usize, label: Label, hint: &'static str },
}

impl Data {
    /// Reads the dumps and, for word vectors, `corpus`, whose labels do not matter.
    pub fn read(dumps: &Dumps, corpus: &[Input], options: &ReadOptions, seed: u64) -> Result<Self, DataError> {
        let (mut train, test, split, mut files) = match dumps {
            Dumps::Two { train, test } => {
                let (train, test) =
                    (Dump::read(train, options, "train", false)?, Dump::read(test, options, "test", false)?);
                (train.rows, test.rows, None, vec![train.facts, test.facts])
            }
            Dumps::One { dump, split, test_share } => {
                let dump = Dump::read(dump, options, "train and test", *split == Some(Split::Time))?;
                let split = split.unwrap_or_else(|| dump.split());
                let facts = dump.facts.clone();
                let (train, test) = dump.parted(split, *test_share, seed)?;
                (train, test, Some(split), vec![facts])
            }
        };
        let held_out: HashSet<String> = test.iter().map(|row| row.transformer.to_lowercase()).collect();
        let before = train.len();
        train.retain(|row| !held_out.contains(&row.transformer.to_lowercase()));
        check(&train, split)?;
        let (texts, read) = further_texts(corpus, options, &held_out)?;
        files.extend(read);
        let dropped_as_test_text = (before - train.len()) as u64;
        let (train, test) = (Side::of(train), Side::of(test));
        let corpus_texts = texts.len() as u64;
        let facts =
            Facts { files, split, train: train.facts(), test: test.facts(), dropped_as_test_text, corpus_texts };
        Ok(Self { train, test, corpus: texts, facts })
    }
}

impl Side {
    fn of(rows: Vec<Post>) -> Self {
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

    /// SHA-256, in hex, over `label TAB text LF` of every post in order: the same rows cleaned in the same way give the
    /// same, whatever file they stood in.
    pub fn fingerprint(&self, profile: Profile) -> String {
        let mut hasher = Sha256::new();
        for (label, text) in self.labels.iter().zip(self.texts(profile)) {
            for part in [label.as_str(), "\t", text, "\n"] {
                hasher.update(part);
            }
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn facts(&self) -> SideFacts {
        let mut classes = BTreeMap::new();
        for label in &self.labels {
            *classes.entry(*label).or_default() += 1;
        }
        let sha256 = [("words", Profile::Words), ("transformer", Profile::Transformer)];
        SideFacts {
            rows: self.labels.len() as u64,
            classes,
            sha256: sha256.map(|(name, profile)| (name, self.fingerprint(profile))).into(),
        }
    }
}

/// A labelled row in both cleanings.
struct Post {
    label: Label,
    created_at: Option<Timestamp>,
    words: String,
    transformer: String,
}

/// A labelled dump.
struct Dump {
    rows: Vec<Post>,
    facts: FileFacts,
}

impl Dump {
    fn read(input: &Input, options: &ReadOptions, role: &'static str, timed: bool) -> Result<Self, DataError> {
        let needs = Needs { label: true, created_at: timed, ..Needs::default() };
        let (raw, mut facts, first) = read(input, options, role, needs)?;
        let count = raw.len();
        let clean = |(label, created_at, text): (Option<Label>, Option<Timestamp>, String)| {
            let transformer = text::clean(Profile::Transformer, &text);
            let words = text::clean(Profile::Words, &text);
            label.filter(|_| !transformer.is_empty()).map(|label| Post { label, created_at, words, transformer })
        };
        let rows: Vec<Post> = raw.into_par_iter().filter_map(clean).collect();
        facts.empty = (count - rows.len()) as u64;
        if rows.is_empty() {
            return Err(DataError::NoPost { name: facts.path, rejected: facts.rejected, first });
        }
        Ok(Self { rows, facts })
    }

    /// How this dump is parted where nobody says.
    fn split(&self) -> Split {
        if self.rows.iter().all(|row| row.created_at.is_some()) { Split::Time } else { Split::Random }
    }

    /// What is learnt from and what is judged by, each in the dump's order.
    fn parted(self, split: Split, share: f64, seed: u64) -> Result<(Vec<Post>, Vec<Post>), DataError> {
        if self.rows.len() < 2 {
            return Err(DataError::OnePost { name: self.facts.path });
        }
        let times: Vec<Option<Timestamp>> = self.rows.iter().map(|row| row.created_at).collect();
        let judged = split.judged(&times, share, seed);
        let (test, train): (Vec<_>, Vec<_>) = self.rows.into_iter().zip(judged).partition(|(_, judged)| *judged);
        let rows = |side: Vec<(Post, bool)>| side.into_iter().map(|(row, _)| row).collect();
        Ok((rows(train), rows(test)))
    }
}

/// The cleaned texts of `corpus` that are not judged by.
fn further_texts(
    corpus: &[Input],
    options: &ReadOptions,
    held_out: &HashSet<String>,
) -> Result<(Vec<String>, Vec<FileFacts>), DataError> {
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    for input in corpus {
        let (rows, mut facts, _) = read(input, options, "corpus", Needs::default())?;
        let clean = |(_, _, text): (Option<Label>, Option<Timestamp>, String)| {
            let judged = held_out.contains(&text::clean(Profile::Transformer, &text).to_lowercase());
            let words = text::clean(Profile::Words, &text);
            (!judged).then_some(words)
        };
        let kept: Vec<String> = rows.into_par_iter().filter_map(clean).collect();
        let written = kept.iter().filter(|text| !text.is_empty()).count();
        facts.empty = (kept.len() - written) as u64;
        texts.extend(kept.into_iter().filter(|text| !text.is_empty()));
        files.push(facts);
    }
    Ok((texts, files))
}

type Raw = (Option<Label>, Option<Timestamp>, String);

/// Every readable row, what is known of the file, and the first record that is none.
fn read(
    input: &Input,
    options: &ReadOptions,
    role: &'static str,
    needs: Needs,
) -> Result<(Vec<Raw>, FileFacts, Option<String>), DataError> {
    let mut reader = Reader::open(input, options, needs)?;
    let (mut rows, mut rejected, mut first) = (Vec::new(), 0, None);
    while let Some(row) = reader.next_row()? {
        match row {
            Ok(row) => rows.push((row.label.as_deref().and_then(Label::parse), row.created_at, row.text)),
            Err(reject) => {
                rejected += 1;
                first.get_or_insert_with(|| format!("; the first at line {}: {}", reject.line, reject.detail));
            }
        }
    }
    let sha256 = reader.fingerprint().unwrap_or_default();
    let facts = FileFacts { role, path: reader.name().to_owned(), sha256, rows: rows.len() as u64, rejected, empty: 0 };
    Ok((rows, facts, first))
}

/// Nothing can be learnt from no row, or from one class.
fn check(train: &[Post], split: Option<Split>) -> Result<(), DataError> {
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

    fn input(file: &tempfile::NamedTempFile) -> Input {
        Input::Path(file.path().to_path_buf())
    }

    fn two(train: &str, test: &str, corpus: &[&str]) -> Result<Data, String> {
        let (train, test) = (file(train), file(test));
        let corpus: Vec<_> = corpus.iter().map(|csv| file(csv)).collect();
        let dumps = Dumps::Two { train: input(&train), test: input(&test) };
        let inputs: Vec<Input> = corpus.iter().map(input).collect();
        Data::read(&dumps, &inputs, &ReadOptions::default(), 7).map_err(|error| error.to_string())
    }

    fn one(csv: &str, split: Option<Split>) -> Result<Data, String> {
        let dump = file(csv);
        let dumps = Dumps::One { dump: input(&dump), split, test_share: 0.25 };
        Data::read(&dumps, &[], &ReadOptions::default(), 7).map_err(|error| error.to_string())
    }

    const TRAIN: &str = "label,text\nnegative,Late again\npositive,Great crew!\nnegative,:)\n,none\nneutral,@a to @b\n";

    #[test]
    fn what_is_judged_by_is_not_learnt_from_and_rows_are_the_same_in_both_cleanings() {
        let data = two(TRAIN, "label,text\nnegative,LATE again\npositive,fine\n", &[]).unwrap();
        assert_eq!(data.train.labels, [Label::Positive, Label::Negative, Label::Neutral]);
        assert_eq!(data.train.words, ["great crew", "", "to"]);
        assert_eq!(data.train.transformer, ["Great crew!", ":)", "@user to @user"]);
        assert_eq!(data.facts.dropped_as_test_text, 1);
        let facts = &data.facts.files[0];
        assert_eq!((facts.role, facts.rows, facts.rejected, facts.sha256.len()), ("train", 4, 1, 64));
        assert_eq!((data.facts.train.rows, data.facts.test.classes[&Label::Negative]), (3, 1));
    }

    #[test]
    fn a_fingerprint_is_of_texts_and_labels_alone() {
        let of = |train: &str| two(train, "label,text\nnegative,bad\n", &[]).unwrap().facts.train.sha256;
        let first = of("label,text\nnegative,late\npositive,fine\n");
        assert_eq!(first, of("text,id,label\nlate,1,negative\nfine,2,positive\n"));
        assert_ne!(first, of("label,text\nnegative,late\nneutral,fine\n"));
    }

    #[test]
    fn further_texts_need_no_label_and_are_not_those_judged_by() {
        let data =
            two(TRAIN, "label,text\nnegative,bad\n", &["text\nBad\nlost luggage\nthe\n", "label,text\nx,delayed\n"]);
        let data = data.unwrap();
        assert_eq!(data.corpus, ["lost luggage", "the", "delayed"]);
        assert_eq!((data.facts.corpus_texts, data.facts.files[2].empty), (3, 0));
    }

    #[test]
    fn a_single_dump_is_parted_by_time_where_it_has_times() {
        let timed = "created_at,label,text
2015-02-19T00:00:00Z,negative,third
2015-02-17T00:00:00Z,positive,first
2015-02-18T00:00:00Z,negative,second
2015-02-20T00:00:00Z,neutral,fourth
";
        let data = one(timed, None).unwrap();
        assert_eq!((data.facts.split, &data.test.words[..]), (Some(Split::Time), &["fourth".to_owned()][..]));
        let data = one("label,text\nnegative,late\npositive,fine\nneutral,gate\nneutral,seat\n", None).unwrap();
        assert_eq!((data.facts.split, data.facts.test.rows), (Some(Split::Random), 1));
    }

    #[test]
    fn data_that_teaches_nothing_is_named() {
        let same = "label,text\nnegative,late\npositive,fine\n";
        assert!(two(same, same, &[]).unwrap_err().contains("also judged by"));
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
            message.contains("all 2 posts to learn from are negative") && message.contains("--split random"),
            "{message}"
        );
    }
}
