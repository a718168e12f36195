//! The command line. Here the clock is read and the signal to stop is heard.

mod bar;
mod common;
mod load;
mod replay;
mod ward;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Virtual patients and devices for Wardlight, over real MQTT.
#[derive(Debug, Parser)]
#[command(name = "wardlight-sim", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a simulated ward that follows a scenario, until its end or Ctrl-C
    Ward(ward::WardArguments),
    /// Play a recording as one bedside monitor: a WFDB record, an ICU stay, an Empatica E4 session
    Replay(replay::ReplayArguments),
    /// Send vitals of many devices at a fixed rate and measure the broker's acknowledgements
    Load(load::LoadArguments),
    /// List the built-in scenarios
    Scenarios,
}

/// Carries out what was asked for.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::Ward(arguments) => ward::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Load(arguments) => load::run(&arguments),
        Command::Scenarios => ward::list(),
    }
}
