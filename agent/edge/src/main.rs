//! `wardlight`: the agent of a ward.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

mod adapters;
mod agent;
mod audit;
mod audit_cli;
mod audit_export;
mod backup_cli;
mod bed;
mod broker;
mod certified;
mod check;
mod cli;
mod clock;
mod config;
mod control;
mod demo;
mod desk;
mod device_cli;
mod devices;
mod erasure;
#[cfg(test)]
mod fixture;
mod heard;
mod http;
mod inference;
mod init;
mod journal_cli;
mod keys;
mod metrics;
mod mllp;
mod model_cli;
mod outlets;
mod packages;
mod people;
mod pipeline;
mod recall;
mod record;
mod remote;
mod replay;
mod restore;
mod run;
mod score;
mod session;
mod storage;
mod strips;
mod ticks;
mod tls;
mod turned_away;
mod user_cli;
mod what_ifs;
mod whole_file;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
#[cfg(target_os = "linux")]
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use cli::{AuditCommand, Cli, Command, ConfigArg, JournalCommand, ScoreCommand};
use config::Config;
use run::{Mode, Running};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging(matches!(cli.command, Command::Run(_)));
    without_core_dumps();
    // One provider of cryptography for everything; a second installation cannot happen here.
    rustls::crypto::ring::default_provider().install_default().ok();
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // If standard error is gone there is nobody to tell.
            writeln!(io::stderr(), "wardlight: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

/// A dump of the memory would hold names and keys in clear.
fn without_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "A crash may leave a dump of the memory.");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "Other processes of this user may read the memory.");
    }
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    let output = BufWriter::new(io::stdout().lock());
    match command {
        Command::Run(ConfigArg { config }) => runtime()?.block_on(serve(Config::load(&config)?))?,
        Command::Demo(args) => return runtime()?.block_on(demo::run(args)).map(passed),
        Command::Init(args) => init::run(&args.dir, args.broker.as_deref(), args.listen, output)?,
        Command::Check(ConfigArg { config }) => return runtime()?.block_on(check::run(&config, output)).map(passed),
        Command::Bed(args) => runtime()?.block_on(bed::run(args, output))?,
        Command::Model { model } => model_cli::run(model, output)?,
        Command::Device { device } => device_cli::run(device, output)?,
        Command::Key { key } => keys::cli::run(key, output)?,
        Command::Receipt { receipt } => erasure::cli::receipt(&receipt, output)?,
        Command::User { user } => user_cli::run(user, output)?,
        Command::Score {
            score: ScoreCommand::News2,
        } => return score::news2(io::stdin().lock(), output).map(|n| passed(n == 0)),
        Command::Audit { audit } => return audit_command(audit, output),
        Command::Journal { journal } => return journal_command(journal, output),
        Command::Replay(args) => return replay::cli::run(&args, output).map(passed),
    }
    Ok(ExitCode::SUCCESS)
}

fn journal_command(command: JournalCommand, output: impl Write) -> anyhow::Result<ExitCode> {
    match command {
        JournalCommand::Export {
            config,
            format: cli::ExportFormat::Jsonl,
        } => journal_cli::export(&Config::load(&config.config)?, output).map(|unreadable| passed(unreadable == 0)),
        JournalCommand::Backup(args) => backup_cli::back_up(&args, output).map(|()| ExitCode::SUCCESS),
        JournalCommand::Restore(args) => backup_cli::restore_from(&args, output).map(|()| ExitCode::SUCCESS),
        JournalCommand::Stays(args) => erasure::cli::list(&args, output).map(|()| ExitCode::SUCCESS),
        JournalCommand::Erase(args) => erasure::cli::erase(&args, output).map(|()| ExitCode::SUCCESS),
        JournalCommand::Verify { config } => journal_cli::check(&Config::load(&config.config)?, output).map(passed),
        JournalCommand::Quarantine { config } => {
            journal_cli::quarantine(&Config::load(&config.config)?, output).map(|()| ExitCode::SUCCESS)
        }
    }
}

fn audit_command(command: AuditCommand, output: impl Write) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::List {
            since,
            format: cli::ExportFormat::Jsonl,
            config,
        } => audit_cli::list(&Config::load(&config.config)?, since, output).map(|unreadable| passed(unreadable == 0)),
        AuditCommand::Export { since, format, config } => {
            audit_export::cli::export(&Config::load(&config.config)?, since, format, output).map(|()| ExitCode::SUCCESS)
        }
        AuditCommand::Verify {
            export: Some(file),
            public_key: Some(key),
            head,
            ..
        } => audit_export::cli::check(&file, &key, head.as_ref(), output).map(passed),
        AuditCommand::Verify { head, config, .. } => {
            audit_cli::verify(&Config::load(&config.config)?, head.as_ref(), output).map(passed)
        }
    }
}

/// Runs until SIGTERM, SIGINT or a fault.
async fn serve(config: Config) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let mut running = Running::start(config, Mode::default(), metrics::install()?).await?;
    let outcome = tokio::select! {
        () = stop.asked() => Ok(()),
        failure = running.failed() => Err(failure),
    };
    running.stop().await;
    outcome
}

/// SIGTERM and SIGINT.
pub(crate) struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT")?,
        })
    }

    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Two workers: the broker's session and the page; the Ward, the journal and the inference have threads of their own.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    built.context("the runtime's threads")
}

/// JSON lines for machines, plain lines for a terminal; always on standard error. `RUST_LOG` chooses what is shown.
fn start_logging(service: bool) {
    let default = if service { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false);
    if io::stderr().is_terminal() || !service {
        lines.compact().init();
    } else {
        lines.json().flatten_event(true).init();
    }
}

fn passed(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
