//! The console in a real browser: `tests/console/browser.py` on a daemon with posts of a day; and the sign-in, over HTTP.

use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::process::{Vigie, client, command, command_with, configure, repository};

/// Posts of the last 24 hours.
const POSTS: i64 = 360;

fn write_posts(dir: &Path) {
    let texts = [
        "Air Paradis a encore annulé mon vol, merci pour rien",
        "thank you @AirParadis for the kind crew",
        "Air Paradis lost my bag <img src=x onerror=alert(1)>",
        "=HYPERLINK(\"http://evil.example\") says Air Paradis is late",
        "Le vol Air Paradis 123 part à 9 h &amp; arrive à 11 h",
        "Blue Air was fine",
    ];
    // Different words in each text: repeats would be copies, which have no vote.
    let words = [
        "gate", "crew", "valise", "retard", "pilote", "siège", "desk", "queue", "app", "repas", "tarif", "escale",
        "hublot",
    ];
    let word = |number: i64| words[usize::try_from(number).unwrap() % words.len()];
    let now = Timestamp::now();
    let line = |number: i64| {
        let at = now - SignedDuration::from_secs((POSTS - number) * 240);
        let text = texts[usize::try_from(number).unwrap() % texts.len()];
        let author =
            if number % 7 == 0 { "<img src=x onerror=alert(1)>".to_owned() } else { format!("user{}", number % 89) };
        let topic = if text.starts_with("Blue") { "Blue Air" } else { "Air Paradis" };
        json!({"id": format!("p{number}"), "created_at": at, "text": format!("{text} {} {} {} {}", word(number), word(number / 13), word(number / 5 + 3), word(number * number / 7)), "author": author, "topic": topic})
    };
    let lines: Vec<String> = (0..POSTS).map(|number| line(number).to_string() + "\n").collect();
    std::fs::write(dir.join("posts.jsonl"), lines.concat()).unwrap();
}

#[test]
fn people_use_it_in_a_browser() {
    let Ok(chromium) = std::env::var("VIGIE_TEST_BROWSER") else {
        println!("skipped: no browser (VIGIE_TEST_BROWSER); tests/run installs one");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let received = path.join("received.jsonl");
    let config = format!(
        "[retrain]\nheld_out = [\"held-out.csv\"]\n[window]\nbucket = \"1s\"\n[notify]\ngroup_wait = \"0s\"\ngroup_interval = \"1s\"\n\
         [[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\n\
         [[receiver]]\nname = \"program\"\ntype = \"command\"\nprogram = \"/bin/sh\"\n\
         args = [\"-c\", \"cat >> {received}; echo >> {received}\"]\n",
        received = received.display()
    );
    configure(path, &config);
    write_posts(path);
    // A model with a manifest, which can be retrained.
    let rows = "negative,my bag is lost\nneutral,gate nine at noon\npositive,thank you so much\n";
    std::fs::write(path.join("held-out.csv"), format!("label,text\n{rows}{rows}")).unwrap();
    let mut vigie = Vigie::spawn(&mut command_with(path, &repository("models/default")));
    vigie.wait_received(POSTS.unsigned_abs());
    let shots = std::env::var("VIGIE_TEST_SHOTS").map_or_else(|_| path.join("shots"), Into::into);
    std::fs::create_dir_all(&shots).unwrap();
    let script = repository("tests/console/browser.py");
    let mut browse = Command::new("python3");
    if let Ok(modules) = std::env::var("VIGIE_TEST_BROWSER_PYTHONPATH") {
        browse.env("PYTHONPATH", modules);
    }
    let output = browse.arg(script).args([&vigie.url, &chromium]).arg(&shots).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", vigie.log());
    let sent = std::fs::read_to_string(&received).unwrap();
    assert!(sent.contains("IncorrectPredictions"), "three dislikes are a message: {sent}");
    let (status, log) = vigie.stop();
    assert!(status.success() && !log.contains("valise") && !log.contains("onerror"), "{log}");
}

/// Asks without following redirects; returns the status, where it leads, and the cookie that is set.
fn ask(vigie: &Vigie, path: &str, cookie: &str, form: Option<&str>) -> (u16, String, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request(vigie, path, cookie, form).send().await.unwrap();
        let header =
            |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let set = header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        (answer.status().as_u16(), header("location"), set)
    })
}

/// As [`ask`]; returns the status and the page.
fn read(vigie: &Vigie, path: &str, cookie: &str, form: Option<&str>) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request(vigie, path, cookie, form).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

fn request(vigie: &Vigie, path: &str, cookie: &str, form: Option<&str>) -> reqwest::RequestBuilder {
    let _provider = client();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = format!("{}{path}", vigie.url);
    let request = match form {
        Some(form) => {
            client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
        }
        None => client.get(url),
    };
    request.header("cookie", cookie)
}

/// The token that forms of this session carry.
fn form_token(vigie: &Vigie, session: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let page = runtime.block_on(async {
        let answer = client().get(format!("{}/posts", vigie.url)).header("cookie", session).send().await.unwrap();
        answer.text().await.unwrap()
    });
    page.split("name=\"form_token\" value=\"").nth(1).unwrap()[..64].to_owned()
}

/// `vigie user` with a password; whether all was well, and what it said.
fn user(path: &Path, args: &[&str]) -> (bool, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .current_dir(path)
        .args(["user"])
        .args(args)
        .args(["--state", "state", "--config", "vigie.toml"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"correct-horse\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn beyond_loopback_people_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    configure(path, "[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\n");
    write_posts(path);
    let mut vigie = Vigie::spawn(command(path).env("VIGIE__WEB__LISTEN", "0.0.0.0:0"));
    vigie.url = vigie.url.replace("0.0.0.0", "127.0.0.1");
    vigie.wait_received(POSTS.unsigned_abs());
    assert_eq!(ask(&vigie, "/posts", "", None), (303, "/sign-in?to=%2Fposts".into(), String::new()));
    assert_eq!(ask(&vigie, "/metrics", "", None).0, 200);
    assert_eq!(ask(&vigie, "/posts/export/posts.csv", "", None).0, 303);
    assert_eq!(ask(&vigie, "/sign-in", "", Some("name=claire&password=correct-horse")).0, 401, "nobody is known");

    let user = |args: &[&str]| user(path, args);
    assert_eq!(user(&["add", "Claire", "--role", "analyst"]), (true, "Claire may sign in as analyst\n".into()));
    let (added, said) = user(&["add", "claire", "--role", "viewer"]);
    assert!(!added && said.contains("already a user"), "{said}");
    assert_eq!(ask(&vigie, "/sign-in", "", Some("name=claire&password=wrong-horse")).0, 401);
    let (status, to, session) =
        ask(&vigie, "/sign-in", "", Some("name=claire&password=correct-horse&to=//evil.example"));
    assert_eq!((status, to.as_str()), (303, "/"), "it leads to no other host");
    assert_eq!(ask(&vigie, "/posts", &session, None).0, 200);
    assert_eq!(ask(&vigie, "/posts/labels", &session, Some("id=p1&label=neutral")).0, 403, "not from one of its pages");
    let token = form_token(&vigie, &session);
    let press = |path: &str, form: &str| ask(&vigie, path, &session, Some(&format!("{form}&form_token={token}"))).0;
    assert_eq!(press("/posts/labels", "id=p1&label=neutral"), 303);
    assert_eq!(press("/silences", "matchers=a%3D%22b%22&hours=1"), 403);
    // Corrections are signed by who is signed in, whatever the form says.
    assert_eq!(press("/posts/labels", "id=p2&label=positive&by=Mallory"), 303);
    // An analyst saves filters, under the own name.
    assert_eq!(ask(&vigie, "/posts/filters", &session, Some("name=bags&address=/posts?text%3Dbag")).0, 403);
    assert_eq!(press("/posts/filters", "name=bags&address=%2Fposts%3Ftext%3Dbag%26label%3Dnegative"), 303);
    assert_eq!(press("/posts/filters", "name=Bags&address=%2Fposts%3Ftext%3Dbag"), 409);
    assert_eq!(press("/posts/filters", "name=ann&address=%2Fposts%3Fauthor%3Dann"), 400);
    let saved = std::fs::read_to_string(path.join("state/filters.json")).unwrap();
    assert!(saved.contains("\"Claire\"") && saved.contains("label=negative&text=bag"), "{saved}");
    assert_eq!(ask(&vigie, "/posts?saved=bags", &session, None).1, "/posts?label=negative&text=bag");
    assert_eq!(press("/posts/filters/rename", "name=bags&to=cases&back=//evil.example"), 303);
    assert_eq!(press("/posts/filters/delete", "name=cases&back=/posts"), 303);
    assert_eq!(ask(&vigie, "/posts?saved=cases", &session, None).0, 404);
    // A new sign-in is a new session, whatever cookie it came with, and ends that one.
    let (_, _, renewed) = ask(&vigie, "/sign-in", &session, Some("name=claire&password=correct-horse"));
    assert!(!renewed.is_empty() && renewed != session);
    assert_eq!((ask(&vigie, "/posts", &session, None).0, ask(&vigie, "/posts", &renewed, None).0), (303, 200));
    let token = std::fs::read_to_string(path.join("state/api-token")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let feedback = runtime.block_on(async {
        let url = format!("{}/api/v1/feedback", vigie.url);
        client().get(url).bearer_auth(token).send().await.unwrap().text().await.unwrap()
    });
    assert!(feedback.contains("\"Claire\"") && !feedback.contains("Mallory"), "{feedback}");
    assert!(user(&["remove", "claire"]).0);
    assert_eq!(ask(&vigie, "/posts", &renewed, None).0, 303);
    let log = vigie.stop().1;
    assert!(!log.contains("horse") && !log.contains("Claire"), "{log}");
    let audit = std::fs::read_to_string(path.join("state/audit.jsonl")).unwrap();
    assert!(audit.contains("/posts/filters/rename") && !audit.contains("cases"), "{audit}");
}

#[test]
fn a_link_shows_one_incident_to_people_without_an_account() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    configure(path, &crate::receivers::config(path));
    std::fs::write(path.join("posts.jsonl"), "").unwrap();
    let mut vigie = Vigie::spawn(command(path).env("VIGIE__WEB__LISTEN", "0.0.0.0:0"));
    vigie.url = vigie.url.replace("0.0.0.0", "127.0.0.1");
    for (name, role) in [("Otto", "operator"), ("Ann", "analyst")] {
        assert!(user(path, &["add", name, "--role", role]).0);
    }
    crate::receivers::report_three_wrong_predictions(&mut vigie, path);
    let sign_in =
        |vigie: &Vigie, name: &str| ask(vigie, "/sign-in", "", Some(&format!("name={name}&password=correct-horse"))).2;
    let (otto, ann) = (sign_in(&vigie, "Otto"), sign_in(&vigie, "Ann"));
    let links = |text: &str| -> Vec<String> {
        text.split("/alerts/").skip(1).map(|rest| rest.split(['"', '/', '#']).next().unwrap().to_owned()).collect()
    };
    let id = vigie.wait("the incident", |vigie| links(&read(vigie, "/incidents", &otto, None).1).first().cloned());
    let press = |session: &str, path: &str, form: &str| {
        let token = form_token(&vigie, session);
        read(&vigie, path, session, Some(&format!("{form}&form_token={token}")))
    };

    // An analyst notes; only an operator gives an incident to strangers.
    let notes = format!("/alerts/{id}/notes");
    assert_eq!(press(&ann, &notes, "text=%3Cb%3Ethe+airport+says+noon").0, 303);
    let page = read(&vigie, &format!("/alerts/{id}/post-mortem"), &ann, None);
    assert!(
        page.0 == 200 && page.1.contains("Note by Ann") && page.1.contains("&lt;b&gt;the airport says noon"),
        "{page:?}"
    );
    let path_of_links = format!("/alerts/{id}/links");
    assert_eq!(press(&ann, &path_of_links, "days=1").0, 403);
    assert_eq!(press(&otto, &path_of_links, "days=30").0, 400);
    let (status, made) = press(&otto, &path_of_links, "days=1");
    assert_eq!(status, 200, "{made}");
    let address = made.replace("&#x2f;", "/").split("/shared/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(address.len(), 64, "{address}");
    let shared = format!("/shared/{address}");

    // The link shows this incident, and leads nowhere else.
    let (status, page) = read(&vigie, &shared, "", None);
    assert!(status == 200 && page.contains(&id) && page.contains("the airport says noon"), "{page}");
    for closed in ["<form", "href=\"/posts", "href=\"/alerts", "href=\"/incidents", "<script"] {
        assert!(!page.contains(closed), "{closed} is in\n{page}");
    }
    assert_eq!(read(&vigie, &format!("/alerts/{id}"), "", None).0, 303);
    assert_eq!(read(&vigie, "/shared/0000", "", None).0, 404);
    assert_eq!(ask(&vigie, &shared, "", Some("a=b")).0, 405);
    // The state and the logs do not contain the secret.
    let kept = std::fs::read_to_string(path.join("state/shared-links.json")).unwrap();
    let audit = std::fs::read_to_string(path.join("state/audit.jsonl")).unwrap();
    assert!(!kept.contains(&address) && !audit.contains(&address));

    let page = read(&vigie, &format!("/alerts/{id}"), &otto, None).1;
    let link = page.split(&format!("{path_of_links}/")).nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert_eq!(press(&otto, &format!("{path_of_links}/{link}/end"), "").0, 303);
    assert_eq!(read(&vigie, &shared, "", None).0, 404, "ended");
    assert!(!vigie.stop().1.contains(&address));
}
