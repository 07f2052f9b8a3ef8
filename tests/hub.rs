//! `vigie model` against a local hub: what is pulled, what is resumed after an interruption, what is refused, and the
//! messages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;
mod fake_hub;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use common::{failure, json_lines, repository, success, vigie};
use fake_hub::{COMMIT, Checkpoint, FakeHub, Seen, World, fixture, sha256};
use indicatif::ProgressBar;
use serde_json::Value;
use vigie::classify::{Encoder, Manifest};
use vigie::lab::hub;
use vigie::lab::hub::{CheckpointKind, Hub, HubError, HubSettings, PullOptions, PulledModel};

const STUDENT: &str = "lxyuan/distilbert-base-multilingual-cased-sentiments-student";
const BASE: &str = "distilbert-base-uncased";
const TOKEN: &str = "hf_verysecret";

/// A hub with one repository, and a directory with models and a cache.
struct Site {
    hub: FakeHub,
    dir: tempfile::TempDir,
}

impl Site {
    fn new(repo: &str, checkpoint: &Checkpoint) -> Self {
        let world = World { repo: repo.to_owned(), files: checkpoint.0.clone(), ..World::default() };
        Self { hub: FakeHub::start(world), dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `vigie`, in an environment with this hub only.
    fn vigie(&self, arguments: &[&str]) -> Command {
        let mut command = vigie(self.dir.path());
        let names =
            ["HF_TOKEN", "HF_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN_PATH", "http_proxy", "HTTP_PROXY", "ALL_PROXY"];
        for name in names {
            command.env_remove(name);
        }
        command.env("HF_ENDPOINT", &self.hub.endpoint).env("HF_HOME", self.path("hf")).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.vigie(arguments).output().unwrap()
    }

    fn settings(&self, token: Option<&str>) -> HubSettings {
        let home = self.path("hf").to_string_lossy().into_owned();
        let variable = |name: &str| match name {
            "HF_ENDPOINT" => Some(self.hub.endpoint.clone()),
            "HF_HOME" => Some(home.clone()),
            "HF_TOKEN" => token.map(str::to_owned),
            _ => None,
        };
        HubSettings::from_env(variable).unwrap()
    }

    /// Pulls into `models/m`, without pauses between requests.
    fn pull_as(&self, repo: &str, token: Option<&str>) -> Result<PulledModel, HubError> {
        let hub = Hub::new(self.settings(token))?.with_pause(Duration::ZERO);
        let name = repo.parse().unwrap();
        hub::pull(&hub, PullOptions { name: &name, to: &self.path("models/m"), force: false }, &ProgressBar::hidden())
    }

    fn pull(&self, repo: &str) -> Result<PulledModel, HubError> {
        self.pull_as(repo, None)
    }

    /// Offset and number of bytes of each request to the CDN.
    fn cdn_reads(&self) -> Vec<(u64, usize)> {
        let seen = self.hub.seen().into_iter().filter(|seen| seen.cdn);
        seen.map(|seen| (seen.from, seen.sent)).collect()
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_encoder_is_pulled_with_its_licence_and_the_suggested_next_step_works() {
    let site = Site::new(BASE, &Checkpoint::base());
    let output_text = success(&site.run(&["model", "pull", BASE]));
    let dir = site.path("models/distilbert-base-uncased");
    assert_eq!(names(&dir), ["LICENSE", "config.json", "manifest.json", "model.safetensors", "tokenizer.json"]);
    assert_eq!(names(&site.path("models")), [BASE], "no temporary directory is left");
    let manifest = Manifest::read(&dir).unwrap().unwrap();
    assert_eq!(manifest.encoder.name, BASE);
    assert_eq!(manifest.encoder.origin, format!("{}/{BASE} at {COMMIT}", site.hub.endpoint));
    assert_eq!(manifest.encoder.licence, "apache-2.0");
    assert_eq!(manifest.files["model.safetensors"], sha256(Checkpoint::base().bytes("model.safetensors")));
    assert!(output_text.contains(&manifest.model_id()) && output_text.contains(COMMIT), "{output_text}");

    let next = output_text.lines().find(|line| line.contains("vigie lab fit")).unwrap().trim().to_owned();
    let expected = "vigie lab fit models/recipe/default.toml --encoder models/distilbert-base-uncased \
                  --out models/distilbert-base-uncased-fitted";
    assert_eq!(next, expected);
    fs::create_dir(site.path("models/recipe")).unwrap();
    fs::write(site.path("models/recipe/default.toml"), RECIPE).unwrap();
    let airline = fs::read_to_string(repository("tests/data/airline.csv")).unwrap();
    let rows: Vec<&str> = airline.lines().take(60).collect();
    fs::write(site.path("airline.csv"), rows.join("\n")).unwrap();
    let mut arguments: Vec<&str> = next.split(' ').skip(1).collect();
    arguments.extend(["--data-dir", "."]);
    success(&site.run(&arguments));
    let output_text =
        success(&site.run(&["classify", "--model", "models/distilbert-base-uncased-fitted", "late again"]));
    assert!(output_text.contains("late again"), "{output_text}");
}

const RECIPE: &str = r#"
name = "fitted"
text_profile = "transformer"
pooling = "mean"
max_tokens = 64
encoder = { name = "distilbert-base-uncased", origin = "https://huggingface.co", licence = "Apache-2.0" }
fit = { seed = 7, l2 = 1e-2, max_iterations = 50, tolerance = 1e-4 }

[[train]]
path = "airline.csv"
source = "made for this test"
"#;

#[test]
fn a_checkpoint_with_three_classes_in_any_order_is_usable_at_once() {
    let site = Site::new(STUDENT, &Checkpoint::student());
    let output_text = success(&site.run(&["model", "pull", &format!("{STUDENT}@v1"), "--to", "models/student"]));
    assert!(output_text.contains("[classify]\n    model = \"models/student\""), "{output_text}");
    assert_eq!(
        names(&site.path("models/student")),
        ["config.json", "manifest.json", "model.safetensors", "tokenizer.json"]
    );
    let commits: Vec<String> = site.hub.seen().into_iter().filter(|seen| !seen.cdn).map(|seen| seen.path).collect();
    assert_eq!(commits[0], format!("/api/models/{STUDENT}/revision/v1"));
    assert!(commits[1..].iter().all(|path| path.contains(&format!("/resolve/{COMMIT}/"))), "pinned: {commits:?}");

    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    let text = expected["texts"][0].as_str().unwrap();
    let model = ["--model", "models/student", "--set", "classify.precision=f32", "--format", "json"];
    let line = &json_lines(&success(&site.run(&[&["classify", text][..], &model].concat())))[0];
    // In the order negative, neutral, positive; the checkpoint's rows are reversed.
    for (index, label) in ["negative", "neutral", "positive"].into_iter().enumerate() {
        let (found, expected) = (&line["probabilities"][label], &expected["f32"][0]["probabilities"][index]);
        assert!(
            (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 1e-4,
            "{label}: {found} is not {expected}"
        );
    }
}

#[test]
fn the_result_of_a_pull_is_available_as_json() {
    let site = Site::new(STUDENT, &Checkpoint::student());
    let pulled = &json_lines(&success(&site.run(&["model", "pull", STUDENT, "--format", "json"])))[0];
    assert_eq!((&pulled["kind"], &pulled["labels"][0]), (&"classifier".into(), &"positive".into()));
    assert_eq!((&pulled["commit"], &pulled["licence"]), (&COMMIT.into(), &"apache-2.0".into()));
    let weights = pulled["files"].as_array().unwrap().iter().find(|file| file["name"] == "model.safetensors").unwrap();
    assert_eq!(weights["sha256"], sha256(Checkpoint::student().bytes("model.safetensors")));
}

#[test]
fn after_a_broken_connection_no_byte_is_sent_twice() {
    let site = Site::new(BASE, &Checkpoint::base());
    let size = Checkpoint::base().bytes("model.safetensors").len();
    site.hub.change(|world| world.cut_after = Some(40_000));
    site.pull(BASE).unwrap();
    let asked = site.cdn_reads();
    let last = size % 40_000;
    assert_eq!(asked, [(0, 40_000), (40_000, 40_000), (80_000, last)], "of {size} bytes");
    assert_eq!(asked.iter().map(|(_, sent)| sent).sum::<usize>(), size);
}

#[test]
fn an_interrupted_pull_is_resumed() {
    let site = Site::new(BASE, &Checkpoint::base());
    let size = Checkpoint::base().bytes("model.safetensors").len();
    // The first process receives a third of the file and then nothing.
    site.hub.change(|world| world.cut_after = Some(40_000));
    site.hub.change(|world| world.cut_after_that = Some(0));
    let part = site.pull(BASE).unwrap_err().to_string();
    assert!(
        part.contains("download of model.safetensors stopped at 40000 of ") && part.contains("to resume"),
        "{part}"
    );
    assert!(!site.path("models/m").exists());
    site.hub.change(|world| world.cut_after = None);
    site.hub.seen();
    site.pull(BASE).unwrap();
    let asked = site.cdn_reads();
    assert!(
        asked.len() == 1 && asked[0].0 >= 40_000 && asked[0].0 as usize + asked[0].1 == size,
        "{asked:?} of {size}"
    );
    let held = site.hub.seen();
    assert!(held.is_empty());
}

#[test]
fn cached_files_are_not_requested_again_unless_damaged() {
    let site = Site::new(BASE, &Checkpoint::base());
    site.pull(BASE).unwrap();
    site.hub.seen();
    site.pull(BASE).unwrap();
    let paths: Vec<String> = site.hub.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, [format!("/api/models/{BASE}/revision/main")]);

    let cache = site.path(&format!("hf/hub/models--{BASE}"));
    let snapshot = cache.join("snapshots").join(COMMIT).join("config.json");
    assert_eq!(fs::read(snapshot).unwrap(), Checkpoint::base().bytes("config.json"), "in the layout of other tools");
    assert_eq!(fs::read_to_string(cache.join("refs/main")).unwrap(), COMMIT);
    let blob = cache.join("blobs").join(sha256(Checkpoint::base().bytes("model.safetensors")));
    fs::remove_file(site.path("models/m/model.safetensors")).unwrap();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[500] ^= 1;
    fs::write(&blob, bytes).unwrap();
    site.pull(BASE).unwrap();
    assert_eq!(site.cdn_reads().len(), 1);
    assert!(success(&site.run(&["model", "verify", "m"])).contains("3 files match the manifest"));
}

#[test]
fn a_server_without_ranges_sends_the_whole_file_again() {
    let site = Site::new(BASE, &Checkpoint::base());
    site.hub.change(|world| (world.cut_after, world.cdn_status) = (Some(40_000), None));
    site.hub.change(|world| world.ignores_range = true);
    let error = site.pull(BASE).unwrap_err().to_string();
    assert!(error.contains("stopped at 40000 of "), "{error}");
    site.hub.change(|world| world.cut_after = None);
    site.pull(BASE).unwrap();
    // A partial file longer than the file, from any tool, is discarded.
    let blob =
        site.path(&format!("hf/hub/models--{BASE}/blobs")).join(sha256(Checkpoint::base().bytes("model.safetensors")));
    fs::rename(&blob, blob.with_extension("part")).unwrap();
    fs::OpenOptions::new().append(true).open(blob.with_extension("part")).unwrap().set_len(1_000_000).unwrap();
    site.pull(BASE).unwrap();
}

#[test]
fn a_complete_part_that_was_not_renamed_is_used() {
    let site = Site::new(BASE, &Checkpoint::base());
    site.pull(BASE).unwrap();
    let blob =
        site.path(&format!("hf/hub/models--{BASE}/blobs")).join(sha256(Checkpoint::base().bytes("model.safetensors")));
    fs::rename(&blob, blob.with_extension("part")).unwrap();
    site.hub.seen();
    site.pull(BASE).unwrap();
    assert_eq!(site.cdn_reads(), []);
}

#[test]
fn corrupted_files_are_refused_by_name_large_and_small() {
    for file in ["model.safetensors", "tokenizer.json"] {
        let site = Site::new(BASE, &Checkpoint::base());
        site.hub.change(|world| world.corrupts = Some(file.to_owned()));
        let error = site.pull(BASE).unwrap_err();
        assert!(matches!(&error, HubError::Mismatch { file: named, .. } if named == file), "{error}");
        assert!(error.to_string().contains("but the Hub lists"), "{error}");
        assert!(!site.path("models").exists());
        site.hub.change(|world| world.corrupts = None);
        site.pull(BASE).unwrap();
    }
}

#[test]
fn a_gated_model_needs_a_token_which_is_sent_to_no_other_host() {
    let site = Site::new(STUDENT, &Checkpoint::student());
    site.hub.change(|world| world.token = Some(TOKEN.to_owned()));
    let without = failure(&site.run(&["model", "pull", STUDENT]));
    assert!(without.contains("is gated: accept its terms at ") && without.contains("HF_TOKEN"), "{without}");
    let wrong = failure(&site.vigie(&["model", "pull", STUDENT]).env("HF_TOKEN", "hf_wrongsecret").output().unwrap());
    assert!(wrong.contains("is denied for this token") && !wrong.contains("hf_wrong"), "{wrong}");
    site.hub.seen();

    fs::create_dir_all(site.path("hf")).unwrap();
    fs::write(site.path("hf/token"), format!("{TOKEN}\n")).unwrap();
    let output = site.run(&["model", "pull", STUDENT]);
    let output_text = success(&output) + &String::from_utf8_lossy(&output.stderr);
    assert!(!output_text.contains(TOKEN), "{output_text}");
    let seen = site.hub.seen();
    let bearer = Some(format!("Bearer {TOKEN}"));
    let (cdn, hub): (Vec<&Seen>, Vec<&Seen>) = seen.iter().partition(|seen| seen.cdn);
    assert!(hub.iter().all(|seen| seen.authorization == bearer), "{hub:?}");
    assert!(cdn.len() == 1 && cdn[0].authorization.is_none(), "{cdn:?}");
}

#[test]
fn an_old_name_redirects_to_the_new_one() {
    let site = Site::new("distilbert/distilbert-base-uncased", &Checkpoint::base());
    site.hub.change(|world| world.old_name = Some(BASE.to_owned()));
    let pulled = site.pull(BASE).unwrap();
    assert_eq!(pulled.repo, "distilbert/distilbert-base-uncased");
    site.pull(BASE).unwrap();
    site.pull("distilbert/distilbert-base-uncased").unwrap();
}

#[test]
fn missing_models_are_one_line_errors() {
    let site = Site::new(BASE, &Checkpoint::base());
    let message = |error: HubError| error.to_string();
    assert!(message(site.pull("nobody/nothing").unwrap_err()).contains("has no public model nobody/nothing"));
    let named = message(site.pull_as("nobody/nothing", Some(TOKEN)).unwrap_err());
    assert!(named.contains("has no model nobody/nothing"), "{named}");
    let revision = message(site.pull(&format!("{BASE}@v9")).unwrap_err());
    assert!(revision.contains(&format!("{BASE} has no revision `v9`")), "{revision}");
    site.hub.change(|world| world.cdn_status = Some(503));
    let busy = message(site.pull(BASE).unwrap_err());
    assert!(busy.contains("stopped at 0 of ") && busy.contains("(HTTP status 503)"), "{busy}");
    site.hub.change(|world| world.cdn_status = Some(403));
    let refused = message(site.pull_as(BASE, Some(TOKEN)).unwrap_err());
    assert!(refused.contains("HF_TOKEN") && !refused.contains(TOKEN), "{refused}");
    for error in [named, revision, busy, refused] {
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn without_a_network_the_remedies_are_named() {
    let site = Site::new(BASE, &Checkpoint::base());
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = site.vigie(&["model", "pull", BASE]).env("HF_ENDPOINT", format!("http://{free}")).output().unwrap();
    let error = failure(&output);
    assert_eq!(error.lines().count(), 1, "{error}");
    for part in [free.to_string().as_str(), "cannot be reached", "HF_ENDPOINT", "by hand", BASE] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn names_that_would_escape_are_refused() {
    let site = Site::new(BASE, &Checkpoint::base());
    for trick in ["../x", "a/../../b", "/etc/passwd"] {
        let output = site.run(&["model", "pull", trick]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains("is not a model name"), "{error}");
    }
    assert_eq!(site.hub.seen(), []);
    site.hub.change(|world| world.files.push(("../../.bashrc".to_owned(), b"x".to_vec())));
    let error = site.pull(BASE).unwrap_err().to_string();
    assert!(error.contains("lists a file `../../.bashrc` outside its directory"), "{error}");
    assert!(!site.path("models").exists());
}

#[test]
fn other_architectures_are_refused_before_their_weights_are_fetched() {
    for model_type in ["gpt2", "xlnet"] {
        let config = format!(r#"{{"model_type": "{model_type}", "vocab_size": 9}}"#);
        let site = Site::new("a/b", &Checkpoint::base().with("config.json", config));
        let error = site.pull("a/b").unwrap_err().to_string();
        assert!(
            error.contains(&format!("a/b is a model of type `{model_type}`; vigie supports `distilbert`, `bert`")),
            "{error}"
        );
        assert_eq!(site.cdn_reads(), []);
    }
}

#[test]
fn a_bert_is_pulled_as_an_encoder() {
    let site = Site::new("a/bert", &Checkpoint::bert());
    let output_text = success(&site.run(&["model", "pull", "a/bert", "--to", "models/bert"]));
    assert!(output_text.contains("encoder without a usable sentiment head"), "{output_text}");
    assert_eq!(Manifest::read(&site.path("models/bert")).unwrap().unwrap().max_tokens, 64);
    // The same weights, so the same vectors as those of the DistilBERT that PyTorch ran.
    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    let found = Encoder::load(&site.path("models/bert")).unwrap().encode(&[expected["texts"][0].as_str().unwrap()]);
    let mean = expected["f32"][0]["mean"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
    for (found, expected) in found.unwrap().iter().zip(mean) {
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

#[test]
fn a_quantized_model_is_smaller_and_answers_alike() {
    let site = Site::new(STUDENT, &Checkpoint::student());
    success(&site.run(&["model", "pull", STUDENT, "--to", "models/student"]));
    let run = || {
        let quantize = ["model", "quantize", "models/student", "--to", "models/small", "--format", "json"];
        json_lines(&success(&site.run(&quantize))).remove(0)
    };
    let report = run();
    let bytes = |index: usize| report["bytes"][index].as_u64().unwrap();
    assert!(bytes(1) * 2 < bytes(0), "{report}");
    assert!(report["largest_difference"].as_f64().unwrap() < 0.05, "{report}");
    success(&site.run(&["model", "verify", "models/small"]));
    let model = |dir: &str| {
        let flags = ["--model", dir, "--set", "classify.precision=f32", "--format", "json"];
        json_lines(&success(&site.run(&[&["classify", "late again"][..], &flags].concat()))).remove(0)
    };
    let (exact, small) = (model("models/student"), model("models/small"));
    assert_ne!(exact["model"], small["model"]);
    let negative = |line: &Value| line["probabilities"]["negative"].as_f64().unwrap();
    assert!((negative(&exact) - negative(&small)).abs() < 0.05, "{exact} {small}");
    assert_eq!(run(), report, "the same bytes again, over the first copy");
}

#[test]
fn an_old_checkpoint_is_converted() {
    let checkpoint = Checkpoint::student()
        .without(&["model.safetensors", "tokenizer.json"])
        .with("pytorch_model.bin", fixture("pickle/pytorch_model.bin"));
    let site = Site::new(STUDENT, &checkpoint);
    let pulled = site.pull(STUDENT).unwrap();
    assert!(matches!(&pulled.kind, CheckpointKind::Classifier { .. }), "{pulled:?}");
    let notes =
        ["tokenizer.json made from vocab.txt by vigie", "model.safetensors made from pytorch_model.bin by vigie"];
    assert!(notes.iter().all(|note| pulled.notes.iter().any(|found| found == note)), "{:?}", pulled.notes);
    let origin = Manifest::read(&site.path("models/m")).unwrap().unwrap().encoder.origin;
    assert!(notes.iter().all(|note| origin.contains(note)), "{origin}");

    // In f16, so the fixture's outputs match less closely.
    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    let text = expected["texts"][0].as_str().unwrap();
    let output = success(&site.run(&["classify", text, "--model", "models/m", "--format", "json"]));
    let (found, expected) =
        (&json_lines(&output)[0]["probabilities"]["negative"], &expected["f32"][0]["probabilities"][0]);
    assert!((found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 0.02, "{found} is not {expected}");
}

#[test]
fn an_invalid_pickle_is_refused() {
    let site = Site::new("a/b", &Checkpoint::student().without(&["model.safetensors"]));
    let error = site.pull("a/b").unwrap_err().to_string();
    assert!(error.contains("pytorch_model.bin cannot be read as weights"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn shards_are_all_pulled_and_classes_of_another_task_leave_an_encoder() {
    let site = Site::new("a/b", &Checkpoint::sharded());
    assert_eq!(site.pull("a/b").unwrap().kind, CheckpointKind::Encoder { unusable_head: None });
    assert_eq!(names(&site.path("models/m")).len(), 6);

    let config = String::from_utf8(Checkpoint::student().bytes("config.json").to_vec()).unwrap();
    let stars = config.replace("\"neutral\"", "\"3 stars\"");
    let site = Site::new("a/b", &Checkpoint::student().with("config.json", stars));
    let CheckpointKind::Encoder { unusable_head: Some(reason) } = site.pull("a/b").unwrap().kind else {
        panic!("an encoder")
    };
    assert_eq!(reason, "its own classes are positive, 3 stars, negative");
}

#[test]
fn a_directory_of_other_files_or_of_another_model_is_not_touched() {
    let site = Site::new(BASE, &Checkpoint::base());
    fs::create_dir_all(site.path("home")).unwrap();
    fs::write(site.path("home/thesis.tex"), "x").unwrap();
    let error = failure(&site.run(&["model", "pull", BASE, "--to", "home", "--force"]));
    assert!(error.contains("home holds thesis.tex, which is not part of a model"), "{error}");
    assert_eq!(site.hub.seen(), []);

    success(&site.run(&["model", "pull", BASE, "--to", "models/m"]));
    site.hub.change(|world| world.repo = "another/one".to_owned());
    let error = failure(&site.run(&["model", "pull", "another/one", "--to", "models/m"]));
    assert!(error.contains("models/m holds `m`, another model") && error.contains("--force"), "{error}");
    success(&site.run(&["model", "pull", "another/one", "--to", "models/m", "--force"]));
    assert_eq!(Manifest::read(&site.path("models/m")).unwrap().unwrap().encoder.name, "another/one");
}

#[test]
fn the_store_is_listed_and_each_fault_is_named() {
    let site = Site::new(STUDENT, &Checkpoint::student());
    success(&site.run(&["model", "pull", STUDENT, "--to", "models/student"]));
    site.hub.change(|world| (world.repo, world.files) = (BASE.to_owned(), Checkpoint::base().0));
    success(&site.run(&["model", "pull", BASE, "--to", "models/base"]));
    fs::create_dir(site.path("models/recipe")).unwrap();
    let champion =
        r#"{ "model": "student", "model_id": "x", "promoted_at": null, "forced": false, "evaluation": null }"#;
    let champions = format!(r#"{{ "format": 1, "champion": {champion}, "former": [] }}"#);
    fs::write(site.path("models/champion.json"), champions).unwrap();

    let listed = json_lines(&success(&site.run(&["model", "list", "--format", "json"])));
    let brief: Vec<_> = listed.iter().map(|entry| (&entry["readiness"]["state"], &entry["champion"])).collect();
    assert_eq!(brief, [(&"encoder_only".into(), &false.into()), (&"ready".into(), &true.into())]);
    let output_text = success(&site.run(&["model", "list"]));
    assert!(
        output_text.contains("champion") && output_text.contains("labels   positive, neutral, negative"),
        "{output_text}"
    );

    let output_text = success(&site.run(&["model", "verify"]));
    assert!(output_text.lines().count() == 2 && output_text.contains("model loads, encoder only"), "{output_text}");

    let student = site.path("models/student");
    let config = fs::read_to_string(student.join("config.json")).unwrap();
    fs::write(student.join("config.json"), config + " ").unwrap();
    fs::remove_file(student.join("tokenizer.json")).unwrap();
    fs::write(student.join("extra.safetensors"), "x").unwrap();
    let id = listed[1]["id"].as_str().unwrap();
    let output = site.run(&["model", "verify", id, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = &json_lines(&String::from_utf8(output.stdout).unwrap())[0];
    let problems: Vec<&str> =
        report["problems"].as_array().unwrap().iter().map(|problem| problem.as_str().unwrap()).collect();
    let starts = ["config.json: sha256 is ", "tokenizer.json: missing", "extra.safetensors: not listed"];
    assert!(problems.iter().zip(starts).all(|(problem, start)| problem.starts_with(start)), "{problems:?}");
    assert_eq!(problems.len(), 3, "{problems:?}");
    let output = site.run(&["model", "verify", "models/student"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 1 models have problems"));
    assert!(failure(&site.run(&["model", "verify", "nobody"])).contains("no model `nobody` in models"));
    assert!(success(&site.run(&["model", "list"])).contains("unusable: tokenizer.json is missing"));
}

#[test]
fn the_shipped_model_is_listed_with_its_scores() {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["model", "list", "--store"])
        .arg(repository("models"))
        .output()
        .unwrap();
    let output_text = success(&output);
    assert!(
        output_text.contains("default-") && output_text.contains("ready") && output_text.contains("macro_recall 0."),
        "{output_text}"
    );
}
