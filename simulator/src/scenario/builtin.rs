//! The scripts that come with the simulator.

use super::{Scenario, parse};
use crate::SimulatorError;

/// Names and texts.
pub const BUILTIN: [(&str, &str); 15] = [
    ("demo", include_str!("../../scenarios/demo.toml")),
    ("quiet", include_str!("../../scenarios/quiet.toml")),
    ("vf_arrest", include_str!("../../scenarios/vf_arrest.toml")),
    ("asystole", include_str!("../../scenarios/asystole.toml")),
    ("vt", include_str!("../../scenarios/vt.toml")),
    ("extreme_rates", include_str!("../../scenarios/extreme_rates.toml")),
    ("hypoxia", include_str!("../../scenarios/hypoxia.toml")),
    ("apnoea", include_str!("../../scenarios/apnoea.toml")),
    ("sepsis", include_str!("../../scenarios/sepsis.toml")),
    ("lead_off", include_str!("../../scenarios/lead_off.toml")),
    ("motion", include_str!("../../scenarios/motion.toml")),
    ("restart", include_str!("../../scenarios/restart.toml")),
    ("disorder", include_str!("../../scenarios/disorder.toml")),
    ("clock_skew", include_str!("../../scenarios/clock_skew.toml")),
    ("link_loss", include_str!("../../scenarios/link_loss.toml")),
];

/// A built-in script by name.
/// # Errors
/// [`SimulatorError::Scenario`] with the names there are.
pub fn builtin(name: &str) -> Result<Scenario, SimulatorError> {
    let Some((name, text)) = BUILTIN.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = BUILTIN.iter().map(|(known, _)| *known).collect();
        return Err(SimulatorError::Scenario {
            scenario: name.to_owned(),
            what: format!("not known: expected one of {}", names.join(", ")),
        });
    };
    parse(name, text)
}
