//! A GPU beside the CPU: used for the batches at which it was faster, watched, and given up at its first fault.

use std::time::Duration;

use super::Gpu;
use crate::ModelError;

/// Batches that a trial times.
const BATCHES: [usize; 5] = [1, 16, 64, 256, 1024];
/// The best of so many counts, after one that only warms up.
const ROUNDS: usize = 3;

/// Something that computes a plan.
pub(crate) trait Executor {
    /// Runs `batch` rows; `inputs` hold the rows of each input one after the other.
    fn run(&mut self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError>;
}

impl Executor for Gpu {
    fn run(&mut self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
        self.run(inputs, batch)
    }
}

/// How a GPU did beside the CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuTrial {
    /// Name and driver.
    pub gpu: String,
    /// One for each batch that was timed.
    pub timings: Vec<GpuTiming>,
    /// The smallest batch from which on the GPU was always faster; it is used from here on. `None`: never.
    pub used_from: Option<usize>,
}

/// The best times for one batch, from windows in memory to logits in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuTiming {
    /// Rows.
    pub batch: usize,
    /// On the CPU, one thread.
    pub cpu: Duration,
    /// On the GPU.
    pub gpu: Duration,
}

/// A GPU in service.
#[derive(Debug)]
pub(crate) struct Companion<E> {
    executor: Option<E>,
    name: String,
    /// The smallest batch it is asked for.
    from: usize,
    /// Counts batches, so that each is checked at another row.
    turn: usize,
    /// Why it was given up, until somebody asks.
    fault: Option<ModelError>,
}

impl<E: Executor> Companion<E> {
    /// Compares `executor` with the CPU on `rows` rows of `inputs` bit for bit, and times both on them, repeated to fill a
    /// batch. `clock` tells a time that only grows. Returns the companion if there is a batch at which it is faster.
    pub(crate) fn trial(
        mut executor: E,
        name: &str,
        (inputs, rows): (&[&[f32]], usize),
        cpu: &mut impl FnMut(&[&[f32]], usize) -> Result<Vec<f32>, ModelError>,
        clock: &dyn Fn() -> Duration,
    ) -> Result<(Option<Self>, GpuTrial), ModelError> {
        let mut timings = Vec::new();
        for batch in BATCHES {
            let filled: Vec<Vec<f32>> = inputs
                .iter()
                .map(|values| {
                    let wanted = values.len() / rows.max(1) * batch;
                    values.iter().copied().cycle().take(wanted).collect()
                })
                .collect();
            let filled: Vec<&[f32]> = filled.iter().map(Vec::as_slice).collect();
            let (expected, cpu) = timed(clock, || cpu(&filled, batch))?;
            let (found, gpu) = timed(clock, || executor.run(&filled, batch))?;
            check(name, &found, &expected, batch)?;
            timings.push(GpuTiming { batch, cpu, gpu });
        }
        let wins = timings.iter().rev().take_while(|timing| timing.gpu < timing.cpu);
        let used_from = wins.last().map(|timing| timing.batch);
        let companion = used_from.map(|from| Self {
            executor: Some(executor),
            name: name.to_owned(),
            from,
            turn: 0,
            fault: None,
        });
        let trial = GpuTrial {
            gpu: name.to_owned(),
            timings,
            used_from,
        };
        Ok((companion, trial))
    }

    /// The result of the GPU, if it is asked for such a batch and gives one. One row of each batch, another each time, is
    /// computed by the CPU too; `None` sends the whole batch there.
    pub(crate) fn run(
        &mut self,
        inputs: &[&[f32]],
        batch: usize,
        cpu: &mut impl FnMut(&[&[f32]], usize) -> Result<Vec<f32>, ModelError>,
    ) -> Option<Vec<f32>> {
        if batch < self.from {
            return None;
        }
        let outcome = self.executor.as_mut()?.run(inputs, batch);
        let outcome = outcome.and_then(|found| self.checked(found, inputs, batch, cpu));
        match outcome {
            Ok(found) => Some(found),
            Err(fault) => {
                // Not dropped: a driver that hangs would hold up whoever waits for it to be idle.
                std::mem::forget(self.executor.take());
                self.fault = Some(fault);
                None
            }
        }
    }

    /// The GPU and the smallest batch it is asked for, while it is asked.
    pub(crate) fn in_service(&self) -> Option<(String, usize)> {
        self.executor.is_some().then(|| (self.name.clone(), self.from))
    }

    /// Why the GPU was given up, once.
    pub(crate) const fn take_fault(&mut self) -> Option<ModelError> {
        self.fault.take()
    }

    fn checked(
        &mut self,
        found: Vec<f32>,
        inputs: &[&[f32]],
        batch: usize,
        cpu: &mut impl FnMut(&[&[f32]], usize) -> Result<Vec<f32>, ModelError>,
    ) -> Result<Vec<f32>, ModelError> {
        let row = self.turn % batch;
        self.turn = self.turn.wrapping_add(1);
        let alone: Vec<&[f32]> = inputs.iter().filter_map(|values| part(values, row, batch)).collect();
        let expected = cpu(&alone, 1)?;
        match part(&found, row, batch) {
            Some(own) if same(own, &expected) && found.len() == expected.len() * batch => Ok(found),
            _ => Err(differs(&self.name, batch)),
        }
    }
}

/// One of `batch` equal parts.
fn part(values: &[f32], row: usize, batch: usize) -> Option<&[f32]> {
    let length = values.len() / batch;
    values.get(row * length..(row + 1) * length)
}

fn same(found: &[f32], expected: &[f32]) -> bool {
    let bits = |value: &f32| value.to_bits();
    found.iter().map(bits).eq(expected.iter().map(bits))
}

/// Whether a GPU gave the expected bits.
/// # Errors
/// [`ModelError::Gpu`] if it did not.
pub(crate) fn check(gpu: &str, found: &[f32], expected: &[f32], batch: usize) -> Result<(), ModelError> {
    if same(found, expected) {
        Ok(())
    } else {
        Err(differs(gpu, batch))
    }
}

fn differs(gpu: &str, batch: usize) -> ModelError {
    ModelError::Gpu {
        gpu: gpu.to_owned(),
        action: "compute as the CPU does",
        reason: format!("a row of a batch of {batch} differs"),
    }
}

/// The result and the best time.
fn timed(
    clock: &dyn Fn() -> Duration,
    mut run: impl FnMut() -> Result<Vec<f32>, ModelError>,
) -> Result<(Vec<f32>, Duration), ModelError> {
    let mut result = run()?;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = clock();
        result = run()?;
        best = best.min(clock().saturating_sub(start));
    }
    Ok((result, best))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::{Companion, Executor, ModelError, differs};

    /// Doubles each value, and takes its time.
    struct Fake<'a> {
        clock: &'a Cell<Duration>,
        /// For a batch, and for each row of it.
        takes: [u64; 2],
        /// The call that fails, and how.
        wrong: Option<(usize, Wrong)>,
        calls: usize,
    }

    #[derive(Clone, Copy)]
    enum Wrong {
        Fails,
        Lies,
        Short,
    }

    impl Executor for Fake<'_> {
        fn run(&mut self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
            self.calls += 1;
            pass(self.clock, self.takes, batch);
            let mut result = doubled(inputs);
            match self.wrong {
                Some((call, Wrong::Fails)) if self.calls > call => return Err(differs("fake", batch)),
                Some((call, Wrong::Lies)) if self.calls > call => result.iter_mut().for_each(|value| *value += 1.0),
                Some((call, Wrong::Short)) if self.calls > call => drop(result.pop()),
                _ => {}
            }
            Ok(result)
        }
    }

    fn pass(clock: &Cell<Duration>, [batch, row]: [u64; 2], rows: usize) {
        clock.set(clock.get() + Duration::from_micros(batch + row * rows as u64));
    }

    fn doubled(inputs: &[&[f32]]) -> Vec<f32> {
        inputs.concat().iter().map(|value| 2.0 * value).collect()
    }

    /// A trial of a GPU that takes `takes` beside a CPU of 10 µs a row.
    fn trial(
        clock: &Cell<Duration>,
        takes: [u64; 2],
        wrong: Option<(usize, Wrong)>,
    ) -> Result<(Option<Companion<Fake<'_>>>, super::GpuTrial), ModelError> {
        let fake = Fake {
            clock,
            takes,
            wrong,
            calls: 0,
        };
        let mut cpu = |inputs: &[&[f32]], batch: usize| {
            pass(clock, [0, 10], batch);
            Ok(doubled(inputs))
        };
        Companion::trial(fake, "fake", (&[&[1.0, 2.0, 3.0]], 3), &mut cpu, &|| clock.get())
    }

    #[test]
    fn a_gpu_is_used_from_the_batch_at_which_it_wins() {
        let clock = Cell::new(Duration::ZERO);
        for (takes, used_from) in [([500, 1], Some(64)), ([0, 1], Some(1)), ([0, 11], None), ([20_000, 0], None)] {
            let (companion, trial) = trial(&clock, takes, None).unwrap();
            assert_eq!(trial.used_from, used_from);
            assert_eq!(companion.is_some(), used_from.is_some());
        }
    }

    #[test]
    fn a_gpu_that_computes_otherwise_never_goes_into_service() {
        let clock = Cell::new(Duration::ZERO);
        for wrong in [Wrong::Fails, Wrong::Lies, Wrong::Short] {
            assert!(trial(&clock, [0, 1], Some((0, wrong))).is_err());
        }
    }

    #[test]
    fn a_fault_in_service_sends_the_batch_to_the_cpu_and_is_said_once() {
        let clock = Cell::new(Duration::ZERO);
        for wrong in [Wrong::Fails, Wrong::Lies, Wrong::Short] {
            // A trial makes 20 calls.
            let mut companion = trial(&clock, [0, 1], Some((22, wrong))).unwrap().0.unwrap();
            let inputs: &[&[f32]] = &[&[1.0, 2.0, 3.0, 4.0]];
            let mut cpu = |inputs: &[&[f32]], _: usize| Ok(doubled(inputs));
            for _ in 0..2 {
                assert_eq!(companion.run(inputs, 4, &mut cpu), Some(vec![2.0, 4.0, 6.0, 8.0]));
            }
            assert!(companion.in_service().is_some() && companion.take_fault().is_none());
            assert_eq!(companion.run(inputs, 4, &mut cpu), None);
            assert!(companion.in_service().is_none());
            let fault = companion.take_fault().unwrap().to_string();
            assert!(
                fault.contains("GPU fake") && fault.contains("the CPU is used instead"),
                "{fault}"
            );
            assert!(companion.take_fault().is_none());
            assert_eq!(companion.run(inputs, 4, &mut cpu), None);
        }
    }

    #[test]
    fn each_row_is_checked_in_its_turn() {
        let clock = Cell::new(Duration::ZERO);
        let mut companion = trial(&clock, [0, 1], None).unwrap().0.unwrap();
        let mut checked = Vec::new();
        for _ in 0..4 {
            let mut cpu = |inputs: &[&[f32]], _: usize| {
                checked.push(inputs[0][0]);
                Ok(doubled(inputs))
            };
            companion.run(&[&[1.0, 2.0, 3.0, 4.0]], 4, &mut cpu);
        }
        assert_eq!(checked, [1.0, 2.0, 3.0, 4.0]);
    }
}
