//! Finding a GPU, and hearing of its faults.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use wgpu::{
    Adapter, Backends, Device, DeviceDescriptor, DeviceType, ExperimentalFeatures, Features, Instance, InstanceDescriptor,
    MemoryHints, Queue, Trace,
};

use crate::ModelError;

/// An opened GPU, for all models of the ward.
#[derive(Debug)]
pub struct Card {
    pub(crate) name: String,
    software: bool,
    pub(super) device: Device,
    pub(super) queue: Queue,
    /// The first fault of the device that no call returned: an error inside the driver, or the loss of the device.
    fault: Arc<OnceLock<String>>,
}

impl Card {
    /// Opens the best GPU of this machine: a card before one within the processor, and software last.
    ///
    /// # Errors
    /// [`ModelError::Gpu`] if there is none, or it cannot be opened.
    pub fn best() -> Result<Self, ModelError> {
        let nowhere = |reason: String| failed("Vulkan", "find a GPU", reason);
        let mut description = InstanceDescriptor::new_without_display_handle();
        description.backends = Backends::VULKAN;
        let adapters = at_once(Instance::new(description).enumerate_adapters(Backends::VULKAN));
        let adapters = adapters.ok_or_else(|| nowhere("the driver did not answer".to_owned()))?;
        let adapter = adapters
            .into_iter()
            .min_by_key(|adapter| rank(adapter.get_info().device_type));
        Self::open(&adapter.ok_or_else(|| nowhere("there is no adapter".to_owned()))?)
    }

    /// Name and driver, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is no card but a driver that computes on the processor: for tests, never faster.
    pub const fn is_software(&self) -> bool {
        self.software
    }

    fn open(adapter: &Adapter) -> Result<Self, ModelError> {
        let info = adapter.get_info();
        let name = format!("{} ({} {})", info.name, info.driver, info.driver_info);
        let requested = at_once(adapter.request_device(&DeviceDescriptor {
            label: Some("wardlight"),
            required_features: Features::empty(),
            required_limits: adapter.limits(),
            experimental_features: ExperimentalFeatures::disabled(),
            memory_hints: MemoryHints::Performance,
            trace: Trace::Off,
        }));
        let (device, queue) = match requested {
            Some(Ok(opened)) => opened,
            Some(Err(cause)) => return Err(failed(&name, "open the device", cause.to_string())),
            None => return Err(failed(&name, "open the device", "the driver did not answer".to_owned())),
        };
        let fault = Arc::new(OnceLock::new());
        let (errors, loss) = (Arc::clone(&fault), Arc::clone(&fault));
        // Only the first counts: what follows is its consequence.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| drop(errors.set(error.to_string()))));
        device.set_device_lost_callback(move |reason, text| drop(loss.set(format!("lost: {reason:?} {text}"))));
        Ok(Self {
            name,
            software: info.device_type == DeviceType::Cpu,
            device,
            queue,
            fault,
        })
    }

    /// An error if the device has had a fault.
    pub(super) fn check(&self, action: &'static str) -> Result<(), ModelError> {
        match self.fault.get() {
            Some(fault) => Err(self.failed(action, fault.clone())),
            None => Ok(()),
        }
    }

    pub(super) fn failed(&self, action: &'static str, reason: String) -> ModelError {
        failed(&self.name, action, reason)
    }
}

fn failed(gpu: &str, action: &'static str, reason: String) -> ModelError {
    ModelError::Gpu {
        gpu: gpu.to_owned(),
        action,
        reason,
    }
}

const fn rank(kind: DeviceType) -> u8 {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// On Vulkan these futures are ready at once; there is nothing to wait with here.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
