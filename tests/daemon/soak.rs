//! The soak: minutes of stream at X's cap with faults thrown in, ending with every post accounted for. Ignored by default,
//! because it takes minutes; `tests/run` runs it:
//!
//! `cargo test --test daemon -- --ignored --nocapture soak`, with `SOAK_SECONDS` (120), `SOAK_RATE` (250 posts a second),
//! `SOAK_FAULTS` (1; 0 for none), `SOAK_MODEL` (the tests' model of 60 kB) and `VIGIE_BINARY` (the tests' own build).

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::fake_x::{Act, Endpoint, FakeX, Fault};
use crate::process::{Vigie, assert_accounted, client, command_with, configure, repository, stored_posts};

const TEXTS: [&str; 4] = [
    "Air Paradis lost my luggage, again. Never flying with them any more",
    "Thank you @AirParadis for the lovely crew today!",
    "Air Paradis flight AP12 to Lyon boards at gate 4",
    "Trois heures sur le tarmac sans eau ni nouvelles, bravo Air Paradis",
];

fn setting(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Clients that send half a request.
const SLOW_CLIENTS: usize = 300;
/// Size of a bomb when it is unpacked.
const BOMB: usize = 256 << 20;

/// What goes wrong in the `turn`-th spell; each comes again and again. `url`: of the daemon, whose receiver never answers.
fn disturb(fake: &FakeX, url: &str, turn: u64) -> &'static str {
    match turn % 10 {
        0 => {
            fake.act(&Act::Cut);
            "cut mid-line"
        }
        1 => {
            fake.act(&Act::OperationalDisconnect);
            "operational disconnect"
        }
        2 => {
            fake.fault(Endpoint::Stream, Fault::unavailable());
            fake.act(&Act::End);
            "503 at the reconnect"
        }
        3 => {
            for _ in 0..20 {
                let post = fake.draft("Air Paradis twice");
                fake.send(post.clone());
                fake.publish(post);
            }
            "duplicates"
        }
        4 => {
            let now = fake.now();
            for second in (1..20).rev() {
                fake.publish(fake.draft_at(now - SignedDuration::from_secs(20 - second), "Air Paradis, out of order"));
            }
            "out of order"
        }
        5 => {
            fake.send(fake.draft("Air Paradis").without_text());
            fake.act(&Act::Line("no JSON at all".into()));
            "unreadable"
        }
        6 => {
            fake.fault(Endpoint::Search, Fault::MalformedJson);
            fake.act(&Act::End);
            "malformed gap-fill"
        }
        7 => {
            let future = fake.now() + SignedDuration::from_hours(5);
            let post = format!("{{\"id\":\"f{turn}\",\"created_at\":\"{future}\",\"text\":\"Air Paradis, later\"}}\n");
            tokio::spawn(push(url.to_owned(), post.into_bytes()));
            "a post from the future"
        }
        8 => {
            let address = url.trim_start_matches("http://");
            (0..SLOW_CLIENTS).for_each(|_| drop(tokio::spawn(half_a_request(address.to_owned()))));
            "slow clients"
        }
        _ => {
            let url = url.to_owned();
            tokio::spawn(async move { push(url, tokio::task::spawn_blocking(bomb).await.unwrap()).await });
            "a compressed bomb"
        }
    }
}

/// Sends a body to the source `push`. A bomb is refused, which may break the connection.
async fn push(url: String, body: Vec<u8>) {
    let request = client().post(format!("{url}/api/v1/posts")).bearer_auth("push-token");
    if let Ok(response) = request.body(body).send().await {
        assert!(response.status().is_success() || response.status() == 413, "{}", response.status());
    }
}

/// Holds a connection until the server closes it.
async fn half_a_request(address: String) {
    if let Ok(mut stream) = tokio::net::TcpStream::connect(address).await {
        let _sent = tokio::io::AsyncWriteExt::write_all(&mut stream, b"POST /api/v1/posts HTTP/1.1\r\nHost: lo").await;
        let _closed = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 16]).await;
    }
}

fn bomb() -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    (0..BOMB >> 20).for_each(|_| std::io::Write::write_all(&mut packed, &blanks).unwrap());
    packed.finish().unwrap()
}

/// CPU seconds of the threads of `pid` whose names begin with `name`.
fn cpu_seconds(pid: u32, name: &str) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let ticks = |path: &Path| -> Option<f64> {
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        let (head, tail) = stat.rsplit_once(')')?;
        let thread = head.split_once('(')?.1;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let used: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        thread.starts_with(name).then_some(used / 100.0)
    };
    tasks.filter_map(|task| ticks(&task.path())).sum()
}

fn megabytes(vigie: &Vigie) -> f64 {
    vigie.series("process_resident_memory_bytes").unwrap_or(0.0) / 1e6
}

/// The smallest bucket bound that at least `share` of the observations are under.
fn quantile(metrics: &str, series: &str, share: f64) -> f64 {
    let buckets: Vec<(f64, f64)> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(series)?.strip_prefix("_bucket{le=\""))
        .filter_map(|rest| rest.split_once("\"} "))
        .map(|(bound, count)| (bound.parse().unwrap_or(f64::INFINITY), count.parse().unwrap()))
        .collect();
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    buckets.iter().find(|(_, count)| *count >= share * all).map_or(f64::NAN, |(bound, _)| *bound)
}

/// All values of a series together.
fn sum(metrics: &str, series: &str) -> u64 {
    let values = metrics.lines().filter_map(|line| line.strip_prefix(series)?.rsplit_once(' '));
    values.filter_map(|(_, value)| value.parse::<u64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes two minutes; tests/run runs it"]
async fn soak() {
    let (seconds, rate) = (setting("SOAK_SECONDS", 120.0), setting("SOAK_RATE", 250.0));
    let faults = setting("SOAK_FAULTS", 1.0) > 0.0;
    let dir = tempfile::tempdir().unwrap();
    let fake = FakeX::start(Arc::new(Timestamp::now)).await;
    // At this volume a gap is many pages, and gaps come more often here than in a year: more than 450 pages are allowed.
    fake.set(|settings| settings.limits = [(Endpoint::Search, 20_000)].into());
    let free = "[x.budget]\nprice_per_post = 0.0\n";
    let sources = "[[source]]\nname = \"x\"\ntype = \"twitter\"\nmode = \"stream\"\n\
                   [[source]]\nname = \"push\"\ntype = \"http\"\n";
    // Accepts connections and never answers.
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver = format!(
        "[[receiver]]\nname = \"hanging\"\ntype = \"webhook\"\nurl = \"http://{}/\"\nsign = false\n[[route]]\nreceivers = [\"hanging\"]\n",
        hanging.local_addr().unwrap()
    );
    configure(dir.path(), &format!("[x]\nbase_url = {:?}\n{free}{sources}{receiver}", fake.url()));
    let model = std::env::var("SOAK_MODEL").unwrap_or("tests/fixtures/tiny-distilbert/classifier".into());
    let mut daemon = command_with(dir.path(), &repository(&model));
    daemon.env("VIGIE_X_TOKEN", "fake-token").env("VIGIE_HTTP_TOKEN", "push-token");
    let mut vigie = Vigie::spawn(&mut daemon);
    fake.wait_opened(1).await;

    let started = Instant::now();
    let mut published = std::collections::BTreeSet::new();
    let (mut turn, mut memory) = (0, Vec::new());
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while started.elapsed().as_secs_f64() < seconds {
        ticks.tick().await;
        while (published.len() as f64) < started.elapsed().as_secs_f64() * rate {
            let text = TEXTS[published.len() % TEXTS.len()];
            published.insert(fake.say(&format!("{text} ({})", published.len())));
        }
        if faults && started.elapsed().as_secs_f64() > (turn + 1) as f64 * seconds / 15.0 {
            let what = disturb(&fake, &vigie.url, turn);
            memory.push(megabytes(&vigie));
            println!("{:5.1} s: {what}; {:.0} MB", started.elapsed().as_secs_f64(), memory[memory.len() - 1]);
            turn += 1;
        }
    }
    let spent = started.elapsed().as_secs_f64();
    let pid = vigie.child.id();
    let (commits, flushes) = (cpu_seconds(pid, "monitor"), cpu_seconds(pid, "sled") + cpu_seconds(pid, "log flusher"));

    let expected = published.len() as u64;
    println!("{expected} published; received so far: {}", vigie.status().unwrap()["totals"]);
    let status = vigie.wait("every post", |vigie| {
        vigie.status().filter(|status| status["totals"]["classified"].as_u64() >= Some(expected))
    });
    assert_accounted(&status);
    // Gaps are read once more when search has had its time: both sides are compared once nothing comes any more.
    let (metrics, [received, classified, rejected, duplicates]) = vigie.wait("one account", |vigie| {
        let metrics = vigie.get("/metrics")?.1;
        let counts = ["received", "classified", "rejected", "duplicates"]
            .map(|name| sum(&metrics, &format!("vigie_source_{name}_total")));
        let totals = &vigie.status()?["totals"];
        let stored = ["received", "classified", "rejected", "duplicates"].map(|name| totals[name].as_u64());
        (stored == counts.map(Some)).then_some((metrics, counts))
    });
    println!("received {received} = classified {classified} + rejected {rejected} + duplicates {duplicates}");
    assert_eq!(received, classified + rejected + duplicates);
    assert_eq!(faults, rejected > 0, "the faults were felt");

    let arrival = quantile(&metrics, "vigie_monitor_arrival_to_decision_seconds", 0.99);
    let written = quantile(&metrics, "vigie_monitor_end_to_end_seconds", 0.99);
    println!("p99 from arrival to decision at most {arrival} s, from created_at at most {written} s");
    println!(
        "monitor thread {:.2} % of a core, sled's threads {:.2} %",
        100.0 * commits / spent,
        100.0 * flushes / spent
    );
    memory.push(megabytes(&vigie));
    println!(
        "memory {:.0} to {:.0} MB",
        memory.iter().copied().fold(f64::MAX, f64::min),
        memory.iter().copied().fold(0.0, f64::max)
    );
    let topics: u64 = classified - vigie.status().unwrap()["totals"]["unmatched"].as_u64().unwrap();
    let (ended, log) = vigie.stop();
    assert!(ended.success(), "{log}");
    let kept = stored_posts(dir.path()).len() as u64;
    println!("{kept} posts in the table, {topics} classified with a topic");
    assert_eq!(kept, topics);
}
