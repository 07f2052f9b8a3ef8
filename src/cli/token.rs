//! `vigie token`: the tokens of programs that call the HTTP API.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::state::StateFlags;
use crate::web::{Scope, Tokens, last_use, list_scopes};

/// Create, list or revoke the tokens of programs that call the HTTP API
///
/// Tokens are kept in tokens.json in the state directory, as hashes. A running daemon sees changes at once. Commands of this
/// machine need none: they use the file api-token.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    action: TokenAction,
    #[command(flatten)]
    state: StateFlags,
}

#[derive(Debug, Subcommand)]
enum TokenAction {
    /// Create a token and print it, once: it is kept nowhere
    Create {
        /// Name of the program, such as `dashboard`
        name: String,
        /// What it may do, separated by commas; no scope includes another
        #[arg(long, value_enum, value_delimiter = ',', required = true, value_name = "SCOPES")]
        scope: Vec<ScopeFlag>,
    },
    /// List all tokens: name, scopes, when it was created, when it was last used (to a minute)
    List,
    /// Revoke a token
    Revoke {
        /// Name of the token
        name: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScopeFlag {
    /// Read posts, figures and incidents; read texts with the model
    Read,
    /// Correct labels
    Feedback,
    /// Acknowledge and silence incidents, erase posts and authors
    Operate,
    /// Send posts
    Ingest,
}

impl From<ScopeFlag> for Scope {
    fn from(scope: ScopeFlag) -> Self {
        match scope {
            ScopeFlag::Read => Self::Read,
            ScopeFlag::Feedback => Self::Feedback,
            ScopeFlag::Operate => Self::Operate,
            ScopeFlag::Ingest => Self::Ingest,
        }
    }
}

pub(super) fn run(args: TokenArgs) -> anyhow::Result<()> {
    let state = args.state.directory()?;
    match args.action {
        TokenAction::Create { name, scope } => {
            let scopes = scope.into_iter().map(Scope::from).collect();
            let token = Tokens::change(&state, |tokens| tokens.create(&name, scopes, Timestamp::now()))?;
            // Alone on standard output, for scripts.
            println!("{token}");
            eprintln!("Keep it now: it is not shown again. Programs send it as `Authorization: Bearer TOKEN`.");
        }
        TokenAction::List => {
            for token in Tokens::load(&state)?.iter() {
                let used = last_use(&state, token).map_or("never used".to_owned(), |at| format!("used {}", minute(at)));
                println!(
                    "{}\t{}\tcreated {}\t{used}",
                    token.name,
                    list_scopes(&token.scopes),
                    minute(token.created_at)
                );
            }
        }
        TokenAction::Revoke { name } => {
            Tokens::change(&state, |tokens| tokens.revoke(&name))?;
            println!("{name} is revoked");
        }
    }
    Ok(())
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%MZ").to_string()
}
