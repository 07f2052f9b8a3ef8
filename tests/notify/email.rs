//! Mail, to a real server.

use std::collections::BTreeMap;
use std::net::TcpListener;

use vigie::notify::{IntegrationConfig, Kind, Notification, Notifier, NotifyError, SampleKind, email, sample};

use crate::common::repository;
use crate::kit::{PASSWORD, discreet, now, opened, resolved, try_build, with_context};
use crate::log;
use crate::smtp::{Kept, Smtpd};

/// `to` in TOML.
fn build(port: u16, to: &str, more: &str) -> Box<dyn Notifier> {
    log::capture();
    let environment = BTreeMap::from([("VIGIE_RECEIVER_DESK_PASSWORD".to_owned(), PASSWORD.to_owned())]);
    let text = format!(
        "type = 'email'\nserver = 'localhost'\nport = {port}\nfrom = 'Vigie <vigie@example.com>'\nto = {to}\n{more}\n"
    );
    try_build(&text, &environment).unwrap()
}

/// Sends, and checks that nothing secret is shown.
#[track_caller]
fn send(notifier: &mut dyn Notifier, notification: &Notification) -> Result<(), NotifyError> {
    let result = notifier.notify(notification);
    discreet("email", &result);
    result
}

#[track_caller]
fn permanent(result: Result<(), NotifyError>) -> String {
    match result {
        Err(NotifyError::Permanent { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn transient(result: Result<(), NotifyError>) -> String {
    match result {
        Err(NotifyError::Transient { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

/// A header, unfolded.
fn header(mail: &str, name: &str) -> Option<String> {
    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    let prefix = format!("{name}: ");
    let found: Vec<&str> = head.split("\r\n").filter_map(|line| line.strip_prefix(&prefix)).collect();
    assert!(found.len() < 2, "{name} twice:\n{head}");
    found.first().map(|value| (*value).to_owned())
}

fn trusting() -> String {
    format!("ca_file = '{}'", repository("tests/fixtures/tls/ca.pem").display())
}

#[test]
fn everybody_gets_a_mail_that_programs_can_read() {
    let Some(server) = Smtpd::start(&[]) else { return };
    let mut mail = build(
        server.port,
        "['ann@example.com', 'Bob <bob@example.com>']",
        "tls = 'none'\ncc = ['ann@example.com', 'cat@example.com']",
    );
    let whole = sample("desk", SampleKind::Opened, now(), None);
    send(mail.as_mut(), &Notification { kind: Kind::Opened, ..whole }).unwrap();
    assert_eq!(server.served(), ["ann@example.com", "bob@example.com", "cat@example.com"]);
    let mails = server.mails();
    assert!(mails.iter().all(|mail| mail.content == mails[0].content), "all get the same");
    let content = &mails[0].content;
    let has = |name: &str, expected: &str| assert_eq!(header(content, name).as_deref(), Some(expected), "{name}");
    has("From", "Vigie <vigie@example.com>");
    has("To", "ann@example.com, Bob <bob@example.com>");
    has("Auto-Submitted", "auto-generated");
    has("X-Auto-Response-Suppress", "All");
    has("X-Vigie-Incident", &opened().incident.id);
    has("Date", "Tue, 24 Nov 2026 09:00:00 +0000");
    assert!(header(content, "Content-Type").unwrap().starts_with("multipart/alternative;"));
    for part in [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: multipart/related;",
        "Content-Type: text/html; charset=utf-8",
        "Content-Type: image/png",
        "Content-ID: <chart@vigie>",
        "Content-Disposition: inline",
    ] {
        assert_eq!(content.matches(part).count(), 1, "{part}");
    }
    assert!(content.replace("=\r\n", "").contains("cid:chart@vigie"), "the page shows the picture");
    assert!(content.is_ascii() && content.lines().all(|line| line.len() <= 998));
}

#[test]
fn an_incident_is_one_thread_and_a_duplicate_is_the_same_mail() {
    let Some(server) = Smtpd::start(&[]) else { return };
    let changed = Notification { key: "k2".into(), kind: Kind::Changed, sequence: 1, ..opened() };
    for notification in [opened(), opened(), changed, resolved()] {
        // Each by a restarted daemon.
        send(build(server.port, "['ann@example.com']", "tls = 'none'").as_mut(), &notification).unwrap();
    }
    let mails = server.mails();
    let [first, again, changed, over] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert_eq!(first.content, again.content);
    let root = header(&first.content, "Message-ID").unwrap();
    assert!(root.starts_with(&format!("<{}.", opened().incident.id)) && root.ends_with("@example.com>"), "{root}");
    assert_eq!(header(&first.content, "References"), None);
    let subject = |mail: &Kept| header(&mail.content, "Subject").unwrap();
    for later in [changed, over] {
        assert_eq!(header(&later.content, "References").as_ref(), Some(&root));
        assert_eq!(header(&later.content, "In-Reply-To").as_ref(), Some(&root));
        assert_ne!(header(&later.content, "Message-ID").unwrap(), root);
        assert_eq!(subject(later), subject(first));
    }
    assert_ne!(header(&changed.content, "Message-ID"), header(&over.content, "Message-ID"));
}

#[test]
fn a_test_is_never_a_duplicate() {
    let (config, environment) = (config_of("to = ['ann@example.com']"), BTreeMap::new());
    with_context(&environment, |context| {
        let (mut mail, bag) = email::Email::in_memory(&config, context).unwrap();
        let test = Notification { kind: Kind::Test, ..opened() };
        mail.notify(&test).unwrap();
        mail.notify(&Notification { key: "test-2".into(), ..test }).unwrap();
        let bag = bag.lock().unwrap();
        let ids = bag.iter().map(|mail| header(std::str::from_utf8(&mail.content).unwrap(), "Message-ID"));
        let ids: Vec<_> = ids.collect();
        assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    });
}

fn config_of(more: &str) -> email::Config {
    let text = format!("type = 'email'\nserver = 'localhost'\nfrom = 'vigie@example.com'\n{more}");
    let IntegrationConfig::Email(config) = toml::from_str(&text).unwrap() else { panic!("{text}") };
    config
}

#[test]
fn mail_is_sent_over_tls_to_a_trusted_server_only() {
    for tls in ["starttls", "tls"] {
        let (trusting, tls_is) = (trusting(), format!("tls = '{tls}'"));
        let cases = [
            ("good", trusting.as_str(), true),
            ("good", "", false),
            ("other", &trusting, false),
            ("expired", &trusting, false),
        ];
        for (certificate, more, trusted) in cases {
            let Some(server) = Smtpd::with_tls(tls, certificate, &["--auth", &format!("vigie:{PASSWORD}")]) else {
                return;
            };
            let more = format!("{tls_is}\nuser = 'vigie'\n{more}");
            let result = send(build(server.port, "['ann@example.com']", &more).as_mut(), &opened());
            if trusted {
                assert_eq!(result, Ok(()), "{tls} {certificate}");
                assert_eq!(server.served(), ["ann@example.com"]);
            } else {
                let reason = permanent(result);
                assert!(reason.contains("certificate"), "{tls} {certificate}: {reason}");
                assert!(server.served().is_empty());
            }
        }
    }
}

#[test]
fn a_server_without_tls_gets_nothing() {
    let Some(server) = Smtpd::start(&["--auth", &format!("vigie:{PASSWORD}")]) else { return };
    let reason = permanent(send(build(server.port, "['ann@example.com']", "user = 'vigie'").as_mut(), &opened()));
    assert!(reason.contains("STARTTLS"), "{reason}");
    assert!(server.served().is_empty());
}

#[test]
fn a_wrong_password_is_reported_in_the_servers_words_without_it() {
    let Some(server) = Smtpd::start(&["--auth", "vigie:another"]) else { return };
    let mut mail = build(server.port, "['ann@example.com']", "tls = 'none'\nuser = 'vigie'");
    let reason = permanent(send(mail.as_mut(), &opened()));
    assert!(reason.contains("535") && reason.contains("5.7.8 wrong: vigie with"), "{reason}");
}

#[test]
fn one_bad_address_stops_no_other_and_nobody_gets_it_twice() {
    let Some(server) = Smtpd::start(&["--bad", "bad@example.com", "--grey", "cat@example.com"]) else { return };
    let to = "['ann@example.com', 'bad@example.com', 'cat@example.com', 'dan@example.com']";
    let mut mail = build(server.port, to, "tls = 'none'");
    let reason = transient(send(mail.as_mut(), &opened()));
    assert!(reason.contains("cat@example.com") && reason.contains("450 4.2.0 greylisted"), "{reason}");
    assert_eq!(server.served(), ["ann@example.com", "dan@example.com"]);
    send(mail.as_mut(), &opened()).unwrap();
    let partial_failure = mail.partial_failure().unwrap();
    assert!(
        partial_failure.contains("1 of 4") && partial_failure.contains("550 5.1.1 <bad@example.com>: no such user"),
        "{partial_failure}"
    );
    assert_eq!(server.served(), ["ann@example.com", "dan@example.com", "cat@example.com"]);
    // The next notification goes to everybody.
    send(mail.as_mut(), &resolved()).unwrap();
    assert_eq!(server.served().len(), 6);
}

#[test]
fn a_notification_that_replaces_a_partly_delivered_one_is_another_mail() {
    let Some(server) = Smtpd::start(&["--grey", "cat@example.com"]) else { return };
    let mut mail = build(server.port, "['ann@example.com', 'cat@example.com']", "tls = 'none'");
    transient(send(mail.as_mut(), &opened()));
    send(mail.as_mut(), &Notification { key: "by then".into(), ..opened() }).unwrap();
    let mails = server.mails();
    let ids: Vec<_> = mails.iter().map(|mail| header(&mail.content, "Message-ID").unwrap()).collect();
    assert_eq!(server.served(), ["ann@example.com", "ann@example.com", "cat@example.com"]);
    assert!(ids[0] != ids[1] && ids[1] == ids[2], "{ids:?}");
    assert_eq!(header(&mails[1].content, "References").as_ref(), Some(&ids[0]));
}

#[test]
fn a_connection_cut_within_a_mail_is_retried() {
    let Some(server) = Smtpd::start(&["--cuts", "1"]) else { return };
    let mut mail = build(server.port, "['ann@example.com', 'bob@example.com']", "tls = 'none'");
    let reason = transient(send(mail.as_mut(), &opened()));
    assert!(reason.contains("2 of 2"), "{reason}");
    send(mail.as_mut(), &opened()).unwrap();
    assert_eq!(server.served(), ["ann@example.com", "bob@example.com"]);
}

#[test]
fn a_mail_rejected_for_its_content_is_reported_without_that_content() {
    let text = opened().alerts[0].samples[0].text.clone();
    let Some(server) = Smtpd::start(&["--content", &format!("554 5.7.1 looks like spam: {text}")]) else { return };
    let result = send(build(server.port, "['ann@example.com']", "tls = 'none'").as_mut(), &opened());
    let Err(NotifyError::Rejected { reason }) = result else { panic!("{result:?}") };
    assert!(reason.contains("554 5.7.1 looks like spam"), "{reason}");
}

#[test]
fn a_server_that_is_down_or_silent_is_a_transient_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let more = "tls = 'none'\ntimeout = '200ms'";
    // It accepts the connection, and never answers.
    let reason = transient(send(build(port, "['ann@example.com']", more).as_mut(), &opened()));
    assert!(reason.contains("in time (timeout)"), "{reason}");
    drop(listener);
    let reason = transient(send(build(port, "['ann@example.com']", more).as_mut(), &opened()));
    assert!(reason.contains("refused"), "{reason}");
}

#[test]
fn a_directory_gets_one_file_per_mail() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("mails");
    let text = format!(
        "type = 'email'\ntransport = 'directory'\ndirectory = '{}'\nfrom = 'v@example.com'\nto = ['ann@example.com']",
        folder.display()
    );
    let mut mail = try_build(&text, &BTreeMap::new()).unwrap();
    for notification in [opened(), opened(), resolved()] {
        send(mail.as_mut(), &notification).unwrap();
    }
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|file| file.extension().is_some_and(|end| end == "eml")), "{files:?}");
    let first = std::fs::read_to_string(&files[0]).unwrap();
    assert_eq!(header(&first, "X-Vigie-Incident"), Some(opened().incident.id));
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    assert!(mail.notify(&opened()).unwrap_err().to_string().contains("cannot write mail into"));
}
