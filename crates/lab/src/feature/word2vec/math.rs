//! The inner loop's arithmetic: dot products, tabulated sigmoids, random numbers.

/// Sum of products, in eight lanes that are added up at the end: a fixed order that compilers turn into SIMD.
pub(in crate::feature) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// `to += by * from`.
pub(super) fn add_scaled(to: &mut [f32], by: f32, from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += by * from);
}

/// The logistic function and its loss, tabulated; constant beyond the table.
pub(super) struct Sigmoid {
    values: Vec<f32>,
    losses: Vec<f32>,
}

impl Sigmoid {
    const LIMIT: f32 = 8.0;
    const STEPS_PER_UNIT: f32 = 256.0;

    pub(super) fn new() -> Self {
        let steps = (2.0 * Self::LIMIT * Self::STEPS_PER_UNIT) as usize;
        let at = |step: usize| f64::from(step as f32 / Self::STEPS_PER_UNIT - Self::LIMIT);
        let values = (0..=steps).map(|step| (1.0 / (1.0 + (-at(step)).exp())) as f32).collect();
        let losses = (0..=steps).map(|step| (1.0 + (-at(step)).exp()).ln() as f32).collect();
        Self { values, losses }
    }

    /// `1 / (1 + exp(-x))`, and `-ln` of it.
    pub(super) fn value_and_loss(&self, x: f32) -> (f32, f32) {
        let step = ((x.clamp(-Self::LIMIT, Self::LIMIT) + Self::LIMIT) * Self::STEPS_PER_UNIT + 0.5) as usize;
        let value = self.values.get(step).copied().unwrap_or(1.0);
        (value, self.losses.get(step).copied().unwrap_or_default())
    }

    /// `-ln(1 - sigmoid(x))`.
    pub(super) fn loss_against(&self, x: f32) -> f32 {
        self.value_and_loss(-x).1
    }
}

/// SplitMix64 (Steele et al. 2014): a step is a few instructions, and streams of neighbouring seeds are unrelated.
#[derive(Debug, Clone)]
pub(in crate::feature) struct Random(u64);

impl Random {
    /// An independent stream for each part of a run.
    pub(in crate::feature) fn new(seed: u64, parts: [u64; 3]) -> Self {
        let mut random = Self(seed);
        for part in parts {
            random.0 = random.next().wrapping_add(part);
        }
        random
    }

    pub(in crate::feature) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In `0..below`; the bias is below 2^-32 for the limits used here.
    pub(in crate::feature) fn below(&mut self, below: usize) -> usize {
        (((self.next() >> 32) * below as u64) >> 32) as usize
    }

    /// In [0, 1).
    pub(in crate::feature) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(in crate::feature) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
