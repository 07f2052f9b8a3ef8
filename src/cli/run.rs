//! `vigie run`: runs the daemon until a signal or a failure.

mod demo;
mod demo_round;
mod https;
mod reload;
mod retraining;
mod systemd;

use std::net::SocketAddr;
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
use crate::config::{LoadedConfig, Purpose, WebConfig};
use crate::logging;
use crate::metrics::Metrics;
use crate::pipeline::assembly;
use crate::pipeline::assembly::LabelSource;
use crate::pipeline::{Daemon, RunningDaemon};
use crate::source::SourceConfig;
use crate::telemetry::{RunningTelemetry, Telemetry};
use crate::web;
use crate::web::Console;
use reload::Reloader;
use retraining::Retrainer;

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
    /// Replay a dump, from just before its first alert, in a loop, instead of reading sources: needs no token, keeps no state
    #[arg(long, value_name = "DUMP", num_args = 0..=1)]
    demo: Option<Option<PathBuf>>,
    /// Speed of the demo's clock: 480 is a day in three minutes
    #[arg(long, value_name = "N", requires = "demo", default_value_t = 480.0, value_parser = demo::speed)]
    speed: f64,
    /// Log format; overrides log.format
    #[arg(long, value_enum)]
    log_format: Option<super::Format>,
}

pub(super) fn run(args: RunArgs) -> anyhow::Result<()> {
    let loaded = args.config.loader(None, Purpose::Daemon).load()?;
    let format = args.log_format.map(logging::LogFormat::from);
    let environment = |name: &str| std::env::var(name).ok();
    let telemetry = RunningTelemetry::start(&loaded.config.telemetry, &environment, Arc::new(Timestamp::now))?;
    let rust_log = environment("RUST_LOG");
    logging::start_daemon(&loaded.config.log, format, rust_log.as_deref(), telemetry.handle.layer())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = runtime.block_on(run_daemon(args, loaded, &telemetry.handle));
    // Last of all: the end of the daemon is in it too.
    telemetry.stop();
    ended
}

async fn run_daemon(args: RunArgs, loaded: LoadedConfig, telemetry: &Telemetry) -> anyhow::Result<()> {
    // First of all: a signal during the start must not kill the process.
    let mut signals = Signals::listen()?;
    let mut bound = None;
    // A daemon runs once, a demo round after round, each with a daemon and a state that know nothing of the one before.
    loop {
        let mut round = Round::prepare(&args, &loaded)?;
        round.daemon.telemetry = telemetry.clone();
        telemetry.set_metrics(round.daemon.metrics.clone());
        // Before the daemon starts: if the address is in use, nothing must have been read. It stays bound between the rounds of a
        // demo, so that browsers wait for the next one.
        let listener = match &bound {
            Some(listener) => std::net::TcpListener::try_clone(listener)?,
            None => bind(loaded.config.web.listen).await?,
        };
        bound = Some(listener.try_clone()?);
        if round.run(&args, listener, &mut signals).await? == RoundEnd::Stopped {
            return Ok(());
        }
        tracing::info!("demo: this round is over, the next one begins");
    }
}

/// Who may use the server at `address`. A proxy makes one on loopback reachable from elsewhere.
fn gate(web: &WebConfig, address: SocketAddr, state: PathBuf) -> web::Gate {
    web::Gate::new(address.ip().is_loopback() && web.trusted_proxies.is_empty(), state)
}

async fn bind(listen: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen} (web.listen): is another vigie running?"))?;
    Ok(listener.into_std()?)
}

/// Why a daemon that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoundEnd {
    Stopped,
    /// The demo has shown everything.
    Over,
}

/// A daemon that is ready to start.
struct Round {
    daemon: Daemon,
    /// Of a demo that begins again: cancelled when all posts of its dump are sent.
    all_sent: Option<CancellationToken>,
    /// The state of a demo, removed with it.
    _temporary: Option<tempfile::TempDir>,
}

impl Round {
    fn prepare(args: &RunArgs, loaded: &LoadedConfig) -> anyhow::Result<Self> {
        let metrics = Metrics::new().with_process();
        let Some(dump) = &args.demo else {
            let clock: Clock = Arc::new(Timestamp::now);
            let state = args.state.clone().unwrap_or_else(|| state(loaded));
            let labels = labels(loaded, &state);
            let daemon = assembly::daemon(loaded.clone(), labels, state, clock, metrics)?;
            return Ok(Self { daemon, all_sent: None, _temporary: None });
        };
        let temporary = tempfile::tempdir().context("cannot create a temporary state directory")?;
        let state = args.state.clone().unwrap_or_else(|| temporary.path().join("state"));
        let labels = labels(loaded, &state);
        let (daemon, all_sent) = demo::daemon(loaded.clone(), labels, dump.as_deref(), args.speed, state, metrics)?;
        // A state that is kept, and a dump that can be read only once, allow one round.
        let repeats = args.state.is_none() && dump.as_deref() != Some(std::path::Path::new("-"));
        Ok(Self { daemon, all_sent: repeats.then_some(all_sent), _temporary: Some(temporary) })
    }

    /// Runs the daemon until a signal, a failure or the end of the demo.
    async fn run(
        self,
        args: &RunArgs,
        listener: std::net::TcpListener,
        signals: &mut Signals,
    ) -> anyhow::Result<RoundEnd> {
        let Self { daemon, all_sent, _temporary } = self;
        daemon.metrics.daemon.reload_successful.set(1);
        daemon.metrics.daemon.reload_time.set(Timestamp::now().as_second() as f64);
        let web_stop = CancellationToken::new();
        let credentials = web::Credentials::create(&daemon.state, web_stop.clone())?;
        web::publish_address(&daemon.state, listener.local_addr()?)?;
        // After the token: clients that read this address from the log may send requests.
        log_start(&daemon, args.demo.is_some(), listener.local_addr()?);
        let (config, state) = (daemon.loaded.config.clone(), daemon.state.clone());
        // Before the daemon starts, as above.
        let tls = https::bind(&config.web).await?;
        let mut running = daemon.start()?;

        let reloader = Reloader::new(running.handle.clone(), args.config.clone(), state.clone());
        let retrainer = Retrainer::new(running.handle.clone(), reloader.clone(), args.config.clone(), state.clone());
        let schedule = tokio::spawn(retrainer.clone().schedule());
        let console = Console {
            daemon: running.handle.clone(),
            reload: reloader.clone().into_reload(),
            models: Arc::new(retrainer),
            credentials,
            pages: web::Pages::new(config.language, &config.notify.time_zone)?,
            audit: web::AuditLog::new(&state),
            filters: web::SavedFilters::new(&state),
            shared_links: web::SharedLinks::new(&state),
            gate: gate(&config.web, listener.local_addr()?, state.clone()),
            trusted_proxies: config.web.trusted_proxies.clone().into(),
            stop: web_stop.clone(),
        };
        let tls_server = match tls {
            Some((listener, tls)) => {
                let gate = gate(&config.web, listener.local_addr()?, state);
                let console = Console { gate, ..console.clone() };
                Some(web::start(listener, Some(tls), console).context("cannot start the web server for HTTPS")?)
            }
            None => None,
        };
        let server = web::start(listener, None, console).context("cannot start the web server")?;
        systemd::ready(&running.handle);
        let watchdog = tokio::spawn(systemd::feed_watchdog(running.handle.clone()));
        let handle = running.handle.clone();
        let over = async move {
            match all_sent {
                Some(all_sent) => demo_round::play(handle, all_sent).await,
                None => std::future::pending().await,
            }
        };

        let end = tokio::select! {
            failure = wait_for_stop(&mut running, signals, &reloader) => failure.map_or(Ok(RoundEnd::Stopped), Err),
            () = over => Ok(RoundEnd::Over),
        };
        if !matches!(end, Ok(RoundEnd::Over)) {
            systemd::stopping();
        }
        watchdog.abort();
        schedule.abort();
        let drain = Duration::try_from(config.daemon.drain).unwrap_or_default();
        let drained = running.stop(drain).await;
        web_stop.cancel();
        // Do not wait for clients that keep their connection open.
        let _ = tokio::time::timeout(Duration::from_secs(1), async {
            let _ended = server.await;
            if let Some(server) = tls_server {
                let _ended = server.await;
            }
        })
        .await;
        let end = end?;
        drained?;
        if end == RoundEnd::Stopped {
            tracing::info!("stopped; all posts are committed");
        }
        Ok(end)
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

/// The model that reads posts: the configured one, or the one that was retrained from it.
fn labels(loaded: &LoadedConfig, state: &std::path::Path) -> LabelSource {
    LabelSource::InUse(super::retrained_models(state, &loaded.config.classify.model))
}

/// The state directory: systemd's overrides the one of the configuration.
fn state(loaded: &LoadedConfig) -> PathBuf {
    super::state::of_systemd().unwrap_or_else(|| loaded.config.daemon.state.clone())
}

/// Logs what is watched and its maximum cost, before anything is read.
fn log_start(daemon: &Daemon, demo: bool, address: SocketAddr) {
    let LoadedConfig { config, rules } = &daemon.loaded;
    let topics: Vec<&str> = config.topics.iter().map(|topic| topic.name.as_str()).collect();
    let rules: Vec<&str> = rules.rules.iter().map(|rule| rule.name.as_str()).collect();
    tracing::info!(
        topics = config_text::some_of(&topics),
        rules = rules.join(", "),
        model = %config.classify.model.display(),
        state = %daemon.state.display(),
        "vigie {} started; console: http://{address}/",
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
