//! Random plans and inputs for the tests of executors: every shape, stride, padding and group, and the extremes.

use super::{Conv, Output, Plan, Rescale, Scale, Shape, Step};

/// xorshift64*: the same numbers on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    /// Within `from..=to`.
    pub(crate) fn within(&mut self, from: i64, to: i64) -> i64 {
        from + (self.next() % (to - from + 1) as u64) as i64
    }

    fn length(&mut self, from: usize, to: usize) -> usize {
        self.within(from as i64, to as i64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.length(0, from.len() - 1)]
    }

    fn scale(&mut self) -> Scale {
        let zero = self.within(0, 255) as u8;
        Scale {
            step: 2_f32.powi(self.within(-8, 1) as i32),
            zero: self.pick(&[0, 128, 255, zero]),
        }
    }

    /// Mostly ordinary values, some far outside every scale, some exactly between two levels.
    pub(crate) fn reals(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| match self.within(0, 9) {
                0 => self.pick(&[f32::MAX, f32::MIN, 0.0, -0.0, f32::MIN_POSITIVE]),
                1..=4 => self.within(-600, 600) as f32 / 512.0,
                _ => self.within(-4_000_000, 4_000_000) as f32 / 1_000_000.0,
            })
            .collect()
    }

    /// A convolution on `inputs` channels of `length` positions.
    pub(crate) fn conv(&mut self, inputs: usize, length: usize, product: bool) -> Conv {
        let groups = if product {
            1
        } else {
            self.pick(&[
                1,
                1,
                1,
                inputs,
                (1..=inputs).find(|g| inputs.is_multiple_of(*g) && *g > 1).unwrap_or(1),
            ])
        };
        let outputs = groups * self.length(1, (80 / groups).max(1));
        let kernel = if product { 1 } else { self.length(1, 9) };
        let padding = if product {
            [0, 0]
        } else {
            [self.length(0, 5), self.length(0, 5)]
        };
        let kernel = kernel.min(length + padding[0] + padding[1]);
        let width = inputs / groups * kernel;
        let extreme = self.within(0, 4) == 0;
        let weights = (0..outputs * width)
            .map(|_| {
                if extreme {
                    self.pick(&[-128, 127])
                } else {
                    self.within(-128, 127) as i8
                }
            })
            .collect();
        // Sums of about 255 · 127 · √width levels should spread over the result's levels, and some should not.
        let spread = (14.0 + (width as f32).log2() / 2.0) as i64 - 7;
        Conv {
            inputs,
            outputs,
            groups,
            kernel,
            stride: if product { 1 } else { self.length(1, 4) },
            padding,
            weights,
            bias: (0..outputs).map(|_| self.within(-40_000, 40_000) as i32).collect(),
            factors: (0..outputs)
                .map(|_| 2_f32.powi(-self.within(spread - 3, spread + 3) as i32))
                .collect(),
            zero_in: self.scale().zero,
            zero_out: self.scale().zero,
        }
    }

    /// A plan of one or two inputs with a few layers, as deep and odd as the models of the ward are not.
    pub(crate) fn plan(&mut self) -> Plan {
        let window = Shape {
            channels: self.length(1, 3),
            length: self.length(1, 90),
        };
        let mut plan = Plan {
            inputs: vec![window],
            rows: Vec::new(),
            steps: Vec::new(),
            output: Output {
                from: 0,
                scale: self.scale(),
                bias: Vec::new(),
            },
        };
        let scale = self.scale();
        let mut row = push(&mut plan, window, |to| Step::Quantize { input: 0, to, scale });
        for _ in 0..self.length(1, 4) {
            row = self.layer(&mut plan, row);
        }
        let mean = Rescale {
            from: self.scale(),
            to: self.scale(),
        };
        let channels = plan.rows[row].channels;
        let mut flat = push(&mut plan, Shape { channels, length: 1 }, |to| Step::Mean {
            from: row,
            to,
            mean,
        });
        if self.within(0, 1) == 1 {
            let rhythm = Shape {
                channels: self.length(1, 20),
                length: 1,
            };
            let scale = self.scale();
            plan.inputs.push(rhythm);
            let beside = push(&mut plan, rhythm, |to| Step::Quantize { input: 1, to, scale });
            let together = Shape {
                channels: channels + rhythm.channels,
                length: 1,
            };
            flat = push(&mut plan, together, |to| Step::Concat {
                from: vec![flat, beside],
                to,
            });
        }
        for _ in 0..self.length(0, 2) {
            let conv = Box::new(self.conv(plan.rows[flat].channels, 1, true));
            let shape = Shape {
                channels: conv.outputs,
                length: 1,
            };
            flat = push(&mut plan, shape, |to| Step::Conv { from: flat, to, conv });
            flat = self.table(&mut plan, flat);
        }
        plan.output.from = flat;
        plan.output.bias = (0..plan.rows[flat].size())
            .map(|_| self.within(-100, 100) as f32 / 7.0)
            .collect();
        plan
    }

    fn layer(&mut self, plan: &mut Plan, from: usize) -> usize {
        let shape = plan.rows[from];
        match self.within(0, 5) {
            0 => self.table(plan, from),
            1 => {
                let other = self.table(plan, from);
                let (terms, sum, relu) = ([self.scale(), self.scale()], self.scale(), self.within(0, 1) == 1);
                push(plan, shape, |to| Step::Add {
                    from: [from, other],
                    to,
                    terms,
                    sum,
                    relu,
                })
            }
            2 => {
                let other = self.table(plan, from);
                let wider = Shape {
                    channels: 2 * shape.channels,
                    ..shape
                };
                push(plan, wider, |to| Step::Concat {
                    from: vec![other, from],
                    to,
                })
            }
            _ => {
                let mut conv = self.conv(shape.channels, shape.length, false);
                // Two convolutions on one row must agree about its padding.
                if let Some(padding) = plan
                    .padding()
                    .and_then(|all| all.get(from).copied())
                    .filter(|p| p.front + p.behind > 0)
                {
                    conv.zero_in = padding.zero;
                }
                let length = conv.output_length(shape.length);
                let to = Shape {
                    channels: conv.outputs,
                    length,
                };
                push(plan, to, |to| Step::Conv {
                    from,
                    to,
                    conv: Box::new(conv),
                })
            }
        }
    }

    fn table(&mut self, plan: &mut Plan, from: usize) -> usize {
        let shape = plan.rows[from];
        let count = self.pick(&[1, shape.channels]);
        let tables = (0..count)
            .map(|_| std::array::from_fn(|_| self.within(0, 255) as u8))
            .collect();
        push(plan, shape, |to| Step::Table { from, to, tables })
    }
}

impl Conv {
    /// Positions of the result for so many positions.
    pub(super) fn output_length(&self, length: usize) -> usize {
        (length + self.padding[0] + self.padding[1] - self.kernel) / self.stride + 1
    }
}

fn push(plan: &mut Plan, shape: Shape, step: impl FnOnce(usize) -> Step) -> usize {
    let to = plan.rows.len();
    plan.rows.push(shape);
    plan.steps.push(step(to));
    to
}
