//! Drift of the model as tests, one row each: the shares of its labels by topic, how sure it is, and how much of the posts its
//! tokenizer does not know. Whatever moved, the page says what it was, what it is, and whether that passes.
//!
//! ```text
//!   query: hours of the windows --> labels of each topic --------------------\
//!   query: sample of stored posts --> confidence ------------------------------> rows of the page
//!                                \--> tokenizer: unknown pieces (once a minute) -/
//! ```

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::super::posts::labels::label_name;
use crate::classify::{Label, PieceCounter};
use crate::language::Language;
use crate::query::{DriftSample, DriftVerdict, LabelDrift, Query, SampleDrift};
use crate::store::StoreError;

/// How long a measurement on the sample is shown.
const KEPT: Duration = Duration::from_secs(60);
/// Classes of the share of unknown pieces of a post: none, up to 2 %, 5 %, 10 %, and more.
const UNKNOWN_LIMITS: [f64; 4] = [0.0, 0.02, 0.05, 0.1];
/// Stands for a number that is not known.
const UNKNOWN: &str = "–";

/// What was measured on the sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SampleTests {
    /// Posts of both times.
    posts: (usize, usize),
    confidence: SampleDrift,
    /// None where the tokenizer knows every text; an error, where it cannot be read.
    unknown: Result<Option<SampleDrift>, String>,
}

/// The last measurement, with the model that it is about. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::web::page) struct DriftCache(Arc<Mutex<Option<(Instant, String, SampleTests)>>>);

/// One test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct DriftRow {
    /// `labels`, `confidence` or `unknown`.
    test: &'static str,
    /// None: of all topics together.
    topic: Option<String>,
    then: String,
    now: String,
    /// Posts then and now.
    posts: (u64, u64),
    index: Option<String>,
    verdict: DriftVerdict,
    /// Why it was not made.
    error: Option<String>,
}

impl DriftCache {
    /// The tests on stored posts of `model`, whose files are in `dir`; measured again where the last are older than a minute. Reads the
    /// store and tokenizes: for a thread that may block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn tests(
        &self,
        query: &Query,
        (model, dir): (&str, Option<&Path>),
        now: jiff::Timestamp,
    ) -> Result<SampleTests, StoreError> {
        // Held while it is measured: others who ask meanwhile wait for the same.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at: &Instant, of: &String| at.elapsed() < KEPT && of == model;
        if let Some((_, _, tests)) = kept.as_ref().filter(|(at, of, _)| is_fresh(at, of)) {
            return Ok(tests.clone());
        }
        let tests = SampleTests::measure(&query.drift_sample(model, now)?, dir);
        *kept = Some((Instant::now(), model.to_owned(), tests.clone()));
        Ok(tests)
    }
}

impl SampleTests {
    fn measure(sample: &DriftSample, dir: Option<&Path>) -> Self {
        // Of the label that the model gave, whatever a person made of it.
        let confidence = |posts: &[crate::monitor::StoredPost]| -> Vec<f64> {
            posts.iter().map(|post| f64::from(post.probabilities.into_iter().fold(0.0, f32::max))).collect()
        };
        let confidence = SampleDrift::between(&confidence(&sample.recent), &confidence(&sample.reference), None);
        Self { posts: (sample.reference.len(), sample.recent.len()), confidence, unknown: unknown(sample, dir) }
    }
}

fn unknown(sample: &DriftSample, dir: Option<&Path>) -> Result<Option<SampleDrift>, String> {
    let Some(dir) = dir else { return Ok(None) };
    let Some(counter) = PieceCounter::load(dir).map_err(|error| error.to_string())? else { return Ok(None) };
    let share = |posts: &[crate::monitor::StoredPost]| {
        let texts: Vec<&str> = posts.iter().map(|post| post.text.as_str()).collect();
        let counts = counter.count(&texts).map_err(|error| error.to_string())?;
        Ok::<Vec<f64>, String>(counts.iter().map(|it| it.unknown as f64 / it.pieces.max(1) as f64).collect())
    };
    let (recent, reference) = (share(&sample.recent)?, share(&sample.reference)?);
    Ok(Some(SampleDrift::between(&recent, &reference, Some(&UNKNOWN_LIMITS))))
}

/// All tests, as rows in `language`.
pub(super) fn rows(labels: &[LabelDrift], tests: &SampleTests, language: Language) -> Vec<DriftRow> {
    let mut rows: Vec<DriftRow> = labels.iter().map(|drift| of_labels(drift, language)).collect();
    rows.push(of_sample("confidence", tests, Ok(&tests.confidence), language));
    match &tests.unknown {
        Ok(Some(unknown)) => rows.push(of_sample("unknown", tests, Ok(unknown), language)),
        // Its tokenizer takes every text apart into what it knows.
        Ok(None) => {}
        Err(error) => rows.push(of_sample("unknown", tests, Err(error), language)),
    }
    rows
}

fn of_labels(drift: &LabelDrift, language: Language) -> DriftRow {
    let shares = |shares: [f64; 3]| {
        let share =
            |(label, share): (Label, f64)| format!("{} {}", label_name(label, language), percent(share, 0, language));
        Label::ALL.into_iter().zip(shares).map(share).collect::<Vec<_>>().join(", ")
    };
    DriftRow {
        test: "labels",
        topic: Some(drift.topic.clone()),
        then: or_dash(drift.reference_posts, || shares(drift.reference)),
        now: or_dash(drift.recent_posts, || shares(drift.recent)),
        posts: (drift.reference_posts, drift.recent_posts),
        index: drift.index.map(|index| decimal(index, 2, language)),
        verdict: drift.verdict,
        error: None,
    }
}

fn of_sample(
    test: &'static str,
    tests: &SampleTests,
    drift: Result<&SampleDrift, &String>,
    language: Language,
) -> DriftRow {
    // Shares of unknown pieces are small: a tenth of a point matters.
    let digits = usize::from(test == "unknown");
    let (then, now) = (tests.posts.0 as u64, tests.posts.1 as u64);
    let known = drift.ok();
    let mean = |posts: u64, of: fn(&SampleDrift) -> f64| {
        known.map_or(UNKNOWN.into(), |drift| or_dash(posts, || percent(of(drift), digits, language)))
    };
    DriftRow {
        test,
        topic: None,
        then: mean(then, |drift| drift.reference),
        now: mean(now, |drift| drift.recent),
        posts: (then, now),
        index: known.and_then(|drift| drift.index).map(|index| decimal(index, 2, language)),
        verdict: known.map_or(DriftVerdict::TooFewPosts, |drift| drift.verdict),
        error: drift.err().cloned(),
    }
}

/// None without posts: zero would be a claim.
fn or_dash(posts: u64, text: impl FnOnce() -> String) -> String {
    if posts > 0 { text() } else { UNKNOWN.into() }
}

fn percent(share: f64, digits: usize, language: Language) -> String {
    let sign = if language == Language::French { "\u{a0}%" } else { "%" };
    format!("{}{sign}", decimal(share * 100.0, digits, language))
}

fn decimal(number: f64, digits: usize, language: Language) -> String {
    let text = format!("{number:.digits$}");
    if language == Language::French { text.replace('.', ",") } else { text }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::monitor::{CascadeId, Counting, StoredPost};

    fn post(text: &str, sure: f32) -> StoredPost {
        StoredPost {
            id: "1".into(),
            source: "x".into(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            stated_at: None,
            author: None,
            author_id: None,
            url: None,
            text: text.into(),
            lang: None,
            topics: Vec::new(),
            label: Label::Negative,
            probabilities: [sure, 1.0 - sure, 0.0],
            reason: None,
            model: "m".into(),
            counting: Counting::Counted,
            cascade: CascadeId::of_post("1"),
            followers: None,
            metrics: None,
        }
    }

    /// 600 posts, between 0.6 and 0.9 sure, less `lower`; one in `odd` is in runes.
    fn posts(lower: f32, odd: usize) -> Vec<StoredPost> {
        let text = |place: usize| {
            if place.is_multiple_of(odd) { "ᚠᚢᚦᚨᚱᚲ ᚺᚾᛁᛃ" } else { "My flight is late again" }
        };
        (0..600).map(|place| post(text(place), 0.6 + 0.3 * (place * 7 % 600) as f32 / 600.0 - lower)).collect()
    }

    pub(in super::super) fn measured(lower: f32, odd: usize) -> SampleTests {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default");
        let sample = DriftSample { recent: posts(lower, odd), reference: posts(0.0, 1_000) };
        SampleTests::measure(&sample, Some(&model))
    }

    #[test]
    fn each_test_passes_or_warns_by_itself() {
        let verdicts =
            |tests: &SampleTests| (tests.confidence.verdict, tests.unknown.clone().unwrap().unwrap().verdict);
        assert_eq!(verdicts(&measured(0.0, 1_000)), (DriftVerdict::Stable, DriftVerdict::Stable));
        let unsure = measured(0.1, 1_000);
        assert_eq!(verdicts(&unsure), (DriftVerdict::StronglyShifted, DriftVerdict::Stable));
        let strange = measured(0.0, 4);
        assert_eq!(verdicts(&strange), (DriftVerdict::Stable, DriftVerdict::StronglyShifted));
        let rows = rows(&[], &strange, Language::French);
        assert_eq!((rows[0].then.as_str(), rows[0].now.as_str()), ("75\u{a0}%", "75\u{a0}%"));
        assert!(rows[1].now.ends_with(",0\u{a0}%") || rows[1].now.contains(','), "{:?}", rows[1]);
    }

    #[test]
    fn a_tokenizer_that_cannot_be_read_says_so() {
        let sample = DriftSample { recent: posts(0.0, 4), reference: posts(0.0, 4) };
        let rows = rows(&[], &SampleTests::measure(&sample, Some(Path::new("/nowhere"))), Language::English);
        assert!(rows[1].error.as_ref().is_some_and(|error| error.contains("/nowhere")), "{rows:?}");
        assert_eq!(rows[1].then, UNKNOWN);
    }

    #[test]
    fn a_time_without_posts_has_no_shares() {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default");
        let sample = DriftSample { recent: posts(0.0, 4), reference: Vec::new() };
        let rows = rows(&[], &SampleTests::measure(&sample, Some(&model)), Language::English);
        for row in &rows {
            assert_eq!((row.then.as_str(), row.posts, row.verdict), (UNKNOWN, (0, 600), DriftVerdict::TooFewPosts));
        }
        assert_eq!((rows.len(), rows[0].now.as_str()), (2, "75%"));
    }
}
