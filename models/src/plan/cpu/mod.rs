//! The plan on a CPU's vector instructions.
//!
//! Windows go one by one through the steps on many positions, so that what one step writes is still in the nearest cache
//! when the next reads it. Steps on one position follow for a tile of rows at once, so that a matrix product uses each
//! weight more than once. Padding is written once, when the buffers are made: steps write between it.

mod kernels;
mod pack;

pub use kernels::Isa;

use std::ops::Range;

use super::{Conv, Padding, Plan, Shape, Step};
use kernels::Job;
use pack::Packed;

/// Rows in a tile.
const TILE: usize = 12;

/// A kernel reads whole chunks, so a little beyond its last window.
const SLACK: usize = 64;

/// A plan prepared for one instruction set, with room for one tile.
#[derive(Debug)]
pub(crate) struct Cpu {
    plan: Plan,
    isa: Isa,
    /// One for each step; `None` for what is no convolution.
    packed: Vec<Option<Packed>>,
    /// Which buffer holds each row.
    places: Vec<usize>,
    buffers: Vec<Buffer>,
    /// Steps with a row of many positions, then the others: indices.
    wide: Vec<usize>,
    flat: Vec<usize>,
    /// Room for one sum a channel.
    sums: Vec<i32>,
}

/// The levels of one row of the plan.
#[derive(Debug, Default)]
struct Buffer {
    /// Rows of the tile that it holds: all of them, or one after the other in the same place.
    rows: usize,
    /// Levels in front of the first position of a row.
    front: usize,
    /// Levels from one row of the tile to the next.
    stride: usize,
    levels: Vec<u8>,
}

impl Cpu {
    /// `None` if the plan's rows do not fit together; a plan that was lowered from a graph is never one.
    pub(crate) fn new(plan: &Plan, isa: Isa) -> Option<Self> {
        let packed = plan.steps.iter().map(|step| match step {
            Step::Conv { conv, .. } => Some(Packed::new(conv, isa.format())),
            _ => None,
        });
        let mut places: Vec<usize> = (0..plan.rows.len()).collect();
        for step in &plan.steps {
            if let Step::Reshape { from, to } = step {
                *places.get_mut(*to)? = *places.get(*from)?;
            }
        }
        let mut paddings = plan.padding()?;
        // A padded row that is a reshaped one: the padding belongs to the buffer that both share.
        for (row, place) in places.iter().enumerate() {
            let (own, shape) = (*paddings.get(row)?, *plan.rows.get(row)?);
            if row != *place && own != Padding::default() {
                let of_place = *plan.rows.get(*place)?;
                let shared = paddings.get_mut(*place)?;
                if *shared != Padding::default() || of_place.channels != shape.channels {
                    return None;
                }
                *shared = own;
            }
        }
        let (wide, flat) = wide_and_flat(plan);
        // The result, and what a step on one position reads, must be there for the whole tile.
        let is_shared = |place: usize| {
            let mut rows = places
                .iter()
                .zip(&plan.rows)
                .enumerate()
                .filter(|(_, (own, _))| **own == place);
            rows.any(|(row, (_, shape))| shape.length == 1 || row == plan.output.from)
        };
        let buffers = plan.rows.iter().zip(paddings).enumerate().map(|(place, (shape, padding))| {
            let rows = if is_shared(place) { TILE } else { 1 };
            Buffer::new(*shape, padding, rows)
        });
        Some(Self {
            packed: packed.collect(),
            buffers: buffers.collect(),
            places,
            wide,
            flat,
            sums: Vec::new(),
            plan: plan.clone(),
            isa,
        })
    }

    pub(crate) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs `batch` rows. `inputs` hold the rows of each input one after the other, channel after channel. `None` only
    /// if `inputs` are too short.
    pub(crate) fn run(&mut self, inputs: &[&[f32]], batch: usize) -> Option<Vec<f32>> {
        let mut results = Vec::with_capacity(batch * self.plan.classes());
        for first in (0..batch).step_by(TILE) {
            let rows = TILE.min(batch - first);
            for row in 0..rows {
                for position in 0..self.wide.len() {
                    self.step(*self.wide.get(position)?, inputs, first, row..row + 1)?;
                }
            }
            for position in 0..self.flat.len() {
                self.step(*self.flat.get(position)?, inputs, first, 0..rows)?;
            }
            let output = &self.plan.output;
            let from = self.buffer(output.from)?;
            let size = self.plan.rows.get(output.from)?.size();
            for row in 0..rows {
                let levels = from.row(row, size)?.iter().zip(output.bias.iter().cycle());
                results.extend(levels.map(|(level, bias)| output.scale.real(*level) + bias));
            }
        }
        Some(results)
    }

    /// One step for some rows of the tile that begins with row `first` of the batch.
    fn step(&mut self, index: usize, inputs: &[&[f32]], first: usize, rows: Range<usize>) -> Option<()> {
        let isa = self.isa;
        let (_, to) = self.plan.steps.get(index)?.rows();
        if let Step::Reshape { .. } = self.plan.steps.get(index)? {
            return Some(());
        }
        // Taken out while it is written, so that the others can be read.
        let place = *self.places.get(to)?;
        let mut target = std::mem::take(self.buffers.get_mut(place)?);
        let mut sums = std::mem::take(&mut self.sums);
        let shape = *self.plan.rows.get(to)?;
        let done = match self.plan.steps.get(index)? {
            Step::Conv { from, conv, .. } => {
                let packed = self.packed.get(index)?.as_ref()?;
                self.convolve(*from, conv, packed, &mut target, shape, rows)
            }
            step => rows.into_iter().try_for_each(|row| {
                let to = target.row_mut(row, shape.size())?;
                match step {
                    Step::Quantize { input, scale, .. } => {
                        let size = shape.size();
                        let reals = inputs.get(*input)?.get((first + row) * size..)?.get(..size)?;
                        if shape.channels == 1 || shape.length == 1 {
                            isa.quantize(reals, to, *scale);
                        } else {
                            isa.interleave(reals, shape.channels, to, *scale);
                        }
                    }
                    Step::Mean { from, mean, .. } => {
                        sums.resize(shape.channels, 0);
                        isa.mean(self.row(*from, row)?, &mut sums, to, *mean);
                    }
                    Step::Add {
                        from: [a, b],
                        terms,
                        sum,
                        relu,
                        ..
                    } => {
                        let terms = [(self.row(*a, row)?, terms[0]), (self.row(*b, row)?, terms[1])];
                        isa.add(terms, to, *sum, *relu);
                    }
                    Step::Concat { from, .. } => self.concat(from, row, to, shape.channels)?,
                    Step::Table { from, tables, .. } => {
                        let levels = self.row(*from, row)?.iter().zip(tables.iter().cycle());
                        for (stored, (level, table)) in to.iter_mut().zip(levels) {
                            *stored = *table.get(usize::from(*level))?;
                        }
                    }
                    Step::Conv { .. } | Step::Reshape { .. } => {}
                }
                Some(())
            }),
        };
        *self.buffers.get_mut(place)? = target;
        self.sums = sums;
        done
    }

    /// A convolution of each row, or, for a product on one position, of all rows as positions of one.
    fn convolve(
        &self,
        from: usize,
        conv: &Conv,
        packed: &Packed,
        target: &mut Buffer,
        to: Shape,
        mut rows: Range<usize>,
    ) -> Option<()> {
        let source = self.buffer(from)?;
        // The row may have more padding in front than this convolution asks for.
        let start = source.front.checked_sub(conv.padding[0] * conv.inputs)?;
        if conv.is_product() && to.length == 1 {
            let begin = target.start(rows.start) + target.front;
            return self.isa.convolve(
                packed,
                &mut Job {
                    source: source.levels.get(source.start(rows.start) + start..)?,
                    source_step: source.stride,
                    target: target.levels.get_mut(begin..)?,
                    target_step: target.stride,
                    positions: rows.len(),
                },
            );
        }
        rows.try_for_each(|row| {
            let begin = target.start(row) + target.front;
            self.isa.convolve(
                packed,
                &mut Job {
                    source: source.levels.get(source.start(row) + start..)?,
                    source_step: conv.stride * conv.inputs,
                    target: target.levels.get_mut(begin..)?,
                    target_step: conv.outputs,
                    positions: to.length,
                },
            )
        })
    }

    fn concat(&self, from: &[usize], row: usize, to: &mut [u8], channels: usize) -> Option<()> {
        let mut offset = 0;
        for index in from {
            let own = self.plan.rows.get(*index)?.channels;
            let positions = self.row(*index, row)?.chunks_exact(own);
            for (to, levels) in to.chunks_exact_mut(channels).zip(positions) {
                to.get_mut(offset..offset + own)?.copy_from_slice(levels);
            }
            offset += own;
        }
        Some(())
    }

    fn buffer(&self, row: usize) -> Option<&Buffer> {
        self.buffers.get(*self.places.get(row)?)
    }

    /// The levels of a row of the plan, of one row of the tile.
    fn row(&self, index: usize, row: usize) -> Option<&[u8]> {
        self.buffer(index)?.row(row, self.plan.rows.get(index)?.size())
    }
}

/// The steps with a row of many positions and those without. If one of the first needs one of the second, all count as
/// wide: they run in the plan's order, row by row.
fn wide_and_flat(plan: &Plan) -> (Vec<usize>, Vec<usize>) {
    let is_wide = |row: &usize| plan.rows.get(*row).is_some_and(|shape| shape.length > 1);
    let mut wide = Vec::new();
    let mut flat = Vec::new();
    let mut written_flat = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let (from, to) = step.rows();
        if from.iter().chain([&to]).any(is_wide) {
            if from.iter().any(|row| written_flat.contains(row)) {
                return ((0..plan.steps.len()).collect(), Vec::new());
            }
            wide.push(index);
        } else {
            flat.push(index);
            written_flat.push(to);
        }
    }
    (wide, flat)
}

impl Buffer {
    fn new(shape: Shape, padding: Padding, rows: usize) -> Self {
        let front = padding.front * shape.channels;
        let stride = front + shape.size() + padding.behind * shape.channels;
        Self {
            rows,
            front,
            stride,
            levels: vec![padding.zero; stride * rows + SLACK],
        }
    }

    /// Where a row of the tile begins, with its padding.
    const fn start(&self, row: usize) -> usize {
        row % self.rows * self.stride
    }

    fn row(&self, row: usize, size: usize) -> Option<&[u8]> {
        self.levels.get(self.start(row) + self.front..)?.get(..size)
    }

    fn row_mut(&mut self, row: usize, size: usize) -> Option<&mut [u8]> {
        let start = self.start(row) + self.front;
        self.levels.get_mut(start..)?.get_mut(..size)
    }
}
