//! The week of real incidents in the airline dump: what the rules, and simpler rules beside them, say of it.
//!
//!     cargo bench --bench incidents                     the dump's labels, then the shipped model (a minute more)
//!     cargo bench --bench incidents -- --labels         the dump's labels only
//!     cargo bench --bench incidents -- --rules FILE     other rules than config/rules.toml
//!
//! # The truth
//!
//! `truth.csv` beside this file says what happened, for anybody to argue with. For each topic and each pair of hours, the share
//! of negative posts by author (the mean over people of each one's share) and the number of people who complained were computed
//! from the labels. A pair is high where the share is 20 points above the topic's median with at least 8 people, or where at
//! least 12 people complain, twice as many as in the same hours of the other days, while the share is not below the median.
//! High pairs less than three hours apart are one incident. Each was then read: the start of United's incident, the start of US
//! Airways' and the small ones of the last day were moved to what the hours show. `warning`: a team should hear of it. `info`: too few
//! people or too short to be missed. Alerts of severity info are not scored: they are listed with the hourly counts that show
//! whether a crowd is true. `unscored`: the first day, of which nobody can say what is usual. Quiet days are all others.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark prints and stops on errors")]

mod hours;
mod score;
mod truth;

use std::path::{Path, PathBuf};

use vigie::config::LoadedConfig;
use vigie::dump::Inputs;
use vigie::pipeline::assembly::LabelSource;
use vigie::pipeline::backtest::Backtest;
use vigie::pipeline::replay::Replay;
use vigie::rule::Rules;

/// What teams use without vigie: a fixed share, and twice the usual number.
const BASELINES: [(&str, &str); 2] = [
    (
        "fixed share, 80% of an hour",
        r#"
        [[rule]]
        name = "Fixed"
        keep_firing_for = "1h"
        labels = { severity = "warning" }
        condition = { type = "negative_rate", window = "1h", above = 0.8, confidence = 0.5, min_posts = 10 }
        "#,
    ),
    (
        "twice the usual number of the day before",
        r#"
        [[rule]]
        name = "Twice"
        keep_firing_for = "1h"
        labels = { severity = "warning" }
        condition = { type = "negative_volume", window = "1h", above = { baseline = "24h", times = 2.0 }, confidence = 0.5, min_posts = 10 }
        "#,
    ),
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dump = root.join("../shared/data/airline/tweets.csv");
    if !dump.exists() {
        println!("skipped: {} is not here", dump.display());
        return;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let file = args.iter().position(|arg| arg == "--rules").and_then(|at| args.get(at + 1)).map(PathBuf::from);
    let loaded = LoadedConfig::find(Some(&root.join("config/vigie.toml")), file.as_deref()).unwrap();
    let mut variants = vec![("vigie", loaded.rules.clone())];
    variants.extend(BASELINES.map(|(name, rules)| (name, toml::from_str::<Rules>(rules).unwrap())));
    let truth = truth::read(&root.join("benches/incidents/truth.csv"));

    let hours = hours::Hours::read(&Inputs::expand(&[&dump]).unwrap(), &loaded.config.dump);

    let mut sources = vec![("the dump's labels", LabelSource::Given)];
    if !args.iter().any(|arg| arg == "--labels") {
        sources.push(("the shipped model", LabelSource::Model(root.join("models/default"))));
    }
    for (name, labels) in sources {
        let given_labels = labels == LabelSource::Given;
        let rejects = std::env::temp_dir().join("vigie-incidents.rejects.csv");
        let input = Inputs::expand(&[&dump]).unwrap();
        let replay =
            Replay { loaded: loaded.clone(), input, given_labels, topic_required: false, state: None, rejects };
        let rules = variants.iter().map(|(_, rules)| rules.clone()).collect();
        let mut make = labels.classifier(0, Default::default());
        let classifier = make().unwrap();
        let outcome = Backtest { replay, variants: rules, block: None }.run(classifier, &mut |_| ()).unwrap();
        println!("\n## By {name}\n");
        score::print_head();
        for ((variant, _), fired) in variants.iter().zip(&outcome.fired) {
            score::Score::of(&truth, fired, outcome.span.1).print(variant);
        }
        score::print_alerts(&truth, &outcome.fired[0], outcome.span.1);
        println!("\nOnly for information:\n");
        score::print_crowds(&hours, &outcome.fired[0], outcome.span.1);
    }
}
