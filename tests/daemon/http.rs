//! `POST /api/v1/posts`: taken only with the token, answered only once on disk.

use reqwest::StatusCode;

use crate::process::{Vigie, client, configure, start};

const PUSH: &str = "[[source]]\nname = \"push\"\ntype = \"http\"\n";

fn body(posts: std::ops::Range<u32>) -> String {
    let now = jiff::Timestamp::now();
    posts
        .map(|id| format!("{{\"id\":\"{id}\",\"created_at\":\"{now}\",\"text\":\"Air Paradis, post {id}\"}}\n"))
        .collect()
}

async fn send(vigie: &Vigie, token: &str, body: String) -> (StatusCode, String) {
    let request = client().post(format!("{}/api/v1/posts", vigie.url)).bearer_auth(token).body(body);
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    let (code, answer) = send(&vigie, "push-token", body(0..40) + "{\"id\":\"x\"}\n").await;
    assert_eq!(code, StatusCode::ACCEPTED, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["line"]), (&40.into(), &41.into()));
    vigie.kill();

    let mut vigie = start(dir.path());
    let status = vigie.wait_received(41);
    crate::process::assert_accounted(&status);
    assert_eq!(status["topics"][0]["posts"], 40);
    // What was sent twice counts once.
    assert_eq!(send(&vigie, "push-token", body(0..40)).await.0, StatusCode::ACCEPTED);
    let status = vigie.wait_received(81);
    assert_eq!((&status["topics"][0]["posts"], &status["totals"]["duplicates"]), (&40.into(), &40.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    for token in ["", "push", "push-token-and-more"] {
        assert_eq!(send(&vigie, token, body(0..1)).await.0, StatusCode::UNAUTHORIZED);
    }
    let (code, answer) = send(&vigie, "push-token", String::new()).await;
    assert!(code == StatusCode::BAD_REQUEST && answer.contains("empty"), "{answer}");
    let rebound = client().get(format!("{}/api/v1/status", vigie.url)).header("host", "evil.example");
    assert_eq!(rebound.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let foreign = client().post(format!("{}/-/reload", vigie.url)).header("sec-fetch-site", "cross-site");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(vigie.status().unwrap()["totals"]["received"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_fits_is_refused_and_what_was_accepted_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let mut vigie = start(dir.path());
    let (client, url) = (client(), format!("{}/api/v1/posts", vigie.url));
    let requests = (0..60).map(|request| {
        let posts = body(request * 500..(request + 1) * 500);
        tokio::spawn(client.post(&url).bearer_auth("push-token").body(posts).send())
    });
    let requests: Vec<_> = requests.collect();
    let (mut accepted, mut refused) = (0, 0);
    for request in requests {
        let response = request.await.unwrap().unwrap();
        match response.status() {
            StatusCode::ACCEPTED => accepted += 500,
            StatusCode::TOO_MANY_REQUESTS => {
                assert!(response.headers().contains_key("retry-after"));
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} posts accepted, {refused} requests refused");
    let status = vigie.wait_received(accepted);
    assert_eq!((&status["topics"][0]["posts"], &status["totals"]["received"]), (&accepted.into(), &accepted.into()));
}

/// More connections than there may be, each with half a head of a request.
#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_lock_nobody_out() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    let address = vigie.url.trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for number in 0..700 {
        let Ok(mut client) = std::net::TcpStream::connect(&address) else { break };
        // It may have been closed for a newer one.
        let _closed = write!(client, "POST /api/v1/posts HTTP/1.1\r\nHost: {address}\r\n");
        slow.push(client);
        if number % 100 == 99 {
            for path in ["/-/healthy", "/metrics", "/-/ready"] {
                assert_eq!(vigie.get(path).map(|(code, _)| code), Some(200), "{path} after {number}");
            }
        }
    }
    assert!(slow.len() > 512, "{} connections", slow.len());
    // The first ones gave way: without a limit they would hold their place.
    for client in &mut slow[..100] {
        client.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let read = std::io::Read::read(client, &mut [0; 16]);
        let is_open = read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!is_open && !matches!(read, Ok(1..)), "{read:?}");
    }
    assert_eq!(send(&vigie, "push-token", body(0..1)).await.0, StatusCode::ACCEPTED);
}

/// The answer to a body that is too large. The server answers, and hangs up, before it has read all of it: a client that is
/// still writing may see the broken connection first, so it tries again.
async fn refusal(vigie: &Vigie, body: Vec<u8>) -> StatusCode {
    for _ in 0..20 {
        let request = client().post(format!("{}/api/v1/posts", vigie.url)).bearer_auth("push-token");
        match request.body(body.clone()).send().await {
            Ok(response) => return response.status(),
            Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
        }
    }
    panic!("no answer in 20 tries");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_bomb_is_refused() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..256 {
        packed.write_all(&blanks).unwrap();
    }
    for body in [packed.finish().unwrap(), vec![b' '; 3 << 20]] {
        assert_eq!(refusal(&vigie, body).await, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(vigie.get("/-/healthy").map(|(code, _)| code), Some(200));
}
