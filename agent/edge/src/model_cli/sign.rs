//! `wardlight model sign`: makes a signing key, and signs packages with it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use wardlight_core::hex;

use crate::config::secret;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SignArgs {
    #[command(subcommand)]
    new: Option<NewKey>,
    /// Folder of the package; its manifest is signed as it stands
    #[arg(required = true)]
    package: Option<PathBuf>,
    /// The private key (chmod 600)
    #[arg(long, value_name = "FILE", required = true)]
    key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NewKey {
    /// Make a key: FILE holds the private half (mode 600), FILE.pub the public one; neither is ever overwritten
    NewKey {
        /// Where; outside of any repository
        file: PathBuf,
    },
}

/// Makes a key, or signs a package.
/// # Errors
/// If the key or the package cannot be read or written.
pub(super) fn run(args: SignArgs, mut output: impl Write) -> anyhow::Result<()> {
    match args {
        SignArgs {
            new: Some(NewKey::NewKey { file }),
            ..
        } => {
            let public = new_key(&file)?;
            writeln!(output, "private key: {}, keep it secret", file.display())?;
            writeln!(output, "public key: {}, name it in model.keys_file", public.display())?;
        }
        SignArgs {
            package: Some(package),
            key: Some(key),
            ..
        } => {
            sign(&package, &key)?;
            writeln!(output, "signed: {}", package.display())?;
        }
        SignArgs { .. } => return Err(anyhow!("give PACKAGE and --key FILE")),
    }
    output.flush()?;
    Ok(())
}

/// The private half is the PKCS#8 document of an Ed25519 key. Returns where the public half is.
fn new_key(file: &Path) -> anyhow::Result<PathBuf> {
    let document =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|cause| anyhow!("no key can be made: {cause}"))?;
    let pair = read(file, document.as_ref())?;
    let mut public = file.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    let failed = |path: &Path| format!("{}: cannot be made", path.display());
    let mut half = File::create_new(&public).with_context(|| failed(&public))?;
    let mut options = OpenOptions::new();
    let private = options.write(true).create_new(true).mode(0o600).open(file);
    private
        .and_then(|mut private| private.write_all(document.as_ref()))
        .with_context(|| failed(file))?;
    let key = hex::encode(pair.public_key().as_ref());
    writeln!(
        half,
        "# Ed25519 public keys that sign model packages, hexadecimal, one a line.\n{key}"
    )
    .with_context(|| failed(&public))?;
    Ok(public)
}

fn sign(package: &Path, key: &Path) -> anyhow::Result<()> {
    let pair = signing_key(key)?;
    let manifest = package.join("manifest.toml");
    let manifest = fs::read(&manifest).with_context(|| manifest.display().to_string())?;
    let signature = package.join("manifest.sig");
    fs::write(&signature, format!("{}\n", hex::encode(pair.sign(&manifest).as_ref())))
        .with_context(|| signature.display().to_string())
}

/// The private key in a file that nobody else can read.
/// # Errors
/// If others can, or it is no key of `new-key`.
pub(crate) fn signing_key(file: &Path) -> anyhow::Result<Ed25519KeyPair> {
    secret::check(file).map_err(|problem| anyhow!("{}: {problem}", file.display()))?;
    read(file, &fs::read(file).with_context(|| file.display().to_string())?)
}

fn read(file: &Path, document: &[u8]) -> anyhow::Result<Ed25519KeyPair> {
    let rejected = |cause| {
        anyhow!(
            "{}: is no private key of wardlight model sign new-key: {cause}",
            file.display()
        )
    };
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).map_err(rejected)
}
