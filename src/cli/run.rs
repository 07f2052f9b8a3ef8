//! `vigie run`: runs the daemon until a signal or a failure.

mod demo;
mod reload;
mod systemd;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{ConfigFlags, config_text};
use crate::clock::Clock;
use crate::config::{LoadedConfig, Purpose};
use crate::logging;
use crate::metrics::Metrics;
use crate::pipeline::assembly;
use crate::pipeline::assembly::LabelSource;
use crate::pipeline::{Daemon, RunningDaemon};
use crate::source::SourceConfig;
use crate::web;
use crate::web::Console;
use reload::Reloader;

/// Run the daemon: read the configured sources, classify posts, evaluate rules and send alerts
///
/// SIGTERM stops the sources, commits posts in flight, and exits. SIGHUP (or POST /-/reload) reloads rules, topics and
/// model. The web pages and /metrics are at web.listen, by default http://127.0.0.1:9469.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigFlags,
    /// State directory; overrides daemon.state
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Replay a dump, from just before its first alert, instead of reading sources: needs no token, keeps no state
    #[arg(long, value_name = "DUMP", num_args = 0..=1)]
    demo: Option<Option<PathBuf>>,
    /// Speed of the demo's clock: 360 is one hour in ten seconds
    #[arg(long, value_name = "N", requires = "demo", default_value_t = 360.0, value_parser = demo::speed)]
    speed: f64,
    /// Log format; overrides log.format
    #[arg(long, value_enum)]
    log_format: Option<super::Format>,
}

pub(super) fn run(args: RunArgs) -> anyhow::Result<()> {
    let loaded = args.config.loader(None, Purpose::Daemon).load()?;
    let format = args.log_format.map(logging::LogFormat::from);
    logging::start_daemon(&loaded.config.log, format, std::env::var("RUST_LOG").ok().as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run_daemon(args, loaded))
}

async fn run_daemon(args: RunArgs, loaded: LoadedConfig) -> anyhow::Result<()> {
    let clock: Clock = Arc::new(Timestamp::now);
    let metrics = Metrics::new().with_process();
    let temporary;
    // First of all: a signal during the start must not kill the process.
    let mut signals = Signals::listen()?;
    let labels = LabelSource::Model(loaded.config.classify.model.clone());
    let daemon = match &args.demo {
        Some(dump) => {
            temporary = tempfile::tempdir().context("cannot create a temporary state directory")?;
            let state = args.state.clone().unwrap_or_else(|| temporary.path().join("state"));
            demo::daemon(loaded.clone(), labels, dump.as_deref(), args.speed, state, metrics)?
        }
        None => {
            let state = args.state.clone().unwrap_or_else(|| state(&loaded));
            assembly::daemon(loaded.clone(), labels, state, clock, metrics)?
        }
    };
    // Before the daemon starts: if the address is in use, nothing must have been read.
    let listen = loaded.config.web.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen} (web.listen): is another vigie running?"))?;
    daemon.metrics.daemon.reload_successful.set(1);
    daemon.metrics.daemon.reload_time.set(Timestamp::now().as_second() as f64);
    let token = web::ApiToken::create(&daemon.state)?;
    web::publish_address(&daemon.state, listener.local_addr()?)?;
    // After the token: clients that read this address from the log may send requests.
    log_start(&daemon, args.demo.is_some(), listener.local_addr()?);
    let mut running = daemon.start()?;

    let reloader = Reloader::new(running.handle.clone(), args.config);
    let web_stop = CancellationToken::new();
    let console = Console {
        daemon: running.handle.clone(),
        reload: reloader.clone().into_reload(),
        token,
        pages: web::Pages::new(loaded.config.language, &loaded.config.notify.time_zone)?,
        stop: web_stop.clone(),
    };
    let server = web::start(listener.into_std()?, console).context("cannot start the web server")?;
    systemd::ready(&running.handle);
    let watchdog = tokio::spawn(systemd::feed_watchdog(running.handle.clone()));

    let failure = wait_for_stop(&mut running, &mut signals, &reloader).await;
    systemd::stopping();
    watchdog.abort();
    let drain = Duration::try_from(loaded.config.daemon.drain).unwrap_or_default();
    let drained = running.stop(drain).await;
    web_stop.cancel();
    // Do not wait for clients that keep their connection open.
    let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    match failure {
        Some(error) => Err(error),
        None => drained.inspect(|()| tracing::info!("stopped; all posts are committed")),
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }
}

/// Waits for a stop signal, or for a failure, which is returned.
async fn wait_for_stop(
    running: &mut RunningDaemon,
    signals: &mut Signals,
    reloader: &Reloader,
) -> Option<anyhow::Error> {
    let name = loop {
        tokio::select! {
            error = running.failure() => return Some(error),
            _ = signals.terminate.recv() => break "SIGTERM",
            _ = signals.interrupt.recv() => break "interrupt",
            // `reload` logs its result.
            _ = signals.hangup.recv() => drop(reloader.reload().await),
        }
    };
    tracing::info!(signal = name, "stopping: sources end, posts in flight are committed");
    None
}

/// The state directory: systemd's overrides the one of the configuration.
fn state(loaded: &LoadedConfig) -> PathBuf {
    super::state::of_systemd().unwrap_or_else(|| loaded.config.daemon.state.clone())
}

/// Logs what is watched and its maximum cost, before anything is read.
fn log_start(daemon: &Daemon, demo: bool, address: std::net::SocketAddr) {
    let LoadedConfig { config, rules } = &daemon.loaded;
    let topics: Vec<&str> = config.topics.iter().map(|topic| topic.name.as_str()).collect();
    let rules: Vec<&str> = rules.rules.iter().map(|rule| rule.name.as_str()).collect();
    tracing::info!(
        topics = config_text::some_of(&topics),
        rules = rules.join(", "),
        model = %config.classify.model.display(),
        state = %daemon.state.display(),
        "vigie {} started; status page: http://{address}/",
        env!("CARGO_PKG_VERSION")
    );
    if demo {
        return;
    }
    for source in &config.sources {
        tracing::info!(source = source.name(), "source reads {}", config_text::describe_source(source, config));
        if let SourceConfig::Twitter(x) = source {
            tracing::info!(source = source.name(), "{}", x.describe_costs(&config.x, &config.topics));
        }
    }
}
