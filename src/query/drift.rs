//! Whether what the model says moves: its labels by topic, from the hours of the windows, and a sample of stored posts from two times,
//! on which anything else is compared. Two distributions are compared by the population stability index.

use jiff::Timestamp;
use serde::Serialize;

use super::{Filter, page};
use crate::monitor::StoredPost;
use crate::store::{Key, StoreError, Table, View};
use crate::window::{Counts, HourRecord};

const DAY: i64 = 86_400;
/// Days that are compared, and days before them that they are compared with.
const RECENT_DAYS: i64 = 7;
const REFERENCE_DAYS: i64 = 28;
/// Population stability index above which a distribution counts as shifted, and as strongly shifted: the usual limits in credit
/// scoring (Siddiqi 2006).
const PSI_WARNING: f64 = 0.1;
const PSI_ALARM: f64 = 0.25;
/// Fewer posts in either part say nothing about shares of labels.
const MIN_POSTS: u64 = 100;
/// Posts of each time in a sample, the newest.
const SAMPLE: usize = 2_000;
/// Fewer sampled posts in either time say nothing: by chance alone ten classes would reach a third of the limit.
const MIN_SAMPLE: usize = 500;
/// Posts in a page of the sample.
const PAGE: usize = 1_000;

/// How the shares of the labels of a topic moved.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LabelDrift {
    pub topic: String,
    /// Shares in the last days and in the weeks before, in the order of [`Label::ALL`](crate::classify::Label::ALL).
    pub recent: [f64; 3],
    pub reference: [f64; 3],
    pub recent_posts: u64,
    pub reference_posts: u64,
    /// The population stability index; none where there are too few posts.
    pub index: Option<f64>,
    pub verdict: DriftVerdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftVerdict {
    TooFewPosts,
    Stable,
    Shifted,
    StronglyShifted,
}

/// The newest posts of the last days and of the weeks before that one model has read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DriftSample {
    pub recent: Vec<StoredPost>,
    pub reference: Vec<StoredPost>,
}

/// How a number of each post moved, between the two parts of a [`DriftSample`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SampleDrift {
    /// Means.
    pub recent: f64,
    pub reference: f64,
    /// None where there are too few posts.
    pub index: Option<f64>,
    pub verdict: DriftVerdict,
}

impl DriftVerdict {
    /// Of a population stability index.
    fn of(index: Option<f64>) -> Self {
        match index {
            None => Self::TooFewPosts,
            Some(index) if index >= PSI_ALARM => Self::StronglyShifted,
            Some(index) if index >= PSI_WARNING => Self::Shifted,
            Some(_) => Self::Stable,
        }
    }
}

pub(super) fn labels(view: &View<'_>, topic: &str, now: i64) -> Result<LabelDrift, StoreError> {
    let prefix = Key::new(Table::History).text(topic);
    let boundary = now - RECENT_DAYS * DAY;
    let (mut recent, mut reference) = (Counts::default(), Counts::default());
    for entry in view.range(&prefix.clone().time(boundary - REFERENCE_DAYS * DAY), &prefix.time(now))? {
        let (key, bytes) = entry?;
        let hour: HourRecord = crate::store::decode(&key, &bytes)?;
        *(if key.last_time() >= Some(boundary) { &mut recent } else { &mut reference }) += hour.counts;
    }
    let (recent_posts, reference_posts) = (recent.posts(), reference.posts());
    let index = (recent_posts.min(reference_posts) >= MIN_POSTS)
        .then(|| stability_index(&shares(&recent), &shares(&reference)));
    let verdict = DriftVerdict::of(index);
    let (recent, reference) = (shares(&recent), shares(&reference));
    Ok(LabelDrift { topic: topic.to_owned(), recent, reference, recent_posts, reference_posts, index, verdict })
}

/// The newest posts of both times that `model` has read: another model would differ for its own reasons.
pub(super) fn sample(view: &View<'_>, model: &str, now: Timestamp) -> Result<DriftSample, StoreError> {
    let at = |days: i64| Timestamp::from_second(now.as_second() - days * DAY).unwrap_or(now);
    let (boundary, oldest) = (at(RECENT_DAYS), at(RECENT_DAYS + REFERENCE_DAYS));
    Ok(DriftSample {
        recent: newest(view, model, (boundary, now))?,
        reference: newest(view, model, (oldest, boundary))?,
    })
}

fn newest(view: &View<'_>, model: &str, (since, until): (Timestamp, Timestamp)) -> Result<Vec<StoredPost>, StoreError> {
    let filter = Filter { since: Some(since), until: Some(until), ..Filter::default() };
    let (mut posts, mut next) = (Vec::new(), None);
    // As many pages as hold the sample where one model has read everything: what is read stays bounded.
    for _ in 0..SAMPLE.div_ceil(PAGE) {
        let page = page::read(view, &filter, PAGE, next)?;
        posts.extend(page.posts.into_iter().filter(|post| post.model == model));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    posts.truncate(SAMPLE);
    Ok(posts)
}

impl SampleDrift {
    /// Compares two samples of a number in the classes between `limits`, which ascend; without limits, in tenths of `reference`.
    pub fn between(recent: &[f64], reference: &[f64], limits: Option<&[f64]>) -> Self {
        let mean = |sample: &[f64]| sample.iter().sum::<f64>() / sample.len().max(1) as f64;
        let index = (recent.len().min(reference.len()) >= MIN_SAMPLE).then(|| {
            let limits = limits.map_or_else(|| tenths(reference), Into::into);
            stability_index(&classes(recent, &limits), &classes(reference, &limits))
        });
        Self { recent: mean(recent), reference: mean(reference), index, verdict: DriftVerdict::of(index) }
    }
}

/// The numbers that part `sample` into ten classes of equal size, without repetitions.
fn tenths(sample: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut limits: Vec<f64> = (1..10).filter_map(|tenth| sorted.get(sorted.len() * tenth / 10).copied()).collect();
    limits.dedup();
    limits
}

/// The share of `sample` up to each limit, and beyond the last.
fn classes(sample: &[f64], limits: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.0; limits.len() + 1];
    for number in sample {
        let class = limits.partition_point(|limit| limit < number);
        if let Some(count) = counts.get_mut(class) {
            *count += 1.0 / sample.len() as f64;
        }
    }
    counts
}

fn shares(counts: &Counts) -> [f64; 3] {
    let posts = counts.posts().max(1) as f64;
    [counts.negative, counts.neutral, counts.positive].map(|label| label as f64 / posts)
}

/// The population stability index of two distributions: the sum of `(a - b) ln(a / b)`. A share of zero counts as one in ten
/// thousand, or the index would be infinite.
fn stability_index(a: &[f64], b: &[f64]) -> f64 {
    let floor = |share: &f64| share.max(1e-4);
    a.iter().zip(b).map(|(a, b)| (floor(a) - floor(b)) * (floor(a) / floor(b)).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_zero_for_equal_shares_and_grows_with_the_shift() {
        let even = [0.5, 0.3, 0.2];
        assert_eq!(stability_index(&even, &even), 0.0);
        // By hand: .1 ln(.6/.5) + .1 ln(.3/.2).
        let moved = stability_index(&[0.6, 0.2, 0.2], &even);
        assert!((moved - 0.058_78).abs() < 1e-4, "{moved}");
        assert!(stability_index(&[1.0, 0.0, 0.0], &even) > PSI_ALARM);
    }

    /// Numbers spread evenly over `[from, from + 0.4)`.
    fn spread(from: f64, count: usize) -> Vec<f64> {
        (0..count).map(|place| from + 0.4 * (place * 7 % count) as f64 / count as f64).collect()
    }

    #[test]
    fn a_sample_passes_or_warns() {
        let reference = spread(0.5, 1_000);
        let same = SampleDrift::between(&spread(0.5, 800), &reference, None);
        assert_eq!(same.verdict, DriftVerdict::Stable, "{same:?}");
        assert!((same.reference - 0.7).abs() < 0.01);
        let lower = SampleDrift::between(&spread(0.45, 800), &reference, None);
        assert!(lower.index > same.index && lower.verdict != DriftVerdict::Stable, "{lower:?}");
        let few = SampleDrift::between(&spread(0.1, 499), &reference, None);
        assert_eq!((few.index, few.verdict), (None, DriftVerdict::TooFewPosts));
    }

    #[test]
    fn classes_may_have_given_limits() {
        let limits = [0.0, 0.02, 0.1];
        assert_eq!(classes(&[0.0, 0.0, 0.01, 0.5], &limits), [0.5, 0.25, 0.0, 0.25]);
        let (calm, odd) = (vec![0.0; 600], [vec![0.0; 400], vec![0.2; 200]].concat());
        assert_eq!(SampleDrift::between(&calm, &calm, Some(&limits)).verdict, DriftVerdict::Stable);
        assert_eq!(SampleDrift::between(&odd, &calm, Some(&limits)).verdict, DriftVerdict::StronglyShifted);
        // All posts alike: one class, and nothing to divide by.
        assert_eq!(SampleDrift::between(&calm, &calm, None).index, Some(0.0));
    }
}
