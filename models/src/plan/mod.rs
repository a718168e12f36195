//! The integer plan: what an int8 graph computes, as a list of steps on levels.
//!
//! A level is an unsigned byte that stands for a real number: `real = (level - zero) * scale`, every scale a power of
//! two. A row of levels is stored position after position, the channels of a position side by side, so that the window
//! of a convolution is one run of bytes. Every executor gives the same bytes for the same plan, and the bytes that ONNX
//! defines: products are summed in i32, converted to f32, multiplied, rounded with ties to even and clamped.

pub(crate) mod cpu;
mod lower;
#[cfg(test)]
mod random;
pub(crate) mod reference;
#[cfg(test)]
mod tests;

pub(crate) use lower::lower;

/// A graph as steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Shape of a row of each f32 input: channels, each of so many samples.
    pub(crate) inputs: Vec<Shape>,
    /// Shape of each row of levels that the steps read and write.
    pub(crate) rows: Vec<Shape>,
    /// In order. Each row is written by one step, before it is read.
    pub(crate) steps: Vec<Step>,
    /// The end: levels to f32.
    pub(crate) output: Output,
}

/// Channels at positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) channels: usize,
    pub(crate) length: usize,
}

/// One step. `from` and `to` are indices of rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// f32 of an input to levels.
    Quantize { input: usize, to: usize, scale: Scale },
    /// Convolution or matrix product.
    Conv { from: usize, to: usize, conv: Box<Conv> },
    /// The mean of each channel over all positions.
    Mean { from: usize, to: usize, mean: Rescale },
    /// The sum of two rows of one shape, below 0 cut off if `relu`.
    Add {
        from: [usize; 2],
        to: usize,
        terms: [Scale; 2],
        sum: Scale,
        relu: bool,
    },
    /// The channels of several rows side by side.
    Concat { from: Vec<usize>, to: usize },
    /// Each level becomes another: one table for all channels, or one for each.
    Table { from: usize, to: usize, tables: Vec<[u8; 256]> },
    /// The same levels, seen as another shape.
    Reshape { from: usize, to: usize },
}

/// How real numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    /// A power of two.
    pub(crate) step: f32,
    /// The level that stands for 0.
    pub(crate) zero: u8,
}

/// From one scale to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rescale {
    pub(crate) from: Scale,
    pub(crate) to: Scale,
}

/// A convolution in one dimension; a matrix product is one with a kernel of 1 on one position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conv {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) groups: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    /// Positions of padding in front and behind; they hold `zero_in`.
    pub(crate) padding: [usize; 2],
    /// `[outputs][inputs / groups][kernel]`.
    pub(crate) weights: Vec<i8>,
    /// One for each output.
    pub(crate) bias: Vec<i32>,
    /// What one unit of each output's sum is, in levels of the result; a power of two.
    pub(crate) factors: Vec<f32>,
    pub(crate) zero_in: u8,
    pub(crate) zero_out: u8,
}

/// Levels to f32, plus a constant for each channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) from: usize,
    pub(crate) scale: Scale,
    pub(crate) bias: Vec<f32>,
}

impl Shape {
    /// Levels in a row.
    pub(crate) const fn size(self) -> usize {
        self.channels * self.length
    }
}

impl Scale {
    /// The level that is nearest to `real`, ties to even.
    pub(crate) fn store(self, real: f32) -> u8 {
        saturate(real * (1.0 / self.step), self.zero)
    }

    /// What `level` stands for.
    pub(crate) fn real(self, level: u8) -> f32 {
        f32::from(i16::from(level) - i16::from(self.zero)) * self.step
    }
}

/// The level `levels` above `zero`, rounded with ties to even, kept within a byte.
pub(crate) fn saturate(levels: f32, zero: u8) -> u8 {
    let zero = f32::from(zero);
    (levels.round_ties_even().clamp(-zero, 255.0 - zero) + zero) as u8
}

impl Conv {
    /// Whether it is a matrix product on one position, so that the rows of a batch are positions of one row.
    pub(crate) fn is_product(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == [0, 0]
    }
}

/// Positions that the convolutions which read a row need in front of it and behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Padding {
    pub(crate) front: usize,
    pub(crate) behind: usize,
    /// The level that stands for 0 there.
    pub(crate) zero: u8,
}

impl Plan {
    /// The padding of each row; `None` if two convolutions disagree about what stands for 0 in the row that both read.
    pub(crate) fn padding(&self) -> Option<Vec<Padding>> {
        let mut all = vec![Padding::default(); self.rows.len()];
        for step in &self.steps {
            let Step::Conv { from, conv, .. } = step else { continue };
            let [front, behind] = conv.padding;
            if front + behind == 0 {
                continue;
            }
            let padding = all.get_mut(*from)?;
            if padding.front + padding.behind > 0 && padding.zero != conv.zero_in {
                return None;
            }
            *padding = Padding {
                front: padding.front.max(front),
                behind: padding.behind.max(behind),
                zero: conv.zero_in,
            };
        }
        Some(all)
    }

    /// Values in a row of the result.
    pub(crate) fn classes(&self) -> usize {
        self.rows.get(self.output.from).map_or(0, |row| row.size())
    }
}
