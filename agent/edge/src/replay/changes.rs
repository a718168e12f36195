//! What a replay does differently: limits, and alarms that are switched off.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use wardlight_core::alarms::{AlarmKind, Inactivation};
use wardlight_core::codes::Parameter;
use wardlight_core::event::{Command, Event, Order};
use wardlight_core::ids::BedId;
use wardlight_core::people::{Actor, Role};
use wardlight_core::vitals::Milli;
use wardlight_core::ward::Ward;
use wardlight_station::WhatIf;

/// One bound of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Bound {
    At(f64),
    Word(Off),
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Off {
    Off,
}

/// `[limits.spo2]`: what is absent stays as it is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitTable {
    low: Option<Bound>,
    high: Option<Bound>,
    delay_s: Option<u64>,
}

/// `--limits FILE`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    #[serde(default)]
    limits: BTreeMap<String, LimitTable>,
    #[serde(default)]
    bed: BTreeMap<String, BedTable>,
}

/// `[bed.B01.limits.spo2]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BedTable {
    limits: BTreeMap<String, LimitTable>,
}

/// `--rules FILE`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    alarms: BTreeMap<String, Setting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Setting {
    AudioOff,
    AlarmOff,
}

/// Limits of one parameter, at one bed or at all.
#[derive(Clone, Debug)]
struct Changed {
    bed: Option<BedId>,
    parameter: Parameter,
    limit: LimitTable,
}

/// See the [module](self).
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    limits: Vec<Changed>,
    alarms: Vec<(AlarmKind, Inactivation)>,
}

impl Changes {
    /// Nothing is different.
    pub(crate) const fn none() -> Self {
        Self {
            limits: Vec::new(),
            alarms: Vec::new(),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.alarms.is_empty()
    }

    /// From the files of the command line.
    /// # Errors
    /// With the file, the name in it and what was expected.
    pub(crate) fn load(limits: Option<&Path>, rules: Option<&Path>) -> anyhow::Result<Self> {
        let mut changes = Self::none();
        if let Some(path) = limits {
            changes
                .read_limits(&read(path)?)
                .with_context(|| path.display().to_string())?;
        }
        if let Some(path) = rules {
            changes.read_rules(&read(path)?).with_context(|| path.display().to_string())?;
        }
        Ok(changes)
    }

    /// From the page's question.
    pub(crate) fn of(question: &WhatIf) -> Self {
        let bound = |value: Option<Milli>| Some(value.map_or(Bound::Word(Off::Off), |v| Bound::At(v.to_f64())));
        let limit = LimitTable {
            low: bound(question.low),
            high: bound(question.high),
            delay_s: question.delay.map(|delay| delay.as_secs()),
        };
        Self {
            limits: vec![Changed {
                bed: question.bed.clone(),
                parameter: question.parameter,
                limit,
            }],
            alarms: Vec::new(),
        }
    }

    /// Whether an input is left out: a person had set the very limits that are different now.
    pub(crate) fn replaces(&self, event: &Event) -> bool {
        let Event::Order(Order {
            command: Command::SetLimits { bed, parameter, .. },
            ..
        }) = event
        else {
            return false;
        };
        self.limits
            .iter()
            .any(|changed| changed.parameter == *parameter && changed.bed.as_ref().is_none_or(|only| only == bed))
    }

    /// What is ordered when a patient takes the bed.
    pub(crate) fn orders(&self, bed: &BedId, ward: &Ward) -> Vec<Order> {
        if self.is_empty() {
            return Vec::new();
        }
        let Some(view) = ward.bed(bed) else { return Vec::new() };
        let here = self
            .limits
            .iter()
            .filter(|changed| changed.bed.as_ref().is_none_or(|only| only == bed));
        let limits = here.filter_map(|changed| {
            let now = view.limits.iter().find(|limit| limit.parameter == changed.parameter)?;
            Some(Command::SetLimits {
                bed: bed.clone(),
                parameter: changed.parameter,
                low: bound(changed.limit.low, now.low),
                high: bound(changed.limit.high, now.high),
                delay: changed.limit.delay_s.map(Duration::from_secs),
            })
        });
        let alarms = self.alarms.iter().map(|(kind, how)| Command::SetAlarm {
            bed: bed.clone(),
            kind: kind.clone(),
            how: Some(*how),
        });
        let by = Actor::new("replay", Role::ChargeNurse);
        let order = |command| Order { by: by.clone(), command };
        limits.chain(alarms).map(order).collect()
    }

    fn read_limits(&mut self, text: &str) -> anyhow::Result<()> {
        let file: LimitsFile = toml::from_str(text)?;
        for (name, limit) in file.limits {
            self.add(None, &name, limit)?;
        }
        for (bed, table) in file.bed {
            let bed = BedId::new(&bed).with_context(|| format!("bed.{bed}"))?;
            for (name, limit) in table.limits {
                self.add(Some(bed.clone()), &name, limit)?;
            }
        }
        Ok(())
    }

    fn read_rules(&mut self, text: &str) -> anyhow::Result<()> {
        let file: RulesFile = toml::from_str(text)?;
        for (name, setting) in file.alarms {
            let Some(kind) = AlarmKind::from_name(&name) else {
                bail!("alarms.{name}: no such kind of alarm; for example spo2_low, news2_medium");
            };
            if kind.is_red() {
                bail!("alarms.{name}: a red alarm cannot be switched off");
            }
            let how = match setting {
                Setting::AudioOff => Inactivation::AudioOff,
                Setting::AlarmOff => Inactivation::AlarmOff,
            };
            self.alarms.push((kind, how));
        }
        Ok(())
    }

    fn add(&mut self, bed: Option<BedId>, name: &str, limit: LimitTable) -> anyhow::Result<()> {
        let Some(parameter) = Parameter::ALL.into_iter().find(|p| p.name() == name) else {
            bail!("limits.{name}: no such parameter; for example hr, spo2, rr, nibp_sys");
        };
        self.limits.push(Changed { bed, parameter, limit });
        Ok(())
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))
}

fn bound(changed: Option<Bound>, now: Option<Milli>) -> Option<Milli> {
    match changed {
        None => now,
        Some(Bound::Word(Off::Off)) => None,
        Some(Bound::At(value)) => Some(Milli::new((value * 1000.0).round() as i32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_what_is_wrong_in_it() {
        for (text, said) in [
            ("[limits.xx]\nlow = 1", "limits.xx: no such parameter"),
            ("[limits.hr]\nlow = \"none\"", "low"),
            ("[limits.hr]\nlowest = 1", "lowest"),
            ("[bed.\"\".limits.hr]\nlow = 1", "bed."),
        ] {
            let error = Changes::none().read_limits(text).unwrap_err();
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
        for (text, said) in [
            ("[alarms]\nvf = \"alarm_off\"", "red"),
            ("[alarms]\nfoo = \"alarm_off\"", "no such kind"),
        ] {
            let error = Changes::none().read_rules(text).unwrap_err();
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }

    #[test]
    fn limits_of_one_bed_stand_beside_those_of_all() {
        let mut changes = Changes::none();
        changes
            .read_limits("[limits.spo2]\nlow = 88\n[bed.B02.limits.hr]\nhigh = \"off\"\ndelay_s = 5")
            .unwrap();
        assert_eq!(changes.limits.len(), 2);
        assert_eq!(changes.limits[1].limit.high, Some(Bound::Word(Off::Off)));
    }
}
