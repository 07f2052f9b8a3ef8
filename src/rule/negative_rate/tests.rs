//! Tests of `negative_rate`: thresholds with confidence, normal rates, and recovery.

use super::*;

fn counts(negative: u64, posts: u64) -> Counts {
    Counts { negative, neutral: posts - negative, ..Counts::default() }
}

fn normal(value: f64) -> Comparison {
    Comparison { normal: Some(NormalLevel { value, posts: 1_000 }), ..Comparison::default() }
}

fn against_baseline() -> NegativeRate {
    let hours = SignedDuration::from_hours;
    let baseline = RatePast::Trailing(hours(24));
    let above =
        RateThreshold::Baseline(RateBaseline { baseline, margin: 0.1, recover_margin: Some(0.05), min_posts: 100 });
    NegativeRate { window: hours(1), above, recover_below: None, confidence: 0.99, min_posts: 20 }
}

/// The example of the design: 80% where 63% is normal is chance with 10 posts, and significant with 200.
#[test]
fn a_high_share_of_few_posts_is_not_enough() {
    let (condition, normal) = (against_baseline(), normal(0.63));
    assert!(!condition.judge(counts(16, 20), &normal).holds);
    assert!(!condition.judge(counts(8, 10), &normal).holds);
    assert!(condition.judge(counts(170, 200), &normal).holds);
}

#[test]
fn the_threshold_follows_the_topic() {
    let condition = against_baseline();
    assert!(condition.judge(counts(120, 200), &normal(0.3)).holds);
    assert!(!condition.judge(counts(120, 200), &normal(0.6)).holds);
    let unknown = condition.judge(counts(200, 200), &Comparison::default());
    assert_eq!((unknown.holds, unknown.measured.threshold), (false, None));
}

#[test]
fn a_fixed_share_needs_no_past() {
    let condition = NegativeRate { above: RateThreshold::Fixed(0.5), ..against_baseline() };
    assert!(condition.judge(counts(130, 200), &Comparison::default()).holds);
    assert!(!condition.judge(counts(101, 200), &Comparison::default()).holds);
}

#[test]
fn it_holds_until_the_rate_is_clearly_back() {
    let condition = against_baseline();
    let holding = Comparison { held: true, ..normal(0.5) };
    assert!(condition.judge(counts(112, 200), &holding).holds, "0.56 is above 0.55");
    assert!(!condition.judge(counts(112, 200), &normal(0.5)).holds, "but does not begin it");
    assert!(!condition.judge(counts(108, 200), &holding).holds, "0.54 is below 0.55");
    assert!(!condition.judge(counts(15, 15), &holding).holds, "too few posts say nothing");
}

#[test]
fn posts_that_hang_together_prove_less() {
    let condition = against_baseline();
    let apart = condition.judge(counts(130, 200), &normal(0.45));
    let together = condition.judge(counts(130, 200), &Comparison { spread: 0.02, ..normal(0.45) });
    assert!(apart.holds && !together.holds);
    let day = NegativeRate { window: SignedDuration::from_hours(24), ..against_baseline() };
    let spread_out = day.judge(counts(130, 200), &Comparison { spread: 0.02, ..normal(0.45) });
    assert!(spread_out.holds, "eight posts an hour are nearly 200 in a day");
}

#[test]
fn a_fixed_share_is_the_true_one() {
    let condition = NegativeRate { above: RateThreshold::Fixed(0.5), recover_below: Some(0.4), ..against_baseline() };
    let error = ErrorRates::new(0.8, 0.8);
    let evaluation = condition.judge(counts(480, 800), &Comparison { error, ..Comparison::default() });
    assert_eq!(evaluation.measured.threshold, Some(0.5));
    let corrected = evaluation.measured.corrected.unwrap();
    assert!((corrected - (0.6 - 0.2) / 0.6).abs() < 1e-9, "{corrected}");
    let few_false = ErrorRates::new(0.6, 1.0);
    let evaluation = condition.judge(counts(300, 800), &Comparison { error: few_false, ..Comparison::default() });
    assert!(evaluation.holds, "0.375 are read as negative, so 0.625 are");
}
