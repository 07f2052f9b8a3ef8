//! [`Reliability`]: whether posts classified with probability 0.8 are right eight times in ten. Part of
//! [`Scores`](super::Scores).

use serde::{Deserialize, Serialize};

/// Equal-width bins over confidences from 0 to 1.
const BINS: usize = 15;

/// How far confidence is from accuracy, as Guo, Pleiss, Sun and Weinberger 2017 ("On calibration of modern neural
/// networks") measure it: by the probability of the predicted class, in 15 bins of equal width.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Mean over the posts of the gap between confidence and accuracy of their bin; in `[0, 1]`.
    #[serde(default)]
    pub expected_calibration_error: f64,
    /// The bins that hold posts, by rising confidence.
    #[serde(default, rename = "reliability")]
    pub bins: Vec<Bin>,
}

/// Posts of similar confidence: above `above`, at most `to`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub above: f64,
    pub to: f64,
    pub posts: u64,
    /// Mean probability of the predicted class.
    pub confidence: f64,
    /// Share of the posts that are classified correctly.
    pub accuracy: f64,
}

impl Reliability {
    /// From the probability of the predicted class of each post, and whether the prediction was right.
    pub fn from_predictions(predictions: impl IntoIterator<Item = (f64, bool)>) -> Self {
        let mut sums = [(0_u64, 0.0, 0_u64); BINS];
        for (confidence, right) in predictions {
            let bin = (confidence * BINS as f64).ceil() as usize;
            if let Some((posts, total, hits)) = sums.get_mut(bin.saturating_sub(1).min(BINS - 1)) {
                *posts += 1;
                *total += confidence;
                *hits += u64::from(right);
            }
        }
        let all: u64 = sums.iter().map(|(posts, ..)| posts).sum();
        let edge = |bin: usize| bin as f64 / BINS as f64;
        let bin = |(index, (posts, total, hits)): (usize, (u64, f64, u64))| {
            let (confidence, accuracy) = (total / posts as f64, hits as f64 / posts as f64);
            Bin { above: edge(index), to: edge(index + 1), posts, confidence, accuracy }
        };
        let bins: Vec<Bin> = sums.into_iter().enumerate().filter(|(_, (posts, ..))| *posts > 0).map(bin).collect();
        let gaps = bins.iter().map(|bin| bin.posts as f64 * (bin.confidence - bin.accuracy).abs());
        Self { expected_calibration_error: gaps.sum::<f64>() / all.max(1) as f64, bins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    /// Two bins, by hand: of four posts at 0.9 three are right, of two at 0.55 none: `(4 |.9 - .75| + 2 |.55 - 0|) /
    /// 6`.
    #[test]
    fn the_error_is_the_gap_of_each_bin_by_its_posts() {
        let read = [(0.9, true), (0.9, true), (0.9, false), (0.9, true), (0.55, false), (0.55, false)];
        let reliability = Reliability::from_predictions(read);
        close(reliability.expected_calibration_error, (4.0 * 0.15 + 2.0 * 0.55) / 6.0);
        let [low, high] = &reliability.bins[..] else { panic!("{:?}", reliability.bins) };
        assert_eq!((low.posts, high.posts), (2, 4));
        close(low.above, 8.0 / 15.0);
        close(high.to, 14.0 / 15.0);
        close(high.confidence, 0.9);
        close(high.accuracy, 0.75);
    }

    #[test]
    fn gaps_of_opposite_sign_do_not_cancel_in_two_bins_and_do_in_one() {
        close(Reliability::from_predictions([(0.7, true), (0.9, false)]).expected_calibration_error, (0.3 + 0.9) / 2.0);
        close(Reliability::from_predictions([(0.7, true), (0.7, false)]).expected_calibration_error, 0.2);
    }

    #[test]
    fn an_edge_belongs_to_the_bin_below_and_the_ends_are_in() {
        let bins = Reliability::from_predictions([(0.6, true), (1.0, true), (0.0, false)]).bins;
        let tos: Vec<u64> = bins.iter().map(|bin| (bin.to * 15.0).round() as u64).collect();
        assert_eq!(tos, [1, 9, 15]);
        assert_eq!(Reliability::from_predictions([]), Reliability::default());
    }
}
