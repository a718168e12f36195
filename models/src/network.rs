//! A checked graph with the engine that runs it.

use std::fmt;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tract_onnx::pb::ModelProto;

use crate::ModelError;
use crate::gpu::{self, Card, Companion, Gpu, GpuTrial};
use crate::graph::{self, Graph};
use crate::manifest::Manifest;
use crate::package::Precision;
use crate::plan::cpu::{Cpu, Isa};
use crate::plan::{Plan, lower, reference};
use crate::tract::Tract;

/// What runs a graph on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The integer plan.
    Plan(Backend),
    /// tract: any graph that is accepted, float too.
    Tract,
}

/// What runs the integer plan. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Plain Rust, slow: for processors without any of the instruction sets, and to compare with.
    Reference,
    /// Vector instructions of the CPU.
    Cpu(Isa),
}

impl Backend {
    /// What this machine has, the fastest first.
    pub fn available() -> Vec<Self> {
        let cpu = Isa::available().into_iter().map(Self::Cpu);
        cpu.chain([Self::Reference]).collect()
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(Backend::Reference) => f.write_str("plan (reference)"),
            Self::Plan(Backend::Cpu(isa)) => write!(f, "plan ({isa})"),
            Self::Tract => f.write_str("tract"),
        }
    }
}

/// A card that has not answered by then is lost: a batch takes milliseconds, and the processor answers within the Ward's tick of 250.
const PATIENCE: Duration = Duration::from_millis(200);
/// A driver that computes on the processor shares it with all else.
const PATIENCE_WITH_SOFTWARE: Duration = Duration::from_secs(10);

/// A graph with one or two f32 inputs `[batch, …]` and one f32 output `[batch, classes]`.
#[derive(Debug)]
pub(crate) struct Network {
    model: &'static str,
    /// Values in a row of each input.
    lengths: Vec<usize>,
    classes: usize,
    runner: Runner,
    /// A GPU that won its trial.
    companion: Option<Mutex<Companion<Gpu>>>,
}

/// An engine with what it needs.
#[derive(Debug)]
enum Runner {
    Reference(Box<Plan>),
    /// Locked for a run: its buffers are used again by the next.
    Cpu(Box<Mutex<Cpu>>, Isa),
    Tract(Tract),
}

impl Network {
    /// Loads a graph on `engine`, or on the fastest that can run it: the plan, or tract for a graph that the plan does not
    /// know.
    pub(crate) fn load(
        manifest: &Manifest,
        precision: Precision,
        content: &[u8],
        engine: Option<Engine>,
    ) -> Result<Self, ModelError> {
        let model = precision.file();
        let (proto, graph) = graph::read(model, content, manifest)?;
        let length = |value: &graph::Value| value.row.iter().product();
        Ok(Self {
            model,
            lengths: graph.values.iter().take(graph.inputs).map(length).collect(),
            classes: graph.values.get(graph.output).map_or(0, length),
            runner: Runner::load(model, &proto, &graph, engine)?,
            companion: None,
        })
    }

    /// What runs the graph.
    pub(crate) const fn engine(&self) -> Engine {
        match &self.runner {
            Runner::Reference(_) => Engine::Plan(Backend::Reference),
            Runner::Cpu(_, isa) => Engine::Plan(Backend::Cpu(*isa)),
            Runner::Tract(_) => Engine::Tract,
        }
    }

    /// Values in a row of each input, in the graph's order.
    pub(crate) fn input_lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Values in a row of the output.
    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    /// Runs `batch` rows in one go. `inputs` hold the rows of each input one after the other, finite values; returns
    /// `[batch, classes]`, finite too.
    pub(crate) fn run(&self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
        if !inputs
            .iter()
            .map(|rows| rows.len())
            .eq(self.lengths.iter().map(|length| length * batch))
        {
            let found: Vec<usize> = inputs.iter().map(|rows| rows.len()).collect();
            return Err(self.failed(format!("{found:?} values for {batch} rows of {:?} values", self.lengths)));
        }
        if batch == 0 {
            return Ok(Vec::new());
        }
        if let Some(position) = inputs
            .iter()
            .find_map(|rows| rows.iter().position(|value| !value.is_finite()))
        {
            return Err(self.failed(format!("value {position} of an input is not finite")));
        }
        if let Some(values) = self.on_gpu(inputs, batch) {
            return Ok(values);
        }
        let values = self.runner.run(self.model, inputs, batch)?;
        if values.len() != batch * self.classes || values.iter().any(|value| !value.is_finite()) {
            return Err(self.failed(format!(
                "{} values for {batch} rows, or a value that is not finite",
                values.len()
            )));
        }
        Ok(values)
    }

    /// Tries `card` beside the CPU on `rows` rows of `inputs`: bit for bit, then timed by `clock`, which only grows. From the
    /// batch on at which it wins it computes; the CPU does again from its first fault on.
    pub(crate) fn try_gpu(
        &mut self,
        card: &Arc<Card>,
        golden: (&[&[f32]], usize),
        clock: &dyn Fn() -> Duration,
    ) -> Result<GpuTrial, ModelError> {
        let gpu = self.on(card)?;
        let mut cpu = |inputs: &[&[f32]], batch: usize| self.runner.run(self.model, inputs, batch);
        let (companion, trial) = Companion::trial(gpu, &card.name, golden, &mut cpu, clock)?;
        self.companion = companion.map(Mutex::new);
        Ok(trial)
    }

    /// Compares `card` with the CPU on `golden` rows, bit for bit.
    pub(crate) fn exact_on(&self, card: &Arc<Card>, (inputs, rows): (&[&[f32]], usize)) -> Result<(), ModelError> {
        let found = self.on(card)?.run(inputs, rows)?;
        let expected = self.runner.run(self.model, inputs, rows)?;
        gpu::check(&card.name, &found, &expected, rows)
    }

    fn on(&self, card: &Arc<Card>) -> Result<Gpu, ModelError> {
        let Runner::Cpu(cpu, _) = &self.runner else {
            return Err(self.failed("only the integer plan on this processor's instructions has a place for a GPU".to_owned()));
        };
        let plan = cpu.lock().unwrap_or_else(PoisonError::into_inner).plan().clone();
        let patience = if card.is_software() {
            PATIENCE_WITH_SOFTWARE
        } else {
            PATIENCE
        };
        Gpu::new(card, &plan, patience)
    }

    /// What runs the graph, for people: with a GPU in service, that too.
    pub(crate) fn runs_on(&self) -> String {
        let companion = self.companion.as_ref();
        let gpu = companion.and_then(|c| c.lock().unwrap_or_else(PoisonError::into_inner).in_service());
        let beside = gpu.map(|(name, from)| format!(", from {from} rows on {name}"));
        format!("{}{}", self.engine(), beside.unwrap_or_default())
    }

    /// Why the GPU was given up, once. The results were the CPU's from that batch on.
    pub(crate) fn take_gpu_fault(&self) -> Option<ModelError> {
        let companion = self.companion.as_ref()?;
        companion.lock().unwrap_or_else(PoisonError::into_inner).take_fault()
    }

    fn on_gpu(&self, inputs: &[&[f32]], batch: usize) -> Option<Vec<f32>> {
        let mut companion = self.companion.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cpu = |inputs: &[&[f32]], batch: usize| self.runner.run(self.model, inputs, batch);
        companion.run(inputs, batch, &mut cpu)
    }

    fn failed(&self, reason: String) -> ModelError {
        failed(self.model, "run", reason)
    }
}

impl Runner {
    fn load(model: &'static str, proto: &ModelProto, graph: &Graph, engine: Option<Engine>) -> Result<Self, ModelError> {
        let unknown = || failed(model, "plan the graph", "it has steps that the plan does not know".to_owned());
        match (engine, lower(graph)) {
            (Some(Engine::Tract), _) | (None, None) => Ok(Self::Tract(Tract::load(model, proto, graph)?)),
            (Some(Engine::Plan(backend)), plan) => Self::plan(model, plan.ok_or_else(unknown)?, backend),
            (None, Some(plan)) => {
                let fastest = Backend::available().first().copied().unwrap_or(Backend::Reference);
                Self::plan(model, plan, fastest)
            }
        }
    }

    fn plan(model: &'static str, plan: Plan, backend: Backend) -> Result<Self, ModelError> {
        match backend {
            Backend::Reference => Ok(Self::Reference(Box::new(plan))),
            Backend::Cpu(isa) => {
                let cpu = Cpu::new(&plan, isa);
                let cpu = cpu.ok_or_else(|| failed(model, "plan the graph", "its rows do not fit together".to_owned()))?;
                Ok(Self::Cpu(Box::new(Mutex::new(cpu)), isa))
            }
        }
    }

    fn run(&self, model: &'static str, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
        match self {
            Self::Reference(plan) => Ok(reference::run(plan, inputs, batch)),
            Self::Cpu(cpu, _) => {
                // Buffers that a panic left half written are written before they are read again.
                let mut cpu = cpu.lock().unwrap_or_else(PoisonError::into_inner);
                let results = cpu.run(inputs, batch);
                results.ok_or_else(|| failed(model, "run", "the rows of the plan do not fit together".to_owned()))
            }
            Self::Tract(tract) => tract.run(inputs, batch),
        }
    }
}

fn failed(model: &str, action: &'static str, reason: String) -> ModelError {
    ModelError::Engine {
        model: model.to_owned(),
        action,
        reason,
    }
}
