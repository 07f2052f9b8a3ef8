//! SIGHUP and `POST /-/reload`: rules and model are reloaded, or the old ones stay.

use crate::process::{client, configure, repository, start};

const PUSH: &str = "[[source]]\nname = \"push\"\ntype = \"http\"\n";

async fn reload(url: &str) -> (u16, String) {
    let response = client().post(format!("{url}/-/reload")).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_configuration_is_taken_and_a_bad_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let rules = repository("config/rules.toml");
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    let path = dir.path().join("vigie.toml");
    let good = std::fs::read_to_string(&path).unwrap();

    std::fs::write(&path, good.replace(&format!("{rules:?}"), "\"missing.toml\"")).unwrap();
    let (code, why) = reload(&vigie.url).await;
    assert!(code == 400 && why.contains("the previous one stays in use") && why.contains("missing.toml"), "{why}");
    assert_eq!(vigie.series("vigie_config_last_reload_successful"), Some(0.0));

    std::fs::write(&path, good.replace("name = \"push\"", "name = \"other\"")).unwrap();
    let (code, why) = reload(&vigie.url).await;
    assert!(code == 400 && why.contains("[source]") && why.contains("restart"), "{why}");

    std::fs::write(&path, good.replace("\"other\"", "\"elsewhere\"")).unwrap();
    assert_eq!(reload(&vigie.url).await.0, 200);
    assert_eq!(vigie.series("vigie_config_last_reload_successful"), Some(1.0));
    let now = jiff::Timestamp::now();
    let body = format!("{{\"id\":\"1\",\"created_at\":\"{now}\",\"text\":\"nothing watched\"}}\n");
    let request = client().post(format!("{}/api/v1/posts", vigie.url)).bearer_auth("push-token").body(body);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 202);
    let mut vigie = vigie;
    let topic = vigie.wait("a topic", |vigie| vigie.status()?["topics"][0]["name"].as_str().map(str::to_owned));
    assert_eq!(topic, "elsewhere", "the reloaded name of what matches no topic");
}

#[test]
fn a_hangup_reloads_while_posts_come_and_none_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    configure(
        dir.path(),
        "[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\npoll = \"50ms\"\n",
    );
    let now = jiff::Timestamp::now();
    let line = |id| format!("{{\"id\":\"{id}\",\"created_at\":\"{now}\",\"text\":\"Air Paradis, post {id}\"}}\n");
    std::fs::write(dir.path().join("posts.jsonl"), (0..3_000).map(line).collect::<String>()).unwrap();
    let mut vigie = start(dir.path());
    for reloads in 1..=3 {
        vigie.signal("-HUP");
        vigie
            .wait("a reload", |vigie| (vigie.log().matches("configuration reloaded").count() == reloads).then_some(()));
    }
    let status = vigie.wait_received(3_000);
    assert_eq!(status["topics"][0]["posts"], 3_000);
    crate::process::assert_accounted(&status);
}
