//! What every estimator guarantees, and the reference values of scikit-learn 1.9.1 and LightGBM 4.7.0 in Python:
//!
//! ```python
//! n = 120
//! X = np.array([[((i*7+j*5)%11)/11+(i%3)*0.3*(j+1) for j in range(4)] for i in range(n)], np.float32)
//! X[:, 3] *= np.arange(n) % 2
//! y = np.array([(i+i//5)%3 for i in range(n)])       # of two classes: the rows where y != 1
//! Z = (X - X.mean(0)) / X.std(0)                     # dense rows; X itself as sparse ones
//! LogisticRegression(C=0.7, tol=1e-12, max_iter=10000).fit(Z, y).predict_proba(Z)
//! LGBMClassifier(n_estimators=12, num_leaves=7, min_child_samples=5, random_state=1, deterministic=True,
//!                force_row_wise=True).fit(X, y, eval_set=[(X, y)]).predict_proba(X)
//! ```

use super::*;
use crate::label_set::LabelSet;
use crate::matrix::{Dense, Sparse};
use Label::{Negative, Neutral, Positive};

/// Those that can fit on this machine. Few and small trees, as the rows are few.
fn all() -> Vec<Estimator> {
    let lightgbm = LightGbm { n_estimators: 30, min_child_samples: 5, ..LightGbm::default() };
    let all = [
        Estimator::Logistic(LogisticRegression::default()),
        Estimator::Forest(RandomForest { n_estimators: 30, ..RandomForest::default() }),
        Estimator::LightGbm(lightgbm),
    ];
    let can_fit = |estimator: &Estimator| match estimator.check_available() {
        Ok(()) => true,
        Err(error) => {
            println!("skipped: {}: {error}", estimator.name());
            false
        }
    };
    all.into_iter().filter(can_fit).collect()
}

/// Rows whose class is the index of their largest value, with some noise; the last column is constant.
fn separable(rows: usize, classes: &[Label]) -> (Dense, Vec<Label>) {
    let mut values = Vec::new();
    let mut labels = Vec::new();
    for row in 0..rows {
        let class = row % classes.len();
        let noise = |column: usize| ((row * 31 + column * 17) % 13) as f32 / 26.0;
        values.extend((0..4).map(|column| if column == class { 1.0 } else { 0.0 } + noise(column)));
        values.push(1.0);
        labels.push(classes[class]);
    }
    (Dense { width: 5, values }, labels)
}

fn sparse(dense: &Dense) -> Sparse {
    let mut sparse = Sparse { width: dense.width, starts: vec![0], columns: vec![], values: vec![] };
    for row in dense.values.chunks(dense.width) {
        for (column, value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            sparse.columns.push(column as u32);
            sparse.values.push(*value);
        }
        sparse.starts.push(sparse.values.len());
    }
    sparse
}

fn fit(estimator: &Estimator, x: &Matrix, labels: &[Label]) -> Result<FittedEstimator, String> {
    estimator.fit(x, labels, &ProgressBar::hidden()).map_err(|error| error.to_string())
}

fn most_likely(probabilities: &[[f32; 3]]) -> Vec<Label> {
    let every = LabelSet::from_labels(Label::ALL);
    probabilities.iter().map(|row| every.most_likely(row).unwrap()).collect()
}

#[test]
fn what_is_separable_is_separated_dense_and_sparse() {
    for classes in [&[Negative, Positive][..], &Label::ALL, &[Neutral, Positive]] {
        let (dense, labels) = separable(300, classes);
        for x in [Matrix::Sparse(sparse(&dense)), Matrix::Dense(dense)] {
            for estimator in all() {
                let fitted = fit(&estimator, &x, &labels).unwrap();
                let probabilities = fitted.predict(&x).unwrap();
                assert_eq!(most_likely(&probabilities), labels, "{}", estimator.name());
                for row in &probabilities {
                    assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
                    let missing = Label::ALL.into_iter().filter(|label| !classes.contains(label));
                    assert!(missing.into_iter().all(|label| row[label as usize] == 0.0), "{row:?}");
                }
            }
        }
    }
}

#[test]
fn a_single_class_is_certain() {
    let (dense, _) = separable(40, &Label::ALL);
    let x = Matrix::Dense(dense);
    for estimator in all() {
        let fitted = fit(&estimator, &x, &[Neutral; 40]).unwrap();
        assert_eq!(fitted.predict(&x).unwrap(), [[0.0, 1.0, 0.0]; 40], "{}", estimator.name());
    }
}

#[test]
fn invalid_input_is_named() {
    let (dense, labels) = separable(40, &Label::ALL);
    let mut spoilt = dense.clone();
    spoilt.values[5 * 7 + 3] = f32::NAN;
    let (mut wide, mut backwards) = (sparse(&dense), sparse(&dense));
    wide.columns[4] = 5;
    backwards.columns.swap(0, 1);
    let mut unequal = sparse(&dense);
    unequal.starts.pop();
    let x = Matrix::Dense(dense);
    for estimator in all() {
        let error = |x: Matrix, labels: &[Label]| fit(&estimator, &x, labels).map(|_| ()).unwrap_err();
        assert_eq!(error(x.clone(), &labels[1..]), "39 labels for 40 rows of features; expected one per row");
        assert_eq!(error(Matrix::Dense(spoilt.clone()), &labels), "row 7, feature 3 is NaN; expected a finite number");
        assert_eq!(error(Matrix::Dense(Dense::default()), &[]), "no training rows");
        assert!(error(Matrix::Sparse(sparse(&spoilt)), &labels).starts_with("row 7, feature 3 is NaN"));
        for (matrix, expected) in [(&wide, "columns of row 0 are not"), (&backwards, "columns of row 0 are not")] {
            let message = error(Matrix::Sparse(matrix.clone()), &labels);
            assert!(message.contains(expected), "{message}");
        }
        assert!(error(Matrix::Sparse(unequal.clone()), &labels[1..]).contains("do not start in order"));
        let fitted = fit(&estimator, &x, &labels).unwrap();
        let message = fitted.predict(&Matrix::Dense(Dense { width: 1, values: vec![0.0] })).unwrap_err().to_string();
        assert!(message.contains("rows of 1 features; expected 5"), "{message}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (mut dense, labels) = separable(3000, &Label::ALL);
    for (index, value) in dense.values.iter_mut().enumerate() {
        *value += ((index * 7919) % 1009) as f32 / 500.0;
    }
    for x in [Matrix::Sparse(sparse(&dense)), Matrix::Dense(dense)] {
        for estimator in all() {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| fit(&estimator, &x, &labels).unwrap().predict(&x).unwrap())
            };
            let one = on(1);
            assert!(one == on(2) && one == on(3), "{}", estimator.name());
        }
    }
}

/// The rows of the Python code above.
fn reference(classes: &[Label]) -> (Dense, Vec<Label>) {
    let mut dense = Dense { width: 4, values: vec![] };
    let mut labels = Vec::new();
    for i in 0..120_usize {
        let label = Label::ALL[(i + i / 5) % 3];
        if classes.contains(&label) {
            let value =
                |j: usize| (((i * 7 + j * 5) % 11) as f64 / 11.0 + (i % 3) as f64 * 0.3 * (j + 1) as f64) as f32;
            dense.values.extend([value(0), value(1), value(2), value(3) * (i % 2) as f32]);
            labels.push(label);
        }
    }
    (dense, labels)
}

fn assert_close(found: &[[f32; 3]], expected: &[[f32; 3]], tolerance: f32) {
    for (found, expected) in found.iter().zip(expected) {
        let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < tolerance);
        assert!(near, "{found:?} is not {expected:?}");
    }
}

#[test]
fn the_logistic_regression_matches_scikit_learn() {
    let exact = Estimator::Logistic(LogisticRegression { c: 0.7, tol: 1e-8, ..LogisticRegression::default() });
    let predict = |x: &Matrix, labels: &[Label]| fit(&exact, x, labels).unwrap().predict(x).unwrap();
    let (dense, labels) = reference(&Label::ALL);
    let of_sparse = predict(&Matrix::Sparse(sparse(&dense)), &labels);
    assert_close(&of_sparse, &[[0.428179, 0.386402, 0.185419], [0.388235, 0.425797, 0.185969]], 1e-4);
    let of_dense = predict(&Matrix::Dense(dense), &labels);
    assert_close(&of_dense, &[[0.442776, 0.379284, 0.17794], [0.386875, 0.430029, 0.183096]], 1e-4);

    let (dense, labels) = reference(&[Negative, Positive]);
    let of_sparse = predict(&Matrix::Sparse(sparse(&dense)), &labels);
    assert_close(&of_sparse, &[[0.686953, 0.0, 0.313047], [0.658254, 0.0, 0.341746]], 1e-4);
    let of_dense = predict(&Matrix::Dense(dense), &labels);
    assert_close(&of_dense, &[[0.703116, 0.0, 0.296884], [0.653112, 0.0, 0.346888]], 1e-4);
}

#[test]
fn lightgbm_matches_its_python_package() {
    let settings = LightGbm { n_estimators: 12, num_leaves: 7, min_child_samples: 5, ..LightGbm::default() };
    let estimator = Estimator::LightGbm(LightGbm { colsample_bytree: 1.0, ..settings });
    if let Err(error) = estimator.check_available() {
        println!("skipped: {error}");
        return;
    }
    for (classes, rows, loss) in [
        (&Label::ALL[..], [[0.490077, 0.416525, 0.093398], [0.239833, 0.457148, 0.303019]], 0.9076797812984815),
        (&[Negative, Positive], [[0.791513, 0.0, 0.208487], [0.625481, 0.0, 0.374519]], 0.5050991318093122),
    ] {
        let (dense, labels) = reference(classes);
        for x in [Matrix::Sparse(sparse(&dense)), Matrix::Dense(dense)] {
            let fitted = fit(&estimator, &x, &labels).unwrap();
            assert_close(&fitted.predict(&x).unwrap(), &rows, 1e-5);
            let losses = &fitted.epochs()["log_loss"];
            assert!(losses.len() == 12 && (losses[11] - loss).abs() < 1e-6, "{losses:?}");
        }
    }
}

#[test]
fn another_seed_grows_another_forest() {
    let (dense, labels) = reference(&Label::ALL);
    let x = Matrix::Dense(dense);
    let of_seed = |seed| fit(&Estimator::all(seed)[1], &x, &labels).unwrap().predict(&x).unwrap();
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
}

#[test]
fn a_missing_library_is_reported_with_the_remedy() {
    let (dense, labels) = separable(40, &Label::ALL);
    let [_, _, lightgbm] = Estimator::all(1);
    match lightgbm.check_available() {
        Ok(()) => assert!(lightgbm.is_available() && fit(&lightgbm, &Matrix::Dense(dense), &labels).is_ok()),
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("pip install lightgbm") || message.contains("--features lightgbm"), "{message}");
            assert_eq!(fit(&lightgbm, &Matrix::Dense(dense), &labels).map(|_| ()).unwrap_err(), message);
        }
    }
}

#[test]
fn invalid_settings_are_named() {
    let (dense, labels) = separable(40, &Label::ALL);
    let x = Matrix::Dense(dense);
    let (logistic, forest) = (LogisticRegression::default(), RandomForest::default());
    for (estimator, expected) in [
        (Estimator::Logistic(LogisticRegression { c: 0.0, ..logistic }), "C is 0; expected a number above 0"),
        (Estimator::Logistic(LogisticRegression { tol: -1.0, ..logistic }), "tolerance is -1"),
        (Estimator::Forest(RandomForest { n_estimators: 0, ..forest }), "n_estimators is 0; expected at least 1"),
        (Estimator::Forest(RandomForest { max_bins: 257, ..forest }), "max_bins is 257; expected 2 to 256"),
        (Estimator::Forest(RandomForest { min_samples_leaf: 0, ..forest }), "min_samples_leaf is 0"),
    ] {
        let message = fit(&estimator, &x, &labels).map(|_| ()).unwrap_err();
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
}
