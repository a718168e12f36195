//! Firmware that devices may fetch: signed here, told by the running agent.

use std::fs;
use std::io::Write;

use anyhow::{Context, anyhow, bail};
use ring::digest::{SHA256, digest};
use wardlight_core::hex;
use wardlight_devices::{Firmware, check_firmware};
use wardlight_wire::cmd::FirmwareNotice;

use super::FirmwareArgs;
use super::site::Site;
use crate::devices::firmware::Audience;
use crate::model_cli::signing_key;
use crate::user_cli::whoami;

/// Signs the image and keeps the notice, or withdraws the one there is.
/// # Errors
/// If there is no such profile or device, the image or the key cannot be read, or no device could be told of it.
pub(super) fn run(site: &Site, args: &FirmwareArgs, output: &mut impl Write) -> anyhow::Result<()> {
    let _held = site.registry.change()?;
    let audience = match (&args.profile, &args.id) {
        (Some(profile), _) => Audience::Profile(site.registry.profile(profile)?.name),
        (None, Some(id)) => Audience::Device(site.record(id)?.id),
        (None, None) => bail!("give --profile or --id"),
    };
    if args.withdraw {
        site.registry.keep_firmware(&audience, None)?;
        writeln!(output, "{audience}: nobody is told of a firmware any more.")?;
        return Ok(());
    }
    let notice = signed(args)?;
    check_firmware(&notice).map_err(|problem| anyhow!(problem))?;
    writeln!(
        output,
        "{audience}: version {}, {} bytes, SHA-256 {}; who runs another is told.",
        notice.version,
        notice.size,
        hex::encode(&notice.sha256)
    )?;
    let changed_by = whoami();
    site.registry.keep_firmware(&audience, Some(&Firmware { changed_by, notice }))
}

fn signed(args: &FirmwareArgs) -> anyhow::Result<FirmwareNotice> {
    let FirmwareArgs {
        version: Some(version),
        image: Some(image),
        url: Some(url),
        key: Some(key),
        ..
    } = args
    else {
        bail!("give --version, --image, --url and --key");
    };
    let image = fs::read(image).with_context(|| image.display().to_string())?;
    let hash = digest(&SHA256, &image);
    let signature = signing_key(key)?.sign(hash.as_ref());
    Ok(FirmwareNotice {
        version: version.clone(),
        size: image.len() as u64,
        sha256: hash.as_ref().try_into()?,
        sig: signature.as_ref().try_into()?,
        url: url.clone(),
    })
}
