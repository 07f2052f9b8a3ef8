//! `vigie top`: a running daemon in the terminal, as its local API tells it. Nothing that a post says is shown.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;

use crate::language::Language;
use fetch::Fetcher;
use words::Words;

mod fetch;
mod layout;
mod screen;
mod view;
mod words;

#[cfg(test)]
mod tests;

/// Columns of `--once`.
const WIDTH: usize = 100;

/// Watch a running daemon: topics, rates, sources, queues, alerts
#[derive(Debug, Args)]
pub(super) struct TopArgs {
    /// Where the daemon's web server is [default: web.listen of the configuration, such as http://127.0.0.1:9469]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// How often to ask it, between 200ms and 1h
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = interval)]
    interval: SignedDuration,
    /// Print how it is now, as text, and end; so it is also where the output is no terminal
    #[arg(long)]
    once: bool,
    /// With --once: print what the daemon answers, JSON
    #[arg(long, requires = "once")]
    json: bool,
    /// Configuration; without it config/vigie.toml, /etc/vigie/vigie.toml or the built-in defaults, the first there is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &TopArgs) -> anyhow::Result<()> {
    let loaded = super::over_environment(args.config.clone()).load();
    let (language, url) = match (&args.url, loaded) {
        (Some(url), loaded) => (loaded.map_or(Language::default(), |loaded| loaded.config.language), with_scheme(url)),
        (None, loaded) => {
            let config = loaded.context("where the daemon listens is not known; name it with --url")?.config;
            (config.language, format!("http://{}", super::reachable(config.web.listen)))
        }
    };
    let words = Words(language);
    let fetcher = Fetcher::new(&url)?;
    // What cannot be reached at all is told as one line, before there is a screen.
    let answer = fetch::block_on(fetcher.answer())??;
    if args.json {
        return Ok(writeln!(io::stdout(), "{}", answer.trim_end())?);
    }
    let status = fetcher.read(&answer)?;
    if args.once || !io::stdout().is_terminal() {
        return Ok(write!(io::stdout(), "{}", view::text(&status, words, WIDTH))?);
    }
    if !io::stdin().is_terminal() {
        bail!("standard input is no terminal, so that no key could end this: use --once");
    }
    screen::watch(fetcher, args.interval, words, status)
}

fn interval(text: &str) -> Result<SignedDuration, String> {
    let wanted = || format!("{text:?} is no time between 200ms and 1h, such as 2s");
    let interval: SignedDuration = text.parse().map_err(|_| wanted())?;
    let sensible = SignedDuration::from_millis(200)..=SignedDuration::from_hours(1);
    sensible.contains(&interval).then_some(interval).ok_or_else(wanted)
}

fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}
