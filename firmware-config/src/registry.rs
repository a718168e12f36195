//! What the site notes of each device: one TOML file per device, which people can read.

use serde::{Deserialize, Serialize};
use wardlight_core::ids::DeviceId;
use wardlight_core::time::Timestamp;
use wardlight_wire::cmd::Desired;

use crate::authority::Revocation;
use crate::certificate::Certificate;
use crate::dates::{from_rfc3339, rfc3339};
use crate::enrolment::EnrolError;

/// One device of the site.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Who it is.
    pub id: DeviceId,
    /// Name or file of its profile.
    pub profile: String,
    /// Its newest certificate.
    pub certificate: Issued,
    /// Certificates before that, as long as they could still be used.
    pub former: Vec<Issued>,
    /// Why it was revoked; `None` while it may connect.
    pub reason: Option<String>,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// Who changed this last, as far as the system says. A claim, not a proof.
    pub changed_by: String,
    /// What is asked of it from afar; `None` if nothing ever was.
    pub desired: Option<Desired>,
}

/// Whether a device may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may.
    Enrolled,
    /// It may not any more.
    Revoked,
}

const STATUSES: [(&str, Status); 2] = [("enrolled", Status::Enrolled), ("revoked", Status::Revoked)];

impl Status {
    /// Its word in the registry.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Revoked => "revoked",
        }
    }
}

/// A certificate that was issued to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Serial number in hexadecimal.
    pub serial: String,
    /// SHA-256 of the DER in hexadecimal.
    pub fingerprint: String,
    /// Identifier of the authority's key that signed it, in hexadecimal.
    pub issuer_key: String,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Since when it does not count any more.
    pub revoked_at: Option<Timestamp>,
}

impl Issued {
    /// What is noted of a certificate.
    pub fn of(certificate: &Certificate) -> Self {
        Self {
            serial: certificate.serial().to_owned(),
            fingerprint: certificate.fingerprint(),
            issuer_key: certificate.issuer_key().to_owned(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            revoked_at: None,
        }
    }
}

impl Record {
    /// Whether it may connect: whether its newest certificate counts.
    pub const fn status(&self) -> Status {
        match self.certificate.revoked_at {
            None => Status::Enrolled,
            Some(_) => Status::Revoked,
        }
    }

    /// Its certificates, the newest first.
    pub fn certificates(&self) -> impl Iterator<Item = &Issued> {
        std::iter::once(&self.certificate).chain(&self.former)
    }

    /// Takes a new certificate. The one before stays usable until it ends or is revoked: the device must change over first.
    pub fn renew(&mut self, certificate: &Certificate, now: Timestamp) {
        let before = std::mem::replace(&mut self.certificate, Issued::of(certificate));
        self.former.insert(0, before);
        self.former.retain(|issued| issued.not_after > now);
    }

    /// None of its certificates counts any more.
    pub fn revoke(&mut self, reason: &str, now: Timestamp) {
        for issued in std::iter::once(&mut self.certificate).chain(&mut self.former) {
            issued.revoked_at.get_or_insert(now);
        }
        self.reason = Some(reason.to_owned());
    }

    /// Its certificates of this authority that were revoked.
    pub fn revoked_of<'a>(&'a self, issued_by: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = Revocation> + 'a {
        let ours = self.certificates().filter(move |issued| issued_by(&issued.issuer_key));
        ours.filter_map(|issued| {
            issued.revoked_at.map(|at| Revocation {
                serial: issued.serial.clone(),
                at,
            })
        })
    }

    /// As TOML.
    pub fn to_toml(&self) -> String {
        let newest = IssuedFile::of(&self.certificate);
        let file = RecordFile {
            id: self.id.to_string(),
            profile: self.profile.clone(),
            status: self.status().word().to_owned(),
            serial: newest.serial,
            fingerprint: newest.fingerprint,
            issuer_key: newest.issuer_key,
            not_before: newest.not_before,
            not_after: newest.not_after,
            enrolled_at: rfc3339(self.enrolled_at),
            revoked_at: newest.revoked_at,
            reason: self.reason.clone(),
            changed_by: self.changed_by.clone(),
            desired: self.desired.clone(),
            former: self.former.iter().map(IssuedFile::of).collect(),
        };
        // Strings, lists and tables of strings: there is nothing that TOML could not write.
        toml::to_string(&file).unwrap_or_default()
    }

    /// Reads what [`Record::to_toml`] writes; `file` is only named in errors.
    /// # Errors
    /// [`EnrolError::Record`] with what is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, EnrolError> {
        let fault = |problem: String| EnrolError::Record {
            file: file.to_owned(),
            problem,
        };
        let read: RecordFile = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        let certificate = IssuedFile {
            serial: read.serial,
            fingerprint: read.fingerprint,
            issuer_key: read.issuer_key,
            not_before: read.not_before,
            not_after: read.not_after,
            revoked_at: read.revoked_at,
        };
        let former: Result<_, String> = read.former.into_iter().map(IssuedFile::issued).collect();
        let record = Self {
            id: DeviceId::new(&read.id).map_err(|error| fault(error.to_string()))?,
            profile: read.profile,
            certificate: certificate.issued().map_err(fault)?,
            former: former.map_err(fault)?,
            reason: read.reason,
            enrolled_at: moment("enrolled_at", &read.enrolled_at).map_err(fault)?,
            changed_by: read.changed_by,
            desired: read.desired,
        };
        let said = STATUSES
            .iter()
            .find(|(word, _)| *word == read.status)
            .map(|(_, status)| *status);
        if said != Some(record.status()) {
            return Err(fault(format!(
                "status = {:?}: expected \"enrolled\", or \"revoked\" with revoked_at",
                read.status
            )));
        }
        Ok(record)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFile {
    id: String,
    profile: String,
    status: String,
    serial: String,
    fingerprint: String,
    issuer_key: String,
    not_before: String,
    not_after: String,
    enrolled_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default)]
    changed_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<Desired>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<IssuedFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuedFile {
    serial: String,
    fingerprint: String,
    issuer_key: String,
    not_before: String,
    not_after: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

impl IssuedFile {
    fn of(issued: &Issued) -> Self {
        Self {
            serial: issued.serial.clone(),
            fingerprint: issued.fingerprint.clone(),
            issuer_key: issued.issuer_key.clone(),
            not_before: rfc3339(issued.not_before),
            not_after: rfc3339(issued.not_after),
            revoked_at: issued.revoked_at.map(rfc3339),
        }
    }

    fn issued(self) -> Result<Issued, String> {
        Ok(Issued {
            not_before: moment("not_before", &self.not_before)?,
            not_after: moment("not_after", &self.not_after)?,
            revoked_at: self.revoked_at.map(|at| moment("revoked_at", &at)).transpose()?,
            serial: self.serial,
            fingerprint: self.fingerprint,
            issuer_key: self.issuer_key,
        })
    }
}

fn moment(field: &str, text: &str) -> Result<Timestamp, String> {
    from_rfc3339(text).ok_or_else(|| format!("{field} = {text:?}: expected a time as 2026-11-25T03:00:00Z"))
}
