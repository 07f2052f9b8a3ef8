//! `vigie forget`: erases an author or a post everywhere, through the running daemon if there is one.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use reqwest::Method;

use super::daemon_client;
use super::state::StateFlags;
use crate::monitor::{ErasureTarget, Monitor, Receipt, Selector};
use crate::store::{Store, StoreError};

/// Erase an author or a post from everything that vigie keeps, and print a receipt
///
/// Removes stored posts, the samples in alerts and in notifications not yet delivered, feedback, and records that could not
/// be used. Posts of theirs that arrive later are counted and not kept. A running daemon does this itself. Files that you
/// made yourself are not touched: dumps, the rejects files that `vigie replay` writes next to them, exports.
#[derive(Debug, Args)]
pub(super) struct ForgetArgs {
    #[command(flatten)]
    who: Who,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: StateFlags,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// Handle or identifier of an author, with or without @, in any case
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Identifier of a post
    #[arg(long, value_name = "ID")]
    post: Option<String>,
}

impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Who(…)")
    }
}

pub(super) fn run(args: ForgetArgs) -> anyhow::Result<()> {
    let who = match (args.who.author, args.who.post) {
        (Some(author), _) => Selector::Author(author),
        (None, post) => Selector::Post(post.unwrap_or_default()),
    };
    let state = args.state.with_store()?;
    let loaded = super::config_loader(args.state.config.clone()).load()?;
    let receipt = match Store::open(&state) {
        Ok(store) => Monitor::open(store, loaded.config.window, loaded.rules)?.forget(&who, Timestamp::now())?,
        Err(StoreError::InUse { .. }) => ask_daemon(loaded.config.web.listen, &state, &who)?,
        Err(error) => return Err(error.into()),
    };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&receipt)?)?;
    } else {
        write(&mut out, &receipt)?;
    }
    Ok(())
}

fn write(out: &mut impl Write, receipt: &Receipt) -> io::Result<()> {
    let what = match receipt.what {
        ErasureTarget::Post => "a post",
        ErasureTarget::Author => "an author",
    };
    let removed = &receipt.removed;
    writeln!(out, "Forgotten: {what}, at {}", receipt.at)?;
    writeln!(out, "  receipt         {}", receipt.key)?;
    writeln!(out, "  stored posts    {}", removed.posts)?;
    writeln!(out, "  samples         {}", removed.samples)?;
    writeln!(out, "  in alerts       {}", removed.alert_samples)?;
    writeln!(out, "  not yet sent    {}", removed.outbox_samples)?;
    writeln!(out, "  rejected rows   {}", removed.dead_letters)?;
    writeln!(out, "  feedback        {}", removed.feedback)?;
    let files = if receipt.rewritten {
        "rewritten: no trace is left in them"
    } else {
        "not rewritten: traces may be left in them; vigie run tries again every day"
    };
    writeln!(out, "  store's files   {files}")?;
    for copy in &receipt.copies {
        writeln!(out, "  not searched    {copy} (made by vigie store repair: delete it)")?;
    }
    Ok(())
}

fn ask_daemon(listen: SocketAddr, state: &Path, who: &Selector) -> anyhow::Result<Receipt> {
    daemon_client::request(listen, state, (Method::POST, "/api/v1/forget"), Some(who))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    /// Answers one request with `answer`, and returns what was asked.
    fn daemon(answer: String) -> (SocketAddr, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 1_024];
            while !asked.ends_with(b"}") {
                let read = stream.read(&mut buffer).unwrap();
                asked.extend_from_slice(&buffer[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        });
        (address, thread)
    }

    fn http(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_running_daemon_is_asked_with_its_token() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("api-token"), "the-token\n").unwrap();
        let receipt = Receipt {
            at: Timestamp::UNIX_EPOCH,
            what: ErasureTarget::Author,
            key: "00".into(),
            removed: crate::monitor::ErasedCounts { samples: 3, ..Default::default() },
            rewritten: true,
            copies: Vec::new(),
        };
        let (address, asked) = daemon(http("200 OK", &serde_json::to_string(&receipt).unwrap()));
        let answer = ask_daemon(address, dir.path(), &Selector::Author("ann".into())).unwrap();
        assert_eq!(answer, receipt);
        let asked = asked.join().unwrap();
        assert!(asked.starts_with("POST /api/v1/forget ") && asked.ends_with(r#"{"author":"ann"}"#), "{asked}");
        assert!(asked.to_lowercase().contains("authorization: bearer the-token"), "{asked}");
    }

    #[test]
    fn a_refusal_is_reported_without_token_and_name() {
        let dir = tempfile::tempdir().unwrap();
        let who = Selector::Author("ann_secret".into());
        let missing = format!("{:#}", ask_daemon("127.0.0.1:9".parse().unwrap(), dir.path(), &who).unwrap_err());
        assert!(missing.contains("api-token"), "{missing}");
        std::fs::write(dir.path().join("api-token"), "the-token\n").unwrap();
        let (address, asked) = daemon(http("401 Unauthorized", "no"));
        let refused = format!("{:#}", ask_daemon(address, dir.path(), &who).unwrap_err());
        asked.join().unwrap();
        assert!(refused.contains("401") && !refused.contains("the-token") && !refused.contains("ann"), "{refused}");
        let silent = format!("{:#}", ask_daemon(address, dir.path(), &who).unwrap_err());
        assert!(silent.contains("no response from") && silent.contains("is `vigie run` running"), "{silent}");
    }
}
