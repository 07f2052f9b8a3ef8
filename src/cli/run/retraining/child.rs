//! The child process of a retraining: `vigie lab retrain --progress`, its arguments and what it prints.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::config::RetrainConfig;

/// Longest part of the standard error that is read: the last line is shown.
const MAX_ERROR: u64 = 16_384;

/// What the child is started with: the daemon's own settings, whatever the file says by now.
#[derive(Debug, Clone)]
pub(super) struct ChildArgs {
    pub(super) config: Option<PathBuf>,
    pub(super) state: PathBuf,
    pub(super) model: PathBuf,
    pub(super) retrain: RetrainConfig,
}

/// What it said last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) model: String,
    pub(super) verdict: String,
}

impl ChildArgs {
    fn command(&self) -> anyhow::Result<Command> {
        let program = std::env::current_exe().context("the path of vigie")?;
        let mut command = Command::new(program);
        command.args(["lab", "retrain", "--progress", "--state"]).arg(&self.state).arg("--model").arg(&self.model);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        for (flag, files) in [("--base", &self.retrain.base), ("--held-out", &self.retrain.held_out)] {
            for file in files {
                command.arg(flag).arg(file);
            }
        }
        command.arg("--weight").arg(self.retrain.weight.to_string());
        if self.retrain.with_x {
            command.arg("--with-x");
        }
        // Posts are read at the same time: half of the processors are theirs.
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get() / 2).max(1);
        command.env("RAYON_NUM_THREADS", threads.to_string());
        // The child ends when its standard input does: also when the daemon is killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }
}

/// Runs the child to its end, and blocks; calls `progress` with the texts read and all texts.
///
/// # Errors
/// When it cannot be started, or fails: then with the last line that it wrote to standard error.
pub(super) fn run(args: &ChildArgs, progress: impl Fn(u64, u64)) -> anyhow::Result<Ended> {
    let mut child = args.command()?.spawn().context("cannot start the retraining")?;
    let stderr = child.stderr.take();
    // Beside the lines: a child that writes much to one of the two must not wait for its reader.
    let errors = std::thread::spawn(move || {
        let mut errors = Vec::new();
        // What could not be read is only missing in a message.
        let _ = stderr.map(|stderr| stderr.take(MAX_ERROR).read_to_end(&mut errors));
        errors
    });
    let mut ended = None;
    for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()).map_while(Result::ok)
    {
        match parse(&line) {
            Some(Line::Progress(read, posts)) => progress(read, posts),
            Some(Line::Ended(end)) => ended = Some(end),
            None => {}
        }
    }
    let status = child.wait().context("the retraining was lost")?;
    let errors = errors.join().unwrap_or_default();
    match ended.filter(|_| status.success()) {
        Some(ended) => Ok(ended),
        None => bail!("{}", last_line(&errors).unwrap_or_else(|| format!("the retraining ended with {status}"))),
    }
}

enum Line {
    Progress(u64, u64),
    Ended(Ended),
}

fn parse(line: &str) -> Option<Line> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    if let (Some(read), Some(posts)) = (value["read"].as_u64(), value["posts"].as_u64()) {
        return Some(Line::Progress(read, posts));
    }
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    Some(Line::Ended(Ended { model: text(&value["model"])?, verdict: text(&value["report"]["verdict"])? }))
}

/// Without the word that every error begins with.
fn last_line(errors: &[u8]) -> Option<String> {
    let errors = String::from_utf8_lossy(errors);
    let line = errors.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.strip_prefix("vigie: ").unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_child_are_progress_and_an_end() {
        assert!(matches!(parse(r#"{"read":3,"posts":9}"#), Some(Line::Progress(3, 9))));
        let end = parse(r#"{"model":"retrained-1","promoted":false,"report":{"verdict":"better"}}"#);
        let Some(Line::Ended(end)) = end else { panic!("no end") };
        assert_eq!(end, Ended { model: "retrained-1".into(), verdict: "better".into() });
        assert!(parse("Reading 3 of 9").is_none() && parse("{}").is_none());
    }

    #[test]
    fn a_failure_is_the_last_line() {
        assert_eq!(last_line(b"warning\nvigie: no correction\n\n").as_deref(), Some("no correction"));
        assert_eq!(last_line(b" \n"), None);
    }
}
