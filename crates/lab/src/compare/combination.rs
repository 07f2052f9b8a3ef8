//! [`Combination`]: an embedding and an estimator, named as in the study, and the patterns that choose among the twelve.

use std::fmt;

/// What turns texts into features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EmbeddingKind {
    TfIdf,
    Word2Vec,
    Glove,
    DistilBert,
}

/// What learns labels from features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EstimatorKind {
    Logistic,
    Forest,
    LightGbm,
}

/// One run of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Combination {
    pub embedding: EmbeddingKind,
    pub estimator: EstimatorKind,
}

impl EmbeddingKind {
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

/// A pattern that no run has.
#[derive(Debug, thiserror::Error)]
#[error("--only {pattern} names no run; the runs are {}, and `*` stands for any letters, as in `TFIDF_*`", names().join(", "))]
pub struct UnknownRun {
    pattern: String,
}

impl Combination {
    /// All twelve, those of an embedding together.
    pub fn all() -> Vec<Self> {
        let of_embedding = |embedding| EstimatorKind::ALL.map(|estimator| Self { embedding, estimator });
        EmbeddingKind::ALL.into_iter().flat_map(of_embedding).collect()
    }

    /// Those that at least one pattern names, in the order of [`Combination::all`]; all without a pattern. A `*` stands
    /// for any letters, and case does not count.
    pub fn chosen(patterns: &[String]) -> Result<Vec<Self>, UnknownRun> {
        let all = Self::all();
        let named = |run: &Self, pattern: &String| matches(&pattern.to_lowercase(), &run.to_string().to_lowercase());
        if let Some(pattern) = patterns.iter().find(|pattern| !all.iter().any(|run| named(run, pattern))) {
            return Err(UnknownRun { pattern: pattern.clone() });
        }
        let wanted = |run: &Self| patterns.is_empty() || patterns.iter().any(|pattern| named(run, pattern));
        Ok(all.into_iter().filter(wanted).collect())
    }
}

/// Such as `TFIDF_LogisticRegression`.
impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.embedding.name(), self.estimator.name())
    }
}

fn names() -> Vec<String> {
    Combination::all().iter().map(Combination::to_string).collect()
}

/// Whether `name` is `pattern`, whose `*` stand for any letters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    (0..=name.len()).filter_map(|from| name.get(from..)).any(|tail| matches(rest, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let names = |runs: Vec<Combination>| runs.iter().map(Combination::to_string).collect();
        Combination::chosen(&patterns).map(names).map_err(|error| error.to_string())
    }

    #[test]
    fn patterns_choose_runs_in_the_order_of_the_grid() {
        assert_eq!(chosen(&[]).unwrap().len(), 12);
        assert_eq!(chosen(&["tfidf_*"]).unwrap(), ["TFIDF_LogisticRegression", "TFIDF_RandomForest", "TFIDF_LightGBM"]);
        assert_eq!(chosen(&["*forest", "GloVe_RandomForest"]).unwrap().len(), 4);
        assert_eq!(
            chosen(&["DistilBERT_LightGBM", "*2V*_L*n"]).unwrap(),
            ["Word2Vec_LogisticRegression", "DistilBERT_LightGBM"]
        );
        assert_eq!(chosen(&["*"]).unwrap().len(), 12);
    }

    #[test]
    fn a_pattern_that_names_nothing_is_refused_with_the_list() {
        for pattern in ["TFIDF", "BERT_*", "", "*_SVM"] {
            let message = chosen(&["TFIDF_*", pattern]).unwrap_err();
            assert!(
                message.starts_with(&format!("--only {pattern} names no run; the runs are TFIDF_Log")),
                "{message}"
            );
            assert!(message.contains("DistilBERT_LightGBM"), "{message}");
        }
    }
}
