//! The forest on separable, constant and odd data.

use super::*;
use crate::matrix::Dense;

#[test]
fn a_tree_splits_between_the_classes() {
    let values: Vec<f32> = (0..200).map(|value| value as f32).collect();
    let labels: Vec<Label> = (0..200).map(|row| if row < 120 { Label::Negative } else { Label::Positive }).collect();
    let x = Matrix::Dense(Dense { width: 1, values });
    let forest = RandomForest { n_estimators: 20, max_bins: 256, ..RandomForest::default() };
    let fitted = forest.fit(&x, &labels, &ProgressBar::hidden()).unwrap();
    for tree in &fitted.trees {
        let Node::Split { column: 0, threshold, .. } = tree[0] else { panic!("{tree:?}") };
        assert!((115.0..125.0).contains(&threshold), "{threshold}");
        assert_eq!(tree.len(), 3, "both sides are pure");
    }
}
