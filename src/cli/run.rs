//! `vigie run`: the daemon, until a signal or a failure ends it.

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

use super::{ConfigFlags, words};
use crate::clock::Clock;
use crate::config::{Loaded, Purpose};
use crate::logging;
use crate::metrics::Metrics;
use crate::pipeline::assembly;
use crate::pipeline::assembly::Labels;
use crate::pipeline::{Daemon, Running};
use crate::source::SourceConfig;
use crate::web;
use crate::web::Console;
use reload::Reloader;

/// Watch: read the configured sources, classify, count, judge and warn, until told to stop
///
/// SIGTERM stops the sources, lets what they gave be committed, and ends. SIGHUP (or POST /-/reload) takes rules, topics
/// and model anew. The status page and /metrics are at the configuration's web.listen, http://127.0.0.1:9469 by default.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigFlags,
    /// Directory of the state, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Replay a dump at the pace of the clock instead of reading sources: no token needed, no state kept
    #[arg(long, value_name = "DUMP", num_args = 0..=1)]
    demo: Option<Option<PathBuf>>,
    /// Seconds of the dump that pass in one of the clock
    #[arg(long, value_name = "N", requires = "demo", default_value_t = 1.0, value_parser = demo::speed)]
    speed: f64,
    /// How log lines are written, instead of the configuration's log.format
    #[arg(long, value_enum)]
    log_format: Option<super::Format>,
}

pub(super) fn run(args: RunArgs) -> anyhow::Result<()> {
    let loaded = args.config.origin(None, Purpose::Daemon).load()?;
    let format = args.log_format.map(logging::Format::from);
    logging::start_daemon(&loaded.config.log, format, std::env::var("RUST_LOG").ok().as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(watch(args, loaded))
}

async fn watch(args: RunArgs, loaded: Loaded) -> anyhow::Result<()> {
    let clock: Clock = Arc::new(Timestamp::now);
    let metrics = Metrics::new().with_process();
    let temporary;
    // From the beginning: a signal that comes while starting must not kill.
    let mut signals = Signals::listen()?;
    let labels = Labels::Model(loaded.config.classify.model.clone());
    let daemon = match &args.demo {
        Some(dump) => {
            temporary = tempfile::tempdir().context("no temporary directory can be made for the state")?;
            let state = args.state.clone().unwrap_or_else(|| temporary.path().join("state"));
            demo::daemon(loaded.clone(), labels, dump.as_deref(), args.speed, state, clock, metrics)?
        }
        None => {
            let state = args.state.clone().unwrap_or_else(|| state(&loaded));
            assembly::daemon(loaded.clone(), labels, state, clock, metrics)?
        }
    };
    // Before the daemon: an address that is taken ends it before anything was read.
    let listen = loaded.config.web.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen} (web.listen): is another vigie running?"))?;
    daemon.metrics.daemon.reload_successful.set(1);
    daemon.metrics.daemon.reload_time.set(Timestamp::now().as_second() as f64);
    let token = web::ApiToken::make(&daemon.state)?;
    // After the token: who reads where it listens may ask.
    tell(&daemon, args.demo.is_some(), listener.local_addr()?);
    let mut running = daemon.start()?;

    let reloader = Reloader::new(running.handle.clone(), args.config);
    let console = Console {
        daemon: running.handle.clone(),
        reload: reloader.clone().into_reload(),
        language: loaded.config.language,
        token,
    };
    let web_stop = CancellationToken::new();
    let server = tokio::spawn(web::serve(listener, console, web_stop.clone()));
    systemd::ready(&running.handle);
    let watchdog = tokio::spawn(systemd::feed_watchdog(running.handle.clone()));

    let failure = attend(&mut running, &mut signals, &reloader).await;
    systemd::stopping();
    watchdog.abort();
    let drain = Duration::try_from(loaded.config.daemon.drain).unwrap_or_default();
    let drained = running.stop(drain).await;
    web_stop.cancel();
    // A client that keeps its connection open is not waited for.
    let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    match failure {
        Some(error) => Err(error),
        None => drained.inspect(|()| tracing::info!("stopped; everything that was read is committed")),
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened for on this system");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }
}

/// Until a signal to stop, or a failure, which is returned.
async fn attend(running: &mut Running, signals: &mut Signals, reloader: &Reloader) -> Option<anyhow::Error> {
    let name = loop {
        tokio::select! {
            error = running.failure() => return Some(error),
            _ = signals.terminate.recv() => break "SIGTERM",
            _ = signals.interrupt.recv() => break "interrupt",
            // Its outcome is logged where it is made.
            _ = signals.hangup.recv() => drop(reloader.reload().await),
        }
    };
    tracing::info!("{name}: the sources stop, and what they gave is committed");
    None
}

/// Where the state is: systemd's directory goes before the configuration's.
fn state(loaded: &Loaded) -> PathBuf {
    super::state::of_systemd().unwrap_or_else(|| loaded.config.daemon.state.clone())
}

/// Says what is watched and what it may cost, before anything is read.
fn tell(daemon: &Daemon, demo: bool, address: std::net::SocketAddr) {
    let Loaded { config, rules } = &daemon.loaded;
    let topics: Vec<String> = config.topics.iter().map(words::topic).collect();
    let rules: Vec<&str> = rules.rules.iter().map(|rule| rule.name.as_str()).collect();
    tracing::info!(
        topics = topics.join("; "),
        rules = rules.join(", "),
        model = %config.classify.model.display(),
        state = %daemon.state.display(),
        "vigie {} watches; status at http://{address}/",
        env!("CARGO_PKG_VERSION")
    );
    if demo {
        return;
    }
    for source in &config.sources {
        tracing::info!(source = source.name(), "reads {}", words::reads(source, config));
        if let SourceConfig::Twitter(x) = source {
            tracing::info!(source = source.name(), "{}", x.costs(&config.x, &config.topics));
        }
    }
}
