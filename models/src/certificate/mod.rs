//! The quantization certificate: this very machine computes the int8 graph of this very package as it should, on each
//! of its engines, and int8 is as near to float as the site demands, over all golden vectors and in every subgroup.
//!
//! A certificate is JSON, `{"statement": "…", "signature": "…"}`. The statement is JSON too, kept as text, so that the
//! signature covers the bytes themselves and not one of many ways to write them.
//!
//! Deliberately absent: a clock, and the site's private key beyond the call that signs.

mod agreement;
mod machine;

use std::sync::Arc;
use std::time::Duration;

use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};

pub(crate) use agreement::Outcome;
pub use agreement::{Agreement, Bounds, EngineAgreement, Gap};
pub use machine::Machine;

use crate::{Card, ModelError, Package, TrustedKeys, hex};

/// The format of the statement.
const FORMAT: u32 = 1;

/// What a site says about a package on a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Version of the format; 1.
    format: u32,
    /// Name of the model.
    model: String,
    /// Version of the model.
    version: String,
    /// SHA-256 of the package's manifest, which holds those of all its files.
    package: String,
    /// Where it was computed.
    machine: Machine,
    /// Version of this software.
    software: String,
    /// Seconds since 1970, by the caller's clock.
    issued_at_s: u64,
    /// What was demanded.
    bounds: Bounds,
    /// What was found, for each engine of the machine.
    engines: Vec<EngineAgreement>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    statement: String,
    signature: String,
}

impl Certificate {
    /// Runs the golden vectors of `package` through int8 on every engine of this machine and through float, and compares.
    ///
    /// # Errors
    /// [`ModelError::Golden`] if an engine does not compute int8 bit for bit, [`ModelError::Certificate`] if int8 is
    /// further from float than `bounds` allow, and whatever loading the package may say.
    pub fn issue(package: &Package, machine: &Machine, bounds: &Bounds, issued_at: Duration) -> Result<Self, ModelError> {
        let engines = agreement::of_every_engine(package)?;
        let found = engines
            .iter()
            .flat_map(|engine| engine.groups.iter().map(move |group| (engine, group)));
        for (engine, group) in found {
            bounds.check(package.manifest().id(), &engine.engine, group)?;
        }
        Ok(Self {
            format: FORMAT,
            model: package.manifest().id().to_owned(),
            version: package.manifest().version().to_owned(),
            package: package.digest().to_owned(),
            machine: machine.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            issued_at_s: issued_at.as_secs(),
            bounds: bounds.clone(),
            engines,
        })
    }

    /// Runs the golden vectors on `card` too, which must give the bits of the processor, and certifies it.
    ///
    /// # Errors
    /// [`ModelError::Gpu`] if it does not, or cannot.
    pub fn add_gpu(&mut self, package: &Package, card: &Arc<Card>) -> Result<(), ModelError> {
        package.exact_on(card)?;
        // The same bits: what was found on the processor holds.
        if let Some(same) = self.engines.first().map(|engine| engine.groups.clone()) {
            self.engines.push(EngineAgreement {
                engine: format!("plan on {}", card.name()),
                groups: same,
            });
        }
        self.machine.gpu = Some(card.name().to_owned());
        Ok(())
    }

    /// Whether it covers this GPU.
    pub fn covers(&self, card: &Card) -> bool {
        self.machine.gpu.as_deref() == Some(card.name())
    }

    /// The certificate as a file, signed with the site's key.
    ///
    /// # Errors
    /// [`ModelError::Certificate`] if a figure cannot be written as JSON.
    pub fn sign(&self, site: &Ed25519KeyPair) -> Result<String, ModelError> {
        let unwritable = |cause: serde_json::Error| self.refused("content", &cause, "must be numbers that JSON has");
        let statement = serde_json::to_string(self).map_err(unwritable)?;
        let signature = hex::encode(site.sign(statement.as_bytes()).as_ref());
        serde_json::to_string(&Signed { statement, signature }).map_err(unwritable)
    }

    /// Reads a certificate and refuses one that is altered, by a stranger, of another machine, package or software, from
    /// the future, or older than `most`.
    ///
    /// # Errors
    /// [`ModelError::Certificate`], which names the field and says what to do.
    pub fn verify(
        text: &str,
        sites: &TrustedKeys,
        package: &Package,
        machine: &Machine,
        now: Duration,
        most: Duration,
    ) -> Result<Self, ModelError> {
        let model = package.manifest().id();
        let refuse = |field, found: String, expected| refused(model, field, found, expected);
        let signed: Signed = serde_json::from_str(text).map_err(|cause| {
            refuse(
                "file",
                cause.to_string(),
                "must be a statement and its signature; issue it again",
            )
        })?;
        let signature = hex::decode(&signed.signature).ok_or_else(|| {
            refuse(
                "signature",
                format!("{:?}", signed.signature),
                "must be 128 hexadecimal digits; issue it again",
            )
        })?;
        if !sites.verify(signed.statement.as_bytes(), &signature) {
            let keys = format!("none of {} keys", sites.len());
            return Err(refuse(
                "signature",
                keys,
                "must be made by a key of this site over these bytes; issue it again",
            ));
        }
        let certificate: Self = serde_json::from_str(&signed.statement).map_err(|cause| {
            refuse(
                "statement",
                cause.to_string(),
                "must be of this software's format; issue it again",
            )
        })?;
        certificate.check(package, machine, now, most)?;
        Ok(certificate)
    }

    fn check(&self, package: &Package, machine: &Machine, now: Duration, most: Duration) -> Result<(), ModelError> {
        let require = |holds: bool, field, found: &dyn std::fmt::Debug, expected| {
            if holds {
                return Ok(());
            }
            Err(refused(package.manifest().id(), field, format!("{found:?}"), expected))
        };
        require(self.format == FORMAT, "format", &self.format, "must be 1; issue it again")?;
        let same = self.package == package.digest();
        require(
            same,
            "package",
            &self.package,
            "must be the digest of this package; issue it for this one",
        )?;
        let software = &self.software;
        let same = software == env!("CARGO_PKG_VERSION");
        require(same, "software", software, "must be the version that runs; issue it again")?;
        let same = self.machine.is(machine);
        require(
            same,
            "machine",
            &self.machine,
            "must be this machine as it is now; issue it here",
        )?;
        let issued_at = Duration::from_secs(self.issued_at_s);
        let age = now.checked_sub(issued_at);
        require(
            age.is_some(),
            "issued_at_s",
            &self.issued_at_s,
            "must not be in the future; set the clock",
        )?;
        let fresh = age.is_some_and(|age| age <= most);
        require(fresh, "issued_at_s", &self.issued_at_s, "is too long ago; issue it again")
    }

    /// What was found, for each engine of the machine.
    pub fn engines(&self) -> &[EngineAgreement] {
        &self.engines
    }

    fn refused(&self, field: &'static str, found: &impl ToString, expected: &'static str) -> ModelError {
        refused(&self.model, field, found.to_string(), expected)
    }
}

fn refused(model: &str, field: &'static str, found: String, expected: &'static str) -> ModelError {
    ModelError::Certificate {
        model: model.to_owned(),
        field,
        found,
        expected,
    }
}
