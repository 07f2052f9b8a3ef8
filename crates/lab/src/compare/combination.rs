//! [`Combination`]: a featurizer and an estimator, named as in the study, and the patterns that select among the
//! twelve.

use std::fmt;

/// How texts become features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeaturizerKind {
    TfIdf,
    Word2Vec,
    Glove,
    DistilBert,
}

/// Which algorithm learns labels from features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EstimatorKind {
    Logistic,
    Forest,
    LightGbm,
}

/// One run of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Combination {
    pub featurizer: FeaturizerKind,
    pub estimator: EstimatorKind,
}

impl FeaturizerKind {
    pub const ALL: [Self; 4] = [Self::TfIdf, Self::Word2Vec, Self::Glove, Self::DistilBert];

    pub fn name(self) -> &'static str {
        match self {
            Self::TfIdf => "TFIDF",
            Self::Word2Vec => "Word2Vec",
            Self::Glove => "GloVe",
            Self::DistilBert => "DistilBERT",
        }
    }
}

impl EstimatorKind {
    pub const ALL: [Self; 3] = [Self::Logistic, Self::Forest, Self::LightGbm];

    pub fn name(self) -> &'static str {
        match self {
            Self::Logistic => "LogisticRegression",
            Self::Forest => "RandomForest",
            Self::LightGbm => "LightGBM",
        }
    }
}

/// A pattern that matches no run.
#[derive(Debug, thiserror::Error)]
#[error("--only {pattern} matches no run; the runs are {}; `*` matches any characters, as in `TFIDF_*`", names().join(", "))]
pub struct UnknownRunError {
    pattern: String,
}

impl Combination {
    /// All twelve, grouped by featurizer.
    pub fn all() -> Vec<Self> {
        let of_featurizer = |featurizer| EstimatorKind::ALL.map(|estimator| Self { featurizer, estimator });
        FeaturizerKind::ALL.into_iter().flat_map(of_featurizer).collect()
    }

    /// The combinations that at least one pattern matches, in the order of [`Combination::all`]; all without a pattern.
    /// `*` matches any characters, and case is ignored.
    pub fn select(patterns: &[String]) -> Result<Vec<Self>, UnknownRunError> {
        let all = Self::all();
        let is_match = |run: &Self, pattern: &String| matches(&pattern.to_lowercase(), &run.to_string().to_lowercase());
        if let Some(pattern) = patterns.iter().find(|pattern| !all.iter().any(|run| is_match(run, pattern))) {
            return Err(UnknownRunError { pattern: pattern.clone() });
        }
        let selected = |run: &Self| patterns.is_empty() || patterns.iter().any(|pattern| is_match(run, pattern));
        Ok(all.into_iter().filter(selected).collect())
    }
}

/// Such as `TFIDF_LogisticRegression`.
impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.featurizer.name(), self.estimator.name())
    }
}

fn names() -> Vec<String> {
    Combination::all().iter().map(Combination::to_string).collect()
}

/// Whether `name` matches `pattern`, in which `*` matches any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    (0..=name.len()).filter_map(|from| name.get(from..)).any(|tail| matches(rest, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let names = |runs: Vec<Combination>| runs.iter().map(Combination::to_string).collect();
        Combination::select(&patterns).map(names).map_err(|error| error.to_string())
    }

    #[test]
    fn patterns_select_runs_in_the_order_of_the_grid() {
        assert_eq!(select(&[]).unwrap().len(), 12);
        assert_eq!(select(&["tfidf_*"]).unwrap(), ["TFIDF_LogisticRegression", "TFIDF_RandomForest", "TFIDF_LightGBM"]);
        assert_eq!(select(&["*forest", "GloVe_RandomForest"]).unwrap().len(), 4);
        assert_eq!(
            select(&["DistilBERT_LightGBM", "*2V*_L*n"]).unwrap(),
            ["Word2Vec_LogisticRegression", "DistilBERT_LightGBM"]
        );
        assert_eq!(select(&["*"]).unwrap().len(), 12);
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_refused_with_the_list() {
        for pattern in ["TFIDF", "BERT_*", "", "*_SVM"] {
            let message = select(&["TFIDF_*", pattern]).unwrap_err();
            assert!(
                message.starts_with(&format!("--only {pattern} matches no run; the runs are TFIDF_Log")),
                "{message}"
            );
            assert!(message.contains("DistilBERT_LightGBM"), "{message}");
        }
    }
}
