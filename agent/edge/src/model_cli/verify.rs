//! `wardlight model verify`: int8 against float on this machine, and the certificate.

use std::io::Write;
use std::path::Path;

use anyhow::bail;
use clap::Args;
use wardlight_models::Package;
use wardlight_models::certificate::Certificate;
use wardlight_models::life::State;

use super::{machine, stamp};
use crate::certified::PARTS;
use crate::cli::ConfigArg;
use crate::packages::Packages;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Name of a model (all its versions here that are not retired), or folder of a package; else all that the software carries and
    /// the verified, shadowed and live ones beside them
    #[arg(value_name = "ID|PACKAGE")]
    which: Option<String>,
    /// Only this version of the model
    version: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
}

/// Issues the certificates, takes what was staged to verified, and prints what was compared.
/// # Errors
/// If a package is refused, or gets no certificate.
pub(super) fn run(args: &VerifyArgs, mut output: impl Write) -> anyhow::Result<()> {
    let packages = machine(&args.config.config)?;
    for package in chosen(args, &packages)? {
        let (certificate, path) = packages.verify(&package, stamp(&super::who()))?;
        table(&package, &certificate, &mut output)?;
        writeln!(output, "certificate of this machine: {}", path.display())?;
    }
    output.flush()?;
    Ok(())
}

fn chosen(args: &VerifyArgs, packages: &Packages) -> anyhow::Result<Vec<Package>> {
    let life = packages.life()?;
    // What is staged is verified by name: somebody means that very package.
    let in_use = |state| !matches!(state, State::Staged | State::Retired);
    let here = |id: &str, wanted: fn(State) -> bool| -> anyhow::Result<Vec<Package>> {
        let brought = life.versions(id).iter().filter(|version| wanted(version.state));
        let brought = brought.map(|version| packages.brought(&life, id, &version.version));
        [packages.carried(id)].into_iter().chain(brought).collect()
    };
    match (&args.which, &args.version) {
        (None, _) => {
            let all = PARTS.into_iter().map(|id| here(id, in_use));
            Ok(all.collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
        }
        (Some(id), Some(version)) if PARTS.contains(&id.as_str()) => Ok(vec![packages.version(&life, id, version)?]),
        (Some(id), None) if PARTS.contains(&id.as_str()) => here(id, |state| state != State::Retired),
        (Some(id), Some(version)) => bail!("{id} {version}: no such model; wardlight model list shows what is here"),
        (Some(folder), None) => Ok(vec![packages.open(Path::new(folder))?]),
    }
}

fn table(package: &Package, certificate: &Certificate, output: &mut impl Write) -> anyhow::Result<()> {
    let manifest = package.manifest();
    writeln!(output, "{} {}: int8 against float", manifest.id(), manifest.version())?;
    writeln!(
        output,
        "{:24} {:20} {:>7} {:>9} {:>11} {:>13}",
        "engine", "group", "vectors", "mean gap", "largest gap", "same decision"
    )?;
    for engine in certificate.engines() {
        for group in &engine.groups {
            writeln!(
                output,
                "{:24} {:20} {:>7} {:>9.5} {:>11.5} {:>12.1}%",
                engine.engine,
                group.group,
                group.vectors,
                group.gap.mean,
                group.gap.largest,
                100.0 * group.same_decision_share
            )?;
        }
    }
    Ok(())
}
