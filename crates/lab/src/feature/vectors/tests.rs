//! The formats of word vectors: round trips, and broken files named by line.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn read(bytes: &[u8]) -> Result<Vectors, String> {
    Vectors::from_bytes(Path::new("v.txt"), bytes, None, |_| true).map_err(|error| error.to_string())
}

fn vectors(words: &[&str], width: usize, values: &[f32]) -> Vectors {
    Vectors { words: words.iter().map(|word| (*word).to_owned()).collect(), width, values: values.to_vec() }
}

#[test]
fn each_format_is_detected_by_its_beginning() {
    let expected = vectors(&["good", "late"], 2, &[1.0, -0.5, 0.25, 3e-5]);
    let mut binary = b"2 2\ngood ".to_vec();
    for (values, end) in [([1.0_f32, -0.5], &b"\nlate "[..]), ([0.25, 3e-5], b"")] {
        binary.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        binary.extend(end);
    }
    let text = b"2 2\ngood 1 -0.5\nlate 0.25 3e-05 \n";
    for bytes in [&b"good 1.0 -0.5\nlate 0.25 3e-5"[..], text, &binary] {
        assert_eq!(read(bytes).as_ref(), Ok(&expected));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        assert_eq!(read(&packed.finish().unwrap()).as_ref(), Ok(&expected), "gzip");
    }
}

#[test]
fn only_selected_words_are_kept_and_the_first_of_two_counts() {
    let bytes = &b"late 1 2\ngood 3 4\nlate 5 6\n"[..];
    let kept = Vectors::from_bytes(Path::new("v"), bytes, None, |word| word == "late").unwrap();
    assert_eq!(kept, vectors(&["late"], 2, &[1.0, 2.0]));
}

#[test]
fn a_word_of_glove_may_hold_spaces() {
    let kept = read(b", 1 2\n. . . 3 4\nat name@domain.com 5 6\n").unwrap();
    assert_eq!(kept.words, [",", ". . .", "at name@domain.com"]);
    assert_eq!(kept.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn damage_is_named() {
    for (bytes, expected) in [
        (&b""[..], "v.txt: line 1: empty; expected word vectors"),
        (b"good\n", "v.txt: line 1: found \"good\"; expected a word and 1 to 4096 values between spaces"),
        (b"good 1 2\nlate 1\n", "v.txt: line 2: 1 values; expected a word and 2 values, like the lines before"),
        (b"good 1 2\nlate 1 x\n", "v.txt: line 2: value 2 is \"x\"; expected a finite number"),
        (b"good 1 2\nlate NaN 1\n", "v.txt: line 2: value 1 is \"NaN\"; expected a finite number"),
        (b"2 1\ngood 1\n", "v.txt: line 2: the file ends after 1 words; its header says 2: it is truncated"),
        (b"1 1\ngood 1\nlate 1\n", "v.txt: line 3: more than the 1 words of the header"),
        (b"2 1\ngood \x00\x00\x80\x3fla", "v.txt: word 2: the file ends here; its header says 2 words"),
        (b"1 2\ngood \x00\x00\x80\x3f", "v.txt: word 1: the file ends within its 2 values: it is truncated"),
        (b"1 1\ngood \x00\x00\xc0\x7f", "v.txt: word 1: value 1 is not a finite number"),
        (b"1 1\ngood \x00\x00\x80\x3flate ", "v.txt: word 2: more than the 1 words of the header"),
    ] {
        let message = read(bytes).unwrap_err();
        assert!(message.starts_with(expected) && !message.contains('\n'), "{message:?} should say {expected:?}");
    }
    let absent = Vectors::read(Path::new("/nowhere/v.txt"), |_| true).unwrap_err().to_string();
    assert!(absent.starts_with("/nowhere/v.txt: "), "{absent}");
}

#[test]
fn a_word_that_a_format_cannot_hold_is_not_written() {
    let spaced = |words| vectors(words, 1, &[1.0, 2.0]);
    assert!(spaced(&["good", ". ."]).write(VectorFormat::Glove, &mut Vec::new()).is_ok());
    assert!(
        spaced(&[". .", "good"]).write(VectorFormat::Glove, &mut Vec::new()).is_err(),
        "the first line sets the width"
    );
    for format in [VectorFormat::Word2VecText, VectorFormat::Word2VecBinary] {
        let message = spaced(&["good", ". ."]).write(format, &mut Vec::new()).unwrap_err().to_string();
        assert!(message.starts_with("\". .\" cannot be written as Word2Vec"), "{message}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        words in prop::collection::hash_set("[^\\s\\x00-\\x1f]{1,8}", 1..6),
        width in 1_usize..20,
        values in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO, 100),
    ) {
        let values = values[..words.len() * width].to_vec();
        let vectors = Vectors { words: words.into_iter().collect(), width, values };
        for format in [VectorFormat::Word2VecText, VectorFormat::Word2VecBinary, VectorFormat::Glove] {
            let mut bytes = Vec::new();
            vectors.write(format, &mut bytes).unwrap();
            let read = Vectors::from_bytes(Path::new("v"), &bytes[..], Some(format), |_| true).unwrap();
            prop_assert_eq!(&read, &vectors);
        }
    }

    #[test]
    fn any_bytes_are_vectors_or_an_error_of_one_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for head in [&b""[..], b"2 2\n", b"a 1 2\n"] {
            let bytes = [head, &bytes].concat();
            match read(&bytes) {
                Ok(vectors) => prop_assert_eq!(vectors.values.len(), vectors.words.len() * vectors.width),
                Err(message) => prop_assert!(!message.contains('\n'), "{}", message),
            }
        }
    }
}
