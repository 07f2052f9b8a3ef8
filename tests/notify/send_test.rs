//! `vigie send-test`, as an operator runs it.

use std::path::Path;
use std::process::{Command, Output};

use crate::common::{failure, repository, success, vigie};
use crate::smtp::Smtpd;
use crate::stub::{Play, Stub};

fn send(dir: &Path, receiver: &str, prepare: impl FnOnce(&mut Command) -> &mut Command) -> Output {
    std::fs::write(dir.join("vigie.toml"), receiver).unwrap();
    std::fs::copy(repository("config/rules.toml"), dir.join("rules.toml")).unwrap();
    let mut command = vigie(dir);
    command.args(["send-test", "--config", "vigie.toml", "desk"]);
    prepare(&mut command).output().unwrap()
}

#[test]
fn a_receiver_that_accepts_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let stub = Stub::start(Play::status(200, "ok"));
    let receiver = "[[receiver]]\nname = 'desk'\ntype = 'slack'\nurl_file = 'secrets/url'\n";
    std::fs::create_dir(dir.path().join("secrets")).unwrap();
    std::fs::write(dir.path().join("secrets/url"), stub.url("/path-s3cr3t-part\n")).unwrap();
    for (arguments, sign) in
        [(vec![], "This is a test"), (vec!["--kind", "resolved", "--language", "fr"], "Ceci est un essai")]
    {
        let said = success(&send(dir.path(), receiver, |command| command.args(&arguments)));
        assert!(
            said.starts_with("desk: test message TEST-") && said.contains("delivered (a Slack channel, by webhook)"),
            "{said}"
        );
        assert!(!said.contains("s3cr3t"), "{said}");
        let got = stub.got().pop().unwrap();
        assert!(got.path() == "/path-s3cr3t-part" && got.json().to_string().contains(sign), "{}", got.json());
    }
}

#[test]
fn a_receiver_that_rejects_is_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let stub = Stub::start(Play::status(404, "no_service"));
    let receiver = "[[receiver]]\nname = 'desk'\ntype = 'teams'\n";
    let url = stub.url("/path-s3cr3t-part");
    let output = send(dir.path(), receiver, |command| command.env("VIGIE_RECEIVER_DESK_URL", &url));
    let said = failure(&output);
    assert_eq!(output.status.code(), Some(1));
    for part in ["desk (teams): delivery failed", "it answers 404", "\"no_service\"", "check the URL", "somebody"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("s3cr3t"), "{said}");
    stub.play(Play::with(429, ("Retry-After", "30"), ""));
    let said = failure(&send(dir.path(), receiver, |command| command.env("VIGIE_RECEIVER_DESK_URL", &url)));
    assert!(said.contains("it answers 429") && said.contains("asks to wait 30 s"), "{said}");
}

#[test]
fn mail_is_sent_or_refused_in_the_servers_own_words() {
    let Some(server) = Smtpd::start(&["--bad", "bad@example.com"]) else { return };
    let dir = tempfile::tempdir().unwrap();
    let receiver = |to: &str| {
        let port = server.port;
        format!(
            "[[receiver]]\nname = 'desk'\ntype = 'email'\nserver = '127.0.0.1'\nport = {port}\ntls = 'none'\nfrom = 'v@example.com'\nto = ['{to}']\n"
        )
    };
    let said = success(&send(dir.path(), &receiver("ann@example.com"), |command| command));
    assert!(said.contains("mail to ann@example.com"), "{said}");
    assert_eq!(server.served(), ["ann@example.com"]);
    let said = failure(&send(dir.path(), &receiver("bad@example.com"), |command| command));
    assert!(said.contains("550 5.1.1 <bad@example.com>: no such user here"), "{said}");
    let said = failure(&send(dir.path(), &receiver("ann@example.com', 'bad@example.com"), |command| command));
    assert!(said.contains("desk (email): delivered in part: 1 of 2") && said.contains("550 5.1.1"), "{said}");
}

#[test]
fn an_invalid_configuration_ends_with_code_78() {
    let dir = tempfile::tempdir().unwrap();
    let teams = "[[receiver]]\nname = 'desk'\ntype = 'teams'\n";
    let missing = send(dir.path(), teams, |command| command);
    assert_eq!(missing.status.code(), Some(78));
    assert!(failure(&missing).contains("VIGIE_RECEIVER_DESK_URL"));
    let invalid = send(dir.path(), "[[receiver]]\nname = 'desk'\ntype = 'webhook'\nurl = 'x'\n", |command| command);
    assert_eq!(invalid.status.code(), Some(78));
    assert!(failure(&invalid).contains("vigie.toml:4: receiver[0].url"), "{}", failure(&invalid));
    let unknown = failure(&send(dir.path(), teams, |command| command.arg("--set").arg("receiver.desk.name=other")));
    assert!(unknown.contains("unknown receiver \"desk\"") && unknown.contains("expected one of: other"), "{unknown}");
    let none = failure(&send(dir.path(), "", |command| command));
    assert!(none.contains("the configuration has no [[receiver]]"), "{none}");
}

#[test]
fn a_program_gets_none_of_vigies_secrets() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("notify");
    std::fs::write(&program, format!("#!/bin/sh\nenv >'{}/environment'\n", dir.path().display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let receiver = format!("[[receiver]]\nname = 'desk'\ntype = 'command'\nprogram = '{}'\n", program.display());
    let output = send(dir.path(), &receiver, |command| {
        command
            .env("VIGIE_X_TOKEN", "t0ken-s3cr3t")
            .env("CREDENTIALS_DIRECTORY", "/run/t0ken-s3cr3t")
            .env("OTHER", "kept")
    });
    success(&output);
    let environment = std::fs::read_to_string(dir.path().join("environment")).unwrap();
    assert!(!environment.contains("t0ken-s3cr3t"), "{environment}");
    assert!(environment.contains("OTHER=kept") && environment.contains("VIGIE_STATUS=firing"), "{environment}");
}
