//! A loaded waveform model: windows in, logits out.

use std::sync::Arc;
use std::time::Duration;

use crate::ModelError;
use crate::gpu::{Card, GpuTrial};
use crate::manifest::WaveformManifest;
use crate::network::{Engine, Network};

/// A waveform model that reproduced its golden vectors on this machine.
#[derive(Debug)]
pub struct WaveformModel {
    manifest: WaveformManifest,
    network: Network,
}

impl WaveformModel {
    pub(crate) const fn new(manifest: WaveformManifest, network: Network) -> Self {
        Self { manifest, network }
    }

    /// What the package says about the model.
    pub const fn manifest(&self) -> &WaveformManifest {
        &self.manifest
    }

    /// What runs the graph on this machine.
    pub fn engine(&self) -> Engine {
        self.network.engine()
    }

    /// What runs the graph, for people: with a GPU in service, that too.
    pub fn runs_on(&self) -> String {
        self.network.runs_on()
    }

    /// Scores `batch` windows in one go. `inputs` hold, for each input of the manifest, its rows one after the other, each
    /// row channel after channel, finite values. Returns `[batch, classes]`; a row's logits do not depend on the others.
    ///
    /// # Errors
    /// [`ModelError::Engine`] for inputs of other lengths, for a value that is not finite, or if the engine fails; then no
    /// window of the batch has a result.
    pub fn logits(&self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
        self.network.run(inputs, batch)
    }

    /// Why the GPU was given up, once. The results of that batch, and of all later ones, are the CPU's.
    pub fn take_gpu_fault(&self) -> Option<ModelError> {
        self.network.take_gpu_fault()
    }

    pub(crate) fn exact_on(&self, card: &Arc<Card>, golden: (&[&[f32]], usize)) -> Result<(), ModelError> {
        self.network.exact_on(card, golden)
    }

    pub(crate) fn try_gpu(
        &mut self,
        card: &Arc<Card>,
        golden: (&[&[f32]], usize),
        clock: &dyn Fn() -> Duration,
    ) -> Result<GpuTrial, ModelError> {
        self.network.try_gpu(card, golden, clock)
    }
}
