//! `vigie user`: the people who may sign in to the console where it listens on more than loopback.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::state::StateFlags;
use crate::web::{Role, Users};

/// Add, list or remove the people who may sign in to the console
///
/// On loopback nobody signs in. Where `web.listen` is another address, pages are closed until there is a user. Users are kept
/// in users.json in the state directory, with hashes of their passwords. A running daemon sees changes at once.
#[derive(Debug, Args)]
pub(super) struct UserArgs {
    #[command(subcommand)]
    action: UserAction,
    #[command(flatten)]
    state: StateFlags,
}

#[derive(Debug, Subcommand)]
enum UserAction {
    /// Add a user; the password is read from the terminal, or from the first line of standard input
    Add {
        /// Name to sign in with
        name: String,
        /// What the user may do: a viewer reads, an analyst also corrects labels, an operator also acknowledges and silences
        #[arg(long, value_enum)]
        role: RoleFlag,
    },
    /// List all users
    List,
    /// Remove a user
    Remove {
        /// Name of the user
        name: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleFlag {
    Viewer,
    Analyst,
    Operator,
}

impl From<RoleFlag> for Role {
    fn from(role: RoleFlag) -> Self {
        match role {
            RoleFlag::Viewer => Self::Viewer,
            RoleFlag::Analyst => Self::Analyst,
            RoleFlag::Operator => Self::Operator,
        }
    }
}

pub(super) fn run(args: UserArgs) -> anyhow::Result<()> {
    let state = args.state.directory()?;
    let mut users = Users::load(&state)?;
    match args.action {
        UserAction::Add { name, role } => {
            let password = password()?;
            users.add(&name, role.into(), &password, Timestamp::now())?;
            users.save(&state)?;
            println!("{name} may sign in as {}", Role::from(role).as_str());
        }
        UserAction::List => {
            for user in users.iter() {
                println!("{}\t{}\t{}", user.name, user.role.as_str(), user.added_at.strftime("%Y-%m-%d"));
            }
        }
        UserAction::Remove { name } => {
            users.remove(&name)?;
            users.save(&state)?;
            println!("{name} is removed");
        }
    }
    Ok(())
}

/// The first line of standard input; on a terminal it is not shown while it is typed.
fn password() -> anyhow::Result<String> {
    let stdin = io::stdin();
    let mut line = String::new();
    if stdin.is_terminal() {
        eprint!("Password: ");
        io::stderr().flush()?;
        let shown = tcgetattr(&stdin)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
        let read = stdin.lock().read_line(&mut line);
        tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
        eprintln!();
        read?;
    } else {
        stdin.lock().read_line(&mut line).context("cannot read the password from standard input")?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
