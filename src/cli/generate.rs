//! `vigie generate` (hidden): writes man pages and shell completions for packages, from the definition of the command
//! line.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, CommandFactory, Subcommand};
use clap_complete::Shell;

use super::Cli;

/// Write man pages or shell completions for packages
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    #[command(subcommand)]
    artifact: Artifact,
}

#[derive(Debug, Subcommand)]
enum Artifact {
    /// Man pages: vigie.1, and one for each subcommand
    Man { dir: PathBuf },
    /// Completions of bash, zsh and fish
    Completions { dir: PathBuf },
}

pub(super) fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let (Artifact::Man { dir } | Artifact::Completions { dir }) = &args.artifact;
    let written = || format!("cannot write {}", dir.display());
    std::fs::create_dir_all(dir).with_context(written)?;
    match &args.artifact {
        Artifact::Man { dir } => man(dir).with_context(written),
        Artifact::Completions { dir } => completions(dir).with_context(written),
    }
}

fn man(dir: &Path) -> std::io::Result<()> {
    clap_mangen::generate_to(Cli::command(), dir)
}

fn completions(dir: &Path) -> std::io::Result<()> {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "vigie", dir)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_completions_are_of_this_command_line() {
        let dir = tempfile::tempdir().unwrap();
        man(dir.path()).unwrap();
        completions(dir.path()).unwrap();
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(read("vigie.1").contains("check\\-config"));
        assert!(read("vigie-check-config.1").contains("\\-\\-set"));
        for name in ["vigie.bash", "_vigie", "vigie.fish"] {
            assert!(read(name).contains("check-config"), "{name}");
        }
        assert!(!dir.path().join("vigie-generate.1").exists(), "it is hidden");
    }
}
