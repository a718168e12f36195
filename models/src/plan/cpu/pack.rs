//! Weights in the order in which a kernel reads them.
//!
//! Outputs go in *blocks* of sixteen, one to four blocks that read the same channels in a *panel*. A panel walks over its
//! window in *chunks* of a few bytes; for each chunk and block the weights are one line of 64 bytes. What does not fill a
//! chunk or a block is filled up with weights of 0.

use crate::plan::Conv;

/// Outputs in a block.
pub(crate) const BLOCK: usize = 16;

/// One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Line(pub(crate) [u8; 64]);

/// How a kernel wants its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineFormat {
    /// `[16 outputs][4 bytes of the window]` i8.
    #[cfg(target_arch = "x86_64")]
    Quads,
    /// `[16 outputs][2 bytes of the window]` i16.
    #[cfg(target_arch = "x86_64")]
    Pairs,
    /// `[2 bytes of the window][16 outputs]` i16.
    #[cfg(target_arch = "aarch64")]
    Columns,
}

/// A convolution ready for a kernel.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) outputs: usize,
    /// For each output, filled up to whole blocks: bias less what the zero point of the input adds.
    pub(crate) bias: Vec<i32>,
    pub(crate) factors: Vec<f32>,
    pub(crate) zero: u8,
    pub(crate) panels: Vec<Panel>,
}

/// Blocks that read the same bytes.
#[derive(Debug)]
pub(crate) struct Panel {
    /// The first output.
    pub(crate) first: usize,
    /// 1, 2 or 4.
    pub(crate) blocks: usize,
    /// From the first byte of the window to the first one that is read.
    pub(crate) offset: usize,
    /// The bytes that are read lie in so many runs …
    pub(crate) runs: usize,
    /// … this far apart …
    pub(crate) run_step: usize,
    /// … of so many chunks.
    pub(crate) chunks: usize,
    /// `[run][chunk][block]`.
    pub(crate) lines: Vec<Line>,
}

impl LineFormat {
    /// Bytes of the window in a chunk.
    pub(crate) const fn chunk(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Quads => 4,
            #[cfg(target_arch = "x86_64")]
            Self::Pairs => 2,
            #[cfg(target_arch = "aarch64")]
            Self::Columns => 2,
        }
    }

    /// The line of one block: `weight(lane, byte of the chunk)`.
    fn line(self, weight: impl Fn(usize, usize) -> i8) -> Line {
        let mut bytes = [0; 64];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let wide = |lane, at| {
                i16::from(weight(lane, at))
                    .to_le_bytes()
                    .get(index % 2)
                    .copied()
                    .unwrap_or_default()
            };
            *byte = match self {
                #[cfg(target_arch = "x86_64")]
                Self::Quads => weight(index / 4, index % 4).cast_unsigned(),
                #[cfg(target_arch = "x86_64")]
                Self::Pairs => wide(index / 4, index / 2 % 2),
                #[cfg(target_arch = "aarch64")]
                Self::Columns => wide(index / 2 % BLOCK, index / 32),
            };
        }
        Line(bytes)
    }
}

impl Packed {
    pub(crate) fn new(conv: &Conv, format: LineFormat) -> Self {
        let blocks = conv.outputs.div_ceil(BLOCK);
        let mut panels = Vec::new();
        let mut block = 0;
        while block < blocks {
            let channels = channels(conv, block);
            let alike = (block..blocks)
                .take_while(|other| self::channels(conv, *other) == channels)
                .count();
            let together = if alike >= 4 { 4 } else { alike.min(2) };
            panels.push(panel(conv, format, block, together, channels));
            block += together;
        }
        let width = conv.weights.len() / conv.outputs.max(1);
        let sums = conv
            .weights
            .chunks(width.max(1))
            .map(|row| row.iter().map(|w| i32::from(*w)).sum::<i32>());
        let mut bias: Vec<i32> = conv
            .bias
            .iter()
            .zip(sums)
            .map(|(bias, sum)| bias - i32::from(conv.zero_in) * sum)
            .collect();
        let mut factors = conv.factors.clone();
        bias.resize(blocks * BLOCK, 0);
        factors.resize(blocks * BLOCK, 0.0);
        Self {
            outputs: conv.outputs,
            bias,
            factors,
            zero: conv.zero_out,
            panels,
        }
    }

    /// Bytes from the start of a window to the end of what a kernel may read of it.
    pub(crate) fn reach(&self, format: LineFormat) -> usize {
        let reach = |panel: &Panel| panel.offset + (panel.runs - 1) * panel.run_step + panel.chunks * format.chunk();
        self.panels.iter().map(reach).max().unwrap_or(0)
    }
}

/// The input channels, from and to, that the groups of a block's outputs read.
fn channels(conv: &Conv, block: usize) -> (usize, usize) {
    let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
    let last = (block * BLOCK + BLOCK).min(conv.outputs) - 1;
    (block * BLOCK / outputs * inputs, (last / outputs + 1) * inputs)
}

fn panel(conv: &Conv, format: LineFormat, block: usize, blocks: usize, (from, to): (usize, usize)) -> Panel {
    // A window over all channels is one run.
    let (runs, bytes) = if to - from == conv.inputs {
        (1, conv.kernel * conv.inputs)
    } else {
        (conv.kernel, to - from)
    };
    let chunks = bytes.div_ceil(format.chunk());
    let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
    let weight = |output: usize, run: usize, byte: usize| {
        let at = run * conv.inputs + from + byte;
        let (tap, channel) = (at / conv.inputs, at % conv.inputs);
        let channel = channel
            .checked_sub(output / outputs * inputs)
            .filter(|channel| *channel < inputs);
        let inside = output < conv.outputs && byte < bytes;
        let index = channel
            .filter(|_| inside)
            .map(|channel| (output * inputs + channel) * conv.kernel + tap);
        index.and_then(|index| conv.weights.get(index)).copied().unwrap_or(0)
    };
    let mut lines = Vec::with_capacity(runs * chunks * blocks);
    for run in 0..runs {
        for chunk in 0..chunks {
            for of_panel in 0..blocks {
                let first = (block + of_panel) * BLOCK;
                lines.push(format.line(|lane, at| weight(first + lane, run, chunk * format.chunk() + at)));
            }
        }
    }
    Panel {
        first: block * BLOCK,
        blocks,
        offset: from,
        runs,
        run_step: conv.inputs,
        chunks,
        lines,
    }
}
