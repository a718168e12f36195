//! IHE PCD-04, "Report Alert" (`ORU^R40^ORU_R40`, HL7 v2.6): one change of one alarm for an alarm manager.
//!
//! As the alert on MQTT it names the bed and no patient: PID-3 and PID-5, which HL7 requires, hold the bed as an identifier of unspecified
//! type and an unspecified name; PV1-3 says where. The codes of events and attributes are those of
//! public captures of IHE ACM; where a kind of alarm has no MDC code that is known from one, the event is told as text under
//! `196616^MDC_EVT_ALARM`.

use wardlight_core::alarms::AlarmKind;
use wardlight_core::codes::{NUMERICS, Numeric, Parameter, Unit};
use wardlight_core::time::Timestamp;

use crate::Alert;
use crate::fhir::ResourceId;
use crate::hl7::escape;
use crate::hl7::time::write;

/// A message and what its acknowledgement must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// MSH-10, at most 20 characters: the same for every attempt of one change.
    pub control_id: String,
    /// Segments, each ended by a carriage return.
    pub text: String,
}

/// The message for one alert.
pub fn alarm(alert: &Alert) -> Message {
    let event = |revision: u32| ResourceId::of(&[alert.id.as_bytes(), &revision.to_be_bytes()]);
    let change = event(alert.revision);
    let control_id: String = change.as_str().chars().filter(char::is_ascii_hexdigit).take(20).collect();
    let (changed, onset) = (at(alert.changed_at), at(alert.onset_at));
    // Names of places have no character that divides fields.
    let (site, unit, bed) = (&alert.site, &alert.unit, &alert.bed);
    let mut text = format!(
        "MSH|^~\\&|WARDLIGHT^{site}^L|{site}|||{changed}||ORU^R40^ORU_R40|{control_id}|P|2.6|||AL|NE||UNICODE UTF-8|||\
         IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO\rPID|||{bed}^^^{site}^U||^^^^^^U\rPV1||I|{unit}^^{bed}^{site}\r"
    );
    let order = format!("{change}^WARDLIGHT");
    // OBR-29, the parent: later changes name the first event of their alarm, so that the manager puts them together.
    let parent = match alert.revision {
        ..=1 => String::new(),
        _ => format!("{0}&WARDLIGHT^{0}&WARDLIGHT", event(1)),
    };
    let end = if alert.state == "cleared" { changed.as_str() } else { "" };
    segment(
        &mut text,
        &format!("OBR|1|{order}|{order}|196616^MDC_EVT_ALARM^MDC|||{onset}|{end}|||||||||||||||||||||{parent}"),
    );
    for (index, line) in observations(alert, &changed).iter().enumerate() {
        segment(&mut text, &format!("OBX|{}|{line}", index + 1));
    }
    Message { control_id, text }
}

/// OBX segments behind their number: the source, what happened, the value, and the attributes of the alarm.
fn observations(alert: &Alert, changed: &str) -> Vec<String> {
    let kind = AlarmKind::from_name(&alert.kind);
    let technical = kind.as_ref().is_some_and(AlarmKind::is_technical);
    let kind_of_alarm = if technical { "ST" } else { "SP" };
    let priority = match alert.priority.as_str() {
        "high" => "PH",
        "medium" => "PM",
        _ => "PL",
    };
    let (event, abnormal) = event(kind.as_ref());
    let mut flags = vec![priority, kind_of_alarm];
    flags.splice(0..0, abnormal);
    let said = escape::text(&alert.text, |control| format!("\\X{:02X}\\", u32::from(control)));
    let attribute = |code: &str, facet: u8, value: &str| format!("ST|{code}^MDC|1.1.0.1.{facet}|{value}||||||R");
    let mut all = vec![
        "|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X".to_owned(),
        format!("ST|{event}^MDC|1.1.0.1.1|{said}|||{}|||R|||{changed}", flags.join("~")),
    ];
    all.extend(value(alert));
    all.extend([
        attribute("68481^MDC_ATTR_EVENT_PHASE", 3, phase(alert)),
        attribute("68482^MDC_ATTR_ALARM_STATE", 4, state(alert)),
        attribute("68483^MDC_ATTR_ALARM_INACTIVATION_STATE", 5, inactivation(alert)),
        attribute("68484^MDC_ATTR_ALARM_PRIORITY", 6, priority),
        attribute("68485^MDC_ATTR_ALERT_TYPE", 7, kind_of_alarm),
    ]);
    all
}

/// The event's code, and the flag of OBX-8 for a value beyond a limit.
fn event(kind: Option<&AlarmKind>) -> (&'static str, Option<&'static str>) {
    use wardlight_core::alarms::Side;
    match kind {
        Some(AlarmKind::Limit(_, Side::Low) | AlarmKind::ExtremeRate(Side::Low) | AlarmKind::Desaturation) => {
            ("196674^MDC_EVT_LO_VAL_LT_LIM", Some("L"))
        }
        Some(AlarmKind::Limit(_, Side::High) | AlarmKind::ExtremeRate(Side::High)) => ("196648^MDC_EVT_HI_VAL_GT_LIM", Some("H")),
        _ => ("196616^MDC_EVT_ALARM", None),
    }
}

/// The value and the limit that it crossed: the reference range is what would have been within.
fn value(alert: &Alert) -> Option<String> {
    let (value, limit) = (alert.value?, alert.limit?);
    let numeric = numeric(alert.parameter.as_deref()?)?;
    let within = if value < limit { '>' } else { '<' };
    let (code, reference) = (numeric.code, numeric.reference);
    let unit = unit(numeric.unit);
    Some(format!(
        "NM|{code}^{reference}^MDC|1.1.0.1.2|{value}|{unit}|{within}{limit}||||R"
    ))
}

/// The most general code of a parameter: an alert does not say how the value was measured.
fn numeric(parameter: &str) -> Option<&'static Numeric> {
    let parameter = Parameter::ALL.into_iter().find(|known| known.name() == parameter)?;
    let preferred = match parameter {
        Parameter::NibpSys => 150_021,
        Parameter::NibpDia => 150_022,
        Parameter::NibpMap => 150_023,
        Parameter::AbpSys => 150_037,
        Parameter::AbpDia => 150_038,
        Parameter::AbpMap => 150_039,
        _ => NUMERICS.iter().find(|numeric| numeric.parameter == parameter)?.code,
    };
    wardlight_core::codes::numeric(preferred)
}

/// OBX-6: the MDC unit, or the UCUM one where its MDC code is not known from a public source.
fn unit(unit: Unit) -> String {
    match unit {
        Unit::Percent => "262688^MDC_DIM_PERCENT^MDC".to_owned(),
        Unit::MmHg => "266016^MDC_DIM_MMHG^MDC".to_owned(),
        Unit::BeatsPerMinute => "264864^MDC_DIM_BEAT_PER_MIN^MDC".to_owned(),
        Unit::BreathsPerMinute => "264928^MDC_DIM_RESP_PER_MIN^MDC".to_owned(),
        Unit::Celsius => "268192^MDC_DIM_DEGC^MDC".to_owned(),
        Unit::Millivolt | Unit::MgPerDl | Unit::Minutes | Unit::Dimensionless => format!("{0}^{0}^UCUM", unit.ucum()),
    }
}

fn phase(alert: &Alert) -> &'static str {
    match (alert.state.as_str(), alert.transition.as_str()) {
        ("cleared", _) => "end",
        (_, "raised") if alert.revision == 1 => "start",
        (_, "escalated") => "escalate",
        _ => "update",
    }
}

fn state(alert: &Alert) -> &'static str {
    match alert.state.as_str() {
        "cleared" => "inactive",
        "latched" => "latched",
        _ => "active",
    }
}

fn inactivation(alert: &Alert) -> &'static str {
    match (alert.state.as_str(), alert.transition.as_str()) {
        ("acknowledged", _) => "acknowledged",
        (_, "switched_off") => "alarm-off",
        _ => "enabled",
    }
}

fn at(millis: i64) -> String {
    // What lies before 1970 is 1970: no device of this site measured then.
    write(Timestamp::from_millis(millis.max(0)))
}

fn segment(text: &mut String, segment: &str) {
    text.push_str(segment);
    text.push('\r');
}

#[cfg(test)]
mod tests;
