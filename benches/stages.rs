//! Cost per post of each stage except the model: cleaning, counting and evaluating rules, committing.
//!
//!     cargo bench --bench stages
#![allow(clippy::unwrap_used, reason = "a bench stops where it cannot go on")]

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vigie::classify::{ClassifiedPost, Label, Prediction};
use vigie::config::LoadedConfig;
use vigie::dump::{DumpReader, ExternalSort, Inputs, ReadOptions, RequiredFields};
use vigie::monitor::Monitor;
use vigie::post::Post;
use vigie::store::Store;
use vigie::text::{Profile, clean};

fn dump() -> Inputs {
    Inputs::expand(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/airline.csv")]).unwrap()
}

fn read() -> Vec<Post> {
    let needs = RequiredFields { created_at: true, ..RequiredFields::default() };
    let mut reader = DumpReader::open(&dump(), &ReadOptions::default(), needs).unwrap();
    let mut order = ExternalSort::default();
    while let Some(row) = reader.next_row().unwrap() {
        order.push(&row.unwrap().into_post().unwrap()).unwrap();
    }
    order.finish().unwrap().map(Result::unwrap).collect()
}

fn stages(criterion: &mut Criterion) {
    let posts = read();
    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Elements(posts.len() as u64));
    group.bench_function("read and order", |bencher| bencher.iter(read));
    for (name, profile) in [("clean, transformer", Profile::Transformer), ("clean, classic", Profile::Classic)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| posts.iter().for_each(|post| drop(black_box(clean(profile, &post.text)))));
        });
    }

    let classified: Vec<ClassifiedPost> = posts
        .into_iter()
        .map(|post| {
            let label = Label::parse(post.label.as_deref().unwrap_or_default()).unwrap_or(Label::Neutral);
            ClassifiedPost { post, prediction: Prediction { label, probabilities: [0.8, 0.1, 0.1], reason: None } }
        })
        .collect();
    let loaded =
        LoadedConfig::find(Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/vigie.toml").as_path()), None);
    let loaded = loaded.unwrap();
    group.bench_function("count, judge, commit", |bencher| {
        let open = || {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            (dir, Monitor::open(store, loaded.config.window.clone(), loaded.rules.clone()).unwrap())
        };
        bencher.iter_batched(
            open,
            |(dir, mut monitor)| {
                for (i, chunk) in classified.chunks(512).enumerate() {
                    for post in chunk {
                        monitor.advance(post.post.created_at);
                        monitor.observe("bench", &["topic"], post).unwrap();
                    }
                    monitor.set_cursor("bench", &i).unwrap();
                    monitor.commit().unwrap();
                }
                (dir, monitor)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
