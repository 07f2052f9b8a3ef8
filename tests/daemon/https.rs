//! The console over HTTPS, on its second address.

use std::path::Path;

use crate::process::{Vigie, command, configure, repository};

const SOURCE: &str = "[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\n";

fn fixture(name: &str) -> String {
    repository("tests/fixtures/tls").join(name).display().to_string()
}

fn config(certificate: &str) -> String {
    format!(
        "tls_listen = \"127.0.0.1:0\"\ntls_certificate_file = {:?}\ntls_key_file = {:?}\n{SOURCE}",
        fixture(certificate),
        fixture("server.key")
    )
}

/// The address that the log names.
fn https(vigie: &mut Vigie) -> String {
    let address = |log: &str| Some(log.split("https://").nth(1)?.split('/').next()?.to_owned());
    let address = vigie.wait("the address", |vigie| address(&vigie.log()));
    format!("https://localhost:{}", address.rsplit(':').next().unwrap())
}

async fn get(client: &reqwest::Client, url: &str) -> Result<(u16, reqwest::header::HeaderMap), reqwest::Error> {
    let answer = client.get(url).send().await?;
    Ok((answer.status().as_u16(), answer.headers().clone()))
}

fn trusting(authority: &Path) -> reqwest::Client {
    let _provider = crate::process::client();
    let authority = reqwest::Certificate::from_pem(&std::fs::read(authority).unwrap()).unwrap();
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(none).tls_certs_only([authority]).build().unwrap()
}

#[test]
fn the_console_speaks_https_with_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), &config("good.pem"));
    std::fs::write(dir.path().join("posts.jsonl"), "").unwrap();
    let mut vigie = Vigie::spawn(&mut command(dir.path()));
    let url = https(&mut vigie);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = trusting(Path::new(&fixture("ca.pem")));
        let (status, headers) = get(&client, &format!("{url}/?language=fr")).await.unwrap();
        let cookie = headers["set-cookie"].to_str().unwrap();
        assert!(status == 200 && cookie.ends_with("; Secure"), "{cookie}");
        let stranger = trusting(Path::new(&fixture("good.pem")));
        assert!(get(&stranger, &url).await.is_err(), "another authority");
        // What does not speak TLS gets nothing, and does not keep others waiting.
        assert!(get(&client, &url.replace("https", "http")).await.is_err());
        assert_eq!(get(&client, &format!("{url}/-/healthy")).await.unwrap().0, 200);
    });
    // The first address stays as it was, for commands of this machine.
    let (status, page) = vigie.get("/?language=fr").unwrap();
    assert!(status == 200 && page.contains("vigie"));
    assert!(vigie.stop().0.success());
}

#[test]
fn a_certificate_that_cannot_be_used_is_named_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), &config("ca.pem"));
    std::fs::write(dir.path().join("posts.jsonl"), "").unwrap();
    let output = command(dir.path()).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && log.contains("server.key is not the key of"), "{log}");

    configure(dir.path(), &format!("tls_listen = \"127.0.0.1:0\"\n{SOURCE}"));
    let output = command(dir.path()).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(78) && log.contains("also needs web.tls_certificate_file"), "{log}");
}
