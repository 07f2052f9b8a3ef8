//! A server that is down, busy, broken or slow: the run continues, and what the server lacks is sent later, once.

use std::net::TcpListener;
use std::path::Path;

use tempfile::TempDir;
use vigie::lab::mlflow::{LogOutcome, Spool, Tracker, TrackingServer};

use crate::kit::{at, map, model, run, run_with_model, spooled, target, tracker, tracker_of};
use crate::stub::{Fail, State, Stub};

struct TestDirs {
    dir: TempDir,
}

impl TestDirs {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        model(&dir.path().join("model"));
        Self { dir }
    }

    fn model(&self) -> std::path::PathBuf {
        self.dir.path().join("model")
    }

    fn spool(&self) -> std::path::PathBuf {
        self.dir.path().join("spool")
    }
}

/// The state of a server that received only this run.
fn state_after_one_run(dirs: &TestDirs) -> State {
    let stub = Stub::start();
    let outcome = tracker(&stub.url, &dirs.spool(), "lab").log(&run_with_model("TFIDF_é", &dirs.model()));
    assert_eq!(outcome, LogOutcome::Sent);
    stub.state()
}

#[test]
fn a_sent_run_leaves_no_spool_behind() {
    let dirs = TestDirs::new();
    let state = state_after_one_run(&dirs);
    assert!(!dirs.spool().exists());
    let [run] = state.runs.as_slice() else { panic!("{:?}", state.runs) };
    assert_eq!((run.start, run.end), (1_795_489_200_250, Some(1_795_489_205_750)));
    assert_eq!(run.params, map([("C", "1.0".to_owned()), ("penalty", "l2".to_owned())]));
    let value = |key: &str, step: i64| {
        let mut found = run.metrics.iter().filter(|(k, s, _)| k == key && *s == step);
        (found.next().map(|(.., value)| value.as_str()), found.next())
    };
    assert_eq!(value("macro_f1", 0), (Some("0.30000000000000004"), None));
    assert_eq!(value("loss", 3), (Some("0.4"), None));
    assert_eq!(value("grad_norm", 3), (Some("\"NaN\""), None));
    assert_eq!(value("duration_s", 0), (Some("5.5"), None));
    let weights = std::fs::read(dirs.model().join("model.safetensors")).unwrap();
    assert_eq!(state.artifacts["0/0/artifacts/model/model.safetensors"], weights);
    assert!(state.artifacts.contains_key("0/0/artifacts/model/extra/LICENSE"));
    assert!(state.artifacts.contains_key("0/0/artifacts/report/matrice%20de%20confusion%20%C3%A9.json"));
    assert!(state.artifacts.contains_key("0/0/artifacts/scores.json"));
    assert_eq!(state.registered["lab"].versions.len(), 1);
    let personal = run.tags.keys().find(|key| key.contains("user") || key.contains("host"));
    assert_eq!(personal, None);
}

/// Whichever request of the first attempt fails, and whichever of the second, the third attempt completes the run.
#[test]
fn a_run_interrupted_twice_at_any_request_exists_once() {
    let dirs = TestDirs::new();
    let expected = state_after_one_run(&dirs);
    for fail in [Fail::Before, Fail::After, Fail::Status(500)] {
        for first in 0.. {
            let stub = Stub::start();
            stub.fail_at(first, fail);
            let record = run_with_model("TFIDF_é", &dirs.model());
            if tracker(&stub.url, &dirs.spool(), "lab").log(&record) == LogOutcome::Sent {
                assert!(first > 10, "a run is more requests than {first}");
                break;
            }
            assert_eq!(spooled(&dirs.spool()).len(), 1);
            // For the second attempt one kind of failure is enough.
            let second = stub.requests().len() % 7;
            stub.fail_at(second, Fail::After);
            let broken = tracker(&stub.url, &dirs.spool(), "lab").sync().unwrap();
            stub.heal();
            let synced = tracker(&stub.url, &dirs.spool(), "lab").sync().unwrap();
            assert!(synced.left.is_empty(), "{fail:?} {first} {second}: {:?}", synced.left);
            assert_eq!(broken.sent.len() + synced.sent.len(), 1, "{fail:?} {first} {second}");
            assert_eq!(stub.state(), expected, "{fail:?} {first} {second}");
            assert!(!dirs.spool().exists());
        }
    }
}

#[test]
fn a_promotion_interrupted_anywhere_makes_one_version_and_moves_the_alias() {
    let dirs = TestDirs::new();
    let metrics = map([("macro_f1", 0.8)]);
    for known in [false, true] {
        for first in 0.. {
            let stub = Stub::start();
            let tracker = tracker(&stub.url, &dirs.spool(), "lab");
            if known {
                assert_eq!(tracker.log_promotion("default-1a2b", &metrics, &dirs.model(), at(5)), LogOutcome::Sent);
                assert_eq!(tracker.log_promotion("other-3c4d", &metrics, &dirs.model(), at(6)), LogOutcome::Sent);
            }
            stub.fail_at(first, Fail::After);
            let outcome = tracker.log_promotion("default-1a2b", &metrics, &dirs.model(), at(7));
            stub.heal();
            let synced = tracker.sync().unwrap();
            assert_eq!(synced.sent.len(), usize::from(outcome == LogOutcome::Spooled));
            let state = stub.state();
            let registered = &state.registered["lab"];
            assert_eq!(registered.versions.len(), 1 + usize::from(known), "{known} {first}");
            assert_eq!(registered.aliases, map([("champion", "1".to_owned())]));
            if outcome == LogOutcome::Sent {
                break;
            }
        }
    }
}

#[test]
fn an_old_promotion_that_comes_late_does_not_undo_a_later_one() {
    let (dirs, stub) = (TestDirs::new(), Stub::start());
    let promote =
        |id, second| tracker(&stub.url, &dirs.spool(), "lab").log_promotion(id, &map([]), &dirs.model(), at(second));
    stub.fail_always(Fail::Status(503));
    assert_eq!(promote("old-1", 5), LogOutcome::Spooled);
    stub.heal();
    assert_eq!(promote("new-2", 9), LogOutcome::Sent);
    assert_eq!(tracker(&stub.url, &dirs.spool(), "lab").sync().unwrap().sent, ["promote_old-1"]);
    let registered = &stub.state().registered["lab"];
    assert_eq!((registered.versions.len(), registered.aliases["champion"].as_str()), (2, "1"));
    assert_eq!(registered.versions[0]["tags"][0]["value"], "new-2");
}

#[test]
fn for_every_kind_of_outage_runs_are_spooled_and_sent_later_in_order() {
    for fail in [Fail::Before, Fail::Status(500), Fail::Status(502), Fail::Status(401), Fail::Busy(3600), Fail::Hold] {
        let (dirs, stub) = (TestDirs::new(), Stub::start());
        let tracker = tracker_of(&stub.url, &dirs.spool(), "lab", "0.3");
        stub.fail_always(fail);
        for name in ["b", "a", "c"] {
            assert_eq!(tracker.log(&run(name)), LogOutcome::Spooled, "{fail:?}");
        }
        if fail != Fail::Status(500) {
            assert_eq!(stub.requests().len(), 1, "a server that is down gets no further requests: {fail:?}");
        }
        let left = tracker.sync().unwrap().left;
        assert_eq!(left.iter().map(|left| left.name.as_deref().unwrap()).collect::<Vec<_>>(), ["b", "a", "c"]);
        assert!(left.iter().all(|left| !left.rejected && !left.reason.is_empty()), "{left:?}");
        stub.heal();
        assert_eq!(tracker.sync().unwrap().sent, ["b", "a", "c"], "{fail:?}");
        assert_eq!(stub.state().runs.len(), 3);
    }
}

#[test]
fn an_unreachable_server_means_spooling() {
    let dirs = TestDirs::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let tracker = tracker(&format!("http://{nobody}"), &dirs.spool(), "lab");
    assert_eq!(tracker.log(&run("a")), LogOutcome::Spooled);
    let left = tracker.sync().unwrap().left;
    assert!(left[0].reason.starts_with("no connection: "), "{}", left[0].reason);
}

#[test]
fn a_short_retry_after_is_respected() {
    let (dirs, stub) = (TestDirs::new(), Stub::start());
    stub.fail(2, 4, Fail::Busy(0));
    assert_eq!(tracker(&stub.url, &dirs.spool(), "lab").log(&run("a")), LogOutcome::Sent);
    assert_eq!(stub.state().runs.len(), 1);
}

#[test]
fn a_run_logged_twice_exists_once() {
    let (dirs, stub) = (TestDirs::new(), Stub::start());
    stub.fail_always(Fail::Before);
    for _ in 0..2 {
        assert_eq!(tracker(&stub.url, &dirs.spool(), "lab").log(&run("a")), LogOutcome::Spooled);
    }
    assert_eq!(spooled(&dirs.spool()).len(), 1);
    stub.heal();
    for _ in 0..2 {
        assert_eq!(tracker(&stub.url, &dirs.spool(), "lab").log(&run("a")), LogOutcome::Sent);
    }
    assert_eq!(stub.state().runs.len(), 1);
}

#[test]
fn refused_runs_are_kept_with_the_reason_and_the_rest_is_sent() {
    let (dirs, stub) = (TestDirs::new(), Stub::start());
    stub.fail_always(Fail::Before);
    let down = tracker(&stub.url, &dirs.spool(), "lab");
    for name in ["a", "b"] {
        assert_eq!(down.log(&run(name)), LogOutcome::Spooled);
    }
    std::fs::create_dir(dirs.spool().join("000009-broken")).unwrap();
    std::fs::write(dirs.spool().join("000009-broken/entry.json"), "{\"format\":1,").unwrap();
    std::fs::create_dir(dirs.spool().join("000010-newer")).unwrap();
    std::fs::write(dirs.spool().join("000010-newer/entry.json"), "{\"format\":2}").unwrap();
    stub.fail_at(3, Fail::Refused);
    let synced = tracker(&stub.url, &dirs.spool(), "lab").sync().unwrap();
    assert_eq!(synced.sent, ["b"]);
    let left: Vec<_> = synced.left.iter().map(|left| (left.name.as_deref(), left.rejected)).collect();
    assert_eq!(left, [(Some("a"), true), (None, true), (None, false)]);
    assert!(synced.left[0].reason.contains("INVALID_PARAMETER_VALUE"), "{}", synced.left[0].reason);
    let reason = std::fs::read_to_string(synced.left[0].path.join("reason.txt")).unwrap();
    assert!(reason.contains("never"), "{reason}");
    assert!(synced.left[2].reason.contains("send it with the vigie that wrote it"), "{}", synced.left[2].reason);
    let again = tracker(&stub.url, &dirs.spool(), "lab").sync().unwrap();
    assert_eq!((again.rejected.len(), again.left.len()), (2, 1));
}

#[test]
fn a_model_that_is_replaced_meanwhile_is_sent_as_it_was_and_one_that_changed_is_not_sent() {
    let (dirs, stub) = (TestDirs::new(), Stub::start());
    stub.fail_always(Fail::Before);
    let weights = dirs.model().join("model.safetensors");
    let was = std::fs::read(&weights).unwrap();
    let log = |name| tracker(&stub.url, &dirs.spool(), "lab").log(&run_with_model(name, &dirs.model()));
    assert_eq!(log("a"), LogOutcome::Spooled);
    std::fs::remove_file(&weights).unwrap();
    std::fs::write(&weights, vec![0; 2 << 20]).unwrap();
    assert_eq!(log("b"), LogOutcome::Spooled);
    // Through the hard link.
    std::fs::write(&weights, vec![1; 2 << 20]).unwrap();
    stub.heal();
    let synced = tracker(&stub.url, &dirs.spool(), "lab").sync().unwrap();
    assert_eq!(synced.sent, ["a"]);
    assert!(
        synced.left[0].rejected && synced.left[0].reason.contains("has changed since it was spooled"),
        "{:?}",
        synced.left
    );
    assert_eq!(stub.state().artifacts["0/0/artifacts/model/model.safetensors"], was);
}

#[test]
fn credentials_are_sent_and_stay_out_of_the_spool() {
    let (dirs, stub) = (TestDirs::new(), Stub::start());
    let environment = |name: &str| (name == "MLFLOW_TRACKING_TOKEN").then(|| "t0ken-s3cret".to_owned());
    let server = TrackingServer::new(&stub.url, &environment).unwrap();
    let tracker = Tracker::new(server, Spool::new(dirs.spool()), target("lab")).unwrap();
    stub.fail_always(Fail::Status(403));
    assert_eq!(tracker.log(&run("a")), LogOutcome::Spooled);
    assert_eq!(stub.authorization().as_deref(), Some("Bearer t0ken-s3cret"));
    fn holds(dir: &Path, secret: &str) -> bool {
        std::fs::read_dir(dir).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                holds(&path, secret)
            } else {
                String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(secret)
            }
        })
    }
    assert!(!holds(&dirs.spool(), "s3cret"));
    let reason = &tracker.sync().unwrap().left[0].reason;
    assert!(reason.contains("MLFLOW_TRACKING_USERNAME") && !reason.contains("s3cret"), "{reason}");
}
