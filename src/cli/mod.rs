//! The command line: one file per subcommand. The outermost stage: it parses arguments, calls `pipeline` or `lab`, and
//! prints results; nothing else writes to standard output.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this module prints to the terminal")]

mod alerts;
mod backtest;
mod check_config;
mod classify;
mod clean;
mod config_text;
mod daemon_client;
mod detect;
mod duration_flag;
mod feedback;
mod forget;
#[cfg(feature = "package")]
mod generate;
mod inspect;
mod lab;
mod model;
mod output;
mod posts;
mod progress_bar;
mod reader_flags;
mod replay;
mod report;
mod run;
mod send_test;
mod simulate;
mod state;
mod store;
mod summary;
mod terminal;
mod timeline;
mod token;
mod top;
mod user;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::classify::{ModelError, RetrainedModels};
use crate::config::{ConfigError, ConfigLoader, LoadedConfig, Override, Purpose};
use crate::dump::RejectsFile;
use crate::notify::ReceiverError;
use crate::secret::SecretError;
use crate::source::BuildError;
use crate::source::twitter::AccountError;
use crate::telemetry::TelemetryError;

/// vigie watches posts about your brand and alerts you to a backlash while it is still small.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Replay(Box<replay::ReplayArgs>),
    Backtest(Box<backtest::BacktestArgs>),
    Simulate(Box<simulate::SimulateArgs>),
    Classify(classify::ClassifyArgs),
    Clean(clean::CleanArgs),
    Inspect(inspect::InspectArgs),
    Detect(detect::DetectArgs),
    Lab(lab::LabArgs),
    Model(model::ModelArgs),
    Top(top::TopArgs),
    Alerts(alerts::AlertsArgs),
    Forget(forget::ForgetArgs),
    Feedback(feedback::FeedbackArgs),
    Posts(Box<posts::PostsArgs>),
    Report(report::ReportArgs),
    Store(store::StoreArgs),
    CheckConfig(check_config::CheckConfigArgs),
    SendTest(send_test::SendTestArgs),
    User(user::UserArgs),
    Token(token::TokenArgs),
    #[cfg(feature = "package")]
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

/// Format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Flags for the configuration of a command.
#[derive(Debug, Clone, Args)]
struct ConfigFlags {
    /// Configuration file [default: config/vigie.toml, /etc/vigie/vigie.toml or the built-in defaults, the first that
    /// exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Model directory; overrides classify.model
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Override a value of the configuration, e.g. `web.listen=127.0.0.1:9000` or `source.x-search.page=50`; can be
    /// repeated. Flags override environment variables such as VIGIE__WEB__LISTEN
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// The models that were retrained in the state directory `state` from the `configured` one.
fn retrained_models(state: &Path, configured: &Path) -> RetrainedModels {
    RetrainedModels::new(&state.join("models"), configured)
}

/// The configuration of the file `path`, or of the default file, with overrides from the environment.
fn config_loader(path: Option<PathBuf>) -> ConfigLoader {
    ConfigLoader { path, overrides: Override::from_environment(std::env::vars_os()), ..ConfigLoader::default() }
}

impl ConfigFlags {
    /// The configuration with overrides: flags override the environment, which overrides the file.
    fn loader(&self, rules: Option<&Path>, purpose: Purpose) -> ConfigLoader {
        let mut loader = config_loader(self.config.clone());
        loader.overrides.extend(self.set.iter().map(|argument| Override::set(argument)));
        let model = self.model.as_ref().map(|dir| dir.to_string_lossy().into_owned());
        loader.overrides.extend(model.map(|dir| Override::flag("--model", "classify.model", dir)));
        ConfigLoader { rules: rules.map(Into::into), purpose, ..loader }
    }

    /// The configuration for reading a dump.
    fn load(&self, rules: Option<&Path>) -> Result<LoadedConfig, ConfigError> {
        self.loader(rules, Purpose::Dump).load()
    }
}

/// Runs the command of `cli`.
///
/// # Errors
/// When the command fails; the chain of the error reads as one sentence.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    if !matches!(cli.command, Command::Run(_)) {
        // sled also returns the errors it logs; they must be printed only once.
        crate::logging::start("warn,sled=off");
    }
    match cli.command {
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::run(*args),
        Command::Backtest(args) => backtest::run(*args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Classify(args) => classify::run(args),
        Command::Clean(args) => clean::run(args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Detect(args) => detect::run(&args),
        Command::Lab(args) => lab::run(args),
        Command::Model(args) => model::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Alerts(args) => alerts::run(&args),
        Command::Forget(args) => forget::run(args),
        Command::Feedback(args) => feedback::run(args),
        Command::Posts(args) => posts::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Store(args) => store::run(args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::SendTest(args) => send_test::run(&args),
        Command::User(args) => user::run(args),
        Command::Token(args) => token::run(args),
        #[cfg(feature = "package")]
        Command::Generate(args) => generate::run(&args),
    }
}

/// Whether `error` is only a closed output, as in `vigie replay ... | head`.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe);
        io || matches!(cause.downcast_ref(), Some(crate::notify::SinkError::Closed))
    })
}

/// The exit code for `error`: 78 (`EX_CONFIG`) if a restart cannot help until the configuration is fixed, 130 if the
/// user interrupted the command, otherwise 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<lab::Interrupted>() {
        return 130;
    }
    let is_config_error = error
        .chain()
        .any(|cause| cause.is::<ConfigError>() || cause.is::<check_config::InvalidConfig>() || is_unset(cause));
    if is_config_error { 78 } else { 1 }
}

/// The address of a daemon on this machine, also if it listens on all interfaces.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Whether the error is a missing or invalid setting.
fn is_unset(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<SecretError>()
        || cause.is::<ReceiverError>()
        || cause.is::<BuildError>()
        || cause.is::<AccountError>()
        || cause.is::<ModelError>()
        || cause.is::<TelemetryError>()
}

impl From<Format> for crate::logging::LogFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

/// `3 rows rejected: 2 time, 1 empty_text; kept in FILE`.
fn rejected_line(rejects: &RejectsFile) -> String {
    let reasons: Vec<String> = rejects.counts().iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
    let rows = if rejects.total() == 1 { "row" } else { "rows" };
    let kept = rejects.written().map(|path| format!("; kept in {}", path.display())).unwrap_or_default();
    format!("{} {rows} rejected: {}{kept}", rejects.total(), reasons.join(", "))
}

/// The text on one line, with at most `most` characters and without control characters.
fn printable(text: &str, most: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", line[..cut].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_removed() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\tc  d", 80), "a [2Jb c d");
        assert_eq!(printable("été là", 3), "été…");
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
