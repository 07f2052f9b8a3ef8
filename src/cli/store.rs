//! `vigie store`: looks after the files of the state while no daemon runs on them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::state::StateFlags;
use crate::monitor;
use crate::monitor::{RepairReport, StoreCheck};
use crate::store::{SCHEMA, Store};

/// Problems that are printed one by one.
const MAX_SHOWN: usize = 20;

/// Check, repair, export or import the store in which vigie keeps its state; stop the daemon first
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Read every record and report what is damaged; exits with 1 if anything is
    Check {
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateFlags,
    },
    /// Keep what can be read of a damaged store, and move the rest to files next to it
    ///
    /// First copies the store's files to backup-TIME in the directory of the state. Records that cannot be read go to
    /// damaged-TIME.jsonl, files that cannot be read to db.damaged-TIME. All of these may hold posts: delete them when you
    /// no longer need them; `vigie run` does so after `retention.posts_days`.
    Repair {
        /// Make no copy of the files first
        #[arg(long)]
        no_backup: bool,
        #[command(flatten)]
        state: StateFlags,
    },
    /// Write every record as a line of JSON, to read without vigie or to import again
    Export {
        /// New file, readable by its owner only; standard output without it
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Leave out texts and authors
        #[arg(long)]
        no_posts: bool,
        #[command(flatten)]
        state: StateFlags,
    },
    /// Read an export into a directory without a store
    Import {
        /// Output of `vigie store export`; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        state: StateFlags,
    },
}

pub(super) fn run(args: StoreArgs) -> anyhow::Result<()> {
    match args.task {
        Task::Check { json, state } => check(&state.with_store()?, json),
        Task::Repair { no_backup, state } => {
            let directory = state.with_store()?;
            let repaired = monitor::repair(&directory, !no_backup, Timestamp::now())?;
            Ok(write_repaired(&mut io::stdout().lock(), &repaired)?)
        }
        Task::Export { output, no_posts, state } => export(&state.with_store()?, output.as_deref(), !no_posts),
        Task::Import { file, state } => import(&state.directory()?, &file),
    }
}

fn check(directory: &Path, json: bool) -> anyhow::Result<()> {
    let check = monitor::check(&Store::open_as_is(directory)?)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&check)?)?;
    } else {
        write_check(&mut out, directory, &check)?;
    }
    if !check.is_sound() {
        let problems = check.problems.len();
        let problems = if problems == 1 { "1 problem".into() } else { format!("{problems} problems") };
        let unread = if check.unread.is_some() { ", and an unreadable part" } else { "" };
        bail!("the store has {problems}{unread}; `vigie store repair` moves what is damaged to a file");
    }
    Ok(())
}

fn write_check(out: &mut impl Write, directory: &Path, check: &StoreCheck) -> io::Result<()> {
    let version = match check.schema {
        Some(SCHEMA) => format!("layout version {SCHEMA}"),
        Some(found) => format!("layout version {found}, upgraded to {SCHEMA} when vigie next uses it"),
        None => "without a layout version".into(),
    };
    writeln!(out, "{}: {version}, {} bytes on disk", directory.display(), check.bytes_on_disk)?;
    writeln!(out, "  {:<16} {:>10} {:>12}", "table", "records", "bytes")?;
    for (table, counted) in &check.tables {
        writeln!(out, "  {table:<16} {:>10} {:>12}", counted.records, counted.bytes)?;
    }
    for problem in check.problems.iter().take(MAX_SHOWN) {
        writeln!(out, "damaged: {}: {}", problem.key, problem.problem)?;
    }
    if let Some(more) = check.problems.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        writeln!(out, "damaged: and {more} more, all of them in --json")?;
    }
    match &check.unread {
        Some(reason) => writeln!(out, "damaged: reading ended early: {reason}"),
        None => Ok(()),
    }
}

fn write_repaired(out: &mut impl Write, repaired: &RepairReport) -> io::Result<()> {
    if let Some(backup) = &repaired.backup {
        writeln!(out, "The files as they were: {}", backup.display())?;
    }
    if let Some(salvaged) = &repaired.salvaged {
        let kept = salvaged.kept.display();
        writeln!(out, "The files could not be read to their end; they are now in {kept}.")?;
        match salvaged.records {
            0 => writeln!(
                out,
                "Nothing in them could be read. The store is empty: counts, baselines, alerts, posts, checkpoints and pending \
                 notifications are lost; vigie learns the baselines again, and sources start as on the first day."
            )?,
            records => writeln!(out, "{records} records were saved; others may be lost.")?,
        }
    }
    match &repaired.damaged {
        Some(file) => writeln!(out, "{} damaged records are now in {}", repaired.removed, file.display())?,
        None if repaired.reindexed => writeln!(out, "The indexes of the posts were rebuilt.")?,
        None if repaired.salvaged.is_none() => writeln!(out, "Nothing was damaged.")?,
        None => {}
    }
    writeln!(out, "The store can be used; it holds {} records.", repaired.records)
}

fn export(directory: &Path, output: Option<&Path>, posts: bool) -> anyhow::Result<()> {
    let store = Store::open(directory)?;
    let Some(path) = output else {
        monitor::export(&store, &mut BufWriter::new(io::stdout().lock()), posts)?;
        return Ok(());
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).with_context(|| format!("the export {} cannot be created", path.display()))?;
    let mut out = BufWriter::new(file);
    let records = monitor::export(&store, &mut out, posts)?;
    out.get_ref().sync_all().with_context(|| format!("the export {} cannot be written", path.display()))?;
    Ok(writeln!(io::stdout().lock(), "{records} records are in {}", path.display())?)
}

fn import(directory: &Path, file: &Path) -> anyhow::Result<()> {
    if Store::is_in(directory) {
        bail!("{} already holds a store; import into another directory with --state DIR", directory.display());
    }
    let input: Box<dyn io::Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("the export {} cannot be read", file.display()))?)
    };
    let store = Store::open(directory)?;
    let imported = monitor::import(&store, BufReader::new(input));
    drop(store);
    let records = imported.inspect_err(|_| Store::discard(directory)).with_context(|| file.display().to_string())?;
    Ok(writeln!(io::stdout().lock(), "{records} records are now in {}", directory.display())?)
}
