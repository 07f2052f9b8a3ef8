//! Start, probes, a second daemon, what is missing, and a stop.

use serde_json::Value;

use crate::process::{Vigie, command, configure, start};

const FILE: &str =
    "[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\npoll = \"50ms\"\n";

fn post(id: u32) -> String {
    let now = jiff::Timestamp::now();
    format!("{{\"id\":\"{id}\",\"created_at\":\"{now}\",\"text\":\"Air Paradis is late again ({id})\"}}\n")
}

#[test]
fn it_starts_answers_and_stops() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), FILE);
    let lines: String = (0..20).map(post).chain(["rubbish\n".into(), post(3)]).collect();
    std::fs::write(dir.path().join("posts.jsonl"), lines).unwrap();
    let mut vigie = start(dir.path());
    let status = vigie.wait_received(22);
    crate::process::assert_accounted(&status);
    assert_eq!((&status["totals"]["rejected"], &status["totals"]["duplicates"]), (&1.into(), &1.into()));
    assert_eq!(status["topics"][0]["name"], "Air Paradis");
    assert_eq!(status["topics"][0]["posts"], 20);

    assert_eq!(vigie.get("/-/healthy").unwrap(), (200, "vigie is healthy\n".into()));
    assert_eq!(vigie.get("/-/ready").unwrap(), (200, "vigie is ready\n".into()));
    assert_eq!(vigie.series("vigie_source_received_total{source=\"desk\"}"), Some(22.0));
    assert_eq!(vigie.series("vigie_source_rejected_total{reason=\"json\",source=\"desk\"}"), Some(1.0));
    assert_eq!(vigie.series("vigie_ready"), Some(1.0));
    let (code, page) = vigie.get("/").unwrap();
    assert!(code == 200 && page.contains("Air Paradis"), "{page}");
    assert!(vigie.get("/sources").unwrap().1.contains("<b>desk</b>"));
    assert!(!page.contains("late again"), "no post is shown");
    assert_eq!(vigie.get("/nothing").unwrap().0, 404);

    let (status, log) = vigie.stop();
    assert!(status.success() && log.contains("all posts are committed"), "{log}");
    assert!(!log.contains("late again"), "no post is logged");
}

#[test]
fn a_second_daemon_on_one_state_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), FILE);
    let first = start(dir.path());
    let second = command(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("in use by another vigie"), "{said}");
    drop(first);
}

#[test]
fn without_a_token_it_says_what_to_set() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "");
    let refused = command(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(78), "{said}");
    for expected in ["bearer token of X", "VIGIE_X_TOKEN", "x.token_file", "LoadCredential=x-token"] {
        assert!(said.contains(expected), "{expected} is not in: {said}");
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    configure(dir.path(), FILE);
    let text = std::fs::read_to_string(dir.path().join("vigie.toml")).unwrap().replace("127.0.0.1:0", &address);
    std::fs::write(dir.path().join("vigie.toml"), text).unwrap();
    let refused = command(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&address) && said.contains("web.listen"), "{said}");
}

#[test]
fn the_demonstration_runs_on_the_shipped_dump() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("VIGIE__WEB__LISTEN", "127.0.0.1:0");
    command.args(["run", "--demo", "--model", "tests/fixtures/tiny-distilbert/classifier"]);
    let mut vigie = Vigie::spawn(&mut command);
    let status = vigie.wait_received(100);
    assert!(status["topics"].as_array().unwrap().len() > 1, "{}", status["topics"]);
    assert!(vigie.stop().0.success());
}

/// Round after round: the second daemon has an empty state, and reads the same posts.
#[test]
fn the_demonstration_begins_again_without_what_it_counted() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("VIGIE__WEB__LISTEN", "127.0.0.1:0");
    command.args(["run", "--demo", "--speed", "200000", "--model", "tests/fixtures/tiny-distilbert/classifier"]);
    let mut vigie = Vigie::spawn(&mut command);
    let round = |status: &Value| (status["started_at"].clone(), status["totals"]["received"].as_u64().unwrap_or(0));
    let (first, _) = round(&vigie.wait_received(100));
    let mut most = 0;
    let (_, received) = vigie.wait("a second round", |vigie| {
        let (begun, received) = round(&vigie.status()?);
        most = if begun == first { received.max(most) } else { most };
        (begun != first).then_some((begun, received))
    });
    assert!(received < most, "{received} posts at the start of the second round, {most} in the first");
    // A round may end between two looks: a quarter of it shows that it is played again.
    vigie.wait("the second round", |vigie| (round(&vigie.status()?).1 >= most / 4).then_some(()));
    assert!(vigie.stop().0.success());
}
