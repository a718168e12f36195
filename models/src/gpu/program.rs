//! A plan as what a GPU is told: which kernels run, over what, with which constants. No GPU is needed to make one.

use crate::plan::{Conv, Plan, Rescale, Scale, Shape, Step};

/// What runs for each batch, and what is resident for it.
#[derive(Debug)]
pub(super) struct Program {
    /// Each input as it is sent, in the order of the bytes.
    pub(super) uploads: Vec<Upload>,
    /// Words of a row of the batch: sent, kept, and fetched.
    pub(super) upload: usize,
    pub(super) arena: usize,
    pub(super) download: usize,
    /// Everything resident.
    pub(super) constants: Vec<[u32; 4]>,
    pub(super) dispatches: Vec<Dispatch>,
}

/// One input, to be quantized before it is sent: bytes are a quarter of the traffic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upload {
    pub(super) input: usize,
    pub(super) shape: Shape,
    pub(super) scale: Scale,
}

/// One kernel of `kernels.wgsl`, with its pipeline constants.
#[derive(Debug)]
pub(super) struct Dispatch {
    pub(super) kernel: &'static str,
    /// Invocations for a row of the batch.
    pub(super) items: usize,
    pub(super) overrides: Vec<(&'static str, f64)>,
}

/// Words of one resident vector, and channels in a word.
const LANES: usize = 4;
/// Positions that one invocation of the convolution computes; as in `kernels.wgsl`.
const BLOCK: usize = 4;
/// Sums of levels that are exact in f32, as the mean's definition needs.
const EXACT: usize = 1 << 24;

/// Makes the program of `plan`, or says what of it a GPU cannot do exactly.
pub(super) fn program(plan: &Plan) -> Result<Program, String> {
    let mut arena = 0;
    let rows = plan.rows.iter().map(|shape| {
        let row = Row {
            shape: *shape,
            at: arena,
        };
        arena += row.words();
        row
    });
    let mut builder = Builder {
        rows: rows.collect(),
        uploads: Vec::new(),
        sent: 0,
        constants: Vec::new(),
        dispatches: Vec::new(),
    };
    for step in &plan.steps {
        builder.step(step)?;
    }
    let end = builder.row(plan.output.from)?;
    builder.dispatch("give", end.words(), &[("FROM", end.at)]);
    let (upload, download) = (builder.sent.div_ceil(LANES), end.words());
    let mut dispatches = builder.dispatches;
    for dispatch in &mut dispatches {
        let common = [
            ("ARENA", arena),
            ("UPLOAD", upload),
            ("DOWNLOAD", download),
            ("ITEMS", dispatch.items),
        ];
        dispatch.overrides.extend(common.map(|(name, value)| (name, value as f64)));
    }
    Ok(Program {
        uploads: builder.uploads,
        upload,
        arena,
        download,
        constants: builder.constants,
        dispatches,
    })
}

/// A row of levels in the arena, each position in whole words.
#[derive(Clone, Copy, Debug)]
struct Row {
    shape: Shape,
    at: usize,
}

impl Row {
    const fn position(self) -> usize {
        self.shape.channels.div_ceil(LANES)
    }

    const fn words(self) -> usize {
        self.position() * self.shape.length
    }
}

struct Builder {
    rows: Vec<Row>,
    uploads: Vec<Upload>,
    /// Bytes of the uploads so far.
    sent: usize,
    constants: Vec<[u32; 4]>,
    dispatches: Vec<Dispatch>,
}

impl Builder {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Quantize { input, to, scale } => self.take(*input, *to, *scale),
            Step::Conv { from, to, conv } => self.convolve(*from, *to, conv),
            Step::Mean { from, to, mean } => self.mean(*from, *to, *mean),
            Step::Add {
                from: [first, second],
                to,
                terms: [one, other],
                sum,
                relu,
            } => {
                let pairs = every_level().flat_map(|a| every_level().map(move |b| (a, b)));
                let table = pairs.map(|(a, b)| {
                    let real = one.real(a) + other.real(b);
                    sum.store(if *relu { real.max(0.0) } else { real })
                });
                self.add(*first, *second, *to, &table.collect::<Vec<_>>())
            }
            Step::Concat { from, to } => self.concat(from, *to),
            Step::Table { from, to, tables } => {
                let bytes = tables
                    .iter()
                    .flat_map(|table| every_level().map(|level| table.get(usize::from(level)).copied().unwrap_or_default()));
                let bytes: Vec<u8> = bytes.collect();
                let constants = self.bytes(&bytes);
                let (from, to) = (self.row(*from)?, self.row(*to)?);
                self.dispatch(
                    "look_up",
                    to.words(),
                    &[
                        ("FROM", from.at),
                        ("TO", to.at),
                        ("OUT_WORDS", to.position()),
                        ("TABLES", tables.len()),
                        ("CONSTANTS", constants),
                    ],
                );
                Ok(())
            }
            Step::Reshape { from, to } => self.reshape(*from, *to),
        }
    }

    fn take(&mut self, input: usize, to: usize, scale: Scale) -> Result<(), String> {
        let to = self.row(to)?;
        let overrides = [
            ("FROM", self.sent),
            ("TO", to.at),
            ("OUT_WORDS", to.position()),
            ("CHANNELS", to.shape.channels),
        ];
        self.dispatch("take", to.words(), &overrides);
        self.sent += to.shape.size();
        self.uploads.push(Upload {
            input,
            shape: to.shape,
            scale,
        });
        Ok(())
    }

    fn convolve(&mut self, from: usize, to: usize, conv: &Conv) -> Result<(), String> {
        let (from, to) = (self.row(from)?, self.row(to)?);
        let window = Window::new(conv, from.position());
        let constants = self.constants.len();
        for output in 0..to.position() {
            self.constants.extend(window.constants(conv, output));
        }
        let overrides = [
            ("FROM", from.at),
            ("TO", to.at),
            ("IN_WORDS", from.position()),
            ("OUT_WORDS", to.position()),
            ("IN_LENGTH", from.shape.length),
            ("OUT_LENGTH", to.shape.length),
            ("CONSTANTS", constants),
            ("KERNEL", conv.kernel),
            ("STRIDE", conv.stride),
            ("PADDING", conv.padding[0]),
            ("REACH", window.reach),
            ("ZERO_IN", word([stored(conv.zero_in); LANES]) as usize),
            ("ZERO_OUT", usize::from(conv.zero_out)),
        ];
        self.dispatch("convolve", to.position() * to.shape.length.div_ceil(BLOCK), &overrides);
        Ok(())
    }

    fn mean(&mut self, from: usize, to: usize, mean: Rescale) -> Result<(), String> {
        let (from, to) = (self.row(from)?, self.row(to)?);
        let length = from.shape.length;
        if length * 255 >= EXACT {
            return Err(format!("the mean of {length} positions is not exact in f32"));
        }
        let constants = self.words(&thresholds(mean, length).map(i32::cast_unsigned).collect::<Vec<_>>());
        let overrides = [
            ("FROM", from.at),
            ("TO", to.at),
            ("IN_WORDS", from.position()),
            ("IN_LENGTH", length),
            ("CONSTANTS", constants),
        ];
        self.dispatch("mean", to.words(), &overrides);
        Ok(())
    }

    fn add(&mut self, first: usize, second: usize, to: usize, table: &[u8]) -> Result<(), String> {
        let (first, second, to) = (self.row(first)?, self.row(second)?, self.row(to)?);
        let constants = self.bytes(table);
        let overrides = [
            ("FROM", first.at),
            ("AND", second.at),
            ("TO", to.at),
            ("CONSTANTS", constants),
        ];
        self.dispatch("add", to.words(), &overrides);
        Ok(())
    }

    fn concat(&mut self, from: &[usize], to: usize) -> Result<(), String> {
        let rows = from.iter().map(|index| self.row(*index)).collect::<Result<Vec<_>, _>>()?;
        let sources = rows
            .iter()
            .flat_map(|row| (0..row.shape.channels).map(|channel| [row.at * LANES + channel, row.position() * LANES]));
        self.gather(sources.collect(), to)
    }

    /// Levels are in the order of positions, then channels, before and after.
    fn reshape(&mut self, from: usize, to: usize) -> Result<(), String> {
        let (row, target) = (self.row(from)?, self.row(to)?);
        let byte = |level: usize| {
            let (position, channel) = (level / row.shape.channels, level % row.shape.channels);
            (row.at + position * row.position()) * LANES + channel
        };
        let channels = target.shape.channels;
        let next = |channel: usize| byte(channels + channel).saturating_sub(byte(channel));
        // Each channel of the result must go on in equal strides.
        if target.shape.length > 1 && row.shape.channels > 1 && !channels.is_multiple_of(row.shape.channels) {
            return Err(format!("{:?} cannot be seen as {:?}", row.shape, target.shape));
        }
        self.gather((0..channels).map(|channel| [byte(channel), next(channel)]).collect(), to)
    }

    /// `sources` hold the first byte and the stride of each channel.
    fn gather(&mut self, sources: Vec<[usize; 2]>, to: usize) -> Result<(), String> {
        let to = self.row(to)?;
        let constants = self.constants.len();
        let padded = to.position() * LANES;
        let last = sources.last().copied();
        let sources = sources.into_iter().chain(last.into_iter().cycle()).take(padded);
        self.constants
            .extend(sources.map(|[first, stride]| [first as u32, stride as u32, 0, 0]));
        let overrides = [("TO", to.at), ("OUT_WORDS", to.position()), ("CONSTANTS", constants)];
        self.dispatch("gather", to.words(), &overrides);
        Ok(())
    }

    fn dispatch(&mut self, kernel: &'static str, items: usize, overrides: &[(&'static str, usize)]) {
        self.dispatches.push(Dispatch {
            kernel,
            items,
            overrides: overrides.iter().map(|(name, value)| (*name, *value as f64)).collect(),
        });
    }

    fn row(&self, index: usize) -> Result<Row, String> {
        let row = self.rows.get(index).copied();
        row.ok_or_else(|| format!("the plan has no row {index}"))
    }

    /// Makes words resident and returns where.
    fn words(&mut self, words: &[u32]) -> usize {
        let at = self.constants.len();
        self.constants.extend(words.chunks(LANES).map(|chunk| {
            let mut vector = [0; LANES];
            vector.iter_mut().zip(chunk).for_each(|(place, word)| *place = *word);
            vector
        }));
        at
    }

    /// Makes levels resident as stored bytes.
    fn bytes(&mut self, levels: &[u8]) -> usize {
        let (quads, _) = levels.as_chunks::<LANES>();
        self.words(&quads.iter().map(|quad| word(quad.map(stored))).collect::<Vec<_>>())
    }
}

/// What of the input an output word depends on.
struct Window {
    /// Input words in a position.
    position: usize,
    /// Input words that any output word needs.
    reach: usize,
}

impl Window {
    fn new(conv: &Conv, position: usize) -> Self {
        let outputs = 0..conv.outputs.div_ceil(LANES);
        let reach = outputs.map(|output| {
            let (first, last) = input_words(conv, output);
            last - first + 1
        });
        Self {
            position,
            reach: reach.max().unwrap_or(1),
        }
    }

    /// Biases, shifts, the first input word and the weights of one output word.
    fn constants(&self, conv: &Conv, output: usize) -> Vec<[u32; 4]> {
        let begin = input_words(conv, output).0.min(self.position - self.reach);
        let channels: [Channel; LANES] = std::array::from_fn(|lane| Channel::new(conv, output * LANES + lane));
        let bias = channels.each_ref().map(|channel| channel.bias.cast_unsigned());
        let shift = channels.each_ref().map(|channel| channel.shift.cast_unsigned());
        let mut constants = vec![bias, shift, [begin as u32, 0, 0, 0]];
        for place in 0..conv.kernel {
            for reach in begin..begin + self.reach {
                let weights = |channel: &Channel| {
                    word(std::array::from_fn(|lane| {
                        channel.weight(conv, reach * LANES + lane, place).cast_unsigned()
                    }))
                };
                constants.push(channels.each_ref().map(weights));
            }
        }
        constants
    }
}

/// First and last input word of the groups of an output word's channels.
fn input_words(conv: &Conv, output: usize) -> (usize, usize) {
    let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
    let first = output * LANES / outputs * inputs;
    let last = ((output + 1) * LANES).min(conv.outputs) - 1;
    let last = (last / outputs + 1) * inputs - 1;
    (first / LANES, last / LANES)
}

/// One output channel; one that does not exist has weights of 0.
struct Channel<'a> {
    weights: &'a [i8],
    bias: i32,
    shift: i32,
    /// Its group's first input.
    first: usize,
}

impl<'a> Channel<'a> {
    fn new(conv: &'a Conv, output: usize) -> Self {
        let inputs = conv.inputs / conv.groups;
        let weights = conv.weights.chunks(inputs * conv.kernel).nth(output).unwrap_or_default();
        // What is stored is 128 too low, and the level that stands for 0 too high.
        let sum: i32 = weights.iter().map(|weight| i32::from(*weight)).sum();
        let bias = conv.bias.get(output).copied().unwrap_or_default();
        Self {
            weights,
            bias: bias + (128 - i32::from(conv.zero_in)) * sum,
            shift: conv.factors.get(output).copied().map_or(0, shift),
            first: output / (conv.outputs / conv.groups) * inputs,
        }
    }

    fn weight(&self, conv: &Conv, input: usize, place: usize) -> i8 {
        let own = input.checked_sub(self.first).filter(|own| *own < conv.inputs / conv.groups);
        let weight = own.and_then(|own| self.weights.get(own * conv.kernel + place));
        weight.copied().unwrap_or_default()
    }
}

/// How far to shift right for a factor that is a power of two: `factor = 2^-shift`.
fn shift(factor: f32) -> i32 {
    127 - (factor.to_bits() >> 23) as i32
}

/// For each level but the lowest, the smallest sum of stored levels that gives it: a mean grows with its sum.
fn thresholds(mean: Rescale, length: usize) -> impl Iterator<Item = i32> {
    let length = length as i32;
    let (lowest, highest) = (-128 * length, 127 * length);
    let level = move |sum: i32| {
        // Each real is exact and so is their sum: it is the sum of the levels above zero, times the step.
        let above_zero = sum + length * (128 - i32::from(mean.from.zero));
        mean.to.store(above_zero as f32 * mean.from.step / length as f32)
    };
    (1..=255_u8).map(move |wanted| {
        let (mut below, mut from) = (lowest - 1, highest + 1);
        while from - below > 1 {
            let middle = below + (from - below) / 2;
            if level(middle) >= wanted {
                from = middle;
            } else {
                below = middle;
            }
        }
        from
    })
}

/// All levels in the order of their stored bytes.
fn every_level() -> impl Iterator<Item = u8> + Clone {
    (0..=255_u8).map(stored)
}

/// 128 lower, as a signed byte; the same again gives the level back.
pub(super) const fn stored(level: u8) -> u8 {
    level ^ 0x80
}

const fn word(bytes: [u8; LANES]) -> u32 {
    u32::from_le_bytes(bytes)
}
