//! A program on a GPU.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry,
    BindingType, Buffer, BufferAsyncError, BufferBindingType, BufferDescriptor, BufferUsages, CommandEncoderDescriptor,
    ComputePassDescriptor, ComputePipeline, ComputePipelineDescriptor, Device, MapMode, PipelineCompilationOptions,
    PipelineLayoutDescriptor, PollType, ShaderStages, SubmissionIndex, include_wgsl,
};

use super::device::Card;
use super::program::{Program, Upload, program, stored};
use crate::ModelError;
use crate::plan::{Output, Plan};

/// Rows that are computed in one go; a larger batch is cut, so that its parts are sent and computed at the same time.
const PART: usize = 512;
/// As in `kernels.wgsl`.
const WORKGROUP: usize = 64;
/// The most workgroups that every Vulkan device takes in one direction.
const MOST_WORKGROUPS: usize = 65_535;
/// Bytes the arena may have on any device: what WebGPU promises for one binding.
const MOST_ARENA: usize = 128 << 20;

/// A plan that lives on a GPU.
#[derive(Debug)]
pub(crate) struct Gpu {
    card: Arc<Card>,
    program: Program,
    output: Output,
    /// Values in a row of the result.
    classes: usize,
    /// Rows that are computed in one go.
    part: usize,
    pipelines: Vec<ComputePipeline>,
    /// Two, so that one part is sent while the other is computed.
    lanes: [Lane; 2],
    patience: Duration,
}

/// What belongs to one part of a batch on its way.
#[derive(Debug)]
struct Lane {
    rows: Buffer,
    upload: Buffer,
    download: Buffer,
    fetched: Buffer,
    group: BindGroup,
    bytes: Vec<u8>,
}

/// A part that has been sent.
struct Flight {
    lane: usize,
    rows: usize,
    submission: SubmissionIndex,
    mapped: Receiver<Result<(), BufferAsyncError>>,
}

impl Gpu {
    /// Brings `plan` onto a GPU. An answer that takes longer than `patience` is a fault.
    ///
    /// # Errors
    /// [`ModelError::Gpu`] if it cannot do the plan exactly, or if it fails.
    pub(crate) fn new(card: &Arc<Card>, plan: &Plan, patience: Duration) -> Result<Self, ModelError> {
        let program = program(plan).map_err(|reason| card.failed("take the plan", reason))?;
        let part = part(&program).ok_or_else(|| card.failed("take the plan", "a row is too large".to_owned()))?;
        let device = &card.device;
        let layout = layout(device);
        let pipelines = pipelines(device, &layout, &program);
        let storage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let arena = buffer(device, "arena", part * program.arena, BufferUsages::STORAGE);
        let resident = buffer(device, "resident", program.constants.len().max(1) * 4, storage);
        let constants: Vec<u8> = program
            .constants
            .iter()
            .flatten()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        card.queue.write_buffer(&resident, 0, &constants);
        let lane = || {
            let rows = buffer(device, "rows", 4, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
            let upload = buffer(device, "upload", part * program.upload, storage);
            let (result, words) = (BufferUsages::STORAGE | BufferUsages::COPY_SRC, part * program.download);
            let download = buffer(device, "download", words, result);
            let bound = [&arena, &resident, &upload, &download, &rows];
            Lane {
                group: group(device, &layout, &bound),
                fetched: buffer(device, "fetched", words, BufferUsages::MAP_READ | BufferUsages::COPY_DST),
                rows,
                upload,
                download,
                bytes: Vec::new(),
            }
        };
        let lanes = [lane(), lane()];
        card.check("prepare the plan")?;
        Ok(Self {
            classes: plan.classes(),
            output: plan.output.clone(),
            card: Arc::clone(card),
            program,
            part,
            pipelines,
            lanes,
            patience,
        })
    }

    /// Runs `batch` rows. `inputs` hold the rows of each input one after the other, channel after channel; returns what
    /// the reference returns.
    ///
    /// # Errors
    /// [`ModelError::Gpu`]; the GPU is not to be asked again then.
    pub(crate) fn run(&mut self, inputs: &[&[f32]], batch: usize) -> Result<Vec<f32>, ModelError> {
        let mut result = Vec::with_capacity(batch * self.classes);
        let mut flying: Option<Flight> = None;
        for (index, first) in (0..batch).step_by(self.part).enumerate() {
            let rows = self.part.min(batch - first);
            let launched = self.launch(index % 2, inputs, first, rows)?;
            if let Some(flight) = flying.replace(launched) {
                self.land(&flight, &mut result)?;
            }
        }
        if let Some(flight) = flying {
            self.land(&flight, &mut result)?;
        }
        Ok(result)
    }

    /// Sends `rows` rows from row `first` on and has them computed.
    fn launch(&mut self, lane: usize, inputs: &[&[f32]], first: usize, rows: usize) -> Result<Flight, ModelError> {
        let missing = || self.card.failed("send a batch", "there is no buffer".to_owned());
        let Some(Lane {
            rows: count,
            upload,
            download,
            fetched,
            group,
            bytes,
        }) = self.lanes.get_mut(lane)
        else {
            return Err(missing());
        };
        self.program.quantize(inputs, first, rows, bytes);
        let queue = &self.card.queue;
        queue.write_buffer(upload, 0, bytes);
        queue.write_buffer(count, 0, &[rows as u32, 0, 0, 0].map(u32::to_le_bytes).concat());
        let mut encoder = self.card.device.create_command_encoder(&CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
            pass.set_bind_group(0, &*group, &[]);
            for (pipeline, dispatch) in self.pipelines.iter().zip(&self.program.dispatches) {
                pass.set_pipeline(pipeline);
                pass.dispatch_workgroups((rows * dispatch.items).div_ceil(WORKGROUP) as u32, 1, 1);
            }
        }
        encoder.copy_buffer_to_buffer(download, 0, fetched, 0, bytes_of(rows * self.program.download));
        let submission = queue.submit([encoder.finish()]);
        let (tell, mapped) = sync_channel(1);
        // Nobody listens any more if the batch was given up.
        fetched.map_async(MapMode::Read, .., move |outcome| drop(tell.send(outcome)));
        Ok(Flight {
            lane,
            rows,
            submission,
            mapped,
        })
    }

    /// Waits for a part and appends its result.
    fn land(&self, flight: &Flight, result: &mut Vec<f32>) -> Result<(), ModelError> {
        const ACTION: &str = "compute a batch";
        let failed = |reason: String| self.card.failed(ACTION, reason);
        let waited = self.card.device.poll(PollType::Wait {
            submission_index: Some(flight.submission.clone()),
            timeout: Some(self.patience),
        });
        self.card.check(ACTION)?;
        waited.map_err(|cause| failed(cause.to_string()))?;
        let mapped = flight.mapped.try_recv().map_err(|cause| failed(cause.to_string()))?;
        mapped.map_err(|cause| failed(cause.to_string()))?;
        let lane = self
            .lanes
            .get(flight.lane)
            .ok_or_else(|| failed("there is no buffer".to_owned()))?;
        {
            let view = lane.fetched.get_mapped_range(..).map_err(|cause| failed(cause.to_string()))?;
            for row in view.chunks(self.program.download * 4).take(flight.rows) {
                let levels = row.iter().take(self.classes).zip(self.output.bias.iter().cycle());
                result.extend(levels.map(|(level, bias)| self.output.scale.real(stored(*level)) + bias));
            }
        }
        lane.fetched.unmap();
        Ok(())
    }
}

impl Program {
    /// Fills `bytes` with the levels of `rows` rows of the inputs, from row `first` on, as the kernel `take` reads them.
    fn quantize(&self, inputs: &[&[f32]], first: usize, rows: usize, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.resize(rows * self.upload * 4, 0);
        for (row, sent) in bytes.chunks_mut(self.upload * 4).enumerate() {
            let mut rest = sent;
            for upload in &self.uploads {
                let size = upload.shape.size();
                let samples = inputs.get(upload.input).copied().unwrap_or_default();
                let samples = samples.get((first + row) * size..).unwrap_or_default();
                let (levels, behind) = rest.split_at_mut(size.min(rest.len()));
                upload.quantize(samples, levels);
                rest = behind;
            }
        }
    }
}

impl Upload {
    /// `samples` channel after channel to stored levels position after position.
    fn quantize(&self, samples: &[f32], levels: &mut [u8]) {
        /// Beside this, f32 has no room for fractions: adding it rounds to whole numbers, ties to even.
        const WHOLE: f32 = (3_u32 << 22) as f32;
        let zero = self.scale.zero;
        let (low, high) = (-f32::from(zero), 255.0 - f32::from(zero));
        let factor = 1.0 / self.scale.step;
        for (channel, samples) in samples.chunks(self.shape.length).take(self.shape.channels).enumerate() {
            let places = levels.iter_mut().skip(channel).step_by(self.shape.channels);
            for (place, real) in places.zip(samples) {
                let whole = (real * factor).clamp(low, high) + WHOLE;
                *place = stored((whole.to_bits() as u8).wrapping_add(zero));
            }
        }
    }
}

/// How many rows fit into one go; `None` if not even one does.
fn part(program: &Program) -> Option<usize> {
    let items = program.dispatches.iter().map(|dispatch| dispatch.items).max().unwrap_or(1);
    let most = (MOST_WORKGROUPS * WORKGROUP / items.max(1)).min(MOST_ARENA / (4 * program.arena.max(1)));
    Some(most.min(PART)).filter(|rows| *rows > 0)
}

const fn bytes_of(words: usize) -> u64 {
    4 * words as u64
}

fn buffer(device: &Device, label: &str, words: usize, usage: BufferUsages) -> Buffer {
    device.create_buffer(&BufferDescriptor {
        label: Some(label),
        // Nothing of 16 bytes or less, which the uniform and the vectors of the kernels need.
        size: bytes_of(words).max(16),
        usage,
        mapped_at_creation: false,
    })
}

fn layout(device: &Device) -> BindGroupLayout {
    let storage = |read_only| BufferBindingType::Storage { read_only };
    let kinds = [
        storage(false),
        storage(true),
        storage(true),
        storage(false),
        BufferBindingType::Uniform,
    ];
    let entries: Vec<BindGroupLayoutEntry> = (0..)
        .zip(kinds)
        .map(|(binding, ty)| BindGroupLayoutEntry {
            binding,
            visibility: ShaderStages::COMPUTE,
            ty: BindingType::Buffer {
                ty,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    device.create_bind_group_layout(&BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    })
}

fn group(device: &Device, layout: &BindGroupLayout, buffers: &[&Buffer]) -> BindGroup {
    let entries: Vec<BindGroupEntry> = (0..)
        .zip(buffers)
        .map(|(binding, buffer)| BindGroupEntry {
            binding,
            resource: buffer.as_entire_binding(),
        })
        .collect();
    device.create_bind_group(&BindGroupDescriptor {
        label: None,
        layout,
        entries: &entries,
    })
}

/// One pipeline for each dispatch, specialised for its constants.
fn pipelines(device: &Device, group: &BindGroupLayout, program: &Program) -> Vec<ComputePipeline> {
    let module = device.create_shader_module(include_wgsl!("kernels.wgsl"));
    let layout = device.create_pipeline_layout(&PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(group)],
        immediate_size: 0,
    });
    let pipelines = program.dispatches.iter().map(|dispatch| {
        device.create_compute_pipeline(&ComputePipelineDescriptor {
            label: Some(dispatch.kernel),
            layout: Some(&layout),
            module: &module,
            entry_point: Some(dispatch.kernel),
            compilation_options: PipelineCompilationOptions {
                constants: &dispatch.overrides,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    });
    pipelines.collect()
}
