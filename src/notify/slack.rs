//! Slack, by an incoming webhook, or by a bot's token and a channel: only a bot can answer in a thread.

use std::collections::VecDeque;
use std::path::PathBuf;

use jiff::SignedDuration;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::open_address;
use super::context::{Context, ReceiverError, Way, Words, defaults};
use super::http::{Answer, Http, Request};
use super::{Kind, Notification, Notifier, NotifyError};
use crate::secret::{Form, Secret};

/// Threads of so many incidents are remembered.
const THREADS: usize = 256;

/// What `chat.postMessage` says when it may go better later.
const PASSING: [&str; 6] =
    ["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];

/// A `[[receiver]]` of `type = "slack"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A file that holds an incoming webhook's address; else from the environment or a credential. Who has it can post.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Instead of a webhook: the channel's id or name, where a bot posts one thread per incident.
    #[serde(default)]
    pub channel: Option<String>,
    /// A file that holds the bot's token (`chat:write`); else from the environment or a credential.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Where the bot posts.
    #[serde(default = "api")]
    pub api: String,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Plain http to another machine is meant so.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout")]
    pub timeout: SignedDuration,
}

fn api() -> String {
    "https://slack.com/api".into()
}

impl Config {
    fn way(&self) -> Way<'_> {
        Way { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.way().faults();
        faults.extend(open_address(&self.api, self.insecure).err().map(|fault| format!("api {fault}")));
        if self.channel.as_ref().is_some_and(|channel| channel.trim().is_empty()) {
            faults.push("channel is empty: wanted such as \"#crisis\", or no channel where there is a webhook".into());
        }
        if self.channel.is_some() && self.url_file.is_some() {
            faults.push("url_file: a bot posts to the channel, and needs a token, not a webhook's address".into());
        }
        if self.channel.is_none() && self.token_file.is_some() {
            faults.push("token_file: there is no channel for the bot to post to; set channel".into());
        }
        faults
    }
}

/// See the module.
pub(super) struct Slack {
    http: Http,
    url: Url,
    bot: Option<Bot>,
    words: Words,
}

struct Bot {
    token: Secret,
    channel: String,
    /// Incidents and the time stamps that name their first messages, the oldest first. Lost at a restart: the incident's
    /// next message then begins a thread of its own.
    threads: VecDeque<(String, String)>,
}

impl Slack {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let words = context.words();
        let Some(channel) = &config.channel else {
            let (url, secret) = context.secret_address("webhook address", config.url_file.as_ref(), config.insecure)?;
            let http = context.http(&url, &config.way(), &[&secret])?;
            return Ok(Self { http, url, bot: None, words });
        };
        let url = open_address(&config.api, config.insecure);
        let mut url = url.map_err(|fault| context.unusable(format!("api {fault}")))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("chat.postMessage");
        }
        let token = context.secret("bot token", "token", Form::Token, config.token_file.as_ref())?;
        let http = context.http(&url, &config.way(), &[&token])?;
        let bot = Some(Bot { token, channel: channel.trim().to_owned(), threads: VecDeque::new() });
        Ok(Self { http, url, bot, words })
    }
}

impl Notifier for Slack {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let mut body = self.words.of(notification).slack;
        if let (Some(bot), Some(entries)) = (&self.bot, body.as_object_mut()) {
            entries.extend(bot.place(notification));
        }
        let request = Request::json(&self.url, serde_json::to_vec(&body).unwrap_or_default());
        let request = request.header("idempotency-key", &notification.key);
        let Some(bot) = &mut self.bot else {
            return self.http.send(request, notification).map(|_| ());
        };
        let answer = self.http.send(request.bearer(&bot.token), notification)?;
        let posted = posted(&answer)?;
        bot.remember(&notification.incident.id, posted);
        Ok(())
    }
}

impl Bot {
    /// Where the message goes.
    fn place(&self, notification: &Notification) -> serde_json::Map<String, Value> {
        let mut place = serde_json::Map::from_iter([
            ("channel".to_owned(), json!(self.channel)),
            ("unfurl_links".to_owned(), json!(false)),
            ("unfurl_media".to_owned(), json!(false)),
        ]);
        if let Some((_, thread)) = self.threads.iter().find(|(incident, _)| *incident == notification.incident.id) {
            place.insert("thread_ts".into(), json!(thread));
            // That it is over is for those to see, too, who do not open the thread.
            place.insert("reply_broadcast".into(), json!(notification.kind == Kind::Resolved));
        }
        place
    }

    fn remember(&mut self, incident: &str, stamp: Option<String>) {
        let Some(stamp) = stamp.filter(|_| !self.threads.iter().any(|(known, _)| known == incident)) else { return };
        if self.threads.len() == THREADS {
            self.threads.pop_front();
        }
        self.threads.push_back((incident.to_owned(), stamp));
    }
}

/// The message's time stamp; a 200 may say that there is none.
fn posted(answer: &Answer) -> Result<Option<String>, NotifyError> {
    let Ok(told) = serde_json::from_str::<Value>(&answer.body) else {
        return Err(answer.passing("which is not what Slack answers"));
    };
    if told["ok"] == json!(true) {
        return Ok(told["ts"].as_str().map(str::to_owned));
    }
    let error = told["error"].as_str().unwrap_or_default();
    if PASSING.contains(&error) { Err(answer.passing("")) } else { Err(answer.permanent(way_out(error))) }
}

fn way_out(error: &str) -> &'static str {
    match error {
        "not_in_channel" => "invite the bot into the channel",
        "channel_not_found" => "check channel, and that the bot may see it",
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            "check the bot's token"
        }
        "missing_scope" => "give the bot the scope chat:write",
        _ => "",
    }
}
