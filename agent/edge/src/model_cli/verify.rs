//! `wardlight model verify`: int8 against float on this machine, and the certificate.

use std::io::Write;
use std::path::Path;

use anyhow::bail;
use clap::Args;
use wardlight_models::Package;
use wardlight_models::certificate::Certificate;
use wardlight_models::life::State;

use super::{machine, stamp};
use crate::cli::ConfigArg;
use crate::packages::Packages;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Name of a model (all its versions here that are not retired), or folder of a package; else all that the software carries
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
    let Some(which) = &args.which else {
        return Package::shipped_ids().map(|id| packages.carried(id)).collect();
    };
    if !Package::shipped_ids().any(|id| id == which) {
        if let Some(version) = &args.version {
            bail!("{which} {version}: no such model; wardlight model list shows what is here");
        }
        return Ok(vec![packages.open(Path::new(which))?]);
    }
    let life = packages.life()?;
    if let Some(version) = &args.version {
        return Ok(vec![packages.version(&life, which, version)?]);
    }
    let here = life.versions(which).iter().filter(|version| version.state != State::Retired);
    let here = here.map(|version| packages.brought(&life, which, &version.version));
    [packages.carried(which)].into_iter().chain(here).collect()
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
