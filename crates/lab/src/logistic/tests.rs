//! The reference values come from scikit-learn 1.9.1 and scipy, with
//!
//! ```python
//! n, d, l2 = 24, 3, 0.05
//! x = np.array([[((i*7 + j*5) % 11)/11 + (i % 3)*0.3*(j + 1) for j in range(d)] for i in range(n)], np.float32)
//! y = np.array([(i + i//5) % 3 for i in range(n)]); w = np.array([1.0 + i % 2 for i in range(n)])
//! z = (x - x.mean(0)) / x.std(0)
//! m = LogisticRegression(C=1/(l2*w.sum()), tol=1e-12, max_iter=10000).fit(z, y, sample_weight=w)
//! W = m.coef_ / x.std(0); b = m.intercept_ - W @ x.mean(0); b -= b.mean()
//! ```
//!
//! and for two-class rows `scipy.optimize.minimize(f, np.zeros(12), method="BFGS")` on the same objective with the
//! logits of class 1 at minus infinity for rows where `i % 4 == 0 and y != 1`.

use super::rows::CHUNK;
use super::*;
use Label::Neutral;
use vigie_reading::classify::Label;

const ROWS: usize = 24;
const SETTINGS: Logistic = Logistic { l2: 0.05, seed: 1, max_iterations: 500, tolerance: 1e-9 };

fn examples(two_class: impl Fn(usize, Label) -> bool) -> Examples {
    let feature = |i: usize, j: usize| ((i * 7 + j * 5) % 11) as f32 / 11.0 + ((i % 3) * (j + 1)) as f32 * 0.3;
    let target = |i: usize| {
        let label = Label::ALL[(i + i / 5) % 3];
        let among = if two_class(i, label) { 0b101 } else { 0b111 };
        Target { class: label as usize, among, weight: 1.0 + (i % 2) as f64 }
    };
    Examples {
        classes: Label::ALL.map(|label| label.as_str().to_owned()).to_vec(),
        width: 3,
        features: (0..ROWS).flat_map(|i| (0..3).map(move |j| feature(i, j))).collect(),
        targets: (0..ROWS).map(target).collect(),
    }
}

fn three_class() -> Examples {
    examples(|_, _| false)
}

fn mixed() -> Examples {
    examples(|i, label| i % 4 == 0 && label != Neutral)
}

fn close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{found} is not {expected}");
    }
}

/// An equal addition to every intercept changes no probability.
fn centred(bias: &[f32]) -> Vec<f32> {
    let mean = bias.iter().sum::<f32>() / bias.len() as f32;
    bias.iter().map(|value| value - mean).collect()
}

#[test]
fn the_optimum_is_that_of_scikit_learn() {
    let fitted = SETTINGS.fit(three_class()).unwrap();
    let expected = [0.078603, 0.040605, -0.195948, -0.547726, -0.478311, 0.101412, 0.469123, 0.437705, 0.094535];
    close(&fitted.weight, &expected, 2e-6);
    close(&centred(&fitted.bias), &[0.487826, 0.996247, -1.484073], 2e-6);
    assert!((fitted.loss - 1.0132877672690273).abs() < 1e-8, "{}", fitted.loss);
}

#[test]
fn a_row_of_two_classes_weighs_only_the_two() {
    let fitted = SETTINGS.fit(mixed()).unwrap();
    let expected = [0.37699, 0.18269, -0.31563, -0.9389, -0.67632, 0.24754, 0.56191, 0.49363, 0.06809];
    close(&fitted.weight, &expected, 2e-5);
    close(&centred(&fitted.bias), &[0.2015, 1.44586, -1.64736], 2e-5);
    assert!((fitted.loss - 0.9392802295861991).abs() < 1e-8, "{}", fitted.loss);
}

#[test]
fn the_gradient_is_the_slope_of_the_cost() {
    let examples = mixed();
    let rows = FeatureRows::Dense { width: examples.width, values: &examples.features };
    let total: f64 = examples.targets.iter().map(|target| target.weight).sum();
    let problem = Objective { rows, targets: &examples.targets, classes: 3, l2: 0.3, scale: 1.0 / total };
    let at = starting_point(3, 12).iter().map(|value| value * 100.0).collect::<Vec<f64>>();
    let gradient = problem.value(&at).1;
    for index in 0..at.len() {
        let cost = |step: f64| {
            let mut moved = at.clone();
            moved[index] += step;
            problem.value(&moved).0
        };
        let slope = (cost(1e-5) - cost(-1e-5)) / 2e-5;
        assert!((gradient[index] - slope).abs() < 1e-8, "{index}: {} is not {slope}", gradient[index]);
    }
}

/// More rows than one chunk, so that there is an order of summing to get wrong.
fn many() -> Examples {
    let mut many = mixed();
    let rows = CHUNK * 5 + 17;
    let noise = starting_point(9, rows * 3);
    many.features = (0..rows * 3).map(|i| many.features[i % (ROWS * 3)] + noise[i] as f32 * 30.0).collect();
    many.targets = (0..rows).map(|i| many.targets[i % ROWS]).collect();
    many
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| SETTINGS.fit(many()).unwrap())
    };
    let one = on(1);
    assert_eq!(one, on(3));
    assert_eq!(one, on(4));
}

#[test]
fn another_seed_starts_elsewhere_and_ends_at_the_same_optimum() {
    assert_ne!(starting_point(1, 4), starting_point(2, 4));
    let (one, two) = (SETTINGS.fit(many()).unwrap(), Logistic { seed: 2, ..SETTINGS }.fit(many()).unwrap());
    close(&one.weight, &two.weight, 1e-5);
}

#[test]
fn a_weight_of_two_equals_the_row_twice() {
    let mut twice = three_class();
    let doubled: Vec<usize> = (0..ROWS).filter(|row| row % 2 == 1).collect();
    for row in &doubled {
        let copy = twice.features[row * 3..][..3].to_vec();
        twice.features.extend(copy);
        twice.targets.push(twice.targets[*row]);
    }
    let mut weighted = twice.clone();
    for target in &mut twice.targets {
        target.weight = 1.0;
    }
    for target in &mut weighted.targets[ROWS..] {
        target.weight = 0.0;
    }
    close(&SETTINGS.fit(twice).unwrap().weight, &SETTINGS.fit(weighted).unwrap().weight, 1e-6);
}

#[test]
fn faulty_settings_and_examples_are_named() {
    let error = |settings: Logistic, spoil: fn(&mut Examples)| {
        let mut examples = three_class();
        spoil(&mut examples);
        settings.fit(examples).unwrap_err().to_string()
    };
    let as_they_are: fn(&mut Examples) = |_| {};
    for (settings, spoil, expected) in [
        (Logistic { l2: -1.0, ..SETTINGS }, as_they_are, "l2 is -1; expected a number of at least 0"),
        (Logistic { tolerance: 0.0, ..SETTINGS }, as_they_are, "tolerance is 0"),
        (Logistic { max_iterations: 0, ..SETTINGS }, as_they_are, "max_iterations is 0"),
        (Logistic { max_iterations: 1, ..SETTINGS }, as_they_are, "did not converge"),
        (SETTINGS, |examples| examples.features.truncate(5), "5 features for 24 rows of 3; expected 72"),
        (SETTINGS, |examples| examples.features[4] = f32::NAN, "not a finite number"),
        (SETTINGS, |examples| examples.targets.iter_mut().for_each(|t| t.class = 0), "no row of class neutral"),
    ] {
        let message = error(settings, spoil);
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
}
