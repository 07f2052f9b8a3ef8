//! [`Pooling`]: combines the token vectors into one vector per text. Between the encoder and its head.

use serde::{Deserialize, Serialize};

/// Which encoder outputs represent the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Mean of the last layer over the text's tokens, without padding.
    Mean,
    /// The first token of the last layer.
    Cls,
    /// The mean of the middle layer (the third of six) followed by the mean of the last. The middle layer of a frozen encoder
    /// keeps information that its last layer, trained for another task, has lost; models/README.md has the gain on posts.
    MeanMiddleLast,
}

impl Pooling {
    /// Values per text, for an encoder with `dim` values per token.
    pub fn width(self, dim: usize) -> usize {
        self.layers(0).len() * dim
    }

    /// The layers to pool, of an encoder with `count` layers: the first is 1, and 0 is the embeddings.
    pub(crate) fn layers(self, count: usize) -> Vec<usize> {
        match self {
            Self::Mean | Self::Cls => vec![count],
            Self::MeanMiddleLast => vec![count / 2, count],
        }
    }

    /// Pools one text in one layer: `tokens` are its vectors in order, without padding; `out` is as long as each.
    pub(crate) fn pool<'a>(self, tokens: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
        match self {
            Self::Mean | Self::MeanMiddleLast => mean(tokens, out),
            Self::Cls => first(tokens, out),
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
        for (pooling, expected) in
            [(Pooling::Mean, [2.0, 4.0]), (Pooling::Cls, [1.0, 2.0]), (Pooling::MeanMiddleLast, [2.0, 4.0])]
        {
            let mut out = [9.0; 2];
            pooling.pool(tokens.iter().map(<[f32; 2]>::as_slice), &mut out);
            assert_eq!(out, expected, "{pooling:?}");
        }
    }

    #[test]
    fn the_middle_is_the_third_layer_of_six() {
        assert_eq!((Pooling::MeanMiddleLast.layers(6), Pooling::Mean.layers(6)), (vec![3, 6], vec![6]));
        assert_eq!((Pooling::MeanMiddleLast.width(384), Pooling::Cls.width(384)), (768, 384));
    }
}
