//! `[site]` and `[[unit]]`: names of places, and who is called there.

use std::collections::BTreeSet;

use wardlight_core::alarms::Roster;
use wardlight_core::ids::{BedId, SiteId, UnitId};

use super::reader::Section;

/// Names per step of a call.
const MAX_RECEIVERS: usize = 8;
/// Characters of a name.
const MAX_RECEIVER_NAME: usize = 64;

/// A nursing unit and its beds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// As in the topics' `{unit}`.
    pub(crate) name: UnitId,
    /// In the order in which the page shows them.
    pub(crate) beds: Vec<BedId>,
    /// Who is called for them.
    pub(crate) roster: Roster,
}

pub(super) fn read_site(mut section: Section<'_>) -> Option<SiteId> {
    let site = section.required("name", "\"st-mary\"", SiteId::new);
    section.finish();
    site
}

pub(super) fn read_units(root: &mut Section<'_>) -> Vec<Unit> {
    let sections = root.sections("unit");
    if sections.is_empty() {
        root.missing("unit", "is missing; at least one [[unit]] with a name and beds is needed");
    }
    let mut names = BTreeSet::new();
    let mut beds = BTreeSet::new();
    let units = sections.into_iter().map(|section| read_unit(section, &mut names, &mut beds));
    units.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn read_unit(mut section: Section<'_>, names: &mut BTreeSet<UnitId>, known_beds: &mut BTreeSet<BedId>) -> Option<Unit> {
    let name = section.required("name", "\"icu\"", UnitId::new);
    if let Some(name) = &name
        && !names.insert(name.clone())
    {
        section.fault("name", format_args!("{:?}", name.as_str()), "another unit has this name");
    }
    let beds = section.list("beds", BedId::new);
    if beds.is_empty() {
        section.missing("beds", "names no bed; for example beds = [\"B01\", \"B02\"]");
    }
    for bed in &beds {
        if !known_beds.insert(bed.clone()) {
            let problem = "this bed is named twice; a bed's name must be its own in the whole site";
            section.fault("beds", format_args!("{:?}", bed.as_str()), problem);
        }
    }
    let roster = read_roster(section.section("receivers"));
    section.finish();
    Some(Unit {
        name: name?,
        beds,
        roster,
    })
}

fn read_roster(mut section: Section<'_>) -> Roster {
    let mut step = |key| {
        let names = section.list(key, receiver_name);
        if names.len() > MAX_RECEIVERS {
            let problem = format!("must be at most {MAX_RECEIVERS} names: the page shows them with each call");
            section.fault(key, format_args!("{} names", names.len()), problem);
        }
        names
    };
    let roster = Roster {
        primary: step("primary"),
        second: step("second"),
        charge_nurse: step("charge_nurse"),
    };
    section.finish();
    roster
}

fn receiver_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_RECEIVER_NAME || name.chars().any(char::is_control) {
        return Err(format!("must be a name of 1 to {MAX_RECEIVER_NAME} characters"));
    }
    Ok(name.to_owned())
}
