//! [`Pooling`]: from one vector a token to one vector a text, between the encoder and its head.

use serde::{Deserialize, Serialize};

/// What of the encoder's last layer stands for the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Mean over the text's tokens, padding left out.
    Mean,
    /// The first token.
    Cls,
    /// The first token, then the mean.
    ClsMean,
}

impl Pooling {
    /// Values a text, for an encoder of `dim` values a token.
    pub fn width(self, dim: usize) -> usize {
        match self {
            Self::Mean | Self::Cls => dim,
            Self::ClsMean => 2 * dim,
        }
    }

    /// Pools one text: `tokens` are its vectors, first to last and without padding; `out` has [`Pooling::width`] values.
    pub(super) fn pool<'a>(self, tokens: impl Iterator<Item = &'a [f32]>, dim: usize, out: &mut [f32]) {
        match self {
            Self::Mean => mean(tokens, out),
            Self::Cls => first(tokens, out),
            Self::ClsMean => {
                let (cls, rest) = out.split_at_mut(dim);
                let mut tokens = tokens.peekable();
                if let Some(token) = tokens.peek() {
                    cls.copy_from_slice(token);
                }
                mean(tokens, rest);
            }
        }
    }
}

fn first<'a>(mut tokens: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
    if let Some(token) = tokens.next() {
        out.copy_from_slice(token);
    }
}

fn mean<'a>(tokens: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
    out.fill(0.0);
    let mut count = 0.0_f32;
    for token in tokens {
        count += 1.0;
        for (sum, value) in out.iter_mut().zip(token) {
            *sum += value;
        }
    }
    for sum in out {
        *sum /= count.max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pooling_of_two_tokens() {
        let tokens = [[1.0_f32, 2.0], [3.0, 6.0]];
        for (pooling, wanted) in [
            (Pooling::Mean, vec![2.0, 4.0]),
            (Pooling::Cls, vec![1.0, 2.0]),
            (Pooling::ClsMean, vec![1.0, 2.0, 2.0, 4.0]),
        ] {
            let mut out = vec![9.0; pooling.width(2)];
            pooling.pool(tokens.iter().map(<[f32; 2]>::as_slice), 2, &mut out);
            assert_eq!(out, wanted, "{pooling:?}");
        }
    }
}
