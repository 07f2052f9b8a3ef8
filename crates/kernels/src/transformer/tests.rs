//! Every path against a plain computation in f64, on shapes that fill no tile.

use super::*;

/// Random numbers without a crate: a multiplicative generator (Lehmer), in `[-1, 1)`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn values(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| scale * self.next()).collect()
    }

    fn linear(&mut self, outputs: usize, inputs: usize) -> LinearWeights {
        let scale = 1.5 / (inputs as f32).sqrt();
        LinearWeights { weights: self.values(outputs * inputs, scale), bias: self.values(outputs, 0.3) }
    }

    fn norm(&mut self, dim: usize) -> LayerNorm {
        let weight = self.values(dim, 0.2).iter().map(|value| 1.0 + value).collect();
        LayerNorm { weight, bias: self.values(dim, 0.2), epsilon: 1e-12 }
    }

    fn layer(&mut self, dimensions: &Dimensions) -> LayerWeights {
        let Dimensions { dim, hidden, .. } = *dimensions;
        LayerWeights {
            qkv: self.linear(3 * dim, dim),
            out: self.linear(dim, dim),
            attention_norm: self.norm(dim),
            up: self.linear(hidden, dim),
            down: self.linear(dim, hidden),
            output_norm: self.norm(dim),
        }
    }
}

type Rows = Vec<Vec<f64>>;

fn product(layer: &LinearWeights, rows: &Rows) -> Rows {
    let inputs = rows[0].len();
    let output = |row: &Vec<f64>, (weights, bias): (&[f32], &f32)| {
        f64::from(*bias) + row.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum::<f64>()
    };
    rows.iter()
        .map(|row| layer.weights.chunks(inputs).zip(&layer.bias).map(|column| output(row, column)).collect())
        .collect()
}

fn normalised(norm: &LayerNorm, left: &Rows, right: &Rows) -> Rows {
    let row = |(left, right): (&Vec<f64>, &Vec<f64>)| {
        let sums: Vec<f64> = left.iter().zip(right).map(|(left, right)| left + right).collect();
        let mean = sums.iter().sum::<f64>() / sums.len() as f64;
        let variance = sums.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / sums.len() as f64;
        let scaled = |(value, (weight, bias)): (&f64, (&f32, &f32))| {
            (value - mean) / variance.sqrt() * f64::from(*weight) + f64::from(*bias)
        };
        sums.iter().zip(norm.weight.iter().zip(&norm.bias)).map(scaled).collect()
    };
    left.iter().zip(right).map(row).collect()
}

fn attention(projected: &Rows, heads: usize, width: usize) -> Rows {
    let mut out: Rows = vec![vec![0.0; heads * width]; projected.len()];
    for head in 0..heads {
        let part = |row: usize, part: usize| &projected[row][(head * 3 + part) * width..][..width];
        for (query, out) in out.iter_mut().enumerate() {
            let score = |key: usize| part(query, 0).iter().zip(part(key, 1)).map(|(q, k)| q * k).sum::<f64>().exp();
            let scores: Vec<f64> = (0..projected.len()).map(score).collect();
            let total: f64 = scores.iter().sum();
            for (key, score) in scores.iter().enumerate() {
                for place in 0..width {
                    out[head * width + place] += score / total * part(key, 2)[place];
                }
            }
        }
    }
    out
}

fn activate(activation: Activation, rows: Rows) -> Rows {
    let gelu = |x: f64| 0.5 * x * (1.0 + statrs::function::erf::erf(x / std::f64::consts::SQRT_2));
    let one = |x: f64| if activation == Activation::Gelu { gelu(x) } else { x.max(0.0) };
    rows.into_iter().map(|row| row.into_iter().map(one).collect()).collect()
}

fn expected(layers: &[LayerWeights], dimensions: &Dimensions, text: &Rows) -> Rows {
    let width = dimensions.dim / dimensions.heads;
    layers.iter().fold(text.clone(), |hidden, layer| {
        let context = attention(&product(&layer.qkv, &hidden), dimensions.heads, width);
        let attended = normalised(&layer.attention_norm, &product(&layer.out, &context), &hidden);
        let inner = activate(dimensions.activation, product(&layer.up, &attended));
        normalised(&layer.output_norm, &product(&layer.down, &inner), &attended)
    })
}

/// Rows of the texts after the last layer, in the order of the texts.
fn run(transformer: &Transformer, texts: &[Rows], plan: Plan<'_>) -> Vec<Vec<Vec<f32>>> {
    let dim = transformer.dimensions.dim;
    let mut workspace = Workspace::new();
    let rows = workspace.start(texts.iter().map(Vec::len).enumerate(), dim);
    for (row, values) in rows.chunks_mut(dim).zip(texts.iter().flatten()) {
        row.iter_mut().zip(values).for_each(|(out, value)| *out = *value as f32);
    }
    let mut out = vec![Vec::new(); texts.len()];
    transformer.run(&mut workspace, plan, |visit| {
        for text in visit.texts.iter_mut() {
            out[text.index] =
                visit.hidden.chunks(dim).skip(text.tokens.start).take(text.tokens.len()).map(<[f32]>::to_vec).collect();
        }
    });
    out
}

fn everything(stops: &[usize]) -> Plan<'_> {
    Plan { stops, first_token_only: false, threads: 1 }
}

struct Case {
    dimensions: Dimensions,
    layers: Vec<LayerWeights>,
    texts: Vec<Rows>,
}

impl Case {
    fn new(dim: usize, heads: usize, hidden: usize, activation: Activation, lengths: &[usize]) -> Self {
        let dimensions = Dimensions { dim, heads, hidden, activation };
        let mut random = Random(7 + dim as u64);
        let layers = (0..2).map(|_| random.layer(&dimensions)).collect();
        let mut row = || random.values(dim, 1.0).into_iter().map(f64::from).collect();
        let texts = lengths.iter().map(|length| (0..*length).map(|_| row()).collect()).collect();
        Self { dimensions, layers, texts }
    }

    fn odd_shapes() -> Vec<Self> {
        let mut cases =
            vec![Self::new(12, 3, 20, Activation::Gelu, &[1, 5, 2]), Self::new(5, 1, 7, Activation::Relu, &[4])];
        if !cfg!(miri) {
            cases.push(Self::new(64, 2, 130, Activation::Relu, &[27, 1, 40]));
            cases.push(Self::new(66, 6, 35, Activation::Gelu, &[70, 3]));
        }
        cases
    }

    /// Four texts of different lengths; small under Miri, which takes minutes for what takes milliseconds.
    fn four_texts() -> Self {
        match cfg!(miri) {
            true => Self::new(12, 3, 20, Activation::Gelu, &[3, 5, 1, 4]),
            false => Self::new(64, 2, 130, Activation::Gelu, &[3, 27, 1, 40]),
        }
    }

    fn pack(&self, precision: Precision, isa: Isa) -> Transformer {
        let mut transformer = Transformer::new(self.dimensions, precision, isa);
        self.layers.iter().for_each(|layer| transformer.push(layer));
        transformer
    }

    fn expected(&self) -> Vec<Rows> {
        self.texts.iter().map(|text| expected(&self.layers, &self.dimensions, text)).collect()
    }
}

fn isas() -> impl Iterator<Item = Isa> {
    // Miri knows the processor's features and not all of its instructions.
    Isa::ALL.into_iter().filter(|isa| isa.is_available() && (!cfg!(miri) || *isa == Isa::Portable))
}

#[test]
fn every_path_computes_what_the_formulas_say() {
    for case in Case::odd_shapes() {
        let expected = case.expected();
        for isa in isas() {
            for (precision, tolerance) in [(Precision::F32, 2e-5), (Precision::Bf16, 0.1), (Precision::Int8, 0.2)] {
                let found = run(&case.pack(precision, isa), &case.texts, everything(&[2]));
                let pairs = expected.iter().flatten().flatten().zip(found.iter().flatten().flatten());
                let worst = pairs.map(|(expected, found)| (expected - f64::from(*found)).abs()).fold(0.0, f64::max);
                assert!(worst < tolerance, "{precision} on {isa:?}, {:?}: {worst}", case.dimensions);
            }
        }
    }
}

#[test]
fn neighbours_and_threads_change_no_bit() {
    for case in Case::odd_shapes() {
        for isa in isas() {
            for precision in Precision::ALL {
                let transformer = case.pack(precision, isa);
                let together = run(&transformer, &case.texts, everything(&[2]));
                for (text, found) in case.texts.iter().zip(&together) {
                    let alone = run(&transformer, std::slice::from_ref(text), everything(&[2]));
                    assert_eq!(alone[0], *found, "{precision} on {isa:?}");
                }
                let shared = run(&transformer, &case.texts, Plan { threads: 2, ..everything(&[2]) });
                assert_eq!(shared, together, "{precision} on {isa:?}");
            }
        }
    }
}

#[test]
fn eight_bits_are_the_same_on_every_instruction_set() {
    // One product has the same sums everywhere; what follows them is rounded by each set's own f32.
    let case = Case::four_texts();
    let portable = run(&case.pack(Precision::Int8, Isa::Portable), &case.texts, everything(&[2]));
    for isa in isas() {
        let found = run(&case.pack(Precision::Int8, isa), &case.texts, everything(&[2]));
        let pairs = portable.iter().flatten().flatten().zip(found.iter().flatten().flatten());
        let worst = pairs.map(|(portable, found)| (portable - found).abs()).fold(0.0, f32::max);
        assert!(worst < 0.03, "{isa:?}: {worst}");
    }
}

#[test]
fn a_text_that_is_done_is_left_out_and_changes_no_other() {
    let case = Case::four_texts();
    for isa in isas() {
        let transformer = case.pack(Precision::Int8, isa);
        let all = run(&transformer, &case.texts, everything(&[2]));
        for threads in [1, 2] {
            let mut workspace = Workspace::new();
            let dim = case.dimensions.dim;
            let rows = workspace.start(case.texts.iter().map(Vec::len).enumerate(), dim);
            for (row, values) in rows.chunks_mut(dim).zip(case.texts.iter().flatten()) {
                row.iter_mut().zip(values).for_each(|(out, value)| *out = *value as f32);
            }
            let mut seen = Vec::new();
            let plan = Plan { stops: &[1, 2], first_token_only: false, threads };
            transformer.run(&mut workspace, plan, |visit| {
                for text in visit.texts.iter_mut() {
                    seen.push((visit.depth, text.index));
                    if visit.depth == 2 {
                        let rows: Vec<f32> = visit.hidden[text.tokens.start * dim..text.tokens.end * dim].to_vec();
                        assert_eq!(rows, all[text.index].concat(), "{isa:?}, {threads} threads");
                    }
                    text.done = visit.depth == 1 && text.index % 2 == 0;
                }
            });
            assert_eq!(seen, [(1, 0), (1, 1), (1, 2), (1, 3), (2, 1), (2, 3)]);
        }
    }
}

#[test]
fn the_first_token_alone_is_the_first_of_all() {
    let case = Case::four_texts();
    for isa in isas() {
        for (precision, threads) in [(Precision::F32, 1), (Precision::Int8, 2)] {
            let transformer = case.pack(precision, isa);
            let all = run(&transformer, &case.texts, everything(&[2]));
            let first = run(&transformer, &case.texts, Plan { stops: &[2], first_token_only: true, threads });
            for (all, first) in all.iter().zip(&first) {
                assert_eq!(first.as_slice(), &all[..1], "{precision} on {isa:?}");
            }
        }
    }
}

#[test]
fn no_text_is_no_work() {
    let case = Case::new(12, 3, 20, Activation::Gelu, &[]);
    assert!(run(&case.pack(Precision::F32, Isa::best()), &[], everything(&[2])).is_empty());
}
