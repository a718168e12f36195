//! What leaves for a hospital's record: resources of HL7 FHIR, R4 by default, R5 where it is asked for.
//!
//! Nothing here knows a patient. The subject of every resource is the stay's random token as an identifier, which the hospital may map;
//! devices are referred to by identifier as well, so that no resource waits for another to be there. The identity of a resource
//! follows from what it says ([`ResourceId`]): sent twice, it is one.

mod codes;
mod device;
mod encounter;
mod flag;
mod id;
mod news2;
mod risk;
mod strip;
mod vitals;

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use wardlight_core::ids::{DeviceId, SiteId, StayToken};
use wardlight_core::time::Timestamp;
use wardlight_core::vitals::Milli;

pub use encounter::Occupancy;
pub use id::ResourceId;
pub use vitals::{Measured, measured};

/// Which version of FHIR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// 4.0.1
    #[default]
    R4,
    /// 5.0.0
    R5,
}

/// A resource, ready to be put at `{kind}/{id}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its type: `Observation`, `Flag`, …
    pub kind: &'static str,
    /// Its identity.
    pub id: ResourceId,
    /// Its JSON, with `resourceType` and `id`.
    pub body: Value,
}

impl Resource {
    fn new(kind: &'static str, id: ResourceId, mut body: Value) -> Self {
        set(&mut body, "resourceType", kind.into());
        set(&mut body, "id", id.as_str().into());
        Self { kind, id, body }
    }
}

/// A `Bundle` of type `batch` that puts each resource at its identity: every entry stands or falls by itself, and a repetition changes
/// nothing.
pub fn bundle(resources: &[Resource]) -> Value {
    let entry = |resource: &Resource| {
        let url = format!("{}/{}", resource.kind, resource.id);
        json!({"resource": resource.body, "request": {"method": "PUT", "url": url}})
    };
    let entries: Vec<Value> = resources.iter().map(entry).collect();
    json!({"resourceType": "Bundle", "type": "batch", "entry": entries})
}

/// Makes the resources of one site.
#[derive(Clone, Debug)]
pub struct Mapping {
    version: Version,
    site: SiteId,
}

impl Mapping {
    /// For this site, in this version of FHIR.
    pub const fn new(version: Version, site: SiteId) -> Self {
        Self { version, site }
    }

    /// A name space of this site: `urn:wardlight:st-mary:stay`.
    fn system(&self, of: &str) -> String {
        format!("urn:wardlight:{}:{of}", self.site)
    }

    /// The identity of something of this site.
    fn id(&self, kind: &str, parts: &[&[u8]]) -> ResourceId {
        let all = [&[self.site.as_str().as_bytes(), kind.as_bytes()], parts].concat();
        ResourceId::of(&all)
    }

    /// Whose it is: the stay, by its token.
    fn subject(&self, stay: StayToken) -> Value {
        json!({"type": "Patient", "identifier": self.stay_identifier(stay)})
    }

    fn stay_identifier(&self, stay: StayToken) -> Value {
        let token = format!("{:032x}", u128::from_be_bytes(*stay.as_bytes()));
        json!({"system": self.system("stay"), "value": token})
    }

    /// A device, by its name.
    fn device_reference(&self, device: &DeviceId) -> Value {
        json!({"type": "Device", "identifier": {"system": self.system("device"), "value": device.as_str()}})
    }

    /// This software.
    fn agent_reference(&self) -> Value {
        json!({"type": "Device", "identifier": {"system": self.system("agent"), "value": self.site.as_str()}})
    }
}

/// A decimal with the digits that the value has: `36.6`, and `82` where nothing stands behind the point.
fn decimal(value: Milli) -> Value {
    let thousandths = value.get();
    if thousandths % 1000 == 0 {
        return json!(thousandths / 1000);
    }
    json!(value.to_f64())
}

/// Puts a field into a JSON object.
fn set(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}

/// A point in time of a resource: `2026-01-01T00:00:00.123Z`. What lies before 1970 is 1970: no device of this site measured then.
fn instant(at: Timestamp) -> Value {
    let since_epoch = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since_epoch).to_string().into()
}

/// The reason why there is no value.
fn absent(code: &str) -> Value {
    json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": code}]})
}

#[cfg(test)]
mod tests;
