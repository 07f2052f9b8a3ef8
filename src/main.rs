//! The binary: parses the command line, hands over to [`vigie::cli`], prints what went wrong.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match vigie::cli::run(vigie::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if vigie::cli::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one place where an error reaches the user")]
            {
                eprintln!("vigie: {error:#}");
            }
            ExitCode::from(vigie::cli::exit_code(&error))
        }
    }
}
