//! Any bytes as a file of word vectors, in every format: vectors that can be written and read again, or a one-line error.
//!
//! The first byte selects the format, or its detection.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vigie::lab::feature::vectors::{VectorFormat, Vectors};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let formats = [None, Some(VectorFormat::Word2VecText), Some(VectorFormat::Word2VecBinary), Some(VectorFormat::Glove)];
    let path = Path::new("fuzz");
    match Vectors::from_bytes(path, bytes, formats[usize::from(choice & 3)], |word| word.len() < 100) {
        Ok(vectors) => {
            assert_eq!(vectors.values.len(), vectors.words.len() * vectors.width);
            assert!(vectors.values.iter().all(|value| value.is_finite()));
            for format in formats.into_iter().flatten() {
                let mut written = Vec::new();
                if vectors.words.is_empty() || vectors.write(format, &mut written).is_err() {
                    continue;
                }
                let again = Vectors::from_bytes(path, &written[..], Some(format), |_| true).expect("written vectors can be read");
                assert_eq!(again, vectors, "{format:?}");
            }
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "a multi-line error: {error}"),
    }
});
