//! `vigie posts`: lists stored posts from the store, or from the running daemon that holds it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use reqwest::Method;

use super::state::StateFlags;
use super::{daemon_client, duration_flag};
use crate::config::LoadedConfig;
use crate::monitor::StoredPost;
use crate::query::{Filter, Page, PageToken, Query};
use crate::store::{Store, StoreError};

/// Characters of a text that are printed.
const MAX_TEXT: usize = 120;

/// List stored posts, the newest first
///
/// Posts of topics are kept with their labels for `retention.posts_days`. If a daemon runs, it is asked; it need not
/// stop.
#[derive(Args)]
pub(super) struct PostsArgs {
    /// Only posts of this topic; may be repeated
    #[arg(long, value_name = "NAME")]
    topic: Vec<String>,
    /// Only posts with this label: negative, neutral or positive; may be repeated
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    /// Only posts of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only posts in this language, such as fr
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// Only posts of this author, by handle or identifier
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Only posts of this cascade, by the `cascade` of --json
    #[arg(long, value_name = "ID")]
    cascade: Option<String>,
    /// Only posts from this time on: a time such as 2026-11-28T09:00:00Z, or a length of time ago, such as 2h or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only posts before this time, in the same forms
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only posts whose text contains this, in any case; may be repeated: the text contains each
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// Number of posts; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Print one JSON object per post
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: StateFlags,
}

impl std::fmt::Debug for PostsArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostsArgs(…)")
    }
}

pub(super) fn run(args: &PostsArgs) -> anyhow::Result<()> {
    let filter = filter(args, Timestamp::now())?;
    let state = args.state.with_store()?;
    match Store::open(&state) {
        Ok(store) => {
            let query = Query::new(&store);
            write_all(args, &mut |limit, after| Ok(query.page(&filter, limit, after)?))
        }
        Err(StoreError::InUse { .. }) => {
            let listen = super::config_loader(args.state.config.clone()).load()?.config.web.listen;
            write_all(args, &mut |limit, after| ask_daemon(listen, &state, &filter, limit, after))
        }
        Err(error) => Err(error.into()),
    }
}

fn filter(args: &PostsArgs, now: Timestamp) -> anyhow::Result<Filter> {
    let mut filter = Filter::default();
    let PostsArgs { topic, label, source, language, author, cascade, since, until, text, .. } = args;
    for (name, values) in [("topic", topic), ("label", label), ("text", text)] {
        values.iter().try_for_each(|value| filter.set(name, value))?;
    }
    let single = [("source", source), ("language", language), ("author", author), ("cascade", cascade)];
    for (name, value) in single {
        value.iter().try_for_each(|value| filter.set(name, value))?;
    }
    for (name, value) in [("since", since), ("until", until)] {
        let Some(value) = value else { continue };
        let time = time(value, now);
        let time =
            time.with_context(|| format!("--{name}: expected a time such as 2026-11-28T09:00:00Z, or 2h or 7d"))?;
        filter.set(name, &time.to_string())?;
    }
    Ok(filter)
}

/// A time, or a length of time before `now`.
pub(super) fn time(value: &str, now: Timestamp) -> Option<Timestamp> {
    let ago = || now.checked_sub(duration_flag::parse(value).ok()?).ok();
    value.parse().ok().or_else(ago)
}

/// The newest `count` posts, about: of the store, or of the daemon that holds it.
pub(super) fn newest(loaded: &LoadedConfig, state: &Path, count: usize) -> anyhow::Result<Vec<StoredPost>> {
    let (filter, limit) = (Filter::default(), count.min(crate::query::MAX_PAGE));
    let page = match Store::open(state) {
        Ok(store) => Query::new(&store).page(&filter, limit, None)?,
        Err(StoreError::InUse { .. }) => ask_daemon(loaded.config.web.listen, state, &filter, limit, None)?,
        Err(error) => return Err(error.into()),
    };
    Ok(page.posts)
}

/// One page from the daemon that holds the store.
fn ask_daemon(
    listen: SocketAddr,
    state: &Path,
    filter: &Filter,
    limit: usize,
    after: Option<PageToken>,
) -> anyhow::Result<Page> {
    let mut url = reqwest::Url::parse("http://vigie/api/v1/posts").context("the daemon's address")?;
    url.query_pairs_mut().extend_pairs(filter.parameters()).append_pair("limit", &limit.to_string());
    if let Some(after) = after {
        url.query_pairs_mut().append_pair("page", &after.to_string());
    }
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    daemon_client::request::<(), _>(listen, state, (Method::GET, &path), None)
}

/// Prints pages until there are enough posts, or no more.
fn write_all(
    args: &PostsArgs,
    page: &mut dyn FnMut(usize, Option<PageToken>) -> anyhow::Result<Page>,
) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut left = if args.limit == 0 { usize::MAX } else { args.limit };
    let mut after = None;
    while left > 0 {
        let Page { posts, next } = page(left.min(crate::query::MAX_PAGE), after)?;
        left -= posts.len();
        for post in posts {
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&post)?)?;
                continue;
            }
            let author =
                post.author.as_deref().map(|author| super::printable(author, 40)).unwrap_or_else(|| "-".into());
            let (text, topics) = (super::printable(&post.text, MAX_TEXT), post.topics.join(", "));
            let (time, label, topics) = (post.created_at, post.label.as_str(), super::printable(&topics, 40));
            writeln!(out, "{time:.0}  {label:<8}  {topics}  {author}  {text}")?;
        }
        if next.is_none() {
            break;
        }
        after = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_absolute_or_a_length_ago() {
        let now: Timestamp = "2026-11-28T09:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("2026-11-27T09:00:00Z", Some("2026-11-27T09:00:00Z")),
            ("2h", Some("2026-11-28T07:00:00Z")),
            ("7d", Some("2026-11-21T09:00:00Z")),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(time(value, now), expected.map(|time| time.parse().unwrap()), "{value}");
        }
    }
}
