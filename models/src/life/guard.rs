//! When a live version is taken back by itself: it differs too much from its predecessor, raises too many alarms, answers too late, or
//! gets other inputs than it was made for.

use std::fmt;

use wardlight_core::drift::{DriftLevel, psi, psi_gate};

/// What is too much. All of it is a choice: *ratify*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Share of the decisions in which it may differ from its predecessor, …
    pub different_share: f64,
    /// … once so many were compared.
    pub least_compared: u64,
    /// Alarms that it may raise in an hour of one bed, …
    pub alarms_per_bed_hour: f64,
    /// … once it raised so many.
    pub least_alarms: u64,
    /// Share of its batches that may take longer than the deadline: 0.01 is a 99th percentile within it, …
    pub late_share: f64,
    /// … once there were so many.
    pub least_batches: u64,
    /// Values of an input that are needed before its distribution is judged, …
    pub least_values: u64,
    /// … from so many beds; its PSI must then be major (above 0.25), and above what so few patients explain.
    pub least_beds: u64,
}

impl Limits {
    /// Those of the agent.
    pub const AGENT: Self = Self {
        different_share: 0.05,
        least_compared: 500,
        alarms_per_bed_hour: 2.0,
        least_alarms: 5,
        late_share: 0.01,
        least_batches: 500,
        least_values: 500,
        least_beds: 4,
    };
}

/// What was counted of a live version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// Decisions that its predecessor made too.
    pub compared: u64,
    /// Those that differed.
    pub different: u64,
    /// Alarms that it raised.
    pub alarms: u64,
    /// Seconds of one bed for which it was asked.
    pub bed_seconds: u64,
    /// Batches.
    pub batches: u64,
    /// Those that took longer than the deadline.
    pub late: u64,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// Beds that gave them.
    pub beds: u64,
}

/// An input as it was in training, and as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Edges of the bins, one more than bins; the last bin is closed.
    pub edges: Vec<f64>,
    /// Counts of the training data, …
    pub reference: Vec<u64>,
    /// … and of how many patients they are.
    pub patients: u64,
    /// Counts here, of the same bins.
    pub current: Vec<u64>,
}

impl Input {
    /// Counts a value; one beyond the edges counts in the outermost bin.
    pub fn count(&mut self, value: f64) {
        let above = self.edges.iter().filter(|edge| **edge <= value).count();
        let bin = above.saturating_sub(1).min(self.current.len().saturating_sub(1));
        if let Some(count) = self.current.get_mut(bin) {
            *count += 1;
        }
    }
}

/// Why a version is taken back.
#[derive(Clone, Debug, PartialEq)]
pub enum Trip {
    /// It differs from its predecessor.
    Different {
        /// Share of the decisions.
        share: f64,
        /// Of so many.
        compared: u64,
    },
    /// It raises too many alarms.
    Alarms {
        /// In an hour of one bed.
        per_bed_hour: f64,
    },
    /// It answers too late.
    Late {
        /// Share of its batches.
        share: f64,
    },
    /// An input is not what it was in training.
    Drift {
        /// Which.
        input: String,
        /// Population stability index.
        psi: f64,
    },
}

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Different { share, compared } => {
                write!(
                    f,
                    "differs from its predecessor in {:.1} % of {compared} decisions",
                    100.0 * share
                )
            }
            Self::Alarms { per_bed_hour } => write!(f, "raises {per_bed_hour:.1} alarms in an hour of one bed"),
            Self::Late { share } => write!(f, "takes longer than the deadline for {:.1} % of its batches", 100.0 * share),
            Self::Drift { input, psi } => write!(f, "gets a {input} that is not that of its training: PSI {psi:.2}"),
        }
    }
}

impl Counted {
    /// The first of `limits` that is exceeded.
    pub fn trip(&self, limits: &Limits) -> Option<Trip> {
        let share = |part: u64, of: u64| part as f64 / of.max(1) as f64;
        let different = share(self.different, self.compared);
        if self.compared >= limits.least_compared && different > limits.different_share {
            let compared = self.compared;
            return Some(Trip::Different {
                share: different,
                compared,
            });
        }
        let per_bed_hour = 3600.0 * share(self.alarms, self.bed_seconds);
        if self.alarms >= limits.least_alarms && per_bed_hour > limits.alarms_per_bed_hour {
            return Some(Trip::Alarms { per_bed_hour });
        }
        let late = share(self.late, self.batches);
        if self.batches >= limits.least_batches && late > limits.late_share {
            return Some(Trip::Late { share: late });
        }
        self.inputs.iter().find_map(|input| input.drift(self.beds, limits))
    }
}

impl Input {
    /// The values of one patient are much alike, so what chance explains depends on the patients and the beds, not on the values.
    fn drift(&self, beds: u64, limits: &Limits) -> Option<Trip> {
        let total = |counts: &[u64]| counts.iter().sum::<u64>();
        let enough = total(&self.current) >= limits.least_values && beds >= limits.least_beds;
        let psi = psi(&self.reference, &self.current).filter(|_| enough)?;
        let used = self
            .reference
            .iter()
            .zip(&self.current)
            .filter(|(a, b)| **a + **b > 0)
            .count();
        let gate = psi_gate(used, self.patients, beds);
        (DriftLevel::of(psi, gate) == DriftLevel::Major).then(|| Trip::Drift {
            input: self.name.clone(),
            psi,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits::AGENT;

    /// At each limit nothing happens, one step beyond it does.
    #[test]
    fn each_limit_trips_beyond_it_and_not_at_it() {
        let counted = Counted::default;
        let at = [
            Counted {
                compared: 1000,
                different: 50,
                ..counted()
            },
            Counted {
                compared: 499,
                different: 499,
                ..counted()
            },
            Counted {
                alarms: 6,
                bed_seconds: 3 * 3600,
                ..counted()
            },
            Counted {
                alarms: 4,
                bed_seconds: 1,
                ..counted()
            },
            Counted {
                batches: 1000,
                late: 10,
                ..counted()
            },
            Counted {
                batches: 499,
                late: 499,
                ..counted()
            },
            counted(),
        ];
        for counted in at {
            assert_eq!(counted.trip(&LIMITS), None, "{counted:?}");
        }
        let beyond = [
            (
                Counted {
                    compared: 1000,
                    different: 51,
                    ..counted()
                },
                "differs from its predecessor in 5.1 % of 1000 decisions",
            ),
            (
                Counted {
                    alarms: 7,
                    bed_seconds: 3 * 3600,
                    ..counted()
                },
                "raises 2.3 alarms in an hour of one bed",
            ),
            (
                Counted {
                    batches: 1000,
                    late: 11,
                    ..counted()
                },
                "takes longer than the deadline for 1.1 % of its batches",
            ),
        ];
        for (counted, said) in beyond {
            assert_eq!(counted.trip(&LIMITS).unwrap().to_string(), said);
        }
    }

    fn heart_rate(values: impl Iterator<Item = f64>) -> Counted {
        let mut input = Input {
            name: "heart_rate".to_owned(),
            edges: vec![0.0, 60.0, 80.0, 100.0, 300.0],
            reference: vec![2000, 4000, 3000, 1000],
            patients: 10_000,
            current: vec![0; 4],
        };
        values.for_each(|value| input.count(value));
        Counted {
            inputs: vec![input],
            beds: 50,
            ..Counted::default()
        }
    }

    #[test]
    fn inputs_that_moved_trip_and_those_that_did_not_or_are_few_do_not() {
        // As in training: two, four, three and one of ten.
        let same = |n: usize| (0..n).map(|i| [50.0, 50.0, 70.0, 70.0, 70.0, 70.0, 90.0, 90.0, 90.0, 120.0][i % 10]);
        assert_eq!(heart_rate(same(5000)).trip(&LIMITS), None);
        let fast = |n: usize| (0..n).map(|i| if i % 2 == 0 { 90.0 } else { 120.0 });
        assert_eq!(heart_rate(fast(499)).trip(&LIMITS), None, "too few");
        let said = heart_rate(fast(500)).trip(&LIMITS).unwrap().to_string();
        assert!(
            said.starts_with("gets a heart_rate that is not that of its training: PSI "),
            "{said}"
        );
    }

    #[test]
    fn values_of_few_beds_say_little_of_a_ward() {
        let trips = |some: &[f64], beds: u64| {
            let values = some.iter().copied().cycle().take(5000);
            let counted = Counted {
                beds,
                ..heart_rate(values)
            };
            counted.trip(&LIMITS).is_some()
        };
        // Four beds explain 2.0, twelve 0.7, fifty less than 0.25. This has 5.6 …
        let far = [90.0, 120.0];
        assert_eq!([1, 3, 4, 50].map(|beds| trips(&far, beds)), [false, false, true, true]);
        // … and this 0.6.
        let nearer = [50.0, 70.0, 70.0, 90.0, 90.0, 90.0, 120.0, 120.0, 120.0, 120.0];
        assert_eq!([4, 12, 50].map(|beds| trips(&nearer, beds)), [false, false, true]);
    }

    #[test]
    fn a_value_beyond_the_edges_counts_in_the_outermost_bin() {
        let counted = heart_rate([-5.0, 59.9, 60.0, 300.0, 999.0].into_iter());
        assert_eq!(counted.inputs[0].current, [2, 1, 0, 2]);
    }
}
