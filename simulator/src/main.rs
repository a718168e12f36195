//! `wardlight-sim`: simulated wards, replay of recordings, and load, over real MQTT.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wardlight-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}
