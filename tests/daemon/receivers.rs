//! A receiver that is down while vigie is killed is notified when both are back; incidents are listed, acknowledged and
//! silenced from the shell and on their page.

use std::path::Path;

use serde_json::{Value, json};

use crate::process::{Vigie, client, configure, start};

/// A program that is "down" while the file `down` is there, and otherwise keeps what it receives. A wrong prediction is an
/// alert at once, without anything to learn.
pub(crate) fn config(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "[window]\nbucket = \"1s\"\n[notify]\ngroup_wait = \"0s\"\ngroup_interval = \"1s\"\n\
         [[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\n\
         [[receiver]]\nname = \"program\"\ntype = \"command\"\nprogram = \"/bin/sh\"\n\
         args = [\"-c\", \"test -e {dir}/down && exit 75; cat >> {dir}/received.jsonl; echo >> {dir}/received.jsonl\"]\n"
    )
}

pub(crate) fn report_three_wrong_predictions(vigie: &mut Vigie, dir: &Path) {
    let token = vigie.wait("the token", |_| std::fs::read_to_string(dir.join("state/api-token")).ok());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for text in ["my bag is lost", "a fine flight", "late once more"] {
            // One of the two the model did not say.
            for label in ["positive", "negative"] {
                let body = json!({"what": text, "label": label});
                let request = client().post(format!("{}/api/v1/feedback", vigie.url)).bearer_auth(&token).json(&body);
                assert_eq!(request.send().await.unwrap().status(), 200);
            }
        }
    });
}

fn received(dir: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join("received.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// `vigie alerts`, and whether all was well.
fn alerts(dir: &Path, vigie: &Vigie, args: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(dir).arg("alerts").args(args).args(["--config", "vigie.toml", "--state", "state"]);
    let output = command.env("VIGIE__WEB__LISTEN", vigie.url.trim_start_matches("http://")).output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn press(vigie: &Vigie, id: &str, from: Option<&str>) -> u16 {
    let url = format!("{}/alerts/{id}", vigie.url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut request = client().post(url).header("content-type", "application/x-www-form-urlencoded");
        if let Some(from) = from {
            request = request.header("sec-fetch-site", from);
        }
        request.body("action=acknowledge").send().await.unwrap().status().as_u16()
    })
}

#[test]
fn what_is_owed_outlives_kills_of_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    configure(path, &config(path));
    std::fs::write(path.join("posts.jsonl"), "").unwrap();
    std::fs::write(path.join("down"), "").unwrap();
    let mut vigie = start(path);
    report_three_wrong_predictions(&mut vigie, path);
    vigie.wait("an attempt that fails", |vigie| vigie.log().contains("exited with 75").then_some(()));
    assert_eq!(received(path), Vec::<Value>::new());
    vigie.kill();

    std::fs::remove_file(path.join("down")).unwrap();
    let mut vigie = start(path);
    let first = vigie.wait("the notification", |_| received(path).first().cloned());
    assert_eq!(first["version"], 1);
    assert!(first.to_string().contains("IncorrectPredictions"), "{first}");
    assert!(!first.to_string().contains("\"trend\":[{"), "no posts, no chart");

    let (good, listed) = alerts(path, &vigie, &["list", "--json"]);
    assert!(good, "{listed}");
    let answer: Value = serde_json::from_str(&listed).unwrap();
    let id = answer["incidents"][0]["id"].as_str().unwrap().to_owned();

    // Its page changes nothing by itself, nor for a page from elsewhere.
    let (status, page) = vigie.get(&format!("/alerts/{id}")).unwrap();
    assert!(status == 200 && page.contains(&id) && page.contains("IncorrectPredictions"), "{page}");
    assert_eq!(vigie.get("/alerts/NONE-0000").unwrap().0, 404);
    assert_eq!(press(&vigie, &id, Some("cross-site")), 403);
    assert!(!alerts(path, &vigie, &["show", &id]).1.contains("acknowledged by"));
    assert_eq!(press(&vigie, &id, Some("same-origin")), 200, "and back on the page");
    let (good, said) = alerts(path, &vigie, &["note", &id, "the airport says noon", "--by", "Bob"]);
    assert!(good && said.contains("note added"), "{said}");
    assert!(alerts(path, &vigie, &["list"]).1.contains("acknowledged"));
    let (good, said) = alerts(path, &vigie, &["silence", "alertname=Other", "--for", "2h", "--comment", "known"]);
    assert!(good, "{said}");
    let (good, said) = alerts(path, &vigie, &["ack", "NONE-0000"]);
    assert!(!good && said.contains("NONE-0000"), "{said}");

    // All of it is there after another kill.
    vigie.kill();
    let mut vigie = start(path);
    let listed = vigie.wait("the incident", |vigie| {
        let (good, listed) = alerts(path, vigie, &["list"]);
        (good && listed.contains(&id)).then_some(listed)
    });
    assert!(listed.contains("acknowledged") && listed.contains("known"), "{listed}");
    assert!(alerts(path, &vigie, &["show", &id]).1.contains("the airport says noon"));
    let keys: Vec<String> =
        received(path).iter().map(|received| received["key"].as_str().unwrap_or_default().to_owned()).collect();
    let opened = keys.iter().filter(|key| **key == keys[0]).count();
    assert!((1..=2).contains(&opened), "at least once, and hardly more: {keys:?}");
}
