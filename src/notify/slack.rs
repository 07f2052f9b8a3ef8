//! Slack, by an incoming webhook, or by a bot token and a channel: only a bot can reply in a thread.

use std::collections::VecDeque;
use std::path::PathBuf;

use jiff::SignedDuration;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::parse_public_url;
use super::context::{Context, HttpOptions, ReceiverError, Renderer, defaults};
use super::http::{Http, HttpResponse, Request};
use super::{Kind, MessageForm, Notification, Notifier, NotifyError};
use crate::secret::{Secret, SecretKind};

/// Incidents whose threads are remembered.
const MAX_THREADS: usize = 256;

/// Errors of `chat.postMessage` that a retry may solve.
const TRANSIENT_ERRORS: [&str; 6] =
    ["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];

/// Errors of `chat.postMessage` about the message, not about the bot or the channel.
const CONTENT_ERRORS: [&str; 12] = [
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_attachments",
    "invalid_arguments",
    "invalid_post_type",
    "msg_too_long",
    "msg_blocks_too_long",
    "no_text",
    "too_many_attachments",
    "attachment_payload_limit_exceeded",
    "cannot_reply_to_message",
    "markdown_text_conflict",
];

/// A `[[receiver]]` of `type = "slack"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A file with the URL of an incoming webhook, a secret; else the URL comes from the environment or a credential.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Instead of a webhook: the id or name of the channel where a bot posts one thread per incident.
    #[serde(default)]
    pub channel: Option<String>,
    /// A file with the bot token (`chat:write`); else the token comes from the environment or a credential.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// The base URL of Slack's API.
    #[serde(default = "api")]
    pub api: String,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows plain http to another machine.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout", with = "crate::duration")]
    pub timeout: SignedDuration,
}

fn api() -> String {
    "https://slack.com/api".into()
}

impl Config {
    fn http_options(&self) -> HttpOptions<'_> {
        HttpOptions { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = self.http_options().validate();
        problems.extend(parse_public_url(&self.api, self.insecure).err().map(|error| format!("api {error}")));
        if self.channel.as_ref().is_some_and(|channel| channel.trim().is_empty()) {
            problems.push("channel is empty; expected e.g. \"#crisis\", or no channel with a webhook".into());
        }
        if self.channel.is_some() && self.url_file.is_some() {
            problems.push("url_file: with channel set, a bot posts; set token_file instead of a webhook's URL".into());
        }
        if self.channel.is_none() && self.token_file.is_some() {
            problems.push("token_file: the bot needs a channel to post to; set channel".into());
        }
        problems
    }
}

/// See the module.
pub(super) struct Slack {
    http: Http,
    url: Url,
    bot: Option<Bot>,
    renderer: Renderer,
}

struct Bot {
    token: Secret,
    channel: String,
    /// Incidents and the timestamps of their first messages, oldest first. Lost on a restart: the incident's next
    /// message then starts a new thread.
    threads: VecDeque<(String, String)>,
}

impl Slack {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let renderer = context.renderer();
        let Some(channel) = &config.channel else {
            let (url, secret) = context.secret_address("webhook URL", config.url_file.as_ref(), config.insecure)?;
            let http = context.http(&url, &config.http_options(), &[&secret])?;
            return Ok(Self { http, url, bot: None, renderer });
        };
        let url = parse_public_url(&config.api, config.insecure);
        let mut url = url.map_err(|error| context.unusable(format!("api {error}")))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("chat.postMessage");
        }
        let token = context.secret("bot token", "token", SecretKind::Token, config.token_file.as_ref())?;
        let http = context.http(&url, &config.http_options(), &[&token])?;
        let bot = Some(Bot { token, channel: channel.trim().to_owned(), threads: VecDeque::new() });
        Ok(Self { http, url, bot, renderer })
    }
}

impl Notifier for Slack {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let mut body = self.renderer.render(notification).slack;
        if let (Some(bot), Some(entries)) = (&self.bot, body.as_object_mut()) {
            entries.extend(bot.target(notification));
        }
        // A reply that Slack refuses may be refused for its thread: the plain form starts a new one.
        if notification.form == MessageForm::Plain
            && let Some(entries) = body.as_object_mut()
        {
            entries.remove("thread_ts");
            entries.remove("reply_broadcast");
        }
        let request = Request::json(&self.url, serde_json::to_vec(&body).unwrap_or_default());
        let request = request.header("idempotency-key", &notification.key);
        let Some(bot) = &mut self.bot else {
            return self.http.send(request, notification).map(|_| ());
        };
        let answer = self.http.send(request.bearer(&bot.token), notification)?;
        let message_ts = message_ts(&answer)?;
        bot.remember_thread(&notification.incident.id, message_ts);
        Ok(())
    }
}

impl Bot {
    /// The channel and thread of the message.
    fn target(&self, notification: &Notification) -> serde_json::Map<String, Value> {
        let mut target = serde_json::Map::from_iter([
            ("channel".to_owned(), json!(self.channel)),
            ("unfurl_links".to_owned(), json!(false)),
            ("unfurl_media".to_owned(), json!(false)),
        ]);
        if let Some((_, thread)) = self.threads.iter().find(|(incident, _)| *incident == notification.incident.id) {
            target.insert("thread_ts".into(), json!(thread));
            // The end is also shown in the channel, for those who do not open the thread.
            target.insert("reply_broadcast".into(), json!(notification.kind == Kind::Resolved));
        }
        target
    }

    fn remember_thread(&mut self, incident: &str, stamp: Option<String>) {
        let Some(stamp) = stamp.filter(|_| !self.threads.iter().any(|(known, _)| known == incident)) else { return };
        if self.threads.len() == MAX_THREADS {
            self.threads.pop_front();
        }
        self.threads.push_back((incident.to_owned(), stamp));
    }
}

/// The timestamp of the posted message. Slack reports errors with status 200, too.
fn message_ts(answer: &HttpResponse) -> Result<Option<String>, NotifyError> {
    let Ok(reply) = serde_json::from_str::<Value>(&answer.body) else {
        return Err(answer.transient("which is not an answer of Slack"));
    };
    if reply["ok"] == json!(true) {
        return Ok(reply["ts"].as_str().map(str::to_owned));
    }
    let error = reply["error"].as_str().unwrap_or_default();
    match error {
        error if TRANSIENT_ERRORS.contains(&error) => Err(answer.transient("")),
        error if CONTENT_ERRORS.contains(&error) => Err(answer.rejected("")),
        error => Err(answer.permanent(hint(error))),
    }
}

fn hint(error: &str) -> &'static str {
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
