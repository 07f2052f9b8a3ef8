//! [`Lbfgs`]: minimises a smooth function by its values and gradients, for `logistic` (Nocedal and Wright 2006, ch. 3 and 7).
//!
//! Each iteration searches along a direction computed from the last steps and changes of the gradient, for a point that
//! meets the strong Wolfe conditions: the value falls enough, and the slope is much flatter than at the start.

use super::Minimum;

/// Sufficient decrease (c1 of the Wolfe conditions): this share of the fall that the first slope predicts.
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// Curvature (c2 of the Wolfe conditions): the slope must fall to this share of the first one.
const CURVATURE: f64 = 0.9;
/// Growth of the step until the minimum is bracketed.
const GROWTH: f64 = 4.0;
/// A step closer than this share of the interval to one of its ends is replaced by the middle.
const MARGIN: f64 = 0.1;
/// Maximum number of evaluations in one line search.
const MAX_EVALUATIONS: u32 = 40;
/// Near the minimum, values differ only by rounding: differences below this relative error count as equal.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// See the module.
pub(crate) struct Lbfgs {
    /// Number of steps kept to estimate the curvature.
    pub(crate) memory: usize,
    pub(crate) max_iterations: u64,
    /// Converged when the norm of the gradient is below it.
    pub(crate) tolerance: f64,
}

/// Parameters, and the function's value and gradient there.
struct Point {
    param: Vec<f64>,
    cost: f64,
    gradient: Vec<f64>,
}

/// A point of a line search.
struct Trial {
    step: f64,
    /// Of the function along the direction.
    slope: f64,
    point: Point,
}

/// A correction pair: a step and the change of the gradient over it.
struct Correction {
    step: Vec<f64>,
    change: Vec<f64>,
    /// The inverse of their dot product.
    weight: f64,
}

impl Lbfgs {
    /// The minimum near `start` of the function `evaluate`, which returns value and gradient. Calls `observe` with the number
    /// and the value of every iteration.
    pub(crate) fn minimise(
        &self,
        start: Vec<f64>,
        evaluate: impl Fn(&[f64]) -> (f64, Vec<f64>),
        mut observe: impl FnMut(u64, f64),
    ) -> Minimum {
        let point_at = |param: Vec<f64>| {
            let (cost, gradient) = evaluate(&param);
            Point { param, cost, gradient }
        };
        let mut current = point_at(start);
        let mut corrections: Vec<Correction> = Vec::new();
        let mut iterations = 0;
        let end = loop {
            if norm(&current.gradient) < self.tolerance {
                break Ok(());
            }
            if iterations == self.max_iterations {
                break Err("reached the maximum number of iterations".to_owned());
            }
            let Some(next) = next_point(&current, &mut corrections, &point_at) else {
                break Err("found no lower value along the gradient".to_owned());
            };
            if let Some(correction) = Correction::between(&current, &next) {
                corrections.push(correction);
                if corrections.len() > self.memory {
                    corrections.remove(0);
                }
            }
            current = next;
            observe(iterations, current.cost);
            iterations += 1;
        };
        Minimum { param: current.param, loss: current.cost, iterations, end }
    }
}

/// The result of one iteration. If the search along the quasi-Newton direction fails, the corrections are dropped and the
/// search follows the gradient.
fn next_point(
    current: &Point,
    corrections: &mut Vec<Correction>,
    point_at: &impl Fn(Vec<f64>) -> Point,
) -> Option<Point> {
    if !corrections.is_empty() {
        let direction = quasi_newton_direction(&current.gradient, corrections);
        if let Some(found) = line_search(current, &direction, 1.0, point_at) {
            return Some(found);
        }
        corrections.clear();
    }
    let downhill: Vec<f64> = current.gradient.iter().map(|value| -value).collect();
    // The scale is still unknown: the first step has at most length 1.
    line_search(current, &downhill, (1.0 / norm(&current.gradient)).min(1.0), point_at)
}

/// The two-loop recursion: minus the product of the gradient and the estimated inverse Hessian.
fn quasi_newton_direction(gradient: &[f64], corrections: &[Correction]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut factors = Vec::with_capacity(corrections.len());
    for correction in corrections.iter().rev() {
        let factor = correction.weight * dot(&correction.step, &direction);
        add_scaled(&mut direction, -factor, &correction.change);
        factors.push(factor);
    }
    if let Some(last) = corrections.last() {
        let scale = 1.0 / (last.weight * dot(&last.change, &last.change));
        direction.iter_mut().for_each(|value| *value *= scale);
    }
    for (correction, factor) in corrections.iter().zip(factors.into_iter().rev()) {
        let back = correction.weight * dot(&correction.change, &direction);
        add_scaled(&mut direction, factor - back, &correction.step);
    }
    direction
}

/// A point along `direction` that meets the strong Wolfe conditions, or at least the sufficient decrease; `None` if there is
/// none.
fn line_search(
    current: &Point,
    direction: &[f64],
    first_step: f64,
    point_at: &impl Fn(Vec<f64>) -> Point,
) -> Option<Point> {
    let slope = dot(&current.gradient, direction);
    // The function rises in this direction, or its slope is NaN.
    if slope.partial_cmp(&0.0) != Some(std::cmp::Ordering::Less) {
        return None;
    }
    let trial = |step: f64| {
        let mut param = current.param.clone();
        add_scaled(&mut param, step, direction);
        let point = point_at(param);
        Trial { step, slope: dot(&point.gradient, direction), point }
    };
    let slack = ROUNDING * current.cost.abs();
    let falls_enough =
        |trial: &Trial| trial.point.cost <= current.cost + SUFFICIENT_DECREASE * trial.step * slope + slack;
    let is_flat = |trial: &Trial| trial.slope.abs() <= CURVATURE * slope.abs();

    // `low` is the lowest point with a sufficient decrease; the minimum is between it and `high`, once that exists.
    let start = Point { param: current.param.clone(), cost: current.cost, gradient: current.gradient.clone() };
    let mut low = Trial { step: 0.0, slope, point: start };
    let mut high: Option<Trial> = None;
    for _ in 0..MAX_EVALUATIONS {
        let next = match &high {
            Some(high) => interpolate(&low, high),
            None if low.step == 0.0 => first_step,
            None => low.step * GROWTH,
        };
        let found = trial(next);
        if falls_enough(&found) && is_flat(&found) {
            return Some(found.point);
        }
        if !falls_enough(&found) || found.point.cost >= low.point.cost {
            high = Some(found);
        } else {
            // If the function rises from `found` towards `high` (or onwards, without `high`), the minimum is on the side of
            // `low`.
            let ahead = high.as_ref().map_or(1.0, |high| high.step - low.step);
            if found.slope * ahead >= 0.0 {
                high = Some(low);
            }
            low = found;
        }
        // The interval is as small as rounding allows.
        if high.as_ref().is_some_and(|high| (high.step - low.step).abs() <= f64::EPSILON * low.step.max(1e-300)) {
            break;
        }
    }
    (low.step > 0.0).then_some(low.point)
}

/// The minimum of the cubic through both ends, at some distance from them.
fn interpolate(low: &Trial, high: &Trial) -> f64 {
    let width = high.step - low.step;
    let chord = (high.point.cost - low.point.cost) / width;
    let bend = low.slope + high.slope - 3.0 * chord;
    let root = (bend * bend - low.slope * high.slope).sqrt() * width.signum();
    let step = high.step - width * (high.slope + root - bend) / (high.slope - low.slope + 2.0 * root);
    let share = (step - low.step) / width;
    // The middle also if the cubic yields NaN.
    if (MARGIN..=1.0 - MARGIN).contains(&share) { step } else { low.step + 0.5 * width }
}

impl Correction {
    /// `None` if the gradient hardly changed along the step, or changed against it: it would contain no positive curvature.
    fn between(current: &Point, next: &Point) -> Option<Self> {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let (step, change) = (difference(&next.param, &current.param), difference(&next.gradient, &current.gradient));
        let product = dot(&step, &change);
        let is_curved = product > f64::EPSILON * dot(&change, &change);
        is_curved.then(|| Self { step, change, weight: 1.0 / product })
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add_scaled(to: &mut [f64], factor: f64, values: &[f64]) {
    for (sum, value) in to.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOLVER: Lbfgs = Lbfgs { memory: 10, max_iterations: 200, tolerance: 1e-8 };

    /// A curved valley in `n / 2` pairs, whose minimum is 0 at ones.
    fn rosenbrock(x: &[f64]) -> (f64, Vec<f64>) {
        let (mut cost, mut gradient) = (0.0, Vec::new());
        for pair in x.chunks(2) {
            let (a, b) = (1.0 - pair[0], pair[1] - pair[0] * pair[0]);
            cost += a * a + 100.0 * b * b;
            gradient.extend([-2.0 * a - 400.0 * pair[0] * b, 200.0 * b]);
        }
        (cost, gradient)
    }

    #[test]
    fn the_minimum_of_a_curved_valley_is_found() {
        let mut seen = Vec::new();
        let minimum = SOLVER.minimise(vec![-1.2, 1.0, 3.0, -2.0], rosenbrock, |step, cost| seen.push((step, cost)));
        assert_eq!(minimum.end, Ok(()));
        assert!(minimum.param.iter().all(|value| (value - 1.0).abs() < 1e-6), "{:?}", minimum.param);
        assert!(minimum.iterations < 100, "{}", minimum.iterations);
        assert_eq!(seen.len() as u64, minimum.iterations);
        assert!(seen.is_sorted_by(|a, b| a.0 + 1 == b.0 && a.1 >= b.1), "{seen:?}");
    }

    #[test]
    fn scales_that_differ_by_a_million_do_not_prevent_convergence() {
        let scales = [1e-3, 1.0, 1e3];
        let value = |x: &[f64]| {
            let cost = x.iter().zip(scales).map(|(x, s)| s * (x - 2.0) * (x - 2.0)).sum();
            (cost, x.iter().zip(scales).map(|(x, s)| 2.0 * s * (x - 2.0)).collect())
        };
        let minimum = SOLVER.minimise(vec![0.0; 3], value, |_, _| ());
        assert_eq!(minimum.end, Ok(()));
        assert!(minimum.param.iter().all(|value| (value - 2.0).abs() < 1e-4), "{:?}", minimum.param);
    }

    #[test]
    fn the_reason_of_a_stop_is_returned() {
        let few = Lbfgs { max_iterations: 2, ..SOLVER }.minimise(vec![-1.2, 1.0], rosenbrock, |_, _| ());
        assert_eq!((few.iterations, few.end), (2, Err("reached the maximum number of iterations".to_owned())));
        let at_minimum = SOLVER.minimise(vec![1.0, 1.0], rosenbrock, |_, _| ());
        assert_eq!((at_minimum.iterations, at_minimum.end), (0, Ok(())));
        let wrong_gradient = SOLVER.minimise(vec![1.0], |x| (x[0], vec![-1.0]), |_, _| ());
        assert_eq!(wrong_gradient.end, Err("found no lower value along the gradient".to_owned()));
        let nan = SOLVER.minimise(vec![1.0], |_| (f64::NAN, vec![f64::NAN]), |_, _| ());
        assert!(nan.end.is_err());
    }
}
