//! The command line: one file per subcommand. The outermost stage: it reads arguments, hands over to `pipeline` or `lab`,
//! and speaks to the user; nothing else writes to standard output.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "speaking to the user is what this module is for")]

mod alerts;
mod ask;
mod backtest;
mod bar;
mod check_config;
mod classify;
mod clean;
mod detect;
mod feedback;
mod forget;
mod generate;
mod lab;
mod model;
mod output;
mod reader_flags;
mod replay;
mod run;
mod send_test;
mod simulate;
mod span;
mod state;
mod store;
mod summary;
mod timeline;
mod top;
mod words;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::classify::ModelError;
use crate::config::{ConfigError, Loaded, Origin, Override, Purpose};
use crate::dump::RejectsFile;
use crate::notify::ReceiverError;
use crate::secret::SecretError;
use crate::source::BuildError;
use crate::source::twitter::AccountError;

/// vigie, the lookout: watches what people post about a brand and warns of a bad buzz while it is still small.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Replay(replay::ReplayArgs),
    Backtest(Box<backtest::BacktestArgs>),
    Simulate(Box<simulate::SimulateArgs>),
    Classify(classify::ClassifyArgs),
    Clean(clean::CleanArgs),
    Detect(detect::DetectArgs),
    Lab(lab::LabArgs),
    Model(model::ModelArgs),
    Top(top::TopArgs),
    Alerts(alerts::AlertsArgs),
    Forget(forget::ForgetArgs),
    Feedback(feedback::FeedbackArgs),
    Store(store::StoreArgs),
    CheckConfig(check_config::CheckConfigArgs),
    SendTest(send_test::SendTestArgs),
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Where a command takes its configuration from.
#[derive(Debug, Args)]
struct ConfigFlags {
    /// Configuration; without it config/vigie.toml, /etc/vigie/vigie.toml or the built-in defaults, the first there is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Model directory, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A value over the configuration's, such as `web.listen=127.0.0.1:9000` or `source.x-search.page=50`; may be given
    /// again. Environment variables such as VIGIE__WEB__LISTEN do the same, and flags go before them
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// The file `path`, or the usual one, under what the environment says.
fn over_environment(path: Option<PathBuf>) -> Origin {
    Origin { path, overrides: Override::from_environment(std::env::vars_os()), ..Origin::default() }
}

impl ConfigFlags {
    /// With what the environment has over the file; flags go before that.
    fn origin(&self, rules: Option<&Path>, purpose: Purpose) -> Origin {
        let mut origin = over_environment(self.config.clone());
        origin.overrides.extend(self.set.iter().map(|argument| Override::set(argument)));
        let model = self.model.as_ref().map(|dir| dir.to_string_lossy().into_owned());
        origin.overrides.extend(model.map(|dir| Override::flag("--model", "classify.model", dir)));
        Origin { rules: rules.map(Into::into), purpose, ..origin }
    }

    /// The configuration for reading a dump.
    fn load(&self, rules: Option<&Path>) -> Result<Loaded, ConfigError> {
        self.origin(rules, Purpose::Dump).load()
    }
}

/// Runs the command of `cli` to its end.
///
/// # Errors
/// Whatever the user has to be told; its chain reads as one sentence.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    if !matches!(cli.command, Command::Run(_)) {
        // What sled logs as errors it also returns, and is told once.
        crate::logging::start("warn,sled=off");
    }
    match cli.command {
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Backtest(args) => backtest::run(*args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Classify(args) => classify::run(args),
        Command::Clean(args) => clean::run(args),
        Command::Detect(args) => detect::run(&args),
        Command::Lab(args) => lab::run(args),
        Command::Model(args) => model::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Alerts(args) => alerts::run(&args),
        Command::Forget(args) => forget::run(args),
        Command::Feedback(args) => feedback::run(args),
        Command::Store(args) => store::run(args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::SendTest(args) => send_test::run(&args),
        Command::Generate(args) => generate::run(&args),
    }
}

/// Whether `error` only says that nobody reads the output any more, as in `vigie replay ... | head`.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe);
        io || matches!(cause.downcast_ref(), Some(crate::notify::ObserveError::Closed))
    })
}

/// What the process ends with after `error`: 78, `EX_CONFIG`, where starting again would change nothing until somebody
/// mends the configuration, 130 where the user stopped it, and else 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<lab::Interrupted>() {
        return 130;
    }
    let faulty =
        error.chain().any(|cause| cause.is::<ConfigError>() || cause.is::<check_config::Faulty>() || is_unset(cause));
    if faulty { 78 } else { 1 }
}

/// Where a daemon that listens everywhere can be reached on this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// What the configuration should have set is missing.
fn is_unset(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<SecretError>()
        || cause.is::<ReceiverError>()
        || cause.is::<BuildError>()
        || cause.is::<AccountError>()
        || cause.is::<ModelError>()
}

impl From<Format> for crate::logging::Format {
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

/// The text on one line, at most `most` characters, and without what would steer a terminal.
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
    fn a_text_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\tc  d", 80), "a [2Jb c d");
        assert_eq!(printable("été là", 3), "été…");
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
