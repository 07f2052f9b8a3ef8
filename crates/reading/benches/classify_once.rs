//! Encodes a file of texts with one engine; the scripts in benches/ run it between the rounds of others.
//!
//!     cargo bench -p vigie-reading --bench classify_once -- MODEL_DIR TEXTS.json [batch|single] [rounds] [precision]
//!
//! TEXTS.json is an array of strings. Prints posts/s of each round, without loading.
#![allow(clippy::print_stdout)] // its output is its purpose

use std::path::Path;
use std::time::Instant;

use vigie_reading::classify::{Encoder, EncoderClassifier, PrecisionChoice};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [dir, texts, options @ ..] = args.as_slice() else {
        println!("skipped: wants MODEL_DIR and TEXTS.json");
        return Ok(());
    };
    let chunk = if options.first().is_some_and(|mode| mode == "single") { 1 } else { usize::MAX };
    let rounds: usize = options.get(1).map_or(Ok(1), |count| count.parse())?;
    let choice: PrecisionChoice = options.get(2).map_or(Ok(PrecisionChoice::Auto), |name| name.parse())?;
    let dir = Path::new(dir);
    let precision = match choice.fixed() {
        Some(precision) => precision,
        None => EncoderClassifier::load(dir, choice)?.precision(),
    };
    let encoder = Encoder::load_with(dir, precision)?;
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(texts)?)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for _ in 0..rounds {
        let start = Instant::now();
        for chunk in texts.chunks(chunk) {
            encoder.encode(chunk)?;
        }
        println!("{:.1}", texts.len() as f64 / start.elapsed().as_secs_f64());
    }
    Ok(())
}
