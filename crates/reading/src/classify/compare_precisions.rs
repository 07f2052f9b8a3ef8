//! [`compare_precisions`]: what each precision costs in agreement and gains in speed on this machine. For people who choose
//! one.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::{
    Agreement, EncoderClassifier, ModelError, Precision, PrecisionChoice, Prediction, classify_texts, is_accelerated,
};

/// One precision against f32, on the same texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrecisionReport {
    pub precision: &'static str,
    /// Whether this machine has instructions made for it.
    pub accelerated: bool,
    /// Whether `auto` chooses it here.
    pub chosen: bool,
    #[serde(flatten)]
    pub agreement: Agreement,
    pub texts_per_second: f64,
}

/// Passes over the texts, of which the fastest counts.
const PASSES: usize = 3;

/// Runs the model in `dir` in every precision over `texts`, f32 first.
///
/// # Errors
/// When the model cannot be loaded or fails.
pub fn compare_precisions(dir: &Path, texts: &[&str]) -> Result<Vec<PrecisionReport>, ModelError> {
    let chosen = EncoderClassifier::load(dir, PrecisionChoice::Auto)?.precision();
    let (mut reports, mut exact) = (Vec::new(), Vec::new());
    for precision in Precision::ALL.into_iter().rev() {
        let (predictions, texts_per_second) = run(&mut EncoderClassifier::load_with(dir, precision)?, texts)?;
        if precision == Precision::F32 {
            exact.clone_from(&predictions);
        }
        reports.push(PrecisionReport {
            precision: precision.name(),
            accelerated: is_accelerated(precision),
            chosen: precision == chosen,
            agreement: Agreement::between(&exact, &predictions),
            texts_per_second,
        });
    }
    Ok(reports)
}

fn run(classifier: &mut EncoderClassifier, texts: &[&str]) -> Result<(Vec<Prediction>, f64), ModelError> {
    let (mut predictions, mut fastest) = (Vec::new(), f64::INFINITY);
    for _ in 0..PASSES {
        let start = Instant::now();
        predictions = classify_texts(classifier, texts).map_err(|error| ModelError::Forward(error.to_string()))?;
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    Ok((predictions, texts.len() as f64 / fastest))
}
