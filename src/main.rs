//! The binary: parses the command line, calls [`vigie::cli`], prints errors.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match vigie::cli::run(vigie::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if vigie::cli::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one place where errors are printed")]
            {
                eprintln!("vigie: {error:#}");
            }
            ExitCode::from(vigie::cli::exit_code(&error))
        }
    }
}
