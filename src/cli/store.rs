//! `vigie store`: looks after the files of the state while no daemon runs on them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::state::StateFlags;
use crate::monitor;
use crate::monitor::{Check, Repaired};
use crate::store::{SCHEMA, Store};

/// Faults that are printed one by one.
const SHOWN: usize = 20;

/// Check, repair, export or import the store in which vigie keeps its state; stop the daemon first
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Read every record and tell what is damaged; ends with 1 if anything is
    Check {
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateFlags,
    },
    /// Keep what can be read of a damaged store and set the rest aside, in files beside it
    ///
    /// First copies the store's files to backup-TIME in the directory of the state. Records that cannot be read go to
    /// damaged-TIME.jsonl, files that cannot be read to db.damaged-TIME. All of these may hold posts: delete them when
    /// you need them no more; `vigie run` does so after `retention.posts_days`.
    Repair {
        /// Make no copy of the files first
        #[arg(long)]
        no_backup: bool,
        #[command(flatten)]
        state: StateFlags,
    },
    /// Write every record as a line of JSON, to be read without vigie or imported again
    Export {
        /// File to be made, for its owner alone; standard output without it
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Leave out texts and authors
        #[arg(long)]
        no_posts: bool,
        #[command(flatten)]
        state: StateFlags,
    },
    /// Read an export into a directory that holds no store yet
    Import {
        /// What `vigie store export` wrote; `-` is standard input
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
    let check = monitor::check(&Store::open_as_it_is(directory)?)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&check)?)?;
    } else {
        write_check(&mut out, directory, &check)?;
    }
    if !check.is_sound() {
        let faults = check.faults.len();
        let faults = if faults == 1 { "1 fault".into() } else { format!("{faults} faults") };
        let unread = if check.unread.is_some() { ", and a part that cannot be read" } else { "" };
        bail!("the store has {faults}{unread}; `vigie store repair` sets aside what is damaged");
    }
    Ok(())
}

fn write_check(out: &mut impl Write, directory: &Path, check: &Check) -> io::Result<()> {
    let version = match check.schema {
        Some(SCHEMA) => format!("layout version {SCHEMA}"),
        Some(found) => format!("layout version {found}, upgraded to {SCHEMA} when vigie next uses it"),
        None => "without a layout version".into(),
    };
    writeln!(out, "{}: {version}, {} bytes on disk", directory.display(), check.bytes_on_disk)?;
    writeln!(out, "  {:<10} {:>10} {:>12}", "table", "records", "bytes")?;
    for (table, counted) in &check.tables {
        writeln!(out, "  {table:<10} {:>10} {:>12}", counted.records, counted.bytes)?;
    }
    for fault in check.faults.iter().take(SHOWN) {
        writeln!(out, "damaged: {}: {}", fault.key, fault.problem)?;
    }
    if let Some(more) = check.faults.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        writeln!(out, "damaged: and {more} more, all of them in --json")?;
    }
    match &check.unread {
        Some(reason) => writeln!(out, "damaged: the reading ended early: {reason}"),
        None => Ok(()),
    }
}

fn write_repaired(out: &mut impl Write, repaired: &Repaired) -> io::Result<()> {
    if let Some(backup) = &repaired.backup {
        writeln!(out, "The files as they were: {}", backup.display())?;
    }
    if let Some(salvaged) = &repaired.salvaged {
        let kept = salvaged.kept.display();
        writeln!(out, "The files could not be read through; they are now in {kept}.")?;
        match salvaged.records {
            0 => writeln!(
                out,
                "Nothing in them could be read. The store is empty: counts, what is normal, alerts, how far each source was \
                 read and what was to be delivered are lost; vigie learns the normal anew and sources start as on the first day."
            )?,
            records => writeln!(out, "{records} records of them could be read; others may be lost.")?,
        }
    }
    match &repaired.damaged {
        Some(file) => writeln!(out, "{} damaged records are now in {}", repaired.set_aside, file.display())?,
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
    let file = options.open(path).with_context(|| format!("the export {} cannot be made", path.display()))?;
    let mut out = BufWriter::new(file);
    let records = monitor::export(&store, &mut out, posts)?;
    out.get_ref().sync_all().with_context(|| format!("the export {} cannot be written", path.display()))?;
    Ok(writeln!(io::stdout().lock(), "{records} records are in {}", path.display())?)
}

fn import(directory: &Path, file: &Path) -> anyhow::Result<()> {
    if Store::is_in(directory) {
        bail!("there is a store in {} already; import into another directory with --state DIR", directory.display());
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
