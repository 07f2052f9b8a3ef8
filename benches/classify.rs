//! Posts/s of the encoder: in batches, one at a time, and compared with DistilBERT of candle-transformers on the same texts.
//!
//!     cargo bench --bench classify               VIGIE_MODEL=DIR for another model than models/default
#![allow(clippy::print_stdout)] // says why it skips

use std::hint::black_box;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::distilbert::{Config, DistilBertModel};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokenizers::{PaddingParams, Tokenizer};
use vigie::classify::Encoder;

const TEXTS: usize = 256;
/// Texts per batch for candle-transformers, in arrival order, like a plain loop over the input.
const STOCK_BATCH: usize = 32;

/// DistilBERT of candle-transformers, as in its examples.
struct Stock {
    tokenizer: Tokenizer,
    model: DistilBertModel,
}

impl Stock {
    fn load(dir: &Path) -> Self {
        let read = |name: &str| std::fs::read(dir.join(name)).expect("a file of the model");
        let config: Config = serde_json::from_slice(&read("config.json")).expect("config.json");
        let weights = VarBuilder::from_buffered_safetensors(read("model.safetensors"), DType::F32, &Device::Cpu);
        let mut tokenizer = Tokenizer::from_bytes(read("tokenizer.json")).expect("tokenizer.json");
        tokenizer.with_padding(Some(PaddingParams::default()));
        Self { tokenizer, model: DistilBertModel::load(weights.expect("weights"), &config).expect("model") }
    }

    fn encode(&self, texts: &[&str]) -> candle_core::Result<Tensor> {
        let encodings = self.tokenizer.encode_batch(texts.to_vec(), true).expect("token ids");
        let length = encodings.first().map_or(0, tokenizers::Encoding::len);
        let ids: Vec<u32> = encodings.iter().flat_map(|encoding| encoding.get_ids().to_vec()).collect();
        let masked = |encoding: &tokenizers::Encoding| {
            encoding.get_attention_mask().iter().map(|m| 1 - *m as u8).collect::<Vec<_>>()
        };
        let mask: Vec<u8> = encodings.iter().flat_map(masked).collect();
        let ids = Tensor::from_vec(ids, (texts.len(), length), &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, (texts.len(), 1, 1, length), &Device::Cpu)?;
        self.model.forward(&ids, &mask)
    }
}

fn posts() -> Option<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = ["tests/data/airline.csv", "../shared/data/airline/tweets.csv"].map(|path| root.join(path));
    let mut reader = csv::Reader::from_path(paths.iter().find(|path| path.is_file())?).ok()?;
    let column = reader.headers().ok()?.iter().position(|name| name == "text")?;
    let texts = reader.records().filter_map(Result::ok).filter_map(|row| row.get(column).map(str::to_owned));
    Some(texts.take(TEXTS).collect())
}

fn classify(criterion: &mut Criterion) {
    let shipped = || Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default");
    let dir = std::env::var_os("VIGIE_MODEL").map_or_else(shipped, PathBuf::from);
    let (true, Some(texts)) = (dir.is_dir(), posts()) else {
        println!("skipped: wants a model in {} and a dump in tests/data or ../shared/data", dir.display());
        return;
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encoder = Encoder::load(&dir).expect("the model");
    let stock = Stock::load(&dir);

    let mut group = criterion.benchmark_group("classify");
    group.throughput(Throughput::Elements(texts.len() as u64)).sample_size(10);
    group.bench_function("batched", |bencher| bencher.iter(|| encoder.encode(black_box(&texts))));
    group.bench_function("one at a time", |bencher| {
        bencher.iter(|| texts.iter().map(|text| encoder.encode(&[black_box(text)])).filter(Result::is_ok).count());
    });
    group.bench_function("candle-transformers, batched", |bencher| {
        bencher.iter(|| {
            texts.chunks(STOCK_BATCH).map(|chunk| stock.encode(black_box(chunk))).filter(Result::is_ok).count()
        });
    });
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
