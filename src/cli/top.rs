//! `vigie top`: shows the status of a running daemon in the terminal, from its local API. It shows no texts of posts.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;

use super::state::StateFlags;
use crate::language::Language;
use crate::web;
use fetch::Fetcher;
use phrases::Phrases;

mod fetch;
mod layout;
mod phrases;
mod screen;
mod view;

#[cfg(test)]
mod tests;

/// Columns of `--once`.
const WIDTH: usize = 100;

/// Watch a running daemon: topics, rates, sources, queues, alerts
#[derive(Debug, Args)]
pub(super) struct TopArgs {
    /// URL of the daemon [default: where the daemon of the state directory listens, else web.listen of the configuration]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Polling interval, 200ms to 1h
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = interval)]
    interval: SignedDuration,
    /// Print the current status as text and exit; the default if the output is not a terminal
    #[arg(long)]
    once: bool,
    /// With --once: print the status as JSON
    #[arg(long, requires = "once")]
    json: bool,
    #[command(flatten)]
    state: StateFlags,
}

pub(super) fn run(args: &TopArgs) -> anyhow::Result<()> {
    let loaded = super::config_loader(args.state.config.clone()).load();
    let language = loaded.as_ref().map_or(Language::default(), |loaded| loaded.config.language);
    let published = || args.state.directory().ok().and_then(|state| web::published_address(&state));
    let url = match (&args.url, published()) {
        (Some(url), _) => with_scheme(url),
        // The configuration may have changed since the daemon started, or may be another one's.
        (None, Some(address)) => format!("http://{}", super::reachable(address)),
        (None, None) => {
            let config = loaded.context("the address of the daemon is unknown; set --url or --state")?.config;
            format!("http://{}", super::reachable(config.web.listen))
        }
    };
    let phrases = Phrases(language);
    let fetcher = Fetcher::new(&url)?;
    // An unreachable daemon is one error line, before the screen is set up.
    let answer = fetch::block_on(fetcher.answer())??;
    if args.json {
        return Ok(writeln!(io::stdout(), "{}", answer.trim_end())?);
    }
    let status = fetcher.read(&answer)?;
    if args.once || !io::stdout().is_terminal() {
        return Ok(write!(io::stdout(), "{}", view::text(&status, phrases, WIDTH))?);
    }
    if !io::stdin().is_terminal() {
        bail!("standard input is not a terminal, so no key could end the program: use --once");
    }
    screen::watch(fetcher, args.interval, phrases, status)
}

fn interval(text: &str) -> Result<SignedDuration, String> {
    let invalid = || format!("{text:?} is not valid; expected a duration between 200ms and 1h, e.g. 2s");
    let interval: SignedDuration = text.parse().map_err(|_| invalid())?;
    let allowed = SignedDuration::from_millis(200)..=SignedDuration::from_hours(1);
    allowed.contains(&interval).then_some(interval).ok_or_else(invalid)
}

fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}
