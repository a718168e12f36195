//! A loaded waveform model: windows in, logits out.

#[cfg(feature = "gpu")]
use std::sync::Arc;
#[cfg(feature = "gpu")]
use std::time::Duration;

use crate::ModelError;
#[cfg(feature = "gpu")]
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
    #[cfg(feature = "gpu")]
    pub fn take_gpu_fault(&self) -> Option<ModelError> {
        self.network.take_gpu_fault()
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn try_gpu(
        &mut self,
        card: &Arc<Card>,
        golden: (&[&[f32]], usize),
        clock: &dyn Fn() -> Duration,
    ) -> Result<GpuTrial, ModelError> {
        self.network.try_gpu(card, golden, clock)
    }
}
