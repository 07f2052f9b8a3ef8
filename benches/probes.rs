//! How fast `/-/healthy`, `/-/ready` and `/metrics` of a daemon with the shipped model answer, quiet and under load: 1,000 clients
//! that send half a request, posts at 250 a second (more than the model reads), a receiver that never answers, a store that
//! is rewritten again and again, and all of it together. Prints the median, the 99th percentile and the maximum of each.
//!
//! `cargo bench --bench probes`; `-- 60` for the seconds of each load (20).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: it prints to its user, and stops on an error")]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const PROBES: [&str; 3] = ["/-/healthy", "/-/ready", "/metrics"];
/// Between two probes, as a monitoring system never has it.
const PAUSE: Duration = Duration::from_millis(50);
const SLOW_CLIENTS: usize = 1_000;
/// The limit of one connection to X, in posts a second.
const RATE: u32 = 250;
/// Posts of a request.
const BATCH: u32 = 10;
const TOKEN: &str = "bench-token";
const RULES: &str = r#"
[[rule]]
name = "AlwaysFiring"
condition = { type = "negative_rate", window = "5m", above = 0.01, min_posts = 1, confidence = 0.6 }
labels = { severity = "critical" }
"#;

#[derive(Clone, Copy, PartialEq)]
enum Load {
    Quiet,
    SlowClients,
    Posts,
    Rewriting,
    All,
}

struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn main() {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // Accepts connections and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let daemon = start(dir.path(), hanging.local_addr().unwrap());
    let loads = [
        ("quiet", Load::Quiet),
        ("1,000 slow clients", Load::SlowClients),
        ("250 posts/s and a receiver that hangs", Load::Posts),
        ("the store is rewritten", Load::Rewriting),
        ("all together", Load::All),
    ];
    for (name, load) in loads {
        runtime.block_on(measure(&daemon, name, load, Duration::from_secs(seconds)));
    }
}

fn start(dir: &Path, receiver: SocketAddr) -> Daemon {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default");
    let config = format!(
        "rules = \"rules.toml\"\nunmatched_topic = \"other\"\n[daemon]\nstate = \"state\"\n[classify]\nmodel = {model:?}\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[[source]]\nname = \"push\"\ntype = \"http\"\n\
         [[receiver]]\nname = \"hanging\"\ntype = \"webhook\"\nurl = \"http://{receiver}/\"\nsign = false\n\
         [[route]]\nreceivers = [\"hanging\"]\n"
    );
    std::fs::write(dir.join("vigie.toml"), config).unwrap();
    std::fs::write(dir.join("rules.toml"), RULES).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(dir).args(["run", "--config", "vigie.toml"]).env("VIGIE_HTTP_TOKEN", TOKEN);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut log = Vec::new();
    let address = lines.by_ref().find_map(|line| {
        let address = line.split("console: ").nth(1).and_then(|rest| rest.split('/').nth(2)?.parse().ok());
        log.push(line);
        address
    });
    assert!(address.is_some(), "no address in the log:\n{}", log.join("\n"));
    let address = address.unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    Daemon { child, address }
}

/// Probes the daemon under a load for a while.
async fn measure(daemon: &Daemon, name: &str, load: Load, length: Duration) {
    let address = daemon.address;
    let sent = Arc::new(AtomicU64::new(0));
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    if matches!(load, Load::SlowClients | Load::All) {
        tasks.extend((0..SLOW_CLIENTS).map(|_| tokio::spawn(be_slow(address))));
    }
    if matches!(load, Load::Posts | Load::All) {
        tasks.push(tokio::spawn(send_posts(address, sent.clone())));
    }
    if matches!(load, Load::Rewriting | Load::All) {
        tasks.push(tokio::spawn(forget(address)));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let mut times = [const { Vec::new() }; PROBES.len()];
    let started = Instant::now();
    while started.elapsed() < length {
        for (probe, times) in PROBES.iter().zip(&mut times) {
            let asked = Instant::now();
            client.get(format!("http://{address}{probe}")).send().await.unwrap().bytes().await.unwrap();
            times.push(asked.elapsed());
        }
        tokio::time::sleep(PAUSE).await;
    }
    tasks.iter().for_each(JoinHandle::abort);
    let rate = sent.load(Ordering::Relaxed) as f64 / length.as_secs_f64();
    let taken = if rate > 0.0 { format!("; {rate:.0} posts/s were taken") } else { String::new() };
    println!("{name}{taken}");
    for (probe, mut times) in PROBES.iter().zip(times) {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!("  {probe:<11} median {:>6.1} ms, p99 {:>6.1} ms, most {:>6.1} ms", at(0.5), at(0.99), at(1.0));
    }
}

/// Sends half a request, and connects again when the server closes the connection.
async fn be_slow(address: SocketAddr) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(address).await
            && stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: loc").await.is_ok()
        {
            let _ = stream.readable().await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn send_posts(address: SocketAddr, sent: Arc<AtomicU64>) {
    let client = reqwest::Client::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) * BATCH / RATE);
    for batch in 0_u64.. {
        ticks.tick().await;
        let now = jiff::Timestamp::now();
        let post = |number: u64| {
            let text = "Air Paradis lost my luggage again, two hours at the counter and nobody knows anything";
            format!(
                "{{\"id\":\"{now}-{number}\",\"created_at\":\"{now}\",\"author\":\"a{number}\",\"text\":\"{text} {number}\"}}\n"
            )
        };
        let body: String = (0..u64::from(BATCH)).map(|number| post(batch * u64::from(BATCH) + number)).collect();
        let request = client.post(format!("http://{address}/api/v1/posts")).bearer_auth(TOKEN).body(body);
        let sent = sent.clone();
        // Not awaited: the answer waits for the commit.
        tokio::spawn(async move {
            if request.send().await.is_ok_and(|response| response.status().is_success()) {
                sent.fetch_add(u64::from(BATCH), Ordering::Relaxed);
            }
        });
    }
}

/// Erases authors one after another: each erasure rewrites the files of the store.
async fn forget(address: SocketAddr) {
    let client = reqwest::Client::new();
    for number in 0_u64.. {
        let body = format!("{{\"author\":\"a{number}\"}}");
        let request = client.post(format!("http://{address}/api/v1/forget")).header("content-type", "application/json");
        let answer = request.body(body).send().await;
        assert!(answer.is_ok_and(|answer| answer.status().is_success()), "an erasure was refused");
    }
}
